"""A pool of worker processes: one photo each at a time; a worker that dies takes only its photo with it.

Spawned, not forked: a fork of a process with threads can hang. Pictures never cross a process border, and nothing is
queued, so memory is bounded by the number of workers. This module is what a worker imports first; it stays light, for
the number of threads must be set before NumPy is loaded.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any, Protocol

from standout import errors
from standout.errors import StandoutError
from standout.photo.findings import PhotoFindings
from standout.processes import end_with_parent, spawn_context

#: So many workers in a row that don't even start are a fault of the machine, not of a photo.
_FALSE_STARTS = 3
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """A photo and the file that it becomes; both absolute."""

    source: Path
    target: Path


class Work(Protocol):
    """What workers do; is pickled on its way to them."""

    def open(self, threads: int) -> Callable[[Job], PhotoFindings]:
        """Called once in every worker; returns what is called for every photo. Both may raise StandoutError."""
        ...


@dataclass(frozen=True)
class Result:
    """How a job ended: with `findings`, or with an `error`; `broken_input` if that lies in the photo's file."""

    job: Job
    findings: PhotoFindings | None
    error: str = ""
    broken_input: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class _Unusable:
    """The worker can't work at all."""

    kind: str
    message: str


@dataclass(eq=False)
class _Worker:
    process: multiprocessing.process.BaseProcess
    connection: connection.Connection[Any, Any]
    job: Job | None = None
    ready: bool = False
    since: float | None = None  # when it began its job, by `time.monotonic`


class WorkerPool:
    """At most `workers` processes, started when they are needed; a context manager.

    Args:
        work: What the workers do.
        workers: How many processes.
        threads: How many threads each may use.
        limit_s: A job that takes longer is given up: its worker is killed, as a decoder that hangs can't be stopped
            otherwise. None: no limit.
    """

    def __init__(self, work: Work, *, workers: int, threads: int, limit_s: float | None = None) -> None:
        self._work = work
        self._most = workers
        self._threads = threads
        self._limit = limit_s
        self._workers: list[_Worker] = []
        self._false_starts = 0

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def free(self) -> bool:
        """Whether a job can be given."""
        return len(self._workers) < self._most or any(worker.job is None for worker in self._workers)

    @property
    def busy(self) -> bool:
        """Whether a result is to be waited for."""
        return any(worker.job is not None for worker in self._workers)

    def start(self) -> None:
        """Starts a worker now, so that it is ready for the first job, or tells that it can't work."""
        if not self._workers:
            self._start_worker()

    def submit(self, job: Job) -> None:
        """Hands a job to a free worker."""
        idle = [worker for worker in self._workers if worker.job is None]
        worker = idle[0] if idle else self._start_worker()
        worker.job = job
        worker.since = time.monotonic() if worker.ready else None  # to load the model is no part of the job
        with suppress(OSError):  # a worker that died in the meantime is noticed by `wait`
            worker.connection.send(job)

    def wait(self, timeout: float | None = None) -> list[Result]:
        """Waits for something to happen, seconds at most, and returns the jobs that ended.

        Raises:
            StandoutError: What `work.open` raised, or the system lets no worker start.
        """
        workers = {worker.connection: worker for worker in self._workers}
        if not workers:
            time.sleep(timeout or 0)
            return []
        results: list[Result] = []
        for ready in connection.wait(list(workers), self._until_late(timeout)):
            worker = workers[ready]  # type: ignore[index]  # a Connection, for nothing else was waited for
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
                results += self._reap(worker)
                continue
            if isinstance(message, _Unusable):
                raise _as_error(message)
            worker.ready, self._false_starts = True, 0
            worker.since = time.monotonic()
            if isinstance(message, Result):
                worker.job = None
                results.append(message)
        return results + self._give_up_late()

    def _until_late(self, timeout: float | None) -> float | None:
        """Seconds to wait: at most until a job has taken too long."""
        if self._limit is None:
            return timeout
        begun = [worker.since for worker in self._workers if worker.job is not None and worker.since is not None]
        left = [max(0.0, since + self._limit - time.monotonic()) for since in begun]
        return min([*left, *([] if timeout is None else [timeout])], default=None)

    def _give_up_late(self) -> list[Result]:
        """Kills the workers whose jobs took too long."""
        results: list[Result] = []
        if self._limit is None:
            return results
        for worker in list(self._workers):
            job, since = worker.job, worker.since
            if job is not None and since is not None and time.monotonic() - since >= self._limit:
                worker.process.kill()
                self._reap(worker)
                error = f"It took longer than {self._limit:g} seconds and was given up."
                results.append(Result(job, None, error, seconds=self._limit))
        return results

    def close(self) -> None:
        """Ends the workers: those that wait at once, those at work on a photo by force."""
        for worker in self._workers:
            worker.connection.close()
            if worker.job is not None or not worker.ready:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join(10)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()

    def _start_worker(self) -> _Worker:
        context = spawn_context()
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._threads), daemon=True)
        with _without_interrupts():
            process.start()
        theirs.close()  # its end must be the only one, or its death would go unnoticed
        with suppress(OSError):
            ours.send(self._work)
        self._workers.append(worker := _Worker(process, ours))
        return worker

    def _reap(self, worker: _Worker) -> list[Result]:
        """Takes a dead worker out; its photo failed, or goes to the next if the worker hadn't even begun."""
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()
        how = _how_it_ended(worker.process.exitcode)
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= _FALSE_STARTS:
                raise StandoutError(
                    f"No worker process can be started here: it {how}; try fewer workers, and in a script call "
                    "`process_folder` under `if __name__ == '__main__':`."
                )
            if worker.job is not None:
                self.submit(worker.job)
            return []
        if worker.job is None:
            return []
        return [Result(worker.job, None, f"The process that worked on it {how}; try fewer workers.")]


