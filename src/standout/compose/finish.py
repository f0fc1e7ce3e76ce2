"""One function from (photo, alpha, look) to the finished picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compose.background import blur_background, fit_image
from standout.compose.edge import TINY, feather_edge, person_box, shift_edge
from standout.compose.foreground import EdgeColors, edge_colors
from standout.compose.matting import matte
from standout.compose.options import Look
from standout.compose.select import keep_people
from standout.compose.shadow import drop_shadow
from standout.errors import ConfigError, InputError
from standout.pixels import Alpha, Frame, check_alpha

#: Rows that are worked on at once where a picture of another kind of number is needed.
_STRIP = 512

ImageReader = Callable[[Path], Frame]


@dataclass(frozen=True)
class Finished:
    """The finished picture.

    Attributes:
        pixels: (H, W, 4) with the photo's depth if transparent, uint8 RGB (H, W, 3) otherwise.
        box: (left, top, right, bottom) of the picture in the photo.
        notes: What was left out and why, a sentence each; usually empty.
    """

    pixels: NDArray[Any]
    box: tuple[int, int, int, int]
    notes: tuple[str, ...] = ()


def finish(
    pixels: NDArray[Any],
    alpha: Alpha,
    look: Look | None = None,
    *,
    threshold: float = 0.5,
    read: ImageReader | None = None,
) -> Finished:
    """Turns a photo and its alpha into the finished picture.

    Args:
        pixels: uint8 or uint16 RGB (H, W, 3).
        alpha: float32 (H, W) in [0, 1], the person.
        look: How it shall look; by default the person on transparency.
        threshold: From which alpha a pixel counts as person.
        read: Reads the file of a background image: uint8 RGB (h, w, 3).

    Returns:
        Transparent: the photo's depth, colours without the old background's in the edge, and 0 where alpha is 0, so
        that nothing of what was removed stays in the file.

    Raises:
        InputError: The arrays don't fit together, or the person asked for isn't there.
        ConfigError: A background file without a reader.
        MissingExtra: `look.matting` without pymatting.

    Example:
        >>> from standout.compose.options import parse_background
        >>> photo = np.full((4, 4, 3), 50, np.uint8)
        >>> alpha = np.tile(np.array([0, 0, 1, 1], np.float32), (4, 1))
        >>> finish(photo, alpha).pixels[0].tolist()
        [[0, 0, 0, 0], [0, 0, 0, 0], [50, 50, 50, 255], [50, 50, 50, 255]]
        >>> finish(photo, alpha, Look(background=parse_background("white"))).pixels[0, :, 0].tolist()
        [255, 255, 50, 50]
    """
    look = Look() if look is None else look
    pixels, alpha = _check(pixels), check_alpha(alpha, like=pixels)
    person, note = _shape(pixels, alpha, look, threshold)
    shadow = drop_shadow(person) if look.shadow and not look.invert else None
    box = _box(person, shadow, look)
    shown = (1 - person) if look.invert else person
    # The blur looks at the whole photo: light from beside the crop counts.
    behind = _behind(pixels, shown, look, box, read)
    left, top, right, bottom = box
    cut = slice(top, bottom), slice(left, right)
    pixels, shown = pixels[cut], shown[cut]
    shadow = None if shadow is None else shadow[cut]
    edge = edge_colors(pixels, shown) if look.clean else None
    if behind is None:
        result = _transparent(pixels, shown, edge, shadow)
    else:
        result = _opaque(to_8_bit(pixels), shown, edge, shadow, behind)
    return Finished(result, box, (note,) if note else ())


def to_8_bit(pixels: NDArray[Any]) -> Frame:
    """uint16 0 … 65535 to uint8 0 … 255, rounded; uint8 as it is.

    Example:
        >>> to_8_bit(np.array([0, 257, 65535], np.uint16)).tolist()
        [0, 1, 255]
    """
    if pixels.dtype == np.uint8:
        return pixels
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=1 / 257), np.uint8).reshape(pixels.shape)


def _check(pixels: object) -> NDArray[Any]:
    if isinstance(pixels, np.ndarray) and pixels.ndim == 3 and pixels.shape[2] == 3 and 0 not in pixels.shape:
        if pixels.dtype in (np.uint8, np.uint16):
            return pixels
    received = f"{pixels.dtype} {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
    raise InputError(f"`pixels` must be uint8 or uint16 RGB of shape (H, W, 3); received {received}.")


def _shape(pixels: NDArray[Any], alpha: Alpha, look: Look, threshold: float) -> tuple[Alpha, str]:
    """The person's final outline."""
    alpha = keep_people(alpha, keep=look.keep, at=look.at, threshold=threshold)
    note = ""
    if look.matting != "none":
        matted = matte(to_8_bit(pixels), alpha, method=look.matting)
        alpha, note = matted.alpha, matted.note
    return feather_edge(shift_edge(alpha, look.edge), look.feather), note


