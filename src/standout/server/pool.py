"""Worker processes with a bounded queue in front; a worker that dies costs one request and is replaced.

Every worker has a thread here that hands it tasks and waits for its answers; everything else happens in the event loop.
"""

from __future__ import annotations

import asyncio
import atexit
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from standout.errors import StandoutError
from standout.processes import spawn_context
from standout.server.problems import Problem
from standout.server.tasks import Answer, Ready, Refusal, Task, Unusable
from standout.server.worker import OpenEngine, how_it_ended, work

#: Of the C library, read when a process starts: two arenas instead of eight per core (docs/server.md, memory).
ALLOCATOR = {"MALLOC_ARENA_MAX": "2"}
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
#: A worker that doesn't even start is tried again after so many seconds, twice as many each time.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
#: So many starts in a row that fail are a fault of the machine.
_MOST_FAILURES = 3


@dataclass(eq=False)
class _Job:
    task: Task
    future: asyncio.Future[Answer | Refusal]
    given: float = field(default_factory=time.perf_counter)
    started: float | None = None
    sent: bool = False
    late: bool = False
    #: Ends the job at its deadline, also when nobody waits for it any more.
    deadline: asyncio.TimerHandle | None = None

    def ends(self) -> None:
        """Nobody works on it any more."""
        if self.deadline is not None:
            self.deadline.cancel()


@dataclass(eq=False)
class _Worker:
    number: int
    process: Any
    channel: Any
    inbox: SimpleQueue[Task | None] = field(default_factory=SimpleQueue)
    ready: bool = False
    job: _Job | None = None


@dataclass(frozen=True)
class Done:
    """An answer or a refusal, and the seconds that the task waited for a worker."""

    result: Answer | Refusal
    wait_s: float


