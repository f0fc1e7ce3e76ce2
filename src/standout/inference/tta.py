"""Test-time augmentation for photos: a mirrored pass, and a zoomed pass at the people.

Two passes that agree are worth more than one (test-time augmentation; Krizhevsky et al. 2012, section 4.1). The zoomed
pass finds edges of small people that a whole picture at the network's size has no pixels for, and takes back guesses:
what is a person from afar and a coat rack from near by loses its certainty (measured in docs/training-log.md).
"""

from __future__ import annotations

import cv2
import numpy as np

from standout.imaging.arrays import Alpha, Box, Frame, resize

#: What is left around the people in the zoomed pass, as a share of their height and width …
MARGIN = 0.3
#: … and in the network's pixels.
MARGIN_PX = 8
#: Pieces smaller than this share of the picture don't widen the zoomed pass.
LEAST_PIECE = 0.0005
#: Alpha that has been seen from near by is kept at no more pixels than this, longer side.
MOST_PX = 2048
#: No pass is surer than this: one that errs can be outvoted by another. Well below 1 − the certainty that any model
#: asks for (0.99999), or hysteresis would drop people whom every pass is sure of.
DOUBT = np.float32(1e-7)


def agree(first: Alpha, second: Alpha) -> Alpha:
    """The alpha of the mean of two passes' logits; both float32 in [0, 1] of one shape.

    Written without logarithms: with p and q, √(pq) against √((1 − p)(1 − q)).
    """
    person = np.sqrt(np.maximum(first, DOUBT) * np.maximum(second, DOUBT))
    # Not 1 − the former: float32 has no digits left for that near 1.
    background = np.sqrt(np.maximum(1 - first, DOUBT) * np.maximum(1 - second, DOUBT))
    return np.asarray(person / (person + background), np.float32)


def people_box(alpha: Alpha, threshold: float) -> Box | None:
    """The box around everybody, guesses included, with a margin; None if there is nobody. In pixels of `alpha`."""
    height, width = alpha.shape
    count, _, stats, _ = cv2.connectedComponentsWithStats((alpha >= threshold).astype(np.uint8), connectivity=8)
    pieces = stats[1:count]
    pieces = pieces[pieces[:, cv2.CC_STAT_AREA] >= LEAST_PIECE * alpha.size]
    if not len(pieces):
        return None
    left, top = (int(value) for value in pieces[:, :2].min(axis=0))
    right, bottom = (int(value) for value in (pieces[:, :2] + pieces[:, 2:4]).max(axis=0))
    across = int(MARGIN * (right - left)) + MARGIN_PX
    down = int(MARGIN * (bottom - top)) + MARGIN_PX
    left, top = max(0, left - across), max(0, top - down)
    return Box(top, left, min(height, bottom + down) - top, min(width, right + across) - left)


def on_frame(box: Box, alpha: Alpha, frame: Frame) -> Box:
    """A box of `alpha`, in pixels of the frame."""
    return _scaled(box, frame.shape[0] / alpha.shape[0], frame.shape[1] / alpha.shape[1])


def merge_zoomed(whole: Alpha, box: Box, near: Alpha, frame: Frame) -> Alpha:
    """Both passes together, at the resolution of the zoomed one.

    Args:
        whole: float32 (h, w), of the whole frame.
        box: Where the zoomed-in crop lies in the frame.
        near: float32, any size, of the box alone.
        frame: uint8 RGB (H, W, 3); alpha gets no larger than it, nor than `MOST_PX`.

    Returns:
        float32 (h', w') of the frame's proportions.
    """
    height, width = frame.shape[:2]
    scale = near.shape[0] / (box.height * height / whole.shape[0])  # network's pixels for one of the frame's
    scale = min(max(scale, whole.shape[0] / height), 1.0, MOST_PX / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    seen = agree(resize(np.ascontiguousarray(whole[box.slices]), near.shape), near)
    result = np.array(resize(whole, size))  # a copy where the size is the same: `whole` stays as it is
    place = _scaled(box, size[0] / whole.shape[0], size[1] / whole.shape[1])
    result[place.slices] = resize(seen, (place.height, place.width))
    return np.asarray(np.clip(result, 0, 1), np.float32)


def _scaled(box: Box, down: float, across: float) -> Box:
    top, left = round(box.top * down), round(box.left * across)
    bottom, right = round((box.top + box.height) * down), round((box.left + box.width) * across)
    return Box(top, left, max(1, bottom - top), max(1, right - left))