def _serve(channel: connection.Connection[Any, Any], threads: int) -> None:
    """A worker's life: open the work, then photo after photo until the channel closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; whoever gives the jobs decides
    threading.Thread(target=end_with_parent, daemon=True).start()
    # What decoders in C print about a damaged file is no news: the photo's error says it in a sentence.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for name in _THREAD_VARIABLES:
        os.environ[name] = str(threads)
    try:
        do = channel.recv().open(threads)
    except StandoutError as error:
        channel.send(_Unusable(type(error).__name__, str(error)))
        return
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001 - a library that can't be loaded, work that can't be unpickled, …
        channel.send(_Unusable("StandoutError", _why_unusable(error)))
        return
    channel.send("ready")
    while True:
        try:
            job = channel.recv()
        except EOFError:
            return
        channel.send(_do(do, job))


def _do(do: Callable[[Job], PhotoFindings], job: Job) -> Result:
    started = time.perf_counter()
    try:
        # The parents of a target are made by whoever writes it: the output has the folders that are needed.
        job.target.parent.mkdir(parents=True, exist_ok=True)
        findings, error, broken = do(job), "", False
    except StandoutError as problem:
        findings, error, broken = None, str(problem), isinstance(problem, errors.InputError)
    except OSError as problem:
        where = problem.filename or job.target
        findings, error, broken = None, f"`{where}` can't be read or written: {problem.strerror or problem}.", False
    except MemoryError:
        findings, error, broken = None, f"`{job.source}` needs more memory than there is; try fewer workers.", False
    except Exception as problem:  # noqa: BLE001 - a fault of ours costs one photo, not the folder
        findings, error, broken = (
            None,
            f"Fault in Standout: {type(problem).__name__}: {problem}; please report it.",
            False,
        )
    return Result(job, findings, error, broken, time.perf_counter() - started)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """A worker inherits that Ctrl-C is ignored, so that it can't hit the start of its interpreter."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def _how_it_ended(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed ({name})" + (", perhaps for want of memory" if -code == 9 else "")


def _why_unusable(error: Exception) -> str:
    return (
        f"The worker processes can't begin: {type(error).__name__}: {error}; "
        "mend this, or ask for help with the output of `standout info`."
    )


def _as_error(message: _Unusable) -> StandoutError:
    """The worker's error as it was raised there; MissingExtra and its like can't be pickled by their text."""
    kind: type[StandoutError] = getattr(errors, message.kind, StandoutError)
    error = kind.__new__(kind)
    Exception.__init__(error, message.message)
    return error
