"""Smoothing takes flicker out without ghosts: measured on a moving shape whose true mask is known in every frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from standout.errors import ConfigError
from standout.pixels import Alpha, Frame
from standout.runtime.steady import Smoothing, Steady, look_ahead

SIZE = (72, 128)


def clip(count: int = 24) -> tuple[list[Frame], list[Alpha], list[Alpha]]:
    """Frames, true masks, and masks with the flicker of a network: an edge that breathes, patches that come and go."""
    rng = np.random.default_rng(5)
    back = cv2.resize(rng.integers(40, 120, (18, 32, 3), dtype=np.uint8), SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    skin = cv2.resize(rng.integers(130, 250, (18, 32, 3), dtype=np.uint8), SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    frames, truths, noisy = [], [], []
    for index in range(count):
        mask = np.zeros(SIZE, np.float32)
        cv2.ellipse(mask, (36 + 2 * index, 42), (15, 26), 0, 0, 360, 1.0, -1)
        moved = np.roll(skin, 2 * index, axis=1)
        frames.append(np.where(mask[..., None] > 0.5, moved, back).astype(np.uint8))
        flaws = cv2.resize(rng.random((9, 16)).astype(np.float32), SIZE[::-1]) - 0.5
        soft = cv2.GaussianBlur(mask, (0, 0), 2) + 0.7 * flaws * (cv2.GaussianBlur(mask, (0, 0), 3) > 0.02)
        truths.append(mask)
        noisy.append(np.clip(soft, 0, 1).astype(np.float32))
    return frames, truths, noisy


def errors(alphas: list[Alpha], truths: list[Alpha]) -> tuple[float, float]:
    """Mean still-image error |α − α*|, and temporal error |Δα − Δα*|."""
    off: list[NDArray[np.float32]] = [alpha - truth for alpha, truth in zip(alphas, truths, strict=True)]
    still = float(np.mean([np.abs(error).mean() for error in off[1:]]))
    return still, float(np.mean([np.abs(b - a).mean() for a, b in zip(off, off[1:], strict=False)]))


@pytest.mark.parametrize("smoothing", ["flow", "confidence"])
def test_flicker_goes_and_the_still_error_does_not_grow(smoothing: Smoothing) -> None:
    frames, truths, noisy = clip()
    steady = Steady(smoothing)
    smooth = [steady(frame, alpha) for frame, alpha in zip(frames, noisy, strict=True)]
    (still_off, time_off), (still_on, time_on) = errors(noisy, truths), errors(smooth, truths)
    print(smoothing, still_off, still_on, time_off, time_on)  # noqa: T201
    assert still_on <= still_off * 1.02
    assert time_on < time_off * (0.8 if smoothing == "flow" else 1)


def test_nothing_is_carried_over_a_cut() -> None:
    frames, _, noisy = clip(4)
    steady = Steady("flow")
    for frame, alpha in zip(frames, noisy, strict=True):
        steady(frame, alpha)
    after = np.zeros(SIZE, np.float32)
    assert np.array_equal(steady(255 - frames[0], after), after)


def test_a_skipped_mask_moves_with_the_person() -> None:
    frames, truths, _ = clip(3)
    steady = Steady("flow")
    assert steady.carry(frames[0]) is None
    steady(frames[0], truths[0])
    carried = steady.carry(frames[1])
    assert carried is not None
    assert np.abs(carried - truths[1]).mean() < np.abs(truths[0] - truths[1]).mean()


def test_looking_ahead_removes_what_lasts_one_frame() -> None:
    on, off = np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)
    assert look_ahead(on, off, on).min() == 1
    assert look_ahead(off, on, on).min() == 1
    assert look_ahead(None, off, on).max() == 0


def test_off_is_off_and_others_are_refused() -> None:
    frames, _, noisy = clip(1)
    assert Steady("off")(frames[0], noisy[0]) is noisy[0]
    with pytest.raises(ConfigError, match="flow"):
        Steady("magic")  # type: ignore[arg-type]
