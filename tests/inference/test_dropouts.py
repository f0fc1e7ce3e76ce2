"""Holes that open for a few frames are closed; nobody leaves a ghost; who walks in is there at once."""

from __future__ import annotations

import numpy as np
import pytest

from standout.imaging.arrays import Alpha, Frame, resize
from standout.inference.smoothing import TemporalSmoother

SIZE = (108, 192)
HOLES = (6, 7)


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


GROUND = np.asarray(resize(noise((14, 24, 3), 1) // 3, SIZE), np.uint8)
TEXTURE = np.asarray(resize(noise((9, 6, 3), 4), (56, 40)) // 2 + 110, np.uint8)


def frame_at(left: int | None) -> tuple[Frame, Alpha]:
    """A person of 56 × 40 pixels that has come so far, and their alpha; None: nobody."""
    frame, alpha = GROUND.copy(), np.zeros(SIZE, np.float32)
    if left is not None:
        frame[30:86, left : left + 40] = TEXTURE
        alpha[30:86, left : left + 40] = 1
    return frame, alpha


def steadied(shown: list[tuple[Frame, Alpha]], lag: int) -> list[Alpha]:
    steady = TemporalSmoother("flow", lag=lag)
    return [alpha for frame, alpha in shown for alpha in steady.push(frame, alpha)] + steady.flush()


@pytest.mark.parametrize("lag", [0, 1])
@pytest.mark.parametrize("speed", [0, 1])
def test_a_hole_of_a_few_frames_is_closed(lag: int, speed: int) -> None:
    shown = [frame_at(40 + speed * number) for number in range(14)]
    for number in HOLES:
        shown[number][1][50:60, 40 + speed * number + 12 : 40 + speed * number + 26] = 0.05
    made = steadied(shown, lag)
    for number in HOLES:
        hole = made[number][50:60, 40 + speed * number + 12 : 40 + speed * number + 26]
        assert hole.min() > 0.7, number


def test_a_hole_that_stays_is_believed() -> None:
    shown = [frame_at(60) for _ in range(30)]
    for _, alpha in shown[8:]:
        alpha[50:60, 72:86] = 0
    assert steadied(shown, 0)[-1][52:58, 74:84].max() < 0.1


@pytest.mark.parametrize("lag", [0, 1])
def test_a_real_opening_shows_what_is_behind_at_once(lag: int) -> None:
    """Between arm and body a gap opens: the picture there changes, so the past has nothing to say."""
    shown = [frame_at(60) for _ in range(12)]
    for frame, alpha in shown[6:]:
        frame[45:70, 72:88] = GROUND[45:70, 72:88]
        alpha[45:70, 72:88] = 0
    made = steadied(shown, lag)
    assert made[7][50:65, 76:84].max() < 0.2


@pytest.mark.parametrize("lag", [0, 1])
def test_who_walks_in_is_there_within_two_frames_and_who_leaves_is_gone(lag: int) -> None:
    shown = [frame_at(None) for _ in range(5)] + [frame_at(60) for _ in range(6)] + [frame_at(None) for _ in range(5)]
    made = steadied(shown, lag)
    assert made[4].max() < 0.4 and made[6][34:82, 64:96].min() > 0.9
    assert made[12].max() < 0.1


def test_what_is_gone_for_one_frame_is_brought_back_where_the_next_is_known() -> None:
    shown = [frame_at(40 + 2 * number) for number in range(10)]
    shown[5][1][60:86, 50:90] = 0  # the legs; no hole, for it is open below
    made = steadied(shown, 1)
    assert made[5][64:82, 54:86].mean() > 0.75
    shown[5] = frame_at(50)
    shown[5][1][5:20, 150:170] = 1  # a coat that is a person for one frame
    assert steadied(shown, 1)[5][7:18, 152:168].max() < 0.3


@pytest.mark.parametrize("lag", [0, 1])
def test_a_hand_that_waves_fast_is_where_the_network_sees_it(lag: int) -> None:
    """Drawn: somebody stands still and a hand of 10 × 8 flies to and fro; no frame has less of it than the network."""
    shown = []
    for number in range(16):
        frame, alpha = frame_at(60)
        left = 108 + round(18 * np.sin(number * 1.1))
        frame[36:46, left : left + 8] = TEXTURE[:10, :8]
        alpha[36:46, left : left + 8] = 1
        shown.append((frame, alpha))
    for (_, alpha), made in zip(shown[2:], steadied(shown, lag)[2:], strict=True):
        hand = alpha > 0
        hand[:, :102] = False
        assert made[hand].min(initial=1) > 0.5
        beside = alpha == 0
        assert (made[beside] > 0.5).mean() < 0.004  # and it leaves no trace of ghosts
