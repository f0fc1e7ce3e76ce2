"""Where eyes, crown and chin are, each with its uncertainty; everything else about an official photo follows from it.

Five points of a face don't show its chin, and a mask shows hair rather than skull. Both are estimated, and what is not
known is carried along as a `Span`, so that a rule is passed or failed only where the whole span says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import InputError
from standout.id_photo.faces import Face
from standout.imaging.arrays import Alpha

#: chin below the eye line = mouth · distance eyes–mouth + nose · distance eyes–nose + pupils · distance of the pupils.
#: Fitted on 198 frontal portraits to point 152 of MediaPipe's face mesh; recipes/chin.py tells how and how well.
_CHIN = (0.765, -0.182, 1.016)
#: That point lies on the chin, a little above its lower edge: by eye 3 % of the way, give or take 2.
_CHIN_EDGE = 1.03
#: Twice the standard deviation of the estimate: on 89 other portraits 95 % lay within −7 … +11 %; and the edge's.
_CHIN_SPREAD = 0.10
#: From the eyes to the top of the skull, as a share of that to the chin: about one (the canon of two equal halves),
#: with twice the standard deviation between adults.
_SKULL, _SKULL_SPREAD = 1.03, 0.14
#: Uncertainty of the eye line's height and of the pupils' distance, shares of the latter; and of tilt, degrees.
_EYE_SPREAD, _PUPIL_SPREAD, TILT_SPREAD = 0.05, 0.06, 2.7
#: A head is about 2.4 distances of the pupils wide; what is higher up and further out is a hand or another person.
_HALF_WIDTH = 1.4
#: Pixels per distance of the pupils in the upright picture in which the crown is looked for.
_FINE = 100
#: Pupils nearer than this can't be measured.
LEAST_PUPILS = 24.0


@dataclass(frozen=True)
class Span:
    """A length and the range in which it lies in about 95 of 100 photos."""

    low: float
    mid: float
    high: float

    @classmethod
    def around(cls, mid: float, spread: float) -> Span:
        return cls(mid - spread, mid, mid + spread)

    def __mul__(self, factor: float) -> Span:
        return Span(self.low * factor, self.mid * factor, self.high * factor)

    def __add__(self, other: Span) -> Span:
        """The sum of two lengths whose errors have nothing to do with each other."""
        low = math.hypot(self.mid - self.low, other.mid - other.low)
        high = math.hypot(self.high - self.mid, other.high - other.mid)
        mid = self.mid + other.mid
        return Span(mid - low, mid, mid + high)


@dataclass(frozen=True)
class Head:
    """A head as it stands in the photo; lengths in its pixels, along the head's own axis.

    Attributes:
        eyes: The middle between the pupils, (x, y).
        tilt: Degrees; positive where the eye at the right is lower.
        pupils: Distance of the pupils.
        crown: From the eye line up to the top of the head, as the specification counts it.
        hair: From the eye line up to the top of what is seen.
        chin: From the eye line down to the lower edge of the chin.
        turned: How far the tip of the nose is off the middle, as a share of the pupils' distance; 0 looks straight.
        cut: Whether the top of the head touches the edge of the photo.
    """

    eyes: tuple[float, float]
    tilt: float
    pupils: Span
    crown: Span
    hair: Span
    chin: Span
    turned: float
    cut: bool

    @property
    def height(self) -> Span:
        """Crown to chin."""
        return self.crown + self.chin


def measure_head(face: Face, alpha: Alpha, *, network_side: int, hair: bool = True) -> Head:
    """Measures a head.

    Args:
        face: With its five points, in pixels of the photo.
        alpha: float32 (H, W), the person alone.
        network_side: The longer side of the network's input, pixels: how finely alpha was seen.
        hair: Whether the crown counts with hair; without, the top of the skull is estimated.

    Raises:
        InputError: The face is too small to be measured, or the person at the face wasn't found.
    """
    eye_line = face.points[1] - face.points[0]
    pupils = float(np.hypot(*eye_line))
    if pupils < LEAST_PUPILS:
        raise InputError(
            f"The face is too small: the eyes must be at least {LEAST_PUPILS:.0f} pixels apart; received {pupils:.0f}; "
            "come closer or use the photo in its full size."
        )
    eyes = (face.points[0] + face.points[1]) / 2
    right = eye_line / pupils
    down = np.array([-right[1], right[0]])
    mouth = float(((face.points[3] + face.points[4]) / 2 - eyes) @ down)
    nose = face.points[2] - eyes
    chin = _CHIN_EDGE * (_CHIN[0] * mouth + _CHIN[1] * float(nose @ down) + _CHIN[2] * pupils)
    upright = _Upright(eyes, right, down, pupils)
    top, edge = _top_of_head(alpha, upright)
    # The network sees the photo at this size: half of one of its pixels is lost in any case.
    seen = Span.around(top, edge + 0.5 * max(alpha.shape) / network_side + _EYE_SPREAD * pupils / 2)
    skull = Span.around(_SKULL, _SKULL_SPREAD) * chin
    cut = _is_cut(alpha, upright, top)
    if cut:  # what is cut off is guessed, so that the head doesn't get too large; no rule is judged by it
        seen = _both(max, seen, skull)
    return Head(
        eyes=(float(eyes[0]), float(eyes[1])),
        tilt=math.degrees(math.atan2(eye_line[1], eye_line[0])),
        pupils=Span.around(pupils, _PUPIL_SPREAD * pupils),
        crown=seen if hair else _both(min, seen, skull),
        hair=seen,
        chin=Span.around(chin, _CHIN_SPREAD * chin),
        turned=float(nose @ right) / pupils,
        cut=cut,
    )


def _both(choose: Callable[[float, float], float], a: Span, b: Span) -> Span:
    return Span(choose(a.low, b.low), choose(a.mid, b.mid), choose(a.high, b.high))


@dataclass(frozen=True)
class _Upright:
    """A frame of reference: the origin between the eyes, and the unit vectors along and below the eye line."""

    eyes: NDArray[np.float64]
    right: NDArray[np.float64]
    down: NDArray[np.float64]
    pupils: float

    def point(self, across: float, up: float) -> NDArray[np.float64]:
        return np.asarray(self.eyes + across * self.right - up * self.down, np.float64)


def _top_of_head(alpha: Alpha, upright: _Upright) -> tuple[float, float]:
    """How far the mask reaches above the eye line without a gap, and the half-width of its soft edge, pixels."""
    rows, columns = 6 * _FINE, round(2 * _HALF_WIDTH * _FINE)
    step = upright.pupils / _FINE
    corner = upright.point(-columns / 2 * step, rows * step)
    back = np.column_stack([upright.right * step, upright.down * step, corner])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    strip = cv2.warpAffine(alpha, back, (columns, rows), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    profile = strip.max(axis=1)[::-1]  # from the eye line upward
    if profile[0] < 0.5:
        raise InputError(
            "A face was found, but the network sees no person there; use a photo with more light or another background."
        )
    top = _reach(profile, 0.5) * step
    return top, max(0.0, (_reach(profile, 0.25) - _reach(profile, 0.75)) * step / 2)


def _reach(profile: NDArray[np.float32], level: float) -> float:
    """Index, with a fraction, up to which a profile stays above `level`."""
    below = np.flatnonzero(profile < level)
    if not below.size:
        return float(len(profile))
    first = int(below[0])
    if first == 0:
        return 0.0
    before, after = float(profile[first - 1]), float(profile[first])
    return first - 1 + (before - level) / max(before - after, 1e-6)


def _is_cut(alpha: Alpha, upright: _Upright, top: float) -> bool:
    """Whether the person touches the photo's edge near the crown."""
    across = np.linspace(-_HALF_WIDTH, _HALF_WIDTH, 57) * upright.pupils
    for distance in across:
        x, y = upright.point(float(distance), top)
        near_edge = y < 2 or x < 2 or x > alpha.shape[1] - 3
        row, column = min(max(int(y) + 1, 0), alpha.shape[0] - 1), min(max(int(x), 0), alpha.shape[1] - 1)
        if near_edge and alpha[row, column] >= 0.5:
            return True
    return False
