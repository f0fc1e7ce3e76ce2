"""The worker processes as the event loop sees them, with a bounded queue in front; `work.pool` does the rest."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from standout.errors import StandoutError
from standout.server.problems import Problem
from standout.server.tasks import Answer, Ready, Refusal, Task
from standout.server.worker import EngineWork, OpenEngine
from standout.work.pool import WorkerDied, WorkerPool

#: Of the C library, read when a process starts: two arenas instead of eight per core (docs/server.md, memory).
ALLOCATOR = {"MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True)
class Done:
    """An answer or a refusal, and the seconds that the task waited for a worker."""

    result: Answer | Refusal
    wait_s: float


class BoundedPool:
    """At most `workers` tasks at once, at most `queue` waiting.

    Args:
        open_engine: What each worker opens; is pickled.
        workers: Processes.
        threads: How many threads the network of each process may use.
        queue: Tasks that may wait while all workers are busy.
        on_death: Called when a worker dies, in some thread.
    """

    def __init__(
        self,
        open_engine: OpenEngine,
        *,
        workers: int,
        threads: int,
        queue: int,
        on_death: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool: WorkerPool[Task, Answer | Refusal] = WorkerPool(
            EngineWork(open_engine), workers=workers, threads=threads, keep_warm=True, environment=ALLOCATOR,
            on_death=on_death,
        )  # fmt: skip
        self._queue = queue
        self._seconds = 0.5  # of a usual task; follows what is measured
        self._open = False

    # ---- what others see

    @property
    def ready(self) -> bool:
        """Whether a worker is there that can work."""
        return self._open and self._pool.ready > 0

    @property
    def accepting(self) -> bool:
        """Whether a task will find a worker: also while one that died is being replaced."""
        return self._open and not self._pool.broken

    @property
    def ready_info(self) -> Ready:
        """What the first worker told of itself."""
        return self._pool.hello or Ready({})

    @property
    def waiting(self) -> int:
        return self._pool.waiting

    @property
    def busy(self) -> int:
        return self._pool.busy

    @property
    def full(self) -> bool:
        """Whether a task would be refused now."""
        return self.busy + self.waiting >= self._pool.workers + self._queue

    @property
    def retry_after_s(self) -> int:
        """When it may be worth while to try again."""
        return max(1, math.ceil((self.waiting + 1) * self._seconds / self._pool.workers))

    def memory(self) -> dict[int, int]:
        """Resident bytes of each worker by its number; empty where the system doesn't tell."""
        found = {}
        for number, pid in enumerate(self.pids()):
            with suppress(OSError, ValueError, IndexError):
                pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
                found[number] = int(pages) * os.sysconf("SC_PAGE_SIZE")
        return found

    def pids(self) -> list[int]:
        """The workers' process ids."""
        return self._pool.pids()

    # ---- what others do

    async def start(self, timeout_s: float = 120.0) -> None:
        """Starts all workers and waits until each is warm.

        Raises:
            StandoutError: They can't work; the message says why.
        """
        self._pool.start(self._pool.workers)
        try:
            await asyncio.to_thread(self._pool.wait_ready, timeout_s)
        except StandoutError:
            self._pool.close()
            raise
        self._open = True

    async def close(self, grace_s: float = 5.0) -> None:
        """Lets running tasks end, for so many seconds, and ends the workers."""
        self._open = False
        await asyncio.to_thread(self._pool.close, grace_s)

    async def run(self, task: Task, timeout_s: float) -> Done:
        """One task. Whoever is cancelled while waiting gives the place free; a worker that is at it goes on.

        The deadline is the task's, whoever waits for it.

        Raises:
            Problem: `queue_full`, `not_ready`, `timeout`, `worker_died`.
        """
        if not self.accepting:
            raise Problem("not_ready", "The server is starting or stopping; try again.", {"Retry-After": "5"})
        if self.full:
            raise self.full_problem()
        began, late = time.perf_counter(), asyncio.Event()
        future = self._pool.submit(task)
        deadline = asyncio.get_running_loop().call_later(timeout_s, self._give_up, future, late)
        waiter = asyncio.wrap_future(future)
        waiter.add_done_callback(lambda _: deadline.cancel() if future.done() else None)
        try:
            result = await waiter
        except (StandoutError, asyncio.CancelledError) as error:
            if late.is_set():
                words = f"The picture took longer than the {timeout_s:.0f} seconds that were left; send a smaller one."
                raise Problem("timeout", words) from None
            if isinstance(error, WorkerDied):
                words = (
                    f"The process that worked on the picture {error.how}; another one takes its place, so try again."
                )
                raise Problem("worker_died", words, {"Retry-After": "1"}) from None
            if isinstance(error, StandoutError):
                raise Problem("not_ready", str(error), {"Retry-After": "5"}) from None
            raise
        self._seconds += 0.1 * (future.seconds - self._seconds)
        return Done(result, max(0.0, time.perf_counter() - began - future.seconds))

    def _give_up(self, future: Future[Answer | Refusal], late: asyncio.Event) -> None:
        """Takes a late task out of the queue, or ends the worker that is at it: nothing else stops a computation."""
        late.set()
        self._pool.give_up(future)

    def full_problem(self) -> Problem:
        """What a request hears while all places are taken."""
        return Problem(
            "queue_full",
            f"All {self._pool.workers} workers are busy and {self._queue} requests wait already; "
            f"retry in {self.retry_after_s} s.",
            {"Retry-After": str(self.retry_after_s)},
        )
