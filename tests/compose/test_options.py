"""How the finished picture shall look, as a value."""

from __future__ import annotations

import numpy as np

from standout.compose.options import Look


def test_looks_with_arrays_can_be_compared_and_kept_in_sets() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    one, other = Look(background=image), Look(background=image.copy())
    assert one == one and one != other
    assert len({one, other, Look()}) == 3
