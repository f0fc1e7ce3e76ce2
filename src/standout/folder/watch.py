"""Watching a folder: every photo that arrives is cut out, once it is complete."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from standout.compositing.background import AnyBackground
from standout.folder.options import FolderOptions, chosen_options
from standout.folder.process import FolderProgress
from standout.folder.report import FolderReport
from standout.folder.run import FolderRun

_log = logging.getLogger("standout")

#: A file that hasn't changed for so long is taken for complete, seconds.
SETTLE_S = 1.0
#: A broken file that changed less than this ago may still be on its way, seconds.
PATIENCE_S = 10.0
#: The folder is looked through at least so often: some network drives report no changes.
_LOOK_EVERY_S = 30.0
_TICK_S = 0.25

_Stamp = tuple[int, int]


@dataclass
class _Sighting:
    """How a file looked, since when, and when it may be begun (monotonic seconds)."""

    stamp: _Stamp
    since: float
    begin_at: float


def watch_folder(
    source: str | Path,
    target: str | Path,
    *,
    stop: threading.Event,
    background: AnyBackground | None = None,
    options: FolderOptions | None = None,
    progress: FolderProgress | None = None,
    model: str | Path | None = None,
    device: str | None = None,
) -> FolderReport:
    """Like `process_folder`, for what is there and for what arrives, until `stop` is set.

    A photo is begun when its size and time have stood still for a second; one that is broken then is tried again for as
    long as it may still be on its way. Photos that change are done again.

        import threading

        import standout

        stop = threading.Event()
        threading.Timer(3600, stop.set).start()  # for an hour
        standout.watch_folder("photos", "cutouts", stop=stop)

    Args:
        source: The folder to watch; more in `process_folder`.
        target: The folder that the cut-outs go to.
        background: What goes behind the people, as `process_folder` takes it.
        options: What else can be chosen, as `process_folder` takes it.
        model: The model's name or file.
        device: The device to compute on, as `standout.load` takes it.
        stop: When set, the photos at work are finished, and the report returned.
        progress: Called after each photo with its result, how many have ended and how many are known.

    Raises:
        StandoutError: Whatever `process_folder` raises.
    """
    chosen = chosen_options(options, background, model, device)
    return run_watch(FolderRun(Path(source), Path(target), chosen), stop=stop, progress=progress)


def run_watch(folder_run: FolderRun, *, stop: threading.Event, progress: FolderProgress | None = None) -> FolderReport:
    """Watches a folder, with whatever work the run was given; see `watch_folder`."""
    with folder_run as run:
        run.start_workers()
        with _changes(run.folder, run.recursive, run.leave_out) as changed:
            _Watch(run, changed, progress).until(stop)
    return run.report


class _Watch:
    def __init__(self, run: FolderRun, changed: threading.Event, progress: FolderProgress | None) -> None:
        self._run = run
        self._changed = changed
        self._progress = progress
        self._waiting: dict[str, _Sighting] = {}
        self._tried: dict[str, _Stamp | None] = {}
        self._at_work: dict[str, _Sighting] = {}
        self._ended = 0

    def until(self, stop: threading.Event) -> None:
        look_at = 0.0
        while not stop.is_set() or self._run.busy:
            now = time.monotonic()
            if not stop.is_set():
                if now >= look_at and (self._changed.is_set() or now - look_at > _LOOK_EVERY_S):
                    self._changed.clear()
                    self._look(now)
                    # A folder of very many files isn't looked through all the time.
                    look_at = now + 10 * (time.monotonic() - now)
                self._begin(now)
            self._collect()
        self._run.leave([photo for photo in self._waiting if photo not in self._run.report.results])

    def _look(self, now: float) -> None:
        """Finds what is due, and keeps in mind since when each file has looked as it looks now."""
        before, self._waiting = self._waiting, {}
        for photo in self._run.look():
            stamp = self._run.stamp(photo)
            if stamp is None or photo in self._at_work or self._tried.get(photo) == stamp:
                continue  # gone again, or being done, or known to be hopeless
            seen = before.get(photo)
            self._waiting[photo] = seen if seen and seen.stamp == stamp else _Sighting(stamp, now, now + SETTLE_S)

    def _begin(self, now: float) -> None:
        for photo in [photo for photo, seen in self._waiting.items() if now >= seen.begin_at]:
            if not self._run.free:
                return
            seen = self._waiting.pop(photo)
            stamp = self._run.stamp(photo)
            if stamp == seen.stamp:
                self._at_work[photo] = seen
                self._run.begin(photo)
            elif stamp is not None:
                self._waiting[photo] = _Sighting(stamp, now, now + SETTLE_S)

    def _collect(self) -> None:
        for outcome, broken in self._run.ended(_TICK_S):
            photo = outcome.photo
            seen = self._at_work.pop(photo)
            if self._run.stamp(photo) != seen.stamp:
                self._changed.set()  # while it was at work: it is due again
            if broken and time.monotonic() - seen.since < PATIENCE_S:
                self._run.put_back(photo)
                self._waiting[photo] = _Sighting(seen.stamp, seen.since, seen.since + PATIENCE_S)
                continue
            self._tried[photo] = seen.stamp
            self._ended += 1
            if self._progress:
                self._progress(outcome, self._ended, self._ended + len(self._waiting) + len(self._at_work))


@contextmanager
def _changes(folder: Path, recursive: bool, out: Path | None) -> Iterator[threading.Event]:
    """An event that is set at first, and whenever something happens in the folder, except in the folder `out` in it."""
    from watchfiles import Change, watch

    changed, over = threading.Event(), threading.Event()
    changed.set()

    def concerns_us(_: Change, path: str) -> bool:
        return out is None or not Path(path).is_relative_to(out)

    def listen() -> None:
        try:
            for _ in watch(
                folder, watch_filter=concerns_us, stop_event=over, recursive=recursive, rust_timeout=500, debounce=200,
                ignore_permission_denied=True,
            ):  # fmt: skip
                changed.set()
        except (OSError, RuntimeError) as error:
            _log.warning("No changes are reported in `%s` (%s); it is looked through now and then.", folder, error)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield changed
    finally:
        over.set()
        listener.join(5)
