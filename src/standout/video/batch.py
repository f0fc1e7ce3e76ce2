"""Several films into one folder: a journal of what is done, and as many at a time as `workers` says."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from standout.errors import ConfigError, InputError, OutputError, StandoutError
from standout.folder.journal import Journal, Record
from standout.imaging.files import fitting_name
from standout.processes import end_with_parent, spawn_context
from standout.video.codecs import CONTAINERS
from standout.video.loop import SUFFIXES
from standout.video.options import VideoOptions
from standout.video.process import process_video


@dataclass(frozen=True)
class BatchFilm:
    """Outcome of one film.

    Attributes:
        source: The film.
        target: Where the result lies.
        frames: How many it has; 0 where nothing was written.
        notes: The notes of `VideoResult`.
        complete: Whether every frame is there, as in `VideoResult`.
        skipped: It was done before, in the same way, and hasn't changed since.
        error: Why there is no result; empty where there is one.
    """

    source: Path
    target: Path
    frames: int = 0
    notes: tuple[str, ...] = ()
    complete: bool = True
    skipped: bool = False
    error: str = ""


def find_films(sources: Sequence[str | Path]) -> dict[Path, Path]:
    """The films among files and folders; of folders all that lie in them, at any depth, in the order of their names.

    Returns:
        Film -> its place among the results, still with its own ending: a folder's films keep their subfolders.

    Raises:
        InputError: A source isn't there, or none of them is a film.
    """
    found: dict[Path, Path] = {}
    for source in map(Path, sources):
        if not source.exists():
            raise InputError(f"There is no file `{source}`.")
        if source.is_dir():
            found.update({film: film.relative_to(source) for film in films_of(source)})
        else:
            found[source] = Path(source.name)
    if not found:
        raise InputError("No films were found; give video files, or folders that hold some.")
    return found


def films_of(folder: Path) -> list[Path]:
    """The video files of a folder, at any depth; what begins with a dot is left out."""
    inside = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file())
    return [path for path in inside if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def process_videos(
    sources: Sequence[str | Path],
    target: str | Path,
    *,
    suffix: str = "",
    background: str | Path = "transparent",
    model: str | Path | None = None,
    options: VideoOptions | None = None,
    workers: int = 1,
    progress: Callable[[BatchFilm], None] | None = None,
) -> list[BatchFilm]:
    """Cuts the people out of several videos.

        >>> standout.process_videos(["one.mp4", "more/"], "out/", background="blur")  # doctest: +SKIP

    What is done is written down in the folder's journal: a second run does only what is new, changed, or was asked for
    in another way. A film that fails doesn't end the others.

    Args:
        sources: Video files, and folders of them.
        target: A folder; made if it isn't there.
        suffix: The ending of the results; .webm for transparent ones, else .mp4, if absent.
        background: What goes behind the people, as `process_video` takes it.
        model: A bundled model's name or an ONNX file; "live" if absent.
        options: What else can be chosen, as `process_video` takes it.
        workers: Films at a time, each in a process of its own.
        progress: Called with each film when it is finished.

    Returns:
        The outcome of each film, in their order.

    Raises:
        InputError: There is no film.
        ConfigError: `workers`, `suffix` or `options` can't be.
        OutputError: The folder can't be written to, or another run is at work there.
    """
    options, target = options or VideoOptions(), Path(target)
    suffix = suffix or (".webm" if str(background) == "transparent" and not options.matte else ".mp4")
    if not 1 <= workers <= 64:
        raise ConfigError(f"`workers` must lie between 1 and 64; received {workers}.")
    if options.frames or suffix not in CONTAINERS:
        raise ConfigError(f"`suffix` must be one of {', '.join(CONTAINERS)} for several films; received {suffix!r}.")
    films = find_films(sources)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder `{target}` can't be made: {error.strerror}.") from error
    fingerprint = hashlib.sha256(repr((str(background), str(model), options)).encode()).hexdigest()[:16]
    plan = list(zip(films, _targets(films, target, suffix), strict=True))
    done: dict[Path, BatchFilm] = {}
    with Journal(target) as journal:
        due = [pair for pair in plan if not _is_done(journal, *pair, target, fingerprint)]
        for source, place in plan:
            if (source, place) not in due:
                done[source] = BatchFilm(source, place, skipped=True)
        for _, place in due:
            place.parent.mkdir(parents=True, exist_ok=True)
        for film in _results(due, str(background), model, options, workers):
            done[film.source] = film
            if not film.error and film.complete:
                journal.add(_record(film.source, film.target, target, fingerprint))
            if progress is not None:
                progress(film)
    return [done[source] for source in films if source in done]


def _targets(films: dict[Path, Path], folder: Path, suffix: str) -> list[Path]:
    """A place for each film; two of one name keep their endings, or get numbers."""
    used: set[str] = set()
    made = []
    for place in films.values():
        numbered = (fitting_name(place.stem, f"-{number}{suffix}") for number in range(2, len(films) + 2))
        names = (fitting_name(place.stem, suffix), fitting_name(place.name, suffix), *numbered)
        chosen = next(place.with_name(name) for name in names if str(place.with_name(name)).lower() not in used)
        used.add(str(chosen).lower())
        made.append(folder / chosen)
    return made


def _record(source: Path, target: Path, folder: Path, fingerprint: str) -> Record:
    found, place = source.stat(), source.resolve()
    return Record(
        str(place.parent),
        place.name,
        found.st_size,
        found.st_mtime_ns,
        target.relative_to(folder).as_posix(),
        target.stat().st_size,
        fingerprint,
    )


def _is_done(journal: Journal, source: Path, target: Path, folder: Path, fingerprint: str) -> bool:
    found, place = source.stat(), source.resolve()
    record = journal.find(str(place.parent), place.name, found.st_size, found.st_mtime_ns)
    return record is not None and target.is_file() and record == _record(source, target, folder, fingerprint)


def _results(
    due: list[tuple[Path, Path]], background: str, model: str | Path | None, options: VideoOptions, workers: int
) -> Iterator[BatchFilm]:
    if workers == 1 or len(due) < 2:
        for source, target in due:
            yield _one(source, target, background, model, options)
        return
    with ProcessPoolExecutor(min(workers, len(due)), mp_context=spawn_context(), initializer=_begin) as pool:
        waiting: dict[Future[BatchFilm], tuple[Path, Path]] = {
            pool.submit(_one, source, target, background, model, options): (source, target) for source, target in due
        }
        try:
            while waiting:
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    source, target = waiting.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        yield BatchFilm(
                            source, target, error="its process ended without a message; is the memory full?"
                        )
        finally:
            for future in waiting:
                future.cancel()


def _begin() -> None:
    threading.Thread(target=end_with_parent, daemon=True).start()


def _one(source: Path, target: Path, background: str, model: str | Path | None, options: VideoOptions) -> BatchFilm:
    try:
        result = process_video(source, target, background=background, model=model, options=options)
    except StandoutError as error:
        return BatchFilm(source, target, complete=False, error=str(error))
    return BatchFilm(source, target, result.frames, result.notes, result.complete)
