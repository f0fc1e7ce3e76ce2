"""What an engine is to a job, and those that need no cluster."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from standout.cluster.photo import Photo, Row
from standout.cluster.step import Step, pool_of, work_through
from standout.errors import StandoutError

#: Works on photos and yields their rows as they come, in any order; may lose some, and raise `ClusterLost`.
Engine = Callable[[Step, Sequence[Photo]], Iterator[list[Row]]]


class ClusterLost(StandoutError):
    """The engine gave up in the midst of the work; what has no row yet can be begun anew."""


def in_this_process(step: Step, photos: Sequence[Photo]) -> Iterator[list[Row]]:
    """The engine without an engine: one photo after the other, here."""
    here = replace(step, in_process=True)
    for photo in photos:
        yield here([photo])


def on_this_machine(workers: int) -> Engine:
    """So many processes of this machine."""

    def engine(step: Step, photos: Sequence[Photo]) -> Iterator[list[Row]]:
        with pool_of(pickle.dumps(step), step, min(workers, len(photos))) as pool:
            for row in work_through(pool, step, photos):
                yield [row]

    return engine
