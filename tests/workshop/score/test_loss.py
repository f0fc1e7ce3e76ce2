"""The loss of a finished model, against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from standout.workshop.score.loss import EPSILON, bce, bce_dice, soft_dice


def test_the_loss_of_two_pixels_by_hand() -> None:
    truth, alpha = np.array([[1.0, 0.0]], np.float32), np.array([[0.8, 0.4]], np.float32)
    cross = -(math.log(0.8) + math.log(0.6)) / 2
    assert bce(truth, alpha) == pytest.approx(cross, rel=1e-5)
    assert soft_dice(truth, alpha) == pytest.approx(2 * 0.8 / 2.2)
    assert bce_dice(truth, alpha, k=2.0) == pytest.approx(2 * cross - 1.6 / 2.2, rel=1e-5)


def test_an_empty_truth_counts_dice_1_and_certainty_stays_finite() -> None:
    empty, full = np.zeros((4, 4), np.float32), np.ones((4, 4), np.float32)
    assert bce_dice(empty, empty) == pytest.approx(-1, abs=0.01)
    assert bce(empty, full) == pytest.approx(-math.log(EPSILON), rel=1e-4)
