"""Drawing and augmenting in worker processes of one thread each, in order. The workers import no Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import cv2

from standout.errors import DataError
from standout.work.pool import WorkerDied, WorkerPool

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
        DataError: A process was killed.
        StandoutError: What `start` or a task raised; another exception is named in one.
    """
    with WorkerPool(_Task(task, start, arguments), workers=workers, quiet=False) as pool:
        for _, future in pool.each(calls, ahead=2 * workers + 2, in_order=True):
            try:
                made = future.result()
            except WorkerDied as error:
                raise DataError(f"A worker process {error.how}; {advice}.") from error
            yield made
            del made


@dataclass(frozen=True)
class _Task(Generic[T]):
    """A function as the work of a pool."""

    task: Callable[..., T]
    start: Callable[..., None]
    arguments: tuple[Any, ...]

    def open(self, threads: int) -> Callable[[tuple[Any, ...]], T]:
        cv2.setNumThreads(threads)  # the processes are the parallelism
        self.start(*self.arguments)
        return lambda call: self.task(*call)
