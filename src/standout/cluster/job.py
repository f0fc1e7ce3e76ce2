"""One job: what is due, what became of it, and where that is written down."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path, PurePosixPath

from standout.cluster.engines import ClusterLost, Engine
from standout.cluster.manifest import Known, Manifest
from standout.cluster.options import ClusterOptions
from standout.cluster.photo import Photo, Row, Work
from standout.cluster.sources import find_sources
from standout.cluster.step import Step
from standout.cluster.storage import Place, redact
from standout.errors import OutputError, StandoutError
from standout.folder.options import FolderOptions
from standout.folder.process import FolderProgress
from standout.folder.report import FolderReport, PhotoResult
from standout.imaging.files import sweep_temporary
from standout.work.find import lies_among_sources
from standout.work.journal import Journal, Record
from standout.work.lease import Lease
from standout.work.output_names import OutputNames

_log = logging.getLogger("standout")

#: Photos that are handed to the engine at once; it keeps a few hundred bytes for each.
_PER_ROUND = 200_000
#: So many rounds in a row without a single row are the cluster's fault.
_FRUITLESS_ROUNDS = 3


class Job:
    """What is due, what became of it, and where that is written down.

    Args:
        source, target: What `process_on_cluster` takes.
        work: What is done with each photo.
        options: The options, of which `recursive` and `limit_s` count here.
        retry_failed: Whether photos that failed are tried again; see `ClusterOptions`.
        stack: Gets what is to be closed when the run ends.

    Attributes:
        target: Where the outputs go.
        sources: What the last look has found.
        report: Outcome of the photos so far.

    Raises:
        StandoutError: Whatever `process_on_cluster` raises.
    """

    def __init__(
        self,
        source: str | Path,
        target: str | Path,
        work: Work,
        options: FolderOptions,
        retry_failed: bool,
        stack: ExitStack,
    ) -> None:
        self._work, self._retry_failed = work, retry_failed
        self._recursive, self._limit_s = options.recursive, options.limit_s or None
        self._source = str(source)
        self.target, place = Place(target), Place(source)
        if self.target.holds(place) == "":
            raise OutputError(
                f"The cut-outs need a folder of their own; received `{self.target}`, where the photos are."
            )
        self.sources = find_sources(self._source, self.target, recursive=self._recursive)
        _make_folder(self.target)
        self._journal: Journal | None = None
        self._lease: Lease | None = None
        if self.target.folder is not None:
            self._journal = stack.enter_context(Journal(self.target.folder))
            self._sweep(self.target.folder)
            stack.callback(self._sweep, self.target.folder)
        else:
            self._lease = stack.enter_context(Lease(self.target, str(self.target)))
        self._folder = redact(self.sources.folder.address)
        self.report = FolderReport(redact(self._source), redact(str(target)))
        self._manifest = Manifest(self.target, self._folder)
        stack.callback(self._manifest.close)
        held = [
            ((self._folder, work.named_after(path)), known.output)
            for path, known in self._manifest.known.items()
            if known.output
        ]
        if self._journal:
            held += [((record.folder, work.named_after(record.source)), record.target) for record in self._journal]
        self._names = OutputNames(work.ending, held)
        self._there = self._outputs() if held else {}
        self._misplaced: dict[str, bool] = {}
        self._tried: set[str] = set()  # in this run: a watch doesn't try what failed again and again

    def step(self, cluster: ClusterOptions) -> Step:
        """The step of this job; opened here it tells what can't work for any photo before a cluster is started."""
        here = self.sources.folder.in_this_process or self.target.in_this_process
        source, target = self.sources.folder.address, self.target.address
        step = Step(self._work, source, target, cluster.cpus_per_worker, self._limit_s, in_process=here)
        if not cluster.gpus_per_worker:  # this machine needn't have what the workers have
            self._work.open(cluster.cpus_per_worker)
        return step

    def look_again(self) -> list[Photo]:
        """As `look`, at what is in the source now."""
        self.sources = find_sources(self._source, self.target, recursive=self._recursive)
        return self.look()

    def look(self) -> list[Photo]:
        """The photos that are due, each with its output's name; tells the report of the others."""
        self.report.skipped = self.sources.skipped
        for folder, why in self.sources.unreadable.items():
            self._note(PhotoResult(folder, "", "failed", f"The folder `{folder}` can't be looked into: {why}."))
        self._names.reserve_folders(self._work.named_after(photo.path) for photo in self.sources.photos)
        due = []
        for photo in self.sources.photos:
            known = self._manifest.known.get(photo.path)
            if known and self._stands(photo, known):
                self._recall(photo.path, known)
                continue
            if known is None and self._done_without_cluster(photo):
                continue
            output = self._names.of(self._folder, self._work.named_after(photo.path))
            if self._is_misplaced(str(PurePosixPath(output).parent)):
                words = f"`{self.target}/{output}` would lie among the photos; choose another folder."
                self._note(PhotoResult(photo.path, "", "failed", words))
                continue
            due.append(Photo(photo.path, output, photo.address, photo.size, photo.changed))
        return due

    def run(
        self,
        step: Step,
        due: list[Photo],
        engine: Engine,
        progress: FolderProgress | None,
        stop: threading.Event | None,
    ) -> None:
        """Works on what is due, in rounds: what a cluster lost is due again in the next."""
        self._manifest.forget(photo.path for photo in due)
        self._tried.update(photo.path for photo in due)
        left = {photo.path: photo for photo in due}
        total, ended, fruitless = len(due), 0, 0
        while left and not (stop and stop.is_set()):
            before, failure = len(left), ""
            rows = engine(step, list(islice(left.values(), _PER_ROUND)))
            try:
                for batch in rows:
                    if self._lease is not None:
                        self._lease.check()
                    new = [row for row in batch if left.pop(row["path"], None)]
                    self._manifest.add(new)
                    for row in new:
                        ended += 1
                        outcome = self._note(self._result_of(row))
                        if progress:
                            progress(outcome, ended, total)
                    if stop and stop.is_set():
                        break
            except ClusterLost as error:
                failure = str(error)
                _log.warning("The cluster gave up on some of the work (%s); the rest goes on.", error)
            finally:
                _close(rows)
            fruitless = fruitless + 1 if len(left) == before else 0
            if fruitless == _FRUITLESS_ROUNDS:
                raise StandoutError(
                    f"The cluster can't go on with {len(left)} photos: {failure or 'it returned nothing'}; "
                    "what is done is kept; rerun the same command to resume."
                )
        for photo in left.values():
            self.report.results[photo.path] = PhotoResult(photo.path, "", "pending")

    def _outputs(self) -> dict[str, int]:
        """What lies in the target: path -> size. One listing, for asking for each would take far longer."""
        return {entry.path: entry.size for entry in self.target.entries()}

    def _recall(self, path: str, known: Known) -> None:
        """Tells the report of a photo that an earlier run has ended; what this run did isn't overwritten."""
        if path in self.report.results:
            return
        if known.status == "failed":
            notes = ("failed in an earlier run and was left; --retry-failed tries it again",)
            self._note(PhotoResult(path, "", "failed", known.reason, notes=notes))
        else:
            self._note(PhotoResult(path, known.output, "unchanged"))

    def _stands(self, photo: Photo, known: Known) -> bool:
        """Whether an earlier run's word on this photo still holds."""
        # A list may say nothing of size and time; what isn't known can't have changed.
        same = photo.size in (-1, known.size) and photo.changed in ("", known.changed)
        if not same or known.fingerprint != self._work.fingerprint_of(photo.path):
            return False
        if known.status == "failed":
            return not self._retry_failed or photo.path in self._tried
        return not known.output or self._there.get(known.output) == known.output_size

    def _done_without_cluster(self, photo: Photo) -> bool:
        """Whether `standout folder` has made this cut-out here, on one machine; gives it its row."""
        if self._journal is None or not photo.changed.isdigit():
            return False
        record = self._journal.find(self._folder, photo.path, photo.size, int(photo.changed))
        if record is None:
            return False
        self._names.keep(self._folder, self._work.named_after(photo.path), record.target)
        then = (record.size, str(record.mtime_ns), record.fingerprint)
        if (
            then != (photo.size, photo.changed, self._work.fingerprint_of(photo.path))
            or self._there.get(record.target) != record.target_size
        ):
            return False
        self._manifest.add([_row_of_journal(record, self._folder, self._work)])
        self._note(PhotoResult(photo.path, record.target, "unchanged"))
        return True

    def _result_of(self, row: Row) -> PhotoResult:
        """Writes a finished photo into the journal, if there is one; what became of it, for the report."""
        seconds = row["ms"] / 1000
        if row["status"] != "done":
            return PhotoResult(row["path"], "", "failed", row["reason"], seconds=seconds)
        self._there[row["output"]] = row["output_size"]
        notes = tuple(row["notes"])
        if self._journal is not None and row["output"]:
            changed = int(row["changed"]) if row["changed"].isdigit() else 0
            try:
                self._journal.add(
                    Record(
                        self._folder,
                        row["path"],
                        row["size"],
                        changed,
                        row["output"],
                        row["output_size"],
                        row["fingerprint"],
                    )
                )
            except OSError as error:
                notes += (f"the journal can't be written ({error.strerror})",)
        return PhotoResult(
            row["path"],
            row["output"],
            "done",
            "",
            seconds,
            people=None if row["found_person"] is None else int(row["found_person"]),
            notes=notes,
        )

    def _is_misplaced(self, folder: str) -> bool:
        """Whether an output here could replace a photo."""
        if folder not in self._misplaced:
            self._misplaced[folder] = self._lies_among_photos(folder)
        return self._misplaced[folder]

    def _lies_among_photos(self, folder: str) -> bool:
        photos, outputs = self.sources.folder, self.target
        if photos.folder is None or outputs.folder is None:
            place = outputs.path(folder.removeprefix(".")) + "/"
            return photos.holds(outputs) is None and place.startswith(photos.path("") + "/")
        return lies_among_sources(outputs.folder / folder, outputs.folder, photos.folder)

    def _note(self, outcome: PhotoResult) -> PhotoResult:
        self.report.results[outcome.photo] = outcome
        return outcome

    def _sweep(self, out: Path) -> None:
        """Removes what killed writers left; the journal's lock says that no driver is alive."""
        for folder, _, _ in os.walk(out):
            sweep_temporary(Path(folder))


def _make_folder(target: Place) -> None:
    if target.folder is None:
        return
    try:
        target.folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"The output must be a folder; received `{target}`, which is a file.") from None
    except OSError as error:
        raise OutputError(f"The folder `{target}` can't be created: {error.strerror or error}.") from error


def _row_of_journal(record: Record, folder: str, work: Work) -> Row:
    """The row of a cut-out that was made without a cluster: what the journal doesn't know stays empty."""
    return Row(
        path=record.source, status="done", reason="", found_person=None, width=0, height=0, model=work.model, sha256="",
        ms=0.0, output=record.target, notes=[], facts="", folder=folder, size=record.size, changed=str(record.mtime_ns),
        output_size=record.target_size, fingerprint=record.fingerprint,
    )  # fmt: skip


def _close(rows: Iterator[list[Row]]) -> None:
    """Ends what an engine still has at work."""
    close = getattr(rows, "close", None)
    if close:
        close()
