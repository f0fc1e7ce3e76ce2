import numpy as np
import pytest

from kits import disc
from standout.workshop.score.solidity import solidity

MASK = disc(128, (64, 64), 40)


def as_alpha(mask: np.ndarray) -> np.ndarray:
    return mask.astype(np.float32)


def test_the_truth_is_solid_and_clear():
    found = solidity(as_alpha(MASK), MASK)
    assert (found.lost, found.haze, found.has_holes, found.has_haze) == (0.0, 0.0, False, False)


def test_a_hole_in_the_body_is_lost_in_proportion():
    alpha = as_alpha(MASK)
    alpha[disc(128, (64, 64), 10)] = 0.5
    found = solidity(alpha, MASK)
    assert found.lost == pytest.approx((10 / 34) ** 2, rel=0.05)  # the core's radius is 40 − 6
    assert found.has_holes


def test_a_soft_outline_is_no_hole_and_no_haze():
    y, x = np.mgrid[:128, :128]
    ramp = np.clip(0.5 + (40 - np.hypot(y - 64, x - 64)) / 8, 0, 1).astype(np.float32)  # within 4 px of the edge
    found = solidity(ramp, MASK)
    assert found.lost == 0 and found.haze == 0


def test_haze_far_from_anybody_counts_and_near_them_does_not():
    alpha = as_alpha(MASK)
    alpha[disc(128, (64, 64), 51) & ~MASK] = 0.3
    assert solidity(alpha, MASK).haze == 0
    alpha[:16] = 0.2
    assert solidity(alpha, MASK).has_haze


def test_unsure_pixels_count_nowhere():
    alpha = as_alpha(MASK)
    hole = disc(128, (64, 64), 10)
    alpha[hole], alpha[:16] = 0, 1
    unsure = hole.copy()
    unsure[:30] = True
    found = solidity(alpha, MASK, unsure)
    assert found.lost == 0 and found.haze == 0


def test_a_person_cut_by_the_frame_has_a_core_up_to_its_border():
    mask = np.zeros((64, 64), bool)
    mask[20:] = True
    alpha = as_alpha(mask)
    alpha[60:, 20:40] = 0
    assert solidity(alpha, mask).lost == pytest.approx(4 * 20 / (38 * 64), rel=0.03)


def test_without_people_nothing_is_lost_and_everything_is_far():
    nobody = np.zeros((32, 32), bool)
    found = solidity(np.full((32, 32), 0.2, np.float32), nobody)
    assert found.lost is None and found.has_holes is None and found.haze == 1
    everybody = solidity(np.ones((32, 32), np.float32), ~nobody)
    assert everybody.lost == 0 and everybody.haze is None and everybody.has_haze is None
