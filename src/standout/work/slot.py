"""A place for a worker in a pool: its thread starts the process, hands it items and waits for its answers."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from standout.errors import StandoutError
from standout.work.process import TookTooLong, WorkerDied, WorkerProcess
from standout.work.worker import Hello, Outcome, Stopped, Unusable

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")  # what an item becomes

#: So many workers in a row that don't even start are a fault of the machine, not of an item.
FALSE_STARTS = 3
#: A worker that doesn't start is tried again after so many seconds, twice as many each time, at most.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 30.0
#: How often an idle worker is looked at, seconds.
_LOOK_EVERY_S = 0.5
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class WorkFuture(Future[R]):
    """What an item will have become; `seconds` that it was at work, once it is done."""

    seconds: float = 0.0


@dataclass(eq=False)
class Job(Generic[I, R]):
    """An item that waits or is at work."""

    item: I
    deadline_s: float | None
    future: WorkFuture[R] = field(default_factory=WorkFuture)


@dataclass
class Shared(Generic[I, R]):
    """What the slots of a pool share; `change` guards all of it, and theirs."""

    opening: tuple[int, bool, bytes]
    keep_warm: bool
    environment: Mapping[str, str]
    on_death: Callable[[], None]
    jobs: deque[Job[I, R]] = field(default_factory=deque)
    change: threading.Condition = field(default_factory=threading.Condition)
    false_starts: int = 0
    error: StandoutError | None = None
    closing: bool = False
    hello: Any = None

    @property
    def broken(self) -> bool:
        """Whether workers don't even start."""
        return self.false_starts >= FALSE_STARTS


class Slot(Generic[I, R]):
    """A place for a worker.

    Attributes:
        warm: A process is wanted, also while no item waits.
        ready: The process has opened its work.
        job: What it is at.
        given_up: Its process was ended by us.
    """

    def __init__(self, shared: Shared[I, R]) -> None:
        self._shared = shared
        self.warm = shared.keep_warm
        self.process: WorkerProcess | None = None
        self.ready = self.given_up = False
        self.job: Job[I, R] | None = None
        self._failures, self._again_at = 0, 0.0
        self._thread = threading.Thread(target=self._run, daemon=True, name="standout-worker")
        self._thread.start()

    def kill(self) -> None:
        """Ends the process; called under `Shared.change`."""
        if self.process is not None:
            self.given_up = True
            self.process.kill()

    def join(self) -> None:
        """Waits for the end, once `closing` is set."""
        self._thread.join()

    def _run(self) -> None:
        """A worker's thread: keeps its process there, hands it jobs."""
        try:
            while self._next():
                if self.process is None:
                    self._start()
                elif self.job is not None:
                    self._do(self.process, self.job)
        finally:
            if self.process is not None:
                self.process.end()

    def _next(self) -> bool:
        """Waits until there is something to do; False at the end."""
        with self._shared.change:
            while not self._shared.closing:
                if self.process is not None and self.process.ended:
                    self._bury()  # it died idle
                if self.process is None and (self._shared.jobs or self.job is not None or self.warm):
                    pause = self._again_at - time.monotonic()
                    if pause <= 0:
                        return True
                    self._shared.change.wait(pause)
                    continue
                if self.process is not None:
                    self.job = self.job or self._take()
                    if self.job is not None:
                        return True
                self._shared.change.wait(_LOOK_EVERY_S if self.process is not None else None)
        return False

    def _take(self) -> Job[I, R] | None:
        while self._shared.jobs:
            job = self._shared.jobs.popleft()
            if job.future.set_running_or_notify_cancel():
                return job
        return None

    def _start(self) -> None:
        threads = dict.fromkeys(_THREAD_VARIABLES, str(self._shared.opening[0]))
        variables = {**self._shared.environment, **os.environ, **threads}
        try:
            self.process = process = WorkerProcess(variables)
        except OSError as error:  # a sandbox, a limit on processes
            self._false_start(StandoutError(_cant_start(error.strerror or str(error))))
            return
        if self._shared.closing:
            process.kill()
        word = process.ask(self._shared.opening)
        if isinstance(word, Hello):
            with self._shared.change:
                self.ready, self._failures, self._shared.false_starts, self._shared.error = True, 0, 0, None
                self.warm = self._shared.keep_warm
                self._shared.hello = word.ready_info if self._shared.hello is None else self._shared.hello
                self._shared.change.notify_all()
            return
        process.end()
        with self._shared.change:
            self.process = None
        if isinstance(word, Unusable):
            self._false_start(word.error, count=FALSE_STARTS)
        elif not self._shared.closing:
            self._false_start(StandoutError(_cant_start(f"it {process.how}")))

    def _false_start(self, error: StandoutError, count: int = 1) -> None:
        failed: list[Job[Any, Any]] = []
        with self._shared.change:
            self._failures += 1
            self._again_at = time.monotonic() + min(_FIRST_PAUSE_S * 2**self._failures, _LONGEST_PAUSE_S)
            self._shared.false_starts += count
            if self._shared.broken:
                self._shared.error, self.warm = error, self._shared.keep_warm
                while job := self.job or self._take():
                    failed.append(job)
                    self.job = None
            self._shared.change.notify_all()
        for job in failed:
            job.future.set_exception(error)

    def _do(self, process: WorkerProcess, job: Job[I, R]) -> None:
        began = time.monotonic()
        error: StandoutError | None = None
        try:
            answer = process.ask(job.item, job.deadline_s)
        except TimeoutError:
            process.kill()
            self.given_up, answer, error = True, None, TookTooLong(job.deadline_s or 0.0)
        except Exception as problem:  # noqa: BLE001 - the item can't be pickled, or the answer not be read
            answer = Outcome(error=StandoutError(f"Internal error: {type(problem).__name__}: {problem}."))
        job.future.seconds = time.monotonic() - began
        if isinstance(answer, Outcome):
            self._resolve(answer)
            if self.given_up:  # it had answered before it was ended
                self._bury()
            return
        unsent, given_up = process.never_asked, self.given_up
        self._bury()
        if unsent and not given_up:
            return  # it had died before: another one gets the item
        if error is None:
            error = Stopped("It was stopped before it was done.") if given_up else WorkerDied(process.how)
        self._resolve(Outcome(error=error))

    def _resolve(self, outcome: Outcome) -> None:
        with self._shared.change:
            job, self.job = self.job, None
            self._shared.change.notify_all()
        if job is None:
            return
        if outcome.error is not None:
            job.future.set_exception(outcome.error)
        else:
            job.future.set_result(outcome.value)

    def _bury(self) -> None:
        with self._shared.change:
            process, self.process, self.ready = self.process, None, False
            given_up, self.given_up = self.given_up, False
        if process is not None:
            process.end()
        if not given_up:
            self._shared.on_death()


def _cant_start(why: str) -> str:
    return f"No worker process can be started here: {why}; try fewer workers."
