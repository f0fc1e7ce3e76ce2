"""Boundary F, against figures worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from standout.errors import InputError
from standout.workshop.score.boundary import boundary_f, contour


def _square(top: int, left: int, side: int = 20, size: int = 64) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_the_contour_is_the_rim_and_the_pictures_frame_is_none() -> None:
    assert contour(_square(10, 10)).sum() == 4 * 20 - 4
    cut = np.zeros((8, 8), bool)
    cut[4:, :] = True  # cut by three sides: only its top row is an edge
    assert contour(cut).sum() == 8
    assert not contour(np.ones((8, 8), bool)).any()


@pytest.mark.parametrize(("shift", "expected"), [(0, 1.0), (3, 1.0)])
def test_an_edge_within_three_pixels_is_right(shift: int, expected: float) -> None:
    assert boundary_f(_square(10, 10), _square(10, 10 + shift)) == expected


def test_an_edge_four_pixels_off_is_wrong_and_counted_exactly() -> None:
    truth, found = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    truth[:, :20], found[:, :24] = True, True
    assert boundary_f(truth, found) == 0.0
    found[20:] = truth[20:]  # right in the lower half, whose step at row 20 lies near the truth for its first pixels
    # found contour: 20 px at x=23 (rows 0-19), 20 at x=19, and the step's under-side, row 19, x=20..22.
    # near the truth (x=19, ≤ 3 px): the 20 below and x=20,21,22 of the step; all of the truth but rows 0..16 is near.
    step = contour(found).sum()
    precision, recall = (20 + 3) / step, (40 - _far_rows(truth, found)) / 40
    assert boundary_f(truth, found) == pytest.approx(2 * precision * recall / (precision + recall))


def _far_rows(truth: np.ndarray, found: np.ndarray) -> int:
    """By brute force: pixels of the true contour further than 3 px from every found one."""
    a, b = np.argwhere(contour(truth)), np.argwhere(contour(found))
    return int((np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)).min(axis=1) > 3).sum())


def test_nothing_against_nothing_is_perfect_and_nothing_against_something_worthless() -> None:
    empty = np.zeros((64, 64), bool)
    assert boundary_f(empty, empty) == 1.0
    assert boundary_f(_square(10, 10), empty) == boundary_f(empty, _square(10, 10)) == 0.0


def test_masks_of_two_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="size"):
        boundary_f(np.zeros((4, 4), bool), np.zeros((4, 5), bool))
