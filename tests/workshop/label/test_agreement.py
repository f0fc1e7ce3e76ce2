"""Where judges agree there is a label; where they differ or doubt it teaches nothing."""

from __future__ import annotations

import numpy as np
import pytest

from standout.errors import InputError
from standout.workshop.label.agreement import AgreementRule, agree, read_boxes

PLAIN = AgreementRule(band=0)


def judge(left: int, right: int, value: float = 1.0) -> np.ndarray:
    """A judge that sees a person in rows 20 … 79 from column `left` to `right`, of 100 × 100."""
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:80, left:right] = value
    return alpha


def test_what_most_see_is_the_mask_and_two_must_agree_with_it() -> None:
    label = agree(np.stack([judge(30, 70), judge(30, 70), judge(0, 10)]), PLAIN)
    assert label.alpha is not None and label.agreed == 1.0
    assert (label.alpha[20:80, 30:70] == 1).all() and label.alpha.sum() == 60 * 40
    label = agree(np.stack([judge(0, 30), judge(30, 60), judge(60, 90)]), PLAIN)
    assert label.alpha is None and label.why_not == "hardly anybody is in it"
    label = agree(np.stack([judge(10, 70), judge(30, 70), judge(30, 90)]), PLAIN)
    assert label.alpha is None and label.why_not == "the judges differ"


def test_it_is_unsure_where_those_that_agree_differ_or_doubt_and_at_the_edge() -> None:
    alphas = np.stack([judge(30, 70), judge(30, 72), judge(0, 5)])
    alphas[0, 40:50, 40:50] = 0.7
    label = agree(alphas, PLAIN)
    assert label.unsure is not None
    assert label.unsure[45, 45], "doubt"
    assert label.unsure[50, 71], "two that agree differ"
    assert label.unsure[50, 31] and label.unsure[50, 29] and label.unsure[20, 50], "the edge"
    assert not label.unsure[60, 50] and not label.unsure[50, 20]
    assert not label.unsure[50, 2], "what the outvoted judge says is no doubt"


def test_outside_all_boxes_nobody_is_and_in_each_somebody_must_be() -> None:
    both = np.stack([judge(10, 40) + judge(60, 90)] * 2)
    label = agree(both, PLAIN, boxes=[(0.6, 0.2, 0.9, 0.8)])
    assert label.alpha is not None and label.unsure is not None
    assert label.alpha[:, :55].max() == 0 and not label.unsure[:, :55].any(), "sure background"
    assert (label.alpha[22:78, 62:88] == 1).all()
    missed = agree(both, PLAIN, boxes=[(0.6, 0.2, 0.9, 0.8), (0.45, 0.3, 0.55, 0.7)])
    assert missed.unsure is not None and missed.unsure[30:70, 45:55].all(), "a person that no judge has seen"
    assert agree(both, PLAIN, boxes=[(0.42, 0.3, 0.58, 0.7)]).alpha is None
    nobody = agree(both, PLAIN, boxes=[])
    assert (
        nobody.alpha is not None and nobody.alpha.max() == 0 and nobody.unsure is not None and not nobody.unsure.any()
    )


@pytest.mark.slow
def test_the_band_is_drawn_anew_from_the_colors() -> None:
    pytest.importorskip("pymatting")
    frame = np.full((100, 100, 3), (10, 20, 60), np.uint8)
    frame[20:80, 30:72] = (240, 230, 200)  # the judges end two pixels too early
    label = agree(np.stack([judge(30, 70)] * 2), AgreementRule(band=3), frame=frame)
    assert label.alpha is not None and label.unsure is not None
    assert (label.alpha[40:60, 70:72] > 0.9).all() and (label.alpha[40:60, 73:] < 0.1).all()
    assert (label.alpha[40:60, 40:60] == 1).all() and (label.alpha[:, :20] == 0).all(), "only the band changes"
    assert not label.unsure.any()


def test_one_judge_is_no_agreement() -> None:
    with pytest.raises(InputError, match=r"at least two judges; received \(1, 100, 100\)"):
        agree(judge(1, 2)[None], PLAIN)


@pytest.mark.parametrize(
    "line", ["0 0.5 0.5 0.5", "0 0.5 0.5 2 0.5", "person 0.5 0.5 0.5 0.5", "0 0.5 0.5 0.5 0.5 9 9"]
)
def test_a_line_that_is_no_box_is_named(line: str) -> None:
    with pytest.raises(InputError, match=r"`a\.txt`, line 2: a box must be"):
        read_boxes(f"0 0.5 0.5 0.5 0.5\n{line}\n", "a.txt")


def test_boxes_of_other_classes_are_left_out() -> None:
    assert read_boxes("16 0.5 0.5 0.5 0.5\n\n", "a.txt") == []
