"""Several films into one folder: a journal of what is done, and as many at a time as `workers` says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from standout.errors import ConfigError, InputError, OutputError, StandoutError
from standout.imaging.files import sweep_temporary
from standout.inference.devices import device_name, parse_device
from standout.inference.model import find_model
from standout.inference.session import thread_count
from standout.inference.video_alpha import load_for_video, threads_beside_others
from standout.video.codecs import CONTAINERS
from standout.video.loop import SUFFIXES
from standout.video.options import VideoOptions
from standout.video.process import VideoResult, process_video
from standout.work.find import find_files, same_folder
from standout.work.fingerprint import fingerprint
from standout.work.journal import INCOMPLETE, Journal, Record
from standout.work.output_names import OutputNames
from standout.work.pool import Stopped, WorkerPool


@dataclass(frozen=True)
class BatchFilm:
    """Outcome of one film.

    Attributes:
        source: The film.
        target: Where the result lies, or would.
        status: `done`, `unchanged` (done before in the same way, and the same since), `failed`, or `pending`: an
            interruption came first.
        frames: How many were written.
        notes: The notes of `VideoResult`.
        complete, interrupted: As in `VideoResult`.
        error: Why it failed.
    """

    source: Path
    target: Path
    status: Literal["done", "unchanged", "failed", "pending"]
    frames: int = 0
    notes: tuple[str, ...] = ()
    complete: bool = False
    interrupted: bool = False
    error: str = ""


@dataclass(frozen=True)
class _Due:
    """A film to be done: its file, (size, mtime_ns) of it before it is read, and its result."""

    source: Path
    stamp: tuple[int, int]
    target: Path


@dataclass(frozen=True)
class FilmWork:
    """Films to finished films, with a model that is loaded once."""

    background: str
    model: str | Path
    device: str | None
    options: VideoOptions

    def open(self, threads: int | None) -> Callable[[_Due], VideoResult]:
        """Loads the network, which may use so many threads.

        Raises:
            StandoutError: The model or the device can't be used.
        """
        network = load_for_video(self.model, self.device, threads=threads)

        def make(film: _Due) -> VideoResult:
            film.target.parent.mkdir(parents=True, exist_ok=True)
            return process_video(
                film.source, film.target, background=self.background, model=network, options=self.options
            )

        return make

    @property
    def fingerprint(self) -> str:
        """Of everything that a result depends on besides the film."""
        background = Path(self.background) if Path(self.background).is_file() else self.background
        options = dataclasses.replace(self.options, keep_partial=False)
        return fingerprint(background, find_model(self.model)[0], options)


def find_films(sources: Sequence[str | Path], target: Path | None = None) -> dict[Path, Path]:
    """The films among files and folders; of folders all that lie in them, at any depth, in the order of their names.

    Left out are what begins with a dot, the folder of the results, and other folders of results.

    Args:
        sources: Files and folders.
        target: The folder of the results.

    Returns:
        Film -> its place among the results, still with its own ending: a folder's films keep their subfolders.

    Raises:
        InputError: A source isn't there, or none of them is a film.
        OutputError: A source lies where the results go.
    """
    found: dict[Path, Path] = {}
    for source in map(Path, sources):
        if not source.exists():
            raise InputError(f"There is no file `{source}`.")
        if target is not None and same_folder(source if source.is_dir() else source.absolute().parent, target):
            raise OutputError(f"The results need a folder of their own; received `{target}`, where the films are.")
        if source.is_dir():
            found.update({film: film.relative_to(source) for film in films_of(source, target)})
        else:
            found[source] = Path(source.name)
    if not found:
        raise InputError("No films were found; give video files, or folders that hold some.")
    return found


def films_of(folder: Path, target: Path | None = None) -> list[Path]:
    """The video files of a folder, at any depth; see `find_films`."""
    return [folder / name for name in find_files(folder, SUFFIXES, recursive=True, leave_out=target).files]


def process_videos(
    sources: Sequence[str | Path],
    target: str | Path,
    *,
    suffix: str = "",
    background: str | Path = "transparent",
    model: str | Path | None = None,
    device: str | None = None,
    options: VideoOptions | None = None,
    workers: int = 1,
    progress: Callable[[BatchFilm], None] | None = None,
) -> list[BatchFilm]:
    """Cuts the people out of several videos.

        >>> standout.process_videos(["one.mp4", "more/"], "out/", background="blur")  # doctest: +SKIP

    What is done is written down in the folder's journal: a second run does only what is new, changed, or was asked for
    in another way; a background, a model or a Standout that has changed is another way. A film that fails doesn't end
    the others. A result's name stays its film's, and no file is replaced that isn't known to be a result.

    Args:
        sources: Video files, and folders of them.
        target: A folder, made if it isn't there; it may lie in a source, but not be one.
        suffix: The ending of the results; .webm for transparent ones, else .mp4, if absent.
        background: What goes behind the people, as `process_video` takes it.
        model: A bundled model's name or an ONNX file; "live" if absent.
        device: Where the model runs, as in `standout.load`.
        options: What else can be chosen, as `process_video` takes it.
        workers: Films at a time, each in a process of its own.
        progress: Called with each film that this run has begun, when it ends.

    Returns:
        The outcome of each film, in their order.

    Raises:
        InputError: There is no film.
        ConfigError: `workers`, `suffix`, `device` or `options` can't be.
        ModelFileError, DeviceError: The model or the device can't be used.
        OutputError: The folder can't be written to, holds a source, or another run is at work there.
        KeyboardInterrupt: Ctrl-C, unless `options.keep_partial` is set: then the films at work are kept as they are,
            and those that were not begun are `pending`.
    """
    options, target = options or VideoOptions(), Path(target)
    suffix = suffix or (".webm" if str(background) == "transparent" and not options.matte else ".mp4")
    if not 1 <= workers <= 64:
        raise ConfigError(f"`workers` must lie between 1 and 64; received {workers}.")
    if options.frames or suffix not in CONTAINERS:
        raise ConfigError(f"`suffix` must be one of {', '.join(CONTAINERS)} for several films; received {suffix!r}.")
    parse_device(device_name(device))
    films = find_films(sources, target)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder `{target}` can't be made: {error.strerror}.") from error
    work = FilmWork(str(background), model or "live", device, options)
    with Journal(target) as journal:
        batch = _Batch(target, suffix, work.fingerprint, journal)
        outcomes = batch.plan(films)
        due = [film for film in outcomes.values() if isinstance(film, _Due)]
        done: dict[Path, BatchFilm] = {film.source: film for film in outcomes.values() if isinstance(film, BatchFilm)}
        try:
            for film, result in _results(due, work, workers):
                done[film.source] = outcome = batch.settle(film, result)
                if progress is not None:
                    progress(outcome)
        finally:  # what a worker that was killed has left
            for folder in {film.target.parent for film in due}:
                sweep_temporary(folder)
    for film in due:
        done.setdefault(film.source, BatchFilm(film.source, film.target, "pending"))
    return [done[source] for source in films]


class _Batch:
    """What the folder of results knows of earlier runs, and is told of this one."""

    def __init__(self, target: Path, suffix: str, fingerprint: str, journal: Journal) -> None:
        self._target, self._fingerprint, self._journal = target, fingerprint, journal
        held = [((record.folder, record.source), record.target) for record in journal]
        self._names = OutputNames(suffix, held)
        known = {name for _, name in held}
        there = (path.relative_to(target).as_posix() for path in target.rglob(f"*{suffix}"))
        self._names.reserve(name for name in there if name not in known)

    def plan(self, films: dict[Path, Path]) -> dict[Path, _Due | BatchFilm]:
        """Film -> what is to be done, or that it is done already."""
        self._names.reserve_folders(place.as_posix() for place in films.values())
        found: dict[Path, _Due | BatchFilm] = {}
        for source, place in films.items():
            folder, name = _owner(source)
            try:
                status = source.stat()
                stamp = (status.st_size, status.st_mtime_ns)
            except OSError:  # a broken link: reading it will say why
                stamp = (-1, 0)
            record = self._journal.find(folder, name, *stamp)
            if record is not None:
                self._names.keep(folder, name, record.target)
            target = self._target / self._names.of(folder, name, place.as_posix())
            if record is not None and self._journal.is_current(record, stamp, self._fingerprint):
                found[source] = BatchFilm(source, target, "unchanged", complete=True)
            else:
                found[source] = _Due(source, stamp, target)
        return found

    def settle(self, film: _Due, result: VideoResult | StandoutError) -> BatchFilm:
        """Writes a film into the journal; what became of it."""
        if isinstance(result, Stopped):
            return BatchFilm(film.source, film.target, "pending")
        if isinstance(result, StandoutError):
            return BatchFilm(film.source, film.target, "failed", error=str(result))
        notes, name = result.notes, film.target.relative_to(self._target).as_posix()
        made_with = self._fingerprint if result.complete else INCOMPLETE
        try:
            size = film.target.stat().st_size
            self._journal.add(Record(*_owner(film.source), *film.stamp, name, size, made_with))
        except OSError as error:
            notes += (f"the journal can't be written ({error.strerror}); the next run does this film again",)
        return BatchFilm(film.source, film.target, "done", result.frames, notes, result.complete, result.interrupted)


def _owner(source: Path) -> tuple[str, str]:
    """(folder, name) of a film, the same however it was named."""
    place = source.resolve()
    return str(place.parent), place.name


def _results(due: list[_Due], work: FilmWork, workers: int) -> Iterator[tuple[_Due, VideoResult | StandoutError]]:
    """Each film with its result, or why there is none, as they end."""
    workers = min(workers, len(due))
    if workers <= 1:
        yield from _one_after_the_other(due, work)
        return
    threads = max(1, (threads_beside_others() or thread_count()) // workers)
    with WorkerPool(work, workers=workers, threads=threads) as pool:
        pending = {pool.submit(film): film for film in due}
        while pending:
            try:
                wait(pending, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                if not work.options.keep_partial:
                    raise
                pool.interrupt()
            if pool.error is not None:
                raise pool.error
            for future in [future for future in pending if future.done()]:
                film = pending.pop(future)
                if not future.cancelled():
                    error = future.exception()
                    yield film, error if isinstance(error, StandoutError) else future.result()


def _one_after_the_other(due: list[_Due], work: FilmWork) -> Iterator[tuple[_Due, VideoResult | StandoutError]]:
    if not due:
        return
    make = work.open(threads_beside_others())
    for film in due:
        result: VideoResult | StandoutError
        try:
            result = make(film)
        except StandoutError as error:
            result = error
        except Exception as error:  # noqa: BLE001 - a fault of ours costs one film
            result = StandoutError(f"Internal error: {type(error).__name__}: {error}; please report it.")
        yield film, result
        if isinstance(result, VideoResult) and result.interrupted:
            return
