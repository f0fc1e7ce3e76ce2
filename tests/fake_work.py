"""Work for the pool without a network: copies files, and misbehaves when a photo's name says so. Imports little."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from standout.errors import InputError, ModelFileError
from standout.folder.photo_work import Job
from standout.imaging.files import atomic_write
from standout.pipeline.result import Findings


@dataclass(frozen=True)
class CopyWork:
    """Copies photos through `atomic_write`, and notes each in a log: `photo process threads`.

    Names with a meaning: `killed` kills the worker in the middle of the write, `broken` is no picture, `faulty` meets a
    fault of ours, `hangs` never comes to an end, `half` is broken as long as its content doesn't end in "end".

    Args:
        log: The file that is appended to.
        seconds: That each write takes, in its middle.
        error: An `errno` that every `fsync` fails with, after half of the bytes are written.
        error_for: Only for photos with this in their names.
        changes: The name of a photo that somebody writes anew while it is worked on.
    """

    log: Path
    seconds: float = 0.0
    error: int = 0
    error_for: str = ""
    changes: str = ""

    def open(self, threads: int) -> Callable[[Job], Findings]:
        os.environ["FAKE_WORK_THREADS"] = str(threads)
        return self._make

    def _make(self, job: Job) -> Findings:
        name, data = job.source.name, job.source.read_bytes()
        self.begun.touch()
        if "broken" in name or ("half" in name and not data.endswith(b"end")):
            raise InputError(f"`{job.source}` is broken.")
        if "hangs" in name:
            time.sleep(1000)
        if "faulty" in name:
            raise ZeroDivisionError("a fault")
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(job.target) as file:
            file.write(data[: len(data) // 2])
            file.flush()
            time.sleep(self.seconds)
            if name == self.changes:
                job.source.write_bytes(b"changed")
            if "killed" in name:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.error and self.error_for in name:
                raise OSError(self.error, os.strerror(self.error))
            file.write(data[len(data) // 2 :])
        with self.log.open("a") as log:
            log.write(f"{name} {os.getpid()} {os.environ['OMP_NUM_THREADS']}\n")
        return Findings(people=0 if "nobody" in name else 1, notes=("a note",) if "noted" in name else ())

    @property
    def begun(self) -> Path:
        """A file that is there as soon as a photo was begun."""
        return self.log.with_suffix(".begun")

    def logged(self) -> list[str]:
        """The names of the photos that were done, sorted."""
        return sorted(line.split()[0] for line in self.log.read_text().splitlines()) if self.log.exists() else []


@dataclass(frozen=True)
class NoWork:
    """Can't start: says so, dies without a word, or lacks a library."""

    silent: bool = False
    lacks: str = ""

    def open(self, threads: int) -> Callable[[Job], Findings]:
        if self.silent:
            os._exit(3)
        if self.lacks:
            raise RuntimeError(f"{self.lacks}: cannot open shared object file")
        raise ModelFileError("the model is broken")


@dataclass(frozen=True)
class SmallDiskWork:
    """The real work with a limit on the size of files, which stands in for a full disk."""

    work: object
    bytes_allowed: int

    def open(self, threads: int) -> Callable[[Job], Findings]:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.bytes_allowed, resource.RLIM_INFINITY))
        do: Callable[[Job], Findings] = self.work.open(threads)  # type: ignore[attr-defined]
        return do
