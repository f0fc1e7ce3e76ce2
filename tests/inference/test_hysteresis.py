import numpy as np

from standout.inference.hysteresis import apply_hysteresis


def alpha_with(*peaks: tuple[int, float]) -> np.ndarray:
    """Discs of radius 8 with soft edges at columns, each with its own height."""
    y, x = np.mgrid[:40, :120]
    alpha = np.zeros((40, 120))
    for column, peak in peaks:
        alpha = np.maximum(alpha, peak * np.clip((10 - np.hypot(y - 20, x - column)) / 4, 0, 1))
    return alpha.astype(np.float32)


def test_a_guess_goes_and_a_sure_person_stays_to_the_last_bit():
    both, sure = alpha_with((20, 1.0), (90, 0.8)), alpha_with((20, 1.0))
    assert (apply_hysteresis(both, 0.95) == sure).all()


def test_nobody_sure_is_an_empty_mask():
    assert apply_hysteresis(alpha_with((60, 0.9)), 0.95).max() == 0


def test_a_guess_beside_a_person_leaves_the_person_s_soft_edge():
    result = apply_hysteresis(alpha_with((20, 1.0), (46, 0.7)), 0.95)
    assert (result[:, :30] == alpha_with((20, 1.0))[:, :30]).all() and result[20, 46] == 0


def test_without_guesses_nothing_is_copied():
    alpha = alpha_with((20, 1.0))
    assert apply_hysteresis(alpha, 0.95) is alpha and apply_hysteresis(alpha_with((20, 0.6)), 0.0).max() > 0.5


def test_haze_far_from_everybody_goes_and_hair_stays():
    alpha = alpha_with((20, 1.0))
    alpha[:, 28:34] = np.maximum(alpha[:, 28:34], 0.3)  # strands of hair, a few pixels from the head
    alpha[:, 80:] = 0.25  # a flag
    result = apply_hysteresis(alpha, 0.95)
    assert result[:, 80:].max() == 0 and (result[14:26, :34] == alpha[14:26, :34]).all()
