"""One run over a folder: schedules photos, runs the workers, keeps the journal."""

from __future__ import annotations

import os
import time
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from standout.errors import InputError, OutputError, StandoutError
from standout.folder.options import FolderOptions
from standout.folder.photo_work import Job, PhotoWork, fingerprint_of
from standout.folder.report import FolderReport, PhotoResult
from standout.hardware import usable_cores, usable_memory
from standout.imaging.decode import SUFFIXES
from standout.imaging.files import sweep_temporary
from standout.inference.devices import has_accelerator
from standout.inference.session import thread_count
from standout.pipeline.result import Findings
from standout.work.find import find_files, lies_among_sources, lies_within, same_folder
from standout.work.journal import Journal, Record
from standout.work.output_names import OutputNames
from standout.work.pool import Work, WorkerPool, WorkFuture

#: Memory that a worker may need for a large photo, bytes.
_MEMORY_PER_WORKER = 1 << 30


@dataclass(frozen=True)
class Begun:
    """A photo that is worked on: its path, its cut-out's, and (size, mtime_ns) of its file before it was read."""

    photo: str
    cutout: str
    stamp: tuple[int, int] | None


class FolderRun:
    """One run over a folder; a context manager.

    Args:
        source: The folder of photos.
        target: The folder of cut-outs.
        options: How the folder is processed.
        work: What the workers do; by default what the options say. A seam for tests.

    Attributes:
        folder: The folder of photos, resolved.
        recursive: Whether the folders in it count.
        leave_out: The output folder, if it lies in `folder`: it is no input.
        report: Outcome of the photos so far.

    Raises:
        StandoutError: Whatever `process_folder` raises.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        options: FolderOptions | None = None,
        *,
        work: Work[Job, Findings] | None = None,
    ) -> None:
        options = options or FolderOptions()
        self._options = options
        self.recursive = options.recursive
        self._work: Work[Job, Findings] = work or PhotoWork(options)
        self._fingerprint = fingerprint_of(options)
        self.folder, self._out = _check_folders(source, target)
        self.leave_out = self._out if lies_within(self._out, self.folder) else None
        self.report = FolderReport(source, target)
        self._began = time.perf_counter()
        self._begun: dict[WorkFuture[Findings], Begun] = {}
        self._misplaced: dict[Path, bool] = {}
        self._stack = ExitStack()

    def __enter__(self) -> FolderRun:
        self._journal = self._stack.enter_context(Journal(self._out))
        held = [((record.folder, record.source), record.target) for record in self._journal]
        self._names = OutputNames(self._options.ending, held)
        self._sweep()
        self._stack.callback(self._sweep)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.report.seconds = time.perf_counter() - self._began

    @property
    def free(self) -> bool:
        """Whether another photo can be begun."""
        return len(self._begun) < self._pool.workers

    @property
    def busy(self) -> bool:
        """Whether any photo is worked on."""
        return bool(self._begun)

    def start_workers(self, photos: int | None = None) -> None:
        """Makes the pool, for so many photos (None: unknown), and starts its first worker."""
        cores = usable_cores()
        workers = self._options.workers or _default_workers(cores, self._options.device)
        if photos is not None:
            workers = max(1, min(workers, photos))
        threads = max(1, min(thread_count(), cores // workers))
        self._pool = self._stack.enter_context(
            WorkerPool(self._work, workers=workers, threads=threads, deadline_s=self._options.limit_s or None)
        )
        if photos != 0:
            self._pool.start()

    def look(self) -> list[str]:
        """The photos that are due, sorted; tells the report what is unchanged, skipped and out of reach."""
        found = find_files(self.folder, SUFFIXES, recursive=self.recursive, leave_out=self.leave_out)
        self.report.skipped = found.skipped
        for folder, reason in found.unreadable.items():
            self._note(PhotoResult(folder, "", "failed", f"The folder `{folder}` can't be looked into: {reason}."))
        self._names.reserve_folders(found.files)
        return [photo for photo in found.files if self._is_due(photo)]

    def stamp(self, photo: str) -> tuple[int, int] | None:
        """(size, mtime_ns) of a photo's file; None if it is gone."""
        try:
            status = os.stat(self.folder / photo)
        except (OSError, ValueError):
            return None
        return status.st_size, status.st_mtime_ns

    def begin(self, photo: str) -> None:
        """Hands a photo to a worker; a free one is needed."""
        name = self._names.of(str(self.folder), photo)
        job = Job(self.folder / photo, self._out / name)
        # Stamped before it is read: whatever changes later makes the photo due again.
        begun = Begun(photo, name, self.stamp(photo))
        self._begun[self._pool.submit(job)] = begun

    def ended(self, timeout: float | None = None) -> list[tuple[PhotoResult, bool]]:
        """Waits for photos to end, seconds at most; notes them in the journal and the report.

        Returns:
            The outcomes, each with whether the photo's file is broken.

        Raises:
            StandoutError: No photo can be worked on; the message says why.
        """
        if self._begun:
            wait(self._begun, timeout, FIRST_COMPLETED)
        else:
            time.sleep(timeout or 0)
        if self._pool.error is not None:
            raise self._pool.error
        done = [future for future in self._begun if future.done()]
        return [(self._note(self._result_of(future)), isinstance(future.exception(), InputError)) for future in done]

    def put_back(self, photo: str) -> None:
        """Forgets an outcome: the photo is to be tried again."""
        self.report.results.pop(photo, None)

    def leave(self, photos: list[str]) -> None:
        """Notes photos that the run won't get to."""
        for photo in photos:
            self._note(PhotoResult(photo, "", "pending"))

    def _is_due(self, photo: str) -> bool:
        if self._is_finished(photo):
            if photo not in self.report.results:
                cutout = self._names.of(str(self.folder), photo)
                self._note(PhotoResult(photo, cutout, "unchanged"))
            return False
        target = self._out / self._names.of(str(self.folder), photo)
        if self._is_misplaced(target.parent):
            self._note(
                PhotoResult(photo, "", "failed", f"`{target}` would lie among the photos; choose another folder.")
            )
            return False
        return True

    def _is_finished(self, photo: str) -> bool:
        """Whether an earlier run has made this cut-out of this photo in this way."""
        stamp = self.stamp(photo)
        record = self._journal.find(str(self.folder), photo, *stamp) if stamp else None
        if record is None:
            return False
        self._names.keep(str(self.folder), photo, record.target)
        return self._journal.is_current(record, stamp, self._fingerprint)

    def _is_misplaced(self, folder: Path) -> bool:
        """Whether a cut-out here could replace a photo: a link leads back to the photos, or the output holds them."""
        if folder not in self._misplaced:
            self._misplaced[folder] = lies_among_sources(folder, self._out, self.folder)
        return self._misplaced[folder]

    def _result_of(self, future: WorkFuture[Findings]) -> PhotoResult:
        begun = self._begun.pop(future)
        try:
            findings = future.result()
        except StandoutError as error:
            return PhotoResult(begun.photo, "", "failed", str(error), future.seconds)
        notes = findings.notes
        if begun.stamp is None or self.stamp(begun.photo) != begun.stamp:
            notes += ("it changed while it was read; the next run does it again",)
        try:
            size = os.stat(self._out / begun.cutout).st_size
            stamp = begun.stamp or (0, 0)
            self._journal.add(Record(str(self.folder), begun.photo, *stamp, begun.cutout, size, self._fingerprint))
        except OSError as error:
            notes += (f"the journal can't be written ({error.strerror}); the next run does this photo again",)
        return PhotoResult(begun.photo, begun.cutout, "done", "", future.seconds, people=findings.people, notes=notes)

    def _note(self, outcome: PhotoResult) -> PhotoResult:
        self.report.results[outcome.photo] = outcome
        return outcome

    def _sweep(self) -> None:
        """Removes what killed writers left; the journal's lock says that no writer is alive."""
        for folder, folders, _ in os.walk(self._out):
            if not self.recursive:
                folders.clear()
            sweep_temporary(Path(folder))


def _check_folders(source: Path, target: Path) -> tuple[Path, Path]:
    """Both folders, resolved; the target is created if need be."""
    if not source.is_dir():
        what = "it is a file; `standout photo` takes files" if source.exists() else "it doesn't exist"
        raise InputError(f"The folder of photos must be a folder; received `{source}`: {what}.")
    if same_folder(source, target):
        raise OutputError(f"The cut-outs need a folder of their own; received `{target}`, where the photos are.")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"The output must be a folder; received `{target}`, which is a file.") from None
    except OSError as error:
        raise OutputError(f"The folder `{target}` can't be created: {error.strerror or error}.") from error
    return source.resolve(), target.resolve()


def _default_workers(cores: int, device: str = "cpu") -> int:
    """One per core, which is faster than one with several threads, as far as memory reaches; one for a device."""
    if device != "cpu" and has_accelerator():
        return 1
    memory = usable_memory()
    return cores if memory is None else max(1, min(cores, memory // _MEMORY_PER_WORKER))
