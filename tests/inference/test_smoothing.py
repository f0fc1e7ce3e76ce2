"""Smoothing takes flicker out without ghosts: measured on a person whose true alpha is known in every frame."""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

import standout
from standout.errors import ConfigError
from standout.imaging.arrays import Alpha, Frame
from standout.inference.smoothing import Smoothing, TemporalSmoother

FRAMES = 12


@lru_cache(maxsize=1)
def benchmark() -> ModuleType:
    """`benchmarks/steady.py`: its clips and its measure, here with fewer frames."""
    path = Path(__file__).parents[2] / "benchmarks" / "steady.py"
    spec = importlib.util.spec_from_file_location("steady_benchmark", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    module.COUNT = FRAMES
    module.MOTIONS["with a cut"] = (3, 0, FRAMES // 2)
    return module


class Flickering:
    """A network in whose alpha patches come and go; it knows the truth of the frames that it is shown."""

    def __init__(self, truths: list[Alpha]) -> None:
        self._truths, self._rng = iter(truths), np.random.default_rng(5)

    def coarse(self, frame: Frame) -> Alpha:
        truth = next(self._truths)[::2, ::2]
        patches = self._rng.random((truth.shape[0] // 10, truth.shape[1] // 10)).astype(np.float32) - np.float32(0.5)
        flaws = np.repeat(np.repeat(patches, 10, axis=0), 10, axis=1)
        soft = truth + 0.6 * flaws * (truth > 0.02)
        return np.clip(soft, 0, 1).astype(np.float32)


@lru_cache(maxsize=4)
def clip(motion: str) -> tuple[list[Frame], list[Alpha], list[Alpha]]:
    """The astronaut over a photograph: frames, true alphas, and alphas that flicker."""
    person, mask, grounds = benchmark().people(None, 1)[0]
    frames, truths = zip(*benchmark().make_frames(person, mask, grounds, motion), strict=True)
    network = Flickering(list(truths))
    return list(frames), [truth[::2, ::2] for truth in truths], [network.coarse(frame) for frame in frames]


def smoothed(frames: list[Frame], alphas: list[Alpha], smoothing: Smoothing, lag: int) -> list[Alpha]:
    steady = TemporalSmoother(smoothing, lag=lag)
    ready = [made for frame, alpha in zip(frames, alphas, strict=True) for made in steady.push(frame, alpha)]
    return ready + steady.flush()


@pytest.mark.slow
@pytest.mark.parametrize("lag", [0, 1])
@pytest.mark.parametrize("motion", ["sitting", "walking", "fast", "with a cut"])
def test_flicker_goes_and_no_ghost_comes(motion: str, lag: int) -> None:
    frames, truths, flickering = clip(motion)
    steady = smoothed(frames, flickering, "flow", lag)
    errors = benchmark().errors
    (still_off, time_off), (still_on, time_on) = errors(flickering, truths), errors(steady, truths)
    assert len(steady) == len(frames)
    assert still_on <= still_off
    assert time_on < time_off * 0.85


@pytest.mark.slow
def test_the_bundled_network_flickers_less_and_errs_no_more() -> None:
    model = standout.load("photo")
    person, mask, grounds = benchmark().people(None, 1)[0]
    for motion, most in (("sitting", 0.85), ("fast", 1.0), ("with a cut", 0.95)):
        made = benchmark().make_clip(person, mask, grounds, motion, model)
        still_off, time_off = benchmark().errors(made.alphas, made.truths)
        still_on, time_on = benchmark().errors(benchmark().smooth(made, "flow", 1), made.truths)
        # Half a per cent is what the noise of twelve frames makes of it.
        assert still_on <= still_off * 1.005, motion
        assert time_on <= time_off * most, motion


@pytest.mark.parametrize("lag", [0, 1])
def test_nothing_is_carried_over_a_cut(lag: int) -> None:
    frames, truths, flickering = clip("with a cut")
    cut = FRAMES // 2
    whole = smoothed(frames, flickering, "flow", lag)
    apart = [smoothed(frames[part], flickering[part], "flow", lag) for part in (slice(cut), slice(cut, None))]
    assert all(np.array_equal(a, b) for a, b in zip(whole, apart[0] + apart[1], strict=True))


def test_looking_ahead_steadies_the_first_frame_too() -> None:
    frames, truths, flickering = clip("sitting")

    def off(alphas: list[Alpha]) -> float:
        error: NDArray[np.float32] = np.abs(alphas[0] - truths[0])
        return float(error.mean())

    assert off(smoothed(frames, flickering, "flow", 1)) < 0.95 * off(smoothed(frames, flickering, "flow", 0))


def test_a_skipped_mask_moves_with_the_person() -> None:
    frames, truths, _ = clip("walking")
    steady = TemporalSmoother("flow")
    assert steady.carry(frames[0]) is None
    steady(frames[0], truths[0])
    carried = steady.carry(frames[1])
    assert carried is not None
    assert np.abs(carried - truths[1]).mean() < 0.5 * np.abs(truths[0] - truths[1]).mean()


def test_tiny_and_changing_frames_pass() -> None:
    steady = TemporalSmoother("flow", lag=1)
    for size in ((1, 1), (2, 3), (200, 8), (48, 64)):
        steady.push(np.zeros((*size, 3), np.uint8), np.zeros((4, 4), np.float32))
    assert len(steady.flush()) == 1


def test_off_is_off_and_others_are_refused() -> None:
    frames, _, flickering = clip("sitting")
    assert TemporalSmoother("off")(frames[0], flickering[0]) is flickering[0]
    assert TemporalSmoother("off", lag=1).push(frames[0], flickering[0])[0] is flickering[0]
    with pytest.raises(ConfigError, match="flow"):
        TemporalSmoother("magic")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="`lag`"):
        TemporalSmoother("flow", lag=9)
