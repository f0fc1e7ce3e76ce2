"""Alpha of moving pictures, brought to the size of the frame."""

from __future__ import annotations

import numpy as np
import pytest

from standout.imaging.arrays import Alpha, Frame
from standout.inference import alpha_stream as module
from standout.inference.alpha_stream import AlphaStream, edge_levels
from standout.inference.smoothing import TemporalSmoother


@pytest.mark.parametrize(
    ("alpha_hw", "guide_hw", "follows"),
    [((8, 8), (16, 16), True), ((16, 4), (8, 16), False), ((4, 16), (16, 8), False), ((8, 8), (8, 8), False)],
)
def test_edges_are_followed_only_where_the_guide_is_finer_in_both_directions(
    alpha_hw: tuple[int, int], guide_hw: tuple[int, int], follows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    follow = module._follow_edges
    monkeypatch.setattr(module, "_follow_edges", lambda *words: calls.append(words) or follow(*words))
    levels = edge_levels(np.ones(alpha_hw, np.float32), np.zeros((*guide_hw, 3), np.uint8))
    assert levels.shape == guide_hw and levels.min() == 255
    assert bool(calls) is follows


class Counting:
    """A network that counts its looks: everything bright is person."""

    name = "counting"
    looks = 0

    def coarse(self, frame: Frame) -> Alpha:
        self.looks += 1
        return np.asarray(frame[::4, ::4, 0] > 128, np.float32)


@pytest.mark.parametrize("lag", [0, 1])
def test_a_frame_that_hardly_changed_is_not_looked_at_and_has_no_motion(
    lag: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slides with the noise of a camera: of 8 frames the network sees the first, and of two slides two."""
    rng, model = np.random.default_rng(2), Counting()
    stream = AlphaStream(model, lag=lag)
    slide = np.zeros((96, 128, 3), np.uint8)
    slide[20:80, 40:90] = 200
    flows: list[object] = []
    motion = TemporalSmoother._motion
    monkeypatch.setattr(TemporalSmoother, "_motion", lambda *words: flows.append(0) or motion(*words))
    made = []
    for number in range(8):
        frame = slide if number < 4 else slide[:, ::-1]
        noisy = np.clip(frame.astype(np.int16) + rng.integers(-1, 2, frame.shape), 0, 255).astype(np.uint8)
        made += stream.push(noisy)
    assert len(made + stream.flush()) == 8
    assert model.looks == stream.inferences == 2 and len(flows) <= 4


def test_a_frame_without_people_has_no_edges_to_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("edges were followed where nobody is")

    monkeypatch.setattr(module, "_follow_edges", never)
    assert not edge_levels(np.full((24, 32), 0.05, np.float32), np.zeros((96, 128, 3), np.uint8)).any()
