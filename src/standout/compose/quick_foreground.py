"""The person's own colours along the edge, fast enough for every frame of a film.

Blur fusion (Forte: "Approximate Fast Foreground Colour Estimation", ICIP 2021): around each soft pixel, foreground and
background are weighted means, and what those leave unexplained of the pixel goes to the foreground,
F = F̂ + α (I − α F̂ − (1 − α) B̂); first in a wide window, then, on the result, in a narrow one. The means are taken at
low resolution. `compose.foreground` is better and takes ten times as long.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame, resize

#: Longer side of the low resolution, pixels; more gains nothing.
_LOW = 192
#: The windows' sides as shares of it, the best of those tried on a cut-out over known backgrounds.
_WINDOWS = (1 / 4, 1 / 48)

_Floats = NDArray[np.float32]


def quick_colours(frame: Frame, alpha: NDArray[np.uint8]) -> Frame:
    """The frame with the person's own colours where alpha is soft, and these carried on a little way outside.

    Args:
        frame: uint8 RGB (H, W, 3).
        alpha: uint8 (H, W), 255 is person.

    Returns:
        uint8 RGB (H, W, 3), a new array; 0 away from the person, so that nothing of what was removed is left.

    Example:
        >>> alpha = np.tile(np.uint8(255 * np.clip(np.linspace(-9, 10, 384), 0, 1)), (96, 1))  # soft over 20 pixels
        >>> red, green = np.array([200, 30, 30]), np.array([0, 255, 0])
        >>> seen = np.uint8(alpha[..., None] / 255 * red + (1 - alpha[..., None] / 255) * green)
        >>> before, after = (np.abs(p[48, 192].astype(int) - red).max() for p in (seen, quick_colours(seen, alpha)))
        >>> bool(after < before / 3)
        True
    """
    person, ground = (np.asarray(cv2.resize(mean, alpha.shape[::-1]), np.uint8) for mean in _means(frame, alpha))
    result = np.zeros_like(frame)
    cv2.copyTo(person, cv2.dilate(alpha, np.ones((9, 9), np.uint8)), result)
    cv2.copyTo(frame, (alpha == 255).astype(np.uint8), result)
    soft = np.flatnonzero((alpha - np.uint8(1)).ravel() < 254)
    if soft.size:
        a = alpha.ravel()[soft].astype(np.float32)[:, None] / np.float32(255)
        f, b = (part.reshape(-1, 3)[soft].astype(np.float32) for part in (person, ground))
        rest = frame.reshape(-1, 3)[soft] - a * f - (1 - a) * b
        result.reshape(-1, 3)[soft] = np.clip(f + a * rest + 0.5, 0, 255).astype(np.uint8)
    return result


def _means(frame: Frame, alpha: NDArray[np.uint8]) -> tuple[Frame, Frame]:
    """The people's and the background's colours around each pixel, uint8 (h, w, 3) at low resolution."""
    scale = min(1.0, _LOW / max(alpha.shape))
    size = (max(1, round(alpha.shape[0] * scale)), max(1, round(alpha.shape[1] * scale)))
    seen = np.asarray(resize(frame, size), np.float32)
    a = np.asarray(resize(alpha, size), np.float32)[..., None] / np.float32(255)
    person, ground = seen, seen
    for window in _WINDOWS:
        side = max(3, round(window * max(size)) | 1)
        mean_person, mean_ground = _mean(person, a, side), _mean(ground, 1 - a, side)
        rest = seen - a * mean_person - (1 - a) * mean_ground
        person = np.clip(mean_person + a * rest, 0, 255)
        ground = np.clip(mean_ground + (1 - a) * rest, 0, 255)
    return mean_person.astype(np.uint8), mean_ground.astype(np.uint8)


def _mean(picture: _Floats, share: _Floats, side: int) -> _Floats:
    """Means in a window; the surer a pixel, the more it says."""
    weight = share**4 + np.float32(1e-4)
    window, border = (side, side), cv2.BORDER_REFLECT_101
    total = cv2.boxFilter(weight, -1, window, borderType=border)
    mean = cv2.boxFilter(picture * weight, -1, window, borderType=border)
    return np.asarray(mean / total[..., None], np.float32)
