"""What a network loses of a person for a few frames: holes inside them, and parts that are gone for a single frame.

Both are brought back from what was seen of the same place before (and after), never where the picture itself has
changed: uncovered background is background at once, so nothing is left behind as a ghost.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Alpha

#: Frames for which a place must have been person before a hole there is doubted …
SEEN = 3.0
#: … and at which its memory is full: twice what is beyond `SEEN` is how long a hole stays closed.
FULL = 7.0
#: How far the moved past must be trusted for it.
_TRUST = 0.3
#: The share of a hole that must have been person, and the largest hole, as a share of the picture.
_SHARE, _LARGEST = 0.5, 0.02
#: How much a single frame must differ from both its neighbors to be a dropout.
_STEP = 0.3

#: The radius of what counts as thin, as a part of the picture's longer side.
_THIN = 60

_Floats = NDArray[np.float32]


def thin(alpha: Alpha) -> NDArray[np.bool_]:
    """Where a person is thin, bool (h, w): hands, arms, feet, which are the first to be lost in motion."""
    person = np.asarray(alpha >= 0.5, np.uint8)
    side = 2 * max(2, round(max(alpha.shape) / _THIN)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(person > cv2.morphologyEx(person, cv2.MORPH_OPEN, disc))


def aged(age: _Floats, alpha: Alpha) -> _Floats:
    """For how many frames each place has been person, after one more.

    Args:
        age: Before, moved to where things are now; float32 (h, w).
        alpha: What the network says now, float32 (h, w).
    """
    return np.asarray(np.clip(np.where(alpha >= 0.5, age + 1, age - 0.5), 0, FULL), np.float32)


def without_holes(alpha: Alpha, raw: Alpha, past: Alpha, trust: _Floats, age: _Floats) -> Alpha:
    """Alpha whose new holes are closed by the past; the arrays are float32 (h, w).

    Args:
        alpha: This frame's alpha, smoothed.
        raw: This frame's alpha as the network says it.
        past: The last alpha, moved to where things are now.
        trust: How far it is to be trusted, 0 … 1.
        age: What `aged` counted before this frame.

    Example:
        >>> alpha = np.zeros((20, 20), np.float32); alpha[4:16, 4:16] = 1; past = alpha.copy(); alpha[8:10, 8:10] = 0
        >>> sure = np.ones_like(alpha)
        >>> [without_holes(alpha, alpha, past, sure, sure * frames)[8, 8] for frames in (5, 1)]
        [np.float32(1.0), np.float32(0.0)]
    """
    ground = raw < 0.5
    lost = ground & (past > 0.5) & (age >= SEEN) & (trust > _TRUST)
    if not lost.any():
        return alpha
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(ground.astype(np.uint8), connectivity=4)
    height, width = alpha.shape
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    area = stats[:, cv2.CC_STAT_AREA]
    enclosed = (left > 0) & (top > 0) & (right < width) & (bottom < height) & (area <= _LARGEST * alpha.size)
    known = np.bincount(pieces[lost], minlength=count)[:count]
    closed = enclosed & (known >= _SHARE * area)
    closed[0] = False
    return np.asarray(np.where(closed[pieces], np.maximum(alpha, past), alpha), np.float32)


def without_flicker(
    alpha: Alpha, raw: Alpha, past: tuple[Alpha, _Floats], following: tuple[Alpha, _Floats], calm: _Floats | None = None
) -> Alpha:
    """Alpha without what is there, or gone, in this frame alone; the arrays are float32 (h, w).

    Args:
        alpha: This frame's alpha, smoothed.
        raw: This frame's alpha as the network says it.
        past: The last alpha, moved to this frame, and how far it is to be trusted.
        following: The next one's, likewise.
        calm: The share of that trust that may take from a person, 0 … 1, for a hand that flies by is no flicker; None
            is all of it.
    """
    low, high = np.minimum(past[0], following[0]), np.maximum(past[0], following[0])
    wanted = np.where(raw < low - _STEP, low, np.where(raw > high + _STEP, high, alpha))
    trust = np.minimum(1, 2 * np.minimum(past[1], following[1]))
    if calm is not None:
        trust = np.where(wanted < alpha, trust * calm, trust)
    return np.asarray(alpha + trust * (wanted - alpha), np.float32)
