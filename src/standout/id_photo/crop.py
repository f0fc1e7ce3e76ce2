"""Where the head goes: the scale and the eye line that keep the largest distance from every bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from standout.id_photo.head import Head, Span
from standout.id_photo.spec import Spec

#: Where a specification leaves it open, as shares of the height: our own taste, never reported as a rule.
_HEAD, _ABOVE, _LARGEST = 0.66, 0.10, 0.80
#: Heads and eye lines that are tried, shares of the height.
_HEADS, _EYES = np.arange(0.30, 0.951, 0.0025), np.arange(0.20, 0.75, 0.0025)
#: A bound on one side only counts as well kept from this distance on, share of the height.
_ONE_SIDED = 0.05
#: A picture is moved into the photo while every bound keeps this distance, as a share of its band.
_KEPT = 0.1

_Grid = NDArray[np.float64]


@dataclass(frozen=True)
class Placement:
    """How the photo is laid into the picture.

    Attributes:
        height, width: The size of the picture, pixels.
        scale: Pixels of the picture per pixel of the photo.
        eye_row: The eye line, pixels from the upper edge.
        matrix: (2, 3), takes (x, y) of the photo to the picture.
    """

    height: int
    width: int
    scale: float
    eye_row: float
    matrix: NDArray[np.float64]

    def lengths(self, head: Head) -> dict[str, Span]:
        """What a specification may bound, in pixels of the picture; keys as in `spec.BANDS`."""
        eyes = Span.around(self.height - self.eye_row, (head.pupils.high - head.pupils.mid) * self.scale / 2)
        chin, crown = head.chin * self.scale, head.crown * self.scale
        return {
            "head": head.height * self.scale,
            "eyes": eyes,
            "crown": Span(self.eye_row - crown.high, self.eye_row - crown.mid, self.eye_row - crown.low),
            "chin": Span(eyes.mid - chin.high, eyes.mid - chin.mid, eyes.mid - chin.low),
            "pupils": head.pupils * self.scale,
        }


def place_head(
    head: Head, spec: Spec, size: tuple[int, int], photo: tuple[int, int], *, inside: bool = False
) -> Placement:
    """Chooses scale and eye line, and straightens the head.

    Args:
        head: The measured head.
        spec: The specification whose bounds are kept.
        size: (height, width) of the picture.
        photo: (height, width) of the photo: a larger head hides that the chest is missing.
        inside: Whether the picture should lie inside the photo on all sides, because its background is kept.
    """
    height, width = size
    heads, rows = np.meshgrid(_HEADS * height, _EYES * height, indexing="ij")
    scale = heads / head.height.mid
    values: dict[str, _Grid] = {
        "head": heads,
        "eyes": height - rows,
        "crown": rows - scale * head.crown.mid,
        "chin": height - rows - scale * head.chin.mid,
        "pupils": scale * head.pupils.mid,
    }
    score = np.full(heads.shape, 0.5)
    for name in spec.bands:
        low, high = spec.band_px(name, height)
        score = np.minimum(score, _margin(values[name], low, high, _ONE_SIDED * height))
    # Where some picture keeps the bounds and lies in the photo, only such pictures are considered.
    inner = (score >= _KEPT) & (_missing(head, scale, rows, (height, width), photo, inside) <= 0)
    if "head" not in spec.bands:
        inner &= heads <= _LARGEST * height
    hair_cut = np.maximum(0, 0.02 * height - (rows - scale * head.hair.mid)) / height
    taste = np.abs(heads / height - _HEAD) + np.abs((rows - scale * head.hair.mid) / height - _ABOVE)
    score = score - 2 * hair_cut - 0.05 * taste - (np.where(inner, 0, 1000) if inner.any() else 0)
    best = np.unravel_index(int(score.argmax()), score.shape)
    return _lay(head, height, width, float(scale[best]), float(rows[best]))


def _missing(
    head: Head, scale: _Grid, rows: _Grid, size: tuple[int, int], photo: tuple[int, int], inside: bool
) -> _Grid:
    """How far the picture reaches beyond the photo, pixels of the picture: below, or on any side."""
    sine, cosine = math.sin(math.radians(head.tilt)), math.cos(math.radians(head.tilt))
    worst = np.zeros(scale.shape)
    for across in (-size[1] / 2, size[1] / 2) if inside else (0.0,):
        for down in (-rows, size[0] - rows) if inside else (size[0] - rows,):
            x = head.eyes[0] + (cosine * across - sine * down) / scale
            y = head.eyes[1] + (sine * across + cosine * down) / scale
            beyond = [y - (photo[0] - 1)] + ([-y, -x, x - (photo[1] - 1)] if inside else [])
            worst = np.maximum(worst, np.max(beyond, axis=0) * scale)
    return np.asarray(worst)


def _margin(value: _Grid, low: float | None, high: float | None, one_sided: float) -> _Grid:
    """Distance from the nearest bound: 0.5 in the middle of a band, negative outside."""
    if low is not None and high is not None:
        return np.asarray(np.minimum(value - low, high - value) / (high - low))
    distance: Callable[[_Grid], _Grid] = (lambda v: v - (low or 0.0)) if high is None else (lambda v: high - v)
    return np.asarray(np.minimum(0.5, 0.5 * distance(value) / one_sided))


def _lay(head: Head, height: int, width: int, scale: float, eye_row: float) -> Placement:
    angle = math.radians(head.tilt)
    turn = scale * np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    # Pixel centers lie at whole numbers; the picture's middle is half a pixel before width / 2.
    shift = np.array([width / 2 - 0.5, eye_row - 0.5]) - turn @ np.array(head.eyes)
    return Placement(height, width, scale, eye_row, np.column_stack([turn, shift]))
