"""What a score must say of a picture, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from standout.errors import InputError
from standout.workshop.score import counts as c


def _mask(rows: list[str]) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_the_four_counts_of_a_picture_worked_by_hand() -> None:
    truth = _mask(["##..", "##.."])
    alpha = np.array([[0.9, 0.2, 0.7, 0.0], [0.5, 0.6, 0.1, 0.49]], np.float32)
    counts = c.count(truth, alpha)
    assert counts == c.Counts(tp=3, fp=1, fn=1, tn=3)  # 0.5 itself counts as person
    assert c.person_iou(counts) == pytest.approx(3 / 5)
    assert c.dice(counts) == pytest.approx(6 / 8)
    assert c.precision(counts) == c.recall(counts) == pytest.approx(3 / 4)
    assert c.accuracy(counts) == pytest.approx(6 / 8)
    assert c.person_share(counts) == c.found_share(counts) == 0.5


def test_background_never_lifts_the_person_score() -> None:
    small = c.count(_mask(["#..."]), np.zeros((1, 4), np.float32))
    wide = c.Counts(tp=1, fp=1, fn=1, tn=10_000)
    assert c.person_iou(small) == 0.0
    assert c.person_iou(wide) == pytest.approx(1 / 3)


@pytest.mark.parametrize("score", [c.person_iou, c.dice, c.precision, c.recall])
def test_nothing_to_find_and_nothing_found_is_perfect_and_every_other_emptiness_is_worthless(score) -> None:
    empty, full = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    assert score(c.count(empty, empty)) == 1.0
    assert score(c.count(empty, full)) == 0.0
    assert score(c.count(full, empty)) == 0.0
    assert score(c.count(full, full)) == 1.0


def test_false_people_begin_above_half_a_percent_of_the_pixels() -> None:
    alpha = np.zeros((100, 100), np.float32)
    nobody = np.zeros((100, 100), bool)
    alpha.flat[:50] = 0.5
    assert not c.has_false_people(c.count(nobody, alpha))
    alpha.flat[:51] = 0.5
    assert c.has_false_people(c.count(nobody, alpha))
    person = nobody.copy()
    person[0, 0] = True
    assert not c.has_false_people(c.count(person, alpha))  # somebody is there: it is no people-free photo


def test_counts_add_up_and_a_threshold_moves_them() -> None:
    truth = _mask(["##.."])
    alpha = np.array([[0.9, 0.4, 0.3, 0.0]], np.float32)
    assert c.count(truth, alpha) + c.count(truth, alpha, 0.3) == c.Counts(tp=3, fp=1, fn=1, tn=3)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(4, 4\).*\(4, 5\)"):
        c.count(np.zeros((4, 4), bool), np.zeros((4, 5), np.float32))
