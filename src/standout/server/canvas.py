"""Lays a cut-out out anew, and lays something under it: arrays only."""

from __future__ import annotations

import cv2
import numpy as np

from standout.imaging.arrays import Frame
from standout.imaging.parse import Length
from standout.server.layout import Layout

#: Alpha from which a pixel counts as something to see, of 255.
_SEEN = 8
_MOST_MARGIN_PX, _MOST_MARGIN_SHARE = 500, 0.5


def subject_box(rgba: Frame) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) of what is to see; None if there is nothing."""
    seen = rgba[..., 3] >= _SEEN
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def lay_out(rgba: Frame, layout: Layout) -> Frame:
    """The cut-out, uint8 RGBA (H, W, 4), laid out anew: cropped, or scaled and placed in a picture of the same size."""
    box = subject_box(rgba)
    if box is None:
        return rgba
    subject = rgba[box[1] : box[3], box[0] : box[2]]
    if layout.crop:
        height, width = subject.shape[:2]
        top, right, bottom, left = (
            _margin(length, whole) for length, whole in zip(layout.margins, (height, width) * 2, strict=True)
        )
        canvas = np.zeros((top + height + bottom, left + width + right, 4), np.uint8)
        canvas[top : top + height, left : left + width] = subject
        if layout.scale is None and layout.position in (None, "original"):
            return canvas
        rgba = canvas
    elif layout.scale is None and layout.position in (None, "original"):
        return rgba
    return _placed(subject, box, rgba.shape[:2], layout)


def _margin(length: Length, whole: int) -> int:
    return max(0, min(round(length.px(whole)), round(whole * _MOST_MARGIN_SHARE), _MOST_MARGIN_PX))


def _placed(subject: Frame, box: tuple[int, int, int, int], canvas_hw: tuple[int, ...], layout: Layout) -> Frame:
    height, width = canvas_hw[:2]
    if layout.scale is not None:
        factor = layout.scale * min(height / subject.shape[0], width / subject.shape[1])
        subject = _resized(subject, factor, (height, width))
    tall, wide = subject.shape[:2]
    if layout.position == "original":
        top = min(max(0, (box[1] + box[3] - tall) // 2), height - tall)
        left = min(max(0, (box[0] + box[2] - wide) // 2), width - wide)
    else:
        across, down = layout.position or (0.5, 0.5)
        top, left = round((height - tall) * down), round((width - wide) * across)
    canvas = np.zeros((height, width, 4), np.uint8)
    canvas[top : top + tall, left : left + wide] = subject
    return canvas


def _resized(rgba: Frame, factor: float, most_hw: tuple[int, int]) -> Frame:
    """Colors are weighed with alpha, so that the black of what is transparent doesn't get into the edge."""
    tall = min(most_hw[0], max(1, round(rgba.shape[0] * factor)))
    wide = min(most_hw[1], max(1, round(rgba.shape[1] * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    alpha = rgba[..., 3:].astype(np.float32) / 255
    weighed = cv2.resize(np.concatenate([rgba[..., :3] * alpha, alpha], axis=2), (wide, tall), interpolation=how)
    share = weighed[..., 3:]
    colors = weighed[..., :3] / np.maximum(share, 1e-6)
    result: Frame = np.clip(np.concatenate([colors, share * 255], axis=2) + 0.5, 0, 255).astype(np.uint8)
    return result


def over_color(rgba: Frame, color: tuple[int, int, int, int]) -> Frame:
    """The cut-out over a color (red, green, blue, alpha): RGB if that is opaque, else RGBA."""
    under = np.empty(rgba.shape[:2] + (4,), np.uint8)
    under[:] = color
    return over(rgba, under)


def over(rgba: Frame, under: Frame) -> Frame:
    """Porter-Duff over, for two pictures uint8 (H, W, 4) with straight alpha; RGB if nothing transparent is left."""
    a, b = rgba[..., 3:].astype(np.float32) / 255, under[..., 3:].astype(np.float32) / 255
    alpha = a + b * (1 - a)
    colors = (rgba[..., :3] * a + under[..., :3] * (b * (1 - a))) / np.maximum(alpha, 1e-6)
    result: Frame = np.clip(np.concatenate([colors, alpha * 255], axis=2) + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(result[..., :3]) if int(result[..., 3].min()) == 255 else result


def spread_colors(rgba: Frame, reach: int = 12) -> Frame:
    """RGB with the edge's colors carried outward, so that a JPEG of them has no dark rim."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    size = (2 * reach + 1, 2 * reach + 1)
    near = cv2.blur(rgba[..., :3] * alpha, size) / np.maximum(cv2.blur(alpha, size)[..., None], 1e-4)
    result: Frame = np.where(alpha > 0, rgba[..., :3], np.clip(near, 0, 255)).astype(np.uint8)
    return result