def _box(person: Alpha, shadow: Alpha | None, look: Look) -> tuple[int, int, int, int]:
    whole = (0, 0, person.shape[1], person.shape[0])
    if not look.crop:
        return whole
    box = person_box(person, margin=look.margin)
    dark = None if shadow is None else person_box(shadow)
    if box is None:
        return whole
    if dark is None:
        return box
    return min(box[0], dark[0]), min(box[1], dark[1]), max(box[2], dark[2]), max(box[3], dark[3])


def _behind(
    pixels: NDArray[Any], shown: Alpha, look: Look, box: tuple[int, int, int, int], read: ImageReader | None
) -> Frame | None:
    """The background of the finished picture, or None if there is none; a new array, free to be written on."""
    left, top, right, bottom = box
    size = (bottom - top, right - left)
    kind = look.background.kind
    if kind == "transparent":
        return None
    if kind == "color":
        return np.full((*size, 3), look.background.color, np.uint8)
    if kind == "blur":
        whole = blur_background(to_8_bit(pixels), shown, radius=look.background.radius, lens=look.lens)
        return whole if whole.shape[:2] == size else whole[top:bottom, left:right].copy()
    image = look.background.image
    if isinstance(image, Path):
        if read is None:
            raise ConfigError(f"The background {str(image)!r} is a file; pass `read`, or the picture as an array.")
        image = read(image)
    if image is None:
        raise ConfigError("A background of the kind `image` needs an image: a path or a uint8 RGB array.")
    fitted = fit_image(image, size, fit=look.fit, position=look.position)
    return fitted.copy() if np.shares_memory(fitted, image) else fitted


def _transparent(pixels: NDArray[Any], alpha: Alpha, edge: EdgeColors | None, shadow: Alpha | None) -> NDArray[Any]:
    top = int(np.iinfo(pixels.dtype).max)
    height, width = alpha.shape
    result = np.zeros((height, width, 4), pixels.dtype)
    for start in range(0, height, _STRIP):
        rows = slice(start, start + _STRIP)
        strip = cv2.cvtColor(np.ascontiguousarray(pixels[rows]), cv2.COLOR_RGB2RGBA)
        if top == 255:
            strip[..., 3] = cv2.convertScaleAbs(alpha[rows], alpha=255)
        else:
            strip[..., 3] = (alpha[rows] * top + 0.5).astype(pixels.dtype)
        cv2.copyTo(strip, (alpha[rows] > TINY).astype(np.uint8), result[rows])
    if edge is not None:
        result.reshape(-1, 4)[edge.index, :3] = edge.colors
    if shadow is not None:
        _shade_transparent(result, alpha, shadow, top)
    return result


def _shade_transparent(result: NDArray[Any], alpha: Alpha, shadow: Alpha, top: int) -> None:
    """Lays a black shadow under a transparent picture, in place: A = α + s (1 − α), colour = α F / A."""
    for start in range(0, alpha.shape[0], _STRIP):
        rows = slice(start, start + _STRIP)
        over = alpha[rows]
        total = over + shadow[rows] * (1 - over)
        share = over / np.maximum(total, 1e-6)
        result[rows, :, :3] = (result[rows, :, :3] * share[..., None] + 0.5).astype(result.dtype)
        result[rows, :, 3] = (total * top + 0.5).astype(result.dtype)


def _opaque(frame: Frame, alpha: Alpha, edge: EdgeColors | None, shadow: Alpha | None, behind: Frame) -> Frame:
    """The person over `behind`, which is written on. Only the soft pixels need arithmetic."""
    if shadow is not None:
        for start in range(0, alpha.shape[0], _STRIP):
            rows = slice(start, start + _STRIP)
            behind[rows] = (behind[rows] * (1 - shadow[rows])[..., None] + 0.5).astype(np.uint8)
    cv2.copyTo(np.ascontiguousarray(frame), (alpha >= 1 - TINY).astype(np.uint8), behind)
    if edge is None:
        index = np.flatnonzero((alpha > TINY) & (alpha < 1 - TINY))
        y, x = np.divmod(index, alpha.shape[1])
        over: NDArray[Any] = frame[y, x]
    else:
        index, over = edge.index, to_8_bit(edge.colors)
        y, x = np.divmod(index, alpha.shape[1])
    flat = behind.reshape(-1, 3)
    a = alpha[y, x, None]
    flat[index] = (over * a + flat[index] * (1 - a) + 0.5).astype(np.uint8)
    return behind
