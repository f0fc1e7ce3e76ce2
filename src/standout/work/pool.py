"""Worker processes that do items of one kind of work; a worker that dies costs one item and is replaced.

    with WorkerPool(PhotoWork(options), workers=2) as pool:
        for item, future in pool.each(photos):
            print(item, future.result())

`process.py` starts the processes, `worker.py` is what they run.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from standout.errors import StandoutError
from standout.work.process import TookTooLong, WorkerDied
from standout.work.slot import Job, Shared, Slot, WorkFuture
from standout.work.worker import Stopped

__all__ = ["Stopped", "TookTooLong", "Work", "WorkFuture", "WorkerDied", "WorkerPool"]

I_contra = TypeVar("I_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)
I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")  # what an item becomes


class Work(Protocol[I_contra, R_co]):
    """What workers do; is pickled on its way to them, so its class lies in a module that they can import."""

    def open(self, threads: int) -> Callable[[I_contra], R_co]:
        """Called once in every worker; returns what is called for every item. Both may raise StandoutError.

        An attribute `hello` of what is returned becomes the pool's `hello`.
        """
        ...


class WorkerPool(Generic[I, R]):
    """At most `workers` processes, each doing one item at a time; a context manager that any thread may use.

    Args:
        work: What the workers do.
        workers: How many processes; they are started when they are needed.
        threads: How many threads each may use: given to `work.open`, and to NumPy's and onnxruntime's libraries.
        deadline_s: An item that takes longer, seconds, is given up, and its worker killed: nothing else stops a decoder
            that hangs. The time to start and open doesn't count. None: no deadline.
        keep_warm: Workers that end are replaced at once, and not only when an item waits.
        quiet: What libraries print is dropped.
        environment: Further variables for the processes, where the user hasn't set them.
        on_death: Called, in some thread, when a worker died that nobody has ended.
    """

    def __init__(
        self,
        work: Work[I, R],
        *,
        workers: int,
        threads: int = 1,
        deadline_s: float | None = None,
        keep_warm: bool = False,
        quiet: bool = True,
        environment: Mapping[str, str] | None = None,
        on_death: Callable[[], None] = lambda: None,
    ) -> None:
        self.workers = workers
        self._deadline_s = deadline_s
        self._shared: Shared[I, R] = Shared(
            (threads, quiet, pickle.dumps(work)), keep_warm, dict(environment or {}), on_death
        )
        self._change = self._shared.change
        self._slots: list[Slot[I, R]] = []

    def __enter__(self) -> WorkerPool[I, R]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- what others see

    @property
    def ready(self) -> int:
        """How many workers have opened their work."""
        return sum(slot.ready for slot in self._slots)

    @property
    def busy(self) -> int:
        """How many items are at work."""
        return sum(slot.job is not None for slot in self._slots)

    @property
    def waiting(self) -> int:
        """How many items wait for a worker."""
        return sum(not job.future.cancelled() for job in tuple(self._shared.jobs))

    @property
    def broken(self) -> bool:
        """Whether workers don't even start: an item would fail. Each new item, and time if `keep_warm`, tries again."""
        return self._shared.broken

    @property
    def error(self) -> StandoutError | None:
        """Why workers don't even start; None if they do."""
        return self._shared.error

    @property
    def hello(self) -> Any:
        """What the first worker told of itself; None before."""
        return self._shared.hello

    def pids(self) -> list[int]:
        """The process ids of the workers."""
        return [slot.process.pid for slot in list(self._slots) if slot.process is not None]

    # ---- what others do

    def start(self, workers: int = 1) -> None:
        """Starts so many workers now, so that they are ready for the first items."""
        with self._change:
            self._spawn(workers)
            for slot in self._slots[:workers]:
                slot.warm = slot.warm or slot.process is None
            self._change.notify_all()

    def wait_ready(self, timeout_s: float = 120.0) -> None:
        """Waits until those that were started are ready.

        Raises:
            StandoutError: They can't work; the message says why.
        """
        with self._change:
            there = self._change.wait_for(
                lambda: self._shared.error or all(slot.ready for slot in self._slots if slot.warm), timeout_s
            )
            if self._shared.error:
                raise self._shared.error
        if not there:
            raise StandoutError(f"No worker process was ready within {timeout_s:g} s; try fewer workers.")

    def submit(self, item: I, *, deadline_s: float | None = None) -> WorkFuture[R]:
        """Has an item done by the next free worker; any number may wait.

        Args:
            item: Is pickled.
            deadline_s: Instead of the pool's.

        Returns:
            A future. Its exception is what the work raised, if that is a StandoutError, `WorkerDied`, `TookTooLong` or
            `Stopped`, else a StandoutError that names the fault. Cancelled in time, the item isn't begun.
        """
        job = Job[I, R](item, self._deadline_s if deadline_s is None else deadline_s)
        with self._change:
            if self._shared.closing:
                raise StandoutError("The worker processes are ending; nothing more can be given to them.")
            self._shared.jobs.append(job)
            if len(self._shared.jobs) > sum(slot.job is None for slot in self._slots):
                self._spawn(len(self._slots) + 1)
            self._change.notify_all()
        return job.future

    def each(
        self, items: Iterable[I], *, ahead: int | None = None, in_order: bool = False
    ) -> Iterator[tuple[I, WorkFuture[R]]]:
        """Yields each item with its finished future; as they end, or in their order.

        Args:
            items: May be endless: no more than `ahead` are under way at a time.
            ahead: As many as there are workers by default.
            in_order: Keep the order of `items`.
        """
        source = iter(items)
        pending: dict[WorkFuture[R], I] = {}
        ahead = max(1, ahead or self.workers)
        try:
            while True:
                pending.update({self.submit(item): item for item in islice(source, ahead - len(pending))})
                if not pending:
                    return
                if in_order:
                    wait([next(iter(pending))])
                    done = [next(iter(pending))]
                else:
                    wait(pending, return_when=FIRST_COMPLETED)
                    done = [future for future in pending if future.done()]
                for future in done:
                    yield pending.pop(future), future
        finally:
            for future in pending:
                future.cancel()

    def give_up(self, future: Future[R]) -> None:
        """Forgets an item: it isn't begun, or its worker is killed and its exception is `Stopped`."""
        if future.cancel():
            return
        with self._change:
            for slot in self._slots:
                if slot.job is not None and slot.job.future is future:
                    slot.kill()

    def interrupt(self) -> None:
        """Forgets what waits, and has the items at work end early, as Ctrl-C does: see `Stopped`."""
        with self._change:
            while self._shared.jobs:
                self._shared.jobs.popleft().future.cancel()
        for slot in list(self._slots):
            if slot.job is not None and slot.process is not None:
                slot.process.interrupt()

    def close(self, grace_s: float = 0.0) -> None:
        """Ends the workers: those that wait at once, those at work after so many seconds, by force."""
        with self._change:
            self._change.wait_for(lambda: not self._shared.jobs and not self.busy, grace_s)
            self._shared.closing = True
            jobs, self._shared.jobs = self._shared.jobs, deque()
            for slot in self._slots:
                if slot.job is not None or not slot.ready:
                    slot.kill()
            self._change.notify_all()
        for job in jobs:
            job.future.cancel()
        for slot in self._slots:
            slot.join()

    def _spawn(self, count: int) -> None:
        for _ in range(len(self._slots), min(count, self.workers)):
            self._slots.append(Slot(self._shared))
