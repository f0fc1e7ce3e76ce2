"""What a mask shows: how large the person is, in how many pieces, how framed, cut by which side of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from standout.imaging.arrays import Mask

#: A piece of the mask counts as a person of its own from this share of the picture …
MIN_FIGURE_SHARE = 0.001
#: … and of the largest piece; smaller ones are hands, crumbs of the same person, or specks.
MIN_FIGURE_OF_LARGEST = 0.1
#: Share of the picture that is person: (upper end, name).
SIZES = ((0.01, "under 1 %"), (0.05, "1-5 %"), (0.2, "5-20 %"), (0.5, "20-50 %"), (1.01, "over 50 %"))
FRAMINGS = ("face", "half body", "full body", "part", "nobody")


@dataclass(frozen=True)
class Shape:
    """The figures of a mask.

    Attributes:
        share: The share of the picture that is person, 0 … 1.
        figures: Separate pieces that count as a person of their own. Two people who touch are one figure.
        framing: What the largest figure shows: `face` (head and shoulders fill the lower edge), `half body`,
            `full body`, `part` (none of these: a limb, a torso cut at the top), `nobody`.
        touches: Sides of the picture that cut the mask, out of top, bottom, left, right.
        center: The center of the mask, (y, x), each 0 … 1; (nan, nan) of an empty one.
    """

    share: float
    figures: int
    framing: str
    touches: tuple[str, ...]
    center: tuple[float, float]


def size_name(share: float) -> str:
    """The class of size of a person who takes this share of the picture."""
    return next(name for end, name in SIZES if share < end)


def figures_name(figures: int) -> str:
    """`nobody`, `1`, `2`, or `3 and more`."""
    return ("nobody", "1", "2")[figures] if figures < 3 else "3 and more"


def read_shape(mask: Mask) -> Shape:
    """Measures a mask, bool (H, W)."""
    if not mask.any():
        return Shape(0.0, 0, "nobody", (), (float("nan"), float("nan")))
    height, width = mask.shape
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    smallest = max(MIN_FIGURE_SHARE * mask.size, MIN_FIGURE_OF_LARGEST * areas.max())
    left, top, box_width, box_height = (int(v) for v in stats[1 + int(areas.argmax()), :4])
    rows, columns = mask.mean(axis=1), mask.mean(axis=0)
    center = (
        float((rows @ (np.arange(height) + 0.5)) / rows.sum() / height),
        float((columns @ (np.arange(width) + 0.5)) / columns.sum() / width),
    )
    return Shape(
        share=float(mask.mean()),
        figures=max(1, int((areas >= smallest).sum())) if count > 1 else 0,
        framing=_framing(mask[top : top + box_height, left : left + box_width], top, top + box_height == height),
        touches=_touches(mask),
        center=center,
    )


def _touches(mask: Mask) -> tuple[str, ...]:
    sides = {"top": mask[0], "bottom": mask[-1], "left": mask[:, 0], "right": mask[:, -1]}
    return tuple(name for name, line in sides.items() if line.any())


def _framing(figure: Mask, top: int, cut_below: bool) -> str:
    """A rule of thumb on the figure's outline alone, which knows no joints: how tall it is for its width.

    A standing person is about four times as tall as their shoulders are wide; cut at the waist about 1.5 times.
    """
    height, width = figure.shape
    slender = height / width
    if not cut_below:
        return "full body" if slender >= 1.2 else "part"
    if top == 0 and slender < 0.75:
        return "part"
    head_width = _width(figure, 0.0, 0.25)
    base_width = _width(figure, 0.75, 1.0)
    if slender >= 2.0:
        return "full body" if base_width < 0.6 * width else "half body"
    return "face" if slender < 1.45 and base_width > 1.1 * head_width else "half body"


def _width(figure: Mask, start: float, end: float) -> float:
    """Median number of person pixels in the rows from `start` to `end` of the figure's height."""
    height = figure.shape[0]
    band = figure[int(start * height) : max(int(start * height) + 1, int(end * height))]
    return float(np.median(band.sum(axis=1)))
