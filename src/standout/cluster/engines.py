"""What an engine is to a job, and the one that needs no other process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from standout.cluster.step import Photo, Row, Step
from standout.errors import StandoutError

#: Works on photos and yields their rows as they come, in any order; may lose some, and raise `ClusterLost`.
Engine = Callable[[Step, Sequence[Photo]], Iterator[list[Row]]]


class ClusterLost(StandoutError):
    """The engine gave up in the midst of the work; what has no row yet can be begun anew."""


def in_this_process(step: Step, photos: Sequence[Photo]) -> Iterator[list[Row]]:
    """The engine without an engine: one photo after the other, here."""
    for photo in photos:
        yield step([photo])
