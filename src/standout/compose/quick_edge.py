"""The person's own colours along the edge, fast enough for every frame of a film.

Blur fusion (Forte: "Approximate Fast Foreground Colour Estimation", ICIP 2021): around each soft pixel, foreground and
background are means weighted with α and 1 − α, and what those leave unexplained of the pixel goes to the foreground,
F = F̂ + α (I − α F̂ − (1 − α) B̂). The means are taken at the network's resolution. `compose.foreground` is better and
takes fifty times as long.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.pixels import Frame, resize

#: The side of the window of the means is this share of the low resolution's longer side.
_WINDOW = 1 / 24
#: Longer side of the low resolution, pixels.
_LOW = 384


def quick_colours(frame: Frame, alpha: NDArray[np.uint8]) -> Frame:
    """The frame with the person's own colours where alpha is soft, and these carried on a little way outside.

    Args:
        frame: uint8 RGB (H, W, 3).
        alpha: uint8 (H, W), 255 is person.

    Returns:
        uint8 RGB (H, W, 3), a new array; 0 away from the person, so that nothing of what was removed is left.

    Example:
        >>> alpha = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
        >>> red, green = np.array([200, 30, 30]), np.array([0, 255, 0])
        >>> weight = alpha[..., None] / 255
        >>> seen = (weight * red + (1 - weight) * green).astype(np.uint8)
        >>> before, after = (np.abs(p[24, 32].astype(int) - red).max() for p in (seen, quick_colours(seen, alpha)))
        >>> bool(after < before / 2)
        True
    """
    scale = min(1.0, _LOW / max(alpha.shape))
    size = (max(1, round(alpha.shape[0] * scale)), max(1, round(alpha.shape[1] * scale)))
    small = np.asarray(resize(frame, size), np.float32)
    share = np.asarray(resize(alpha, size), np.float32) / 255
    side = max(3, round(_WINDOW * max(size)) | 1)
    person = np.asarray(cv2.resize(_mean(small, share, side), alpha.shape[::-1]), np.uint8)
    ground = np.asarray(cv2.resize(_mean(small, 1 - share, side), alpha.shape[::-1]), np.uint8)
    result = np.zeros_like(frame)
    near = cv2.dilate(alpha, np.ones((9, 9), np.uint8))
    cv2.copyTo(person, near, result)
    cv2.copyTo(frame, (alpha == 255).astype(np.uint8), result)
    soft = np.flatnonzero((alpha - np.uint8(1)).ravel() < 254)
    if soft.size:
        a = alpha.ravel()[soft].astype(np.float32)[:, None] / 255
        f, b = (part.reshape(-1, 3)[soft].astype(np.float32) for part in (person, ground))
        rest = frame.reshape(-1, 3)[soft] - a * f - (1 - a) * b
        result.reshape(-1, 3)[soft] = np.clip(f + a * rest + 0.5, 0, 255).astype(np.uint8)
    return result


def _mean(picture: NDArray[np.float32], share: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
    """Means in a window, weighted; where nothing has weight, the mean of a window four times as wide, or the pixel."""
    weight = share**4 + np.float32(1e-5)  # the surer a pixel, the more it says
    wide = _box(picture * weight[..., None], 4 * side + 1) / _box(weight, 4 * side + 1)[..., None]
    total = _box(weight, side)[..., None] + np.float32(1e-3)
    mean = (_box(picture * weight[..., None], side) + np.float32(1e-3) * wide) / total
    return np.asarray(np.clip(mean + 0.5, 0, 255), np.uint8)


def _box(array: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    return np.asarray(cv2.boxFilter(array, -1, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)
