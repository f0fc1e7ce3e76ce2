"""Spawned worker processes: one thread each, deaf to Ctrl-C, and gone when their parent is gone.

Spawned, not forked: a fork of a process that has loaded TensorFlow can hang. The workers import no Keras.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, TypeVar

import cv2

from standout.errors import DataError
from standout.processes import end_with_parent, spawn_context

T = TypeVar("T")


def work_in_order(
    task: Callable[..., T],
    calls: Iterable[tuple[Any, ...]],
    *,
    workers: int,
    start: Callable[..., None],
    arguments: tuple[Any, ...],
    advice: str,
) -> Iterator[T]:
    """Yields `task(*call)` of each call, in order, computed by processes.

    Args:
        task: A function of a module: the processes import it.
        calls: May be endless. No more than a few are under way at a time, so the memory doesn't grow with their number,
            and an error is told at once.
        workers: Processes.
        start: Each process calls `start(*arguments)` once, before its first task.
        arguments: Picklable.
        advice: What to try when a process was killed, for the message.

    Raises:
        DataError: A process was killed; whatever else a task raised is raised as it is.
    """
    pool = ProcessPoolExecutor(workers, mp_context=spawn_context(), initializer=_prepare, initargs=(start, arguments))
    waiting = iter(calls)
    try:
        pending: deque[Future[T]] = deque(pool.submit(task, *call) for call in islice(waiting, 2 * workers + 2))
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(task, *call) for call in islice(waiting, 1))
    except BrokenProcessPool as error:
        raise DataError(f"A worker process ended without a message (out of memory, or killed); {advice}.") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare(start: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism
    # A terminal sends Ctrl-C to the whole group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    start(*arguments)
