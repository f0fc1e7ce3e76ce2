"""Alpha of moving pictures, brought to the size of the frame."""

from __future__ import annotations

import numpy as np
import pytest

from standout.inference import alpha_stream as module
from standout.inference.alpha_stream import edge_levels


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
