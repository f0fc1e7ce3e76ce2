"""How the finished picture shall look, as a value."""

from __future__ import annotations

import dataclasses

import numpy as np

from standout.compose.options import Look
from standout.imaging.parse import Length, Point


def test_looks_with_arrays_can_be_compared_and_kept_in_sets() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    one, other = Look(background=image), Look(background=image.copy())
    assert one == one and one != other
    assert len({one, other, Look()}) == 3


def test_what_was_given_stays_and_what_was_read_stands_beside_it() -> None:
    look = Look(background="#fff", margin="10%", at="50%,30%")
    assert (look.background, look.margin, look.at) == ("#fff", "10%", "50%,30%")
    assert look.behind.color == (255, 255, 255) and look.room == Length(0.1, "share")
    assert look.point == Point(0.5, 0.3, "share")
    other = dataclasses.replace(look, background="blur:12", at=None)
    assert other.behind.radius == 12 and other.point is None and other.room == look.room