class WorkerPool:
    """At most `workers` tasks at once, at most `queue` waiting.

    Args:
        open_engine: What each worker opens; is pickled.
        workers: Processes.
        threads: How many threads the network of each process may use.
        queue: Tasks that may wait while all workers are busy.
        on_death: Called when a worker dies.
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
        self._open_engine = open_engine
        self._count = workers
        self._threads = threads
        self._most_waiting = queue
        self._on_death = on_death
        self._workers: dict[int, _Worker] = {}
        self._idle: deque[_Worker] = deque()
        self._waiting: deque[_Job] = deque()
        self._seconds = 0.5  # of a usual task; follows what is measured
        self._failures = 0
        self._closing = False
        self._first: asyncio.Future[None] | None = None
        #: What the first worker told of itself.
        self.told = Ready({})

    # ---- what others see

    @property
    def ready(self) -> bool:
        """Whether a worker is there that can work."""
        return not self._closing and any(worker.ready for worker in self._workers.values())

    @property
    def accepting(self) -> bool:
        """Whether a task will find a worker: also while one that died is being replaced."""
        return not self._closing and bool(self._workers) and self._failures < _MOST_FAILURES

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def busy(self) -> int:
        return sum(worker.job is not None for worker in self._workers.values())

    @property
    def full(self) -> bool:
        """Whether a task would be refused now."""
        return not self._idle and len(self._waiting) >= self._most_waiting

    @property
    def retry_after_s(self) -> int:
        """When it may be worth while to come again."""
        return max(1, math.ceil((len(self._waiting) + 1) * self._seconds / self._count))

    def memory(self) -> dict[int, int]:
        """Resident bytes of each worker by its number; empty where the system doesn't tell."""
        found = {}
        for number, worker in self._workers.items():
            with suppress(OSError, ValueError, IndexError):
                pages = Path(f"/proc/{worker.process.pid}/statm").read_text("ascii").split()[1]
                found[number] = int(pages) * os.sysconf("SC_PAGE_SIZE")
        return found

    def pids(self) -> list[int]:
        """The workers' process ids."""
        return [worker.process.pid for worker in self._workers.values()]

    # ---- life

    async def start(self, timeout_s: float = 120.0) -> None:
        """Starts all workers and waits until each is warm.

        Raises:
            StandoutError: They can't work; the message says why.
        """
        self._first = asyncio.get_running_loop().create_future()
        atexit.register(self._kill)
        for number in range(self._count):
            self._hire(number)
        try:
            async with asyncio.timeout(timeout_s):
                await self._first
        except TimeoutError:
            self._kill()
            raise StandoutError(f"No worker process was ready within {timeout_s:g} s; try fewer workers.") from None
        except StandoutError:
            self._kill()
            raise

    async def close(self, grace_s: float = 5.0) -> None:
        """Lets running tasks end, for so many seconds, and ends the workers."""
        self._closing = True
        end = time.monotonic() + grace_s
        while (self.busy or self._waiting) and time.monotonic() < end:
            await asyncio.sleep(0.02)
        for worker in self._workers.values():
            worker.inbox.put(None)
        await asyncio.to_thread(self._join)
        atexit.unregister(self._kill)

    def _join(self) -> None:
        for worker in list(self._workers.values()):
            worker.process.join(3)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()

    def _kill(self) -> None:
        self._closing = True
        for worker in list(self._workers.values()):
            with suppress(OSError, ValueError):
                worker.process.kill()

    # ---- tasks

    async def run(self, task: Task, timeout_s: float) -> Done:
        """One task; whoever is cancelled while waiting gives the place free.

        Raises:
            Problem: `queue_full`, `not_ready`, `timeout`, `worker_died`.
        """
        if not self.accepting:
            raise Problem("not_ready", "The server is starting or stopping; come again.", {"Retry-After": "5"})
        if self.full:
            raise self.full_problem()
        loop = asyncio.get_running_loop()
        job = _Job(task, loop.create_future())
        job.deadline = loop.call_later(timeout_s, self._give_up, job, timeout_s)
        self._waiting.append(job)
        self._dispatch()
        try:
            result = await job.future
        except asyncio.CancelledError:
            if job in self._waiting:
                self._waiting.remove(job)
                job.ends()
            raise  # a worker that is at it goes on, until it is done or the job's deadline ends it
        return Done(result, (job.started or job.given) - job.given)

    def full_problem(self) -> Problem:
        """What a request hears while all places are taken."""
        return Problem(
            "queue_full",
            f"All {self._count} workers are busy and {self._most_waiting} requests wait already; "
            f"come again in {self.retry_after_s} s.",
            {"Retry-After": str(self.retry_after_s)},
        )

    def _give_up(self, job: _Job, timeout_s: float) -> None:
        """Takes a late job out of the queue, or ends the worker that is at it: nothing else stops a computation."""
        if job in self._waiting:
            self._waiting.remove(job)
        job.late = True
        for worker in self._workers.values():
            if worker.job is job:
                worker.process.kill()
        if not job.future.done():
            words = f"The picture took longer than the {timeout_s:.0f} seconds that were left; send a smaller one."
            job.future.set_exception(Problem("timeout", words))

    def _dispatch(self) -> None:
        while self._waiting and self._idle:
            job = self._waiting.popleft()
            if job.future.done():
                continue
            worker = self._idle.popleft()
            job.started = time.perf_counter()
            worker.job = job
            worker.inbox.put(job.task)

    # ---- workers; all of this in the event loop, but for `_drive`

    def _hire(self, number: int) -> None:
        context = spawn_context()
        ours, theirs = context.Pipe()
        threads = {name: str(self._threads) for name in _THREAD_VARIABLES}
        process = context.Process(target=work, args=(theirs, self._open_engine), daemon=True)
        with _environment({**ALLOCATOR, **threads}):
            process.start()
        theirs.close()  # its end must be the only one, or its death would go unnoticed
        worker = self._workers[number] = _Worker(number, process, ours)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._drive, args=(worker, loop), name=f"worker-{number}", daemon=True).start()

    def _drive(self, worker: _Worker, loop: asyncio.AbstractEventLoop) -> None:
        """A worker's thread: tasks there, answers back."""

        def tell(function: Callable[..., None], *arguments: object) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(function, *arguments)

        try:
            tell(self._started, worker, worker.channel.recv())
            while (task := self._next(worker)) is not None:
                worker.channel.send(task)
                if worker.job is not None:
                    worker.job.sent = True
                del task  # a picture isn't kept until the next one comes
                tell(self._finished, worker, worker.channel.recv())
            worker.channel.close()
        except (EOFError, OSError):
            worker.channel.close()
            worker.process.join(5)
            tell(self._died, worker)

    @staticmethod
    def _next(worker: _Worker) -> Task | None:
        """The worker's next task; a worker that dies without one is noticed within a second.

        Raises:
            EOFError: It has died.
        """
        while True:
            with suppress(Empty):
                return worker.inbox.get(timeout=1.0)
            if not worker.process.is_alive():
                raise EOFError

    def _started(self, worker: _Worker, word: Ready | Unusable) -> None:
        if isinstance(word, Unusable):
            if self._first is not None and not self._first.done():
                self._first.set_exception(StandoutError(word.detail))
            return  # its channel closes next
        worker.ready, self._failures = True, 0
        self.told = word
        self._idle.append(worker)
        if self._first is not None and not self._first.done() and all(w.ready for w in self._workers.values()):
            self._first.set_result(None)
        self._dispatch()

    def _finished(self, worker: _Worker, result: Answer | Refusal) -> None:
        job, worker.job = worker.job, None
        self._idle.append(worker)
        if job is not None:
            job.ends()
            if job.started is not None:
                self._seconds += 0.1 * (time.perf_counter() - job.started - self._seconds)
            if not job.future.done():
                job.future.set_result(result)
        self._dispatch()

    def _died(self, worker: _Worker) -> None:
        job, worker.job = worker.job, None
        with suppress(ValueError):
            self._idle.remove(worker)
        if job is not None and not job.sent and not job.late:
            self._waiting.appendleft(job)  # it had died before: the next one takes the task
            self._dispatch()
        elif job is not None:
            job.ends()
        if job is not None and job.sent and not job.future.done():
            how = how_it_ended(worker.process.exitcode)
            words = f"The process that worked on the picture {how}; another one takes its place, so try again."
            job.future.set_exception(Problem("worker_died", words, {"Retry-After": "1"}))
        if self._closing:
            return
        if job is None or not job.late:
            self._on_death()
        pause = 0.0
        if not worker.ready:
            self._failures += 1
            pause = min(_FIRST_PAUSE_S * 2**self._failures, _LONGEST_PAUSE_S)
            first = self._first
            if self._failures >= _MOST_FAILURES and first is not None and not first.done():
                words = f"No worker process can be started here: it {how_it_ended(worker.process.exitcode)}."
                first.set_exception(StandoutError(words))
        worker.ready = False
        asyncio.get_running_loop().call_later(pause, self._replace, worker.number)

    def _replace(self, number: int) -> None:
        if not self._closing:
            self._hire(number)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for the process that is started meanwhile; what the user has set stays."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
