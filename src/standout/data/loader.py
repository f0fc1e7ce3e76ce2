"""Worker processes that prepare batches in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from standout.data.samples import Samples
from standout.data.workers import worker_pool
from standout.errors import DataError

Batch = tuple[np.ndarray, np.ndarray]

_samples: Samples | None = None  # a worker's own


def _start_worker(samples: Samples) -> None:
    global _samples
    _samples = samples
    if hasattr(os, "nice"):
        os.nice(5)  # feeding may lag a batch behind; the training step may not wait


def _make_batch(epoch: int, first: int, count: int) -> Batch:
    if _samples is None:
        raise RuntimeError("the worker was not started")
    return _samples.batch(epoch, first, count)


def batches(
    samples: Samples, *, batch: int, start: int = 0, per_epoch: int, workers: int = 1, part: tuple[int, int] = (0, 1)
) -> Iterator[Batch]:
    """Yields batches `start`, `start + 1`, … without end, in order, the same for any number of workers.

    Args:
        samples: Where they come from.
        batch: Samples in each.
        start: The first batch's number: to resume, the number of steps done.
        per_epoch: Batches that make an epoch.
        workers: Processes; 0 prepares them in this process.
        part: (i, n): only the i-th of n equal parts of every batch.

    Raises:
        StandoutError: What a worker raised.
        DataError: A worker was killed.
    """
    share = batch // part[1]

    def place(number: int) -> tuple[int, int, int]:
        return number // per_epoch, number % per_epoch * batch + part[0] * share, share

    if workers == 0:
        number = start
        while True:
            yield samples.batch(*place(number))
            number += 1
    pool = worker_pool(workers, _start_worker, (samples,))
    pending: deque[Future[Batch]] = deque()
    number = start
    try:
        while True:
            while len(pending) < 2 * workers + 2:
                pending.append(pool.submit(_make_batch, *place(number)))
                number += 1
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise DataError(
            "A worker process ended without a word (out of memory, or killed); try fewer `workers`."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
