"""The three array types that cross a package border, and the arithmetic that everybody shares.

`frame` uint8 RGB (H, W, 3) · `alpha` float32 in [0, 1] (H, W) · `mask` bool (H, W).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import InputError

Frame = NDArray[np.uint8]
Alpha = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: What surrounds a picture in its letterbox, 0 … 255.
GRAY = 127


def check_frame(frame: object, *, name: str = "frame") -> Frame:
    """Returns `frame` if it is uint8 RGB (H, W, 3) with at least one pixel.

    Raises:
        InputError: It is of another type, shape or dtype.
    """
    if not isinstance(frame, np.ndarray):
        raise InputError(f"`{name}` must be a NumPy array, uint8 RGB (H, W, 3); received {type(frame).__name__}.")
    if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape or frame.dtype != np.uint8:
        raise InputError(
            f"`{name}` must be uint8 RGB of shape (H, W, 3) with at least one pixel; "
            f"received {frame.dtype} {frame.shape}."
        )
    return frame


def check_alpha(alpha: object, *, like: NDArray[Any] | None = None, name: str = "alpha") -> Alpha:
    """Returns `alpha` if it is float32 in [0, 1], (H, W), and of the height and width of `like`.

    Raises:
        InputError: It is of another type, shape, dtype or range.
    """
    if not isinstance(alpha, np.ndarray) or alpha.ndim != 2 or alpha.dtype != np.float32 or 0 in alpha.shape:
        received = f"{alpha.dtype} {alpha.shape}" if isinstance(alpha, np.ndarray) else type(alpha).__name__
        raise InputError(f"`{name}` must be a float32 array of shape (H, W); received {received}.")
    low, high = float(alpha.min()), float(alpha.max())
    if not (low >= 0 and high <= 1):  # written so that NaN fails too
        raise InputError(f"`{name}` must lie in [0, 1]; received values from {low:g} to {high:g}.")
    if like is not None and alpha.shape != like.shape[:2]:
        raise InputError(f"`{name}` must have the picture's size {like.shape[:2]}; received {alpha.shape}.")
    return alpha


@dataclass(frozen=True)
class Box:
    """Where a picture lies inside its letterbox, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def letterbox_box(height: int, width: int, size_hw: tuple[int, int]) -> Box:
    """The largest box of the picture's proportions inside `size_hw` (height, width), centered."""
    scale = min(size_hw[0] / height, size_hw[1] / width)
    # round() of a very thin strip may be 0; a picture keeps at least one pixel.
    inner_h = min(size_hw[0], max(1, round(height * scale)))
    inner_w = min(size_hw[1], max(1, round(width * scale)))
    return Box((size_hw[0] - inner_h) // 2, (size_hw[1] - inner_w) // 2, inner_h, inner_w)


def resize(array: NDArray[Any], size_hw: tuple[int, int]) -> NDArray[Any]:
    """Resizes (H, W) or (H, W, C) to `size_hw` (height, width): area when shrinking, bilinear when growing."""
    if array.shape[:2] == size_hw:
        return array
    shrinks = size_hw[0] * size_hw[1] < array.shape[0] * array.shape[1]
    return cv2.resize(array, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def shrink(array: NDArray[Any], size_hw: tuple[int, int]) -> NDArray[Any]:
    """Resizes to `size_hw` (height, width), smaller. Halving by halves is many times faster than one odd factor."""
    while array.shape[0] >= 2 * size_hw[0] and array.shape[1] >= 2 * size_hw[1]:
        array = resize(array, ((array.shape[0] + 1) // 2, (array.shape[1] + 1) // 2))
    return resize(array, size_hw)


def letterbox(frame: Frame, size_hw: tuple[int, int], *, fill: int = GRAY) -> tuple[Frame, Box]:
    """Fits a frame into `size_hw` (height, width) without stretching; the borders are mid-gray.

    Returns:
        The uint8 RGB picture of `size_hw`, and where the frame lies in it.
    """
    box = letterbox_box(frame.shape[0], frame.shape[1], size_hw)
    inner = resize(frame, (box.height, box.width))
    if (box.height, box.width) == size_hw:
        return inner, box
    canvas = np.full((*size_hw, 3), fill, np.uint8)
    canvas[box.slices] = inner
    return canvas, box


def blend(foreground: NDArray[Any], background: NDArray[Any], alpha: Alpha) -> Frame:
    """The alpha-over of training and of output: `alpha · foreground + (1 − alpha) · background`, rounded.

    Args:
        foreground: (H, W, 3), uint8 or float on the scale 0 … 255.
        background: The colors behind, like `foreground`, or one color of shape (3,).
        alpha: float32 (H, W) in [0, 1].
    """
    back = np.asarray(background, np.float32)
    mixed = (np.asarray(foreground, np.float32) - back) * alpha[..., None] + back
    out: Frame = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    return out
