"""The errors of a matte against what one can work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from standout.errors import InputError
from standout.workshop.score.matting import is_matte, matte_errors, soft_band


def head_with_strands() -> np.ndarray:
    """A square person with strands of half alpha growing out of its top, float32 (200, 200)."""
    alpha = np.zeros((200, 200), np.float32)
    alpha[100:180, 60:140] = 1
    alpha[70:100, 60:140:8] = 0.5
    return alpha


def test_a_perfect_alpha_has_no_error() -> None:
    truth = head_with_strands()
    assert matte_errors(truth, truth.copy()) == matte_errors(truth, truth, soft_band(truth))
    errors = matte_errors(truth, truth.copy())
    assert (errors.sad, errors.mae, errors.mse, errors.gradient, errors.connectivity) == (0, 0, 0, 0, 0)


def test_sad_mae_and_mse_are_those_of_the_definition() -> None:
    truth, alpha = np.zeros((100, 100), np.float32), np.zeros((100, 100), np.float32)
    alpha[:50] = 0.5
    errors = matte_errors(truth, alpha)
    assert errors.sad == pytest.approx(5000 * 0.5 / 1000)
    assert errors.mae == pytest.approx(0.25)
    assert errors.mse == pytest.approx(0.125)


def test_strands_cut_off_show_in_the_band_and_hardly_in_the_whole() -> None:
    truth = head_with_strands()
    cut = np.where(truth == 1, truth, 0).astype(np.float32)
    band = soft_band(truth)
    assert matte_errors(truth, cut, band).mae > 5 * matte_errors(truth, cut).mae
    wedge = cut.copy()
    wedge[70:100, 60:140] = 1  # the solid wedge of background between the strands
    assert matte_errors(truth, wedge, band).mae > 2 * matte_errors(truth, cut, band).mae
    assert matte_errors(truth, cut, band).gradient > 0


def test_gradient_sees_a_blurred_edge_that_means_the_same_area() -> None:
    truth = np.zeros((60, 60), np.float32)
    truth[:, 30:] = 1
    soft = np.tile(np.clip((np.arange(60, dtype=np.float32) - 19.5) / 20, 0, 1), (60, 1))
    shifted = np.roll(truth, 1, axis=1)
    shifted[:, 0] = 0
    assert matte_errors(truth, soft).gradient > matte_errors(truth, shifted).gradient > 0


def test_connectivity_counts_a_piece_that_hangs_nowhere() -> None:
    truth = head_with_strands()
    island = truth.copy()
    island[10:20, 10:20] = 1
    grown = truth.copy()
    grown[180:190, 60:70] = 0.1  # as faint as can be, and connected
    assert matte_errors(truth, island).connectivity == pytest.approx(100 / 1000)
    assert matte_errors(truth, grown).connectivity == 0


def test_the_band_is_the_soft_part_and_a_little_more() -> None:
    truth = head_with_strands()
    band = soft_band(truth)
    assert band[(truth > 0.04) & (truth < 0.96)].all()
    assert band[85, 61]  # beside a strand
    assert not band[150, 100]
    assert not band[10, 10]


def test_a_mask_is_no_matte() -> None:
    assert is_matte(head_with_strands())
    assert not is_matte((head_with_strands() == 1).astype(np.float32))


def test_what_cannot_be_compared_is_refused_in_a_sentence() -> None:
    truth = head_with_strands()
    with pytest.raises(InputError, match=r"must have the matte's size \(200, 200\); received \(10, 10\)"):
        matte_errors(truth, np.zeros((10, 10), np.float32))
    with pytest.raises(InputError, match="at least one pixel"):
        matte_errors(truth, truth, np.zeros(truth.shape, bool))
