"""Rules on the background: that it is even, and that it may be what it is."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.id_photo.evidence import Evidence, sourced
from standout.id_photo.report import Status, Verdict

#: Spread of lightness (L* of CIELAB) below and above which a wall is clearly even or clearly not.
_EVEN, _UNEVEN = 2.0, 10.0
#: Distance in CIELAB within which a wall has the wanted color.
_NEAR_COLOR = 6.0


def judge_evenness(facts: Evidence) -> Verdict:
    """Whether the background is one color."""
    spread, color = _wall(facts)
    if math.isnan(spread):
        was = "nothing of the photo's background is seen"
    else:
        was = f"in the photo its lightness varies by ±{spread:.1f} of 100"
    if facts.background is not None:
        name = "#{:02x}{:02x}{:02x}".format(*facts.background)
        return Verdict("background", "pass", f"one color, {name}, after it was replaced; {was}")
    if math.isnan(spread):
        return Verdict("background", "unknown", was)
    far = float(np.linalg.norm(color - _lab(np.array([[facts.spec.background]], np.uint8))[0, 0]))
    value = (spread, spread, spread)
    if spread > _UNEVEN:
        return Verdict("background", "fail", f"{was}, which anybody sees", value)
    if spread < _EVEN and far < _NEAR_COLOR:
        return Verdict("background", "pass", f"{was}, and it has the color that is asked for", value)
    return Verdict("background", "unknown", f"{was}; no source says how even it must be", value)


def _wall(facts: Evidence) -> tuple[float, NDArray[np.float64]]:
    """Spread of L* of the photo's background inside the picture, and its mean color in CIELAB."""
    place = facts.place
    size = (place.width, place.height)
    shown = cv2.warpAffine(facts.frame, place.matrix, size)
    person = cv2.warpAffine(facts.alpha, place.matrix, size, borderValue=1.0)  # beyond the photo there is no wall
    near = cv2.dilate(person, np.ones((9, 9), np.uint8))
    wall = _lab(cv2.GaussianBlur(shown, (0, 0), 2))[near < 0.05]  # blurred: grain is no unevenness
    if len(wall) < 0.02 * person.size:
        return math.nan, np.zeros(3)
    return float(wall[:, 0].std()), np.asarray(wall.mean(axis=0), np.float64)


def _lab(rgb: NDArray[Any]) -> NDArray[Any]:
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def judge_replacement(facts: Evidence) -> Verdict:
    """Whether the destination accepts what was done to the background."""
    spec, quote = facts.spec, f": “{facts.spec.editing_words}”" if facts.spec.editing_words else ""
    status: Status
    if facts.background is None:
        status, words = "pass", "the photo's own background was kept"
    elif spec.replacing == "forbidden":
        status = "fail"
        words = f"this destination forbids altered photos{quote}; use `background keep` before a plain wall"
    elif spec.replacing == "allowed":
        status, words = "pass", f"the background may be replaced{quote}"
    else:
        status = "unknown"
        words = f"the background was replaced; the sources used don't say whether it may be{quote}"
    return sourced(spec, "editing", Verdict("unaltered background", status, words))
