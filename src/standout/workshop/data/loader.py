"""Worker processes that prepare batches in order."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from itertools import count

import numpy as np

from standout.workshop.data.check import Cache, Verdict
from standout.workshop.data.pair import Fault
from standout.workshop.data.samples import Samples
from standout.workshop.data.workers import work_in_order

Batch = tuple[np.ndarray, np.ndarray]
#: A batch, and the pairs that were found to be bad while it was drawn.
_Drawn = tuple[Batch, list[Fault]]

log = logging.getLogger(__name__)

_samples: Samples | None = None  # a worker's own


def _start_worker(samples: Samples) -> None:
    global _samples
    _samples = samples
    if hasattr(os, "nice"):
        os.nice(5)  # feeding may lag a batch behind; the training step may not wait


def _make_batch(epoch: int, first: int, size: int) -> _Drawn:
    if _samples is None:
        raise RuntimeError("the worker was not started")
    return _draw(_samples, epoch, first, size)


def _draw(samples: Samples, epoch: int, first: int, size: int) -> _Drawn:
    batch = samples.batch(epoch, first, size)
    faults, samples.faults = samples.faults, []
    return batch, faults


def batches(samples: Samples, *, batch: int, start: int = 0, per_epoch: int, workers: int = 1) -> Iterator[Batch]:
    """Yields batches `start`, `start + 1`, … without end, in order, the same for any number of workers.

    Args:
        samples: Where the samples come from.
        batch: Samples in each.
        start: The first batch's number: to resume, the number of steps done.
        per_epoch: Batches that make an epoch.
        workers: Processes; 0 prepares them in this process.

    Raises:
        StandoutError: Whatever a worker raised.
        DataError: A worker was killed.
    """
    places = ((number // per_epoch, number % per_epoch * batch, batch) for number in count(start))
    drawn: Iterator[_Drawn]
    if workers == 0:
        drawn = (_draw(samples, *where) for where in places)
    else:
        drawn = work_in_order(
            _make_batch, places, workers=workers, start=_start_worker, arguments=(samples,),
            advice="try fewer `workers`",
        )  # fmt: skip
    named: set[str] = set()
    for made, faults in drawn:
        for fault in faults:
            if fault.text not in named:
                named.add(fault.text)
                log.warning("left out (%s): %s", fault.kind, fault.text)
        if faults:
            Cache().remember((fault.pair, Verdict(fault.kind, fault.text)) for fault in faults)
        yield made
