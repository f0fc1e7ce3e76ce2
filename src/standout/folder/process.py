"""A folder of photos to a folder of cut-outs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from standout.folder.photo_work import FolderOptions
from standout.folder.report import FolderReport, PhotoResult
from standout.folder.run import FolderRun
from standout.folder.workers import Work

#: Called after each photo: what became of it, how many have ended, how many there are.
OnPhoto = Callable[[PhotoResult, int, int], None]


def process_folder(
    source: str | Path,
    target: str | Path,
    *,
    settings: FolderOptions | None = None,
    on_photo: OnPhoto | None = None,
    stop: threading.Event | None = None,
    work: Work | None = None,
) -> FolderReport:
    """Cuts the people out of every photo in a folder.

    What an earlier run has finished stays as it is, unless the photo or the settings have changed since; what failed is
    tried again. A photo that can't be used is reported and doesn't stop the rest.

        import standout

        if __name__ == "__main__":  # the workers are processes, which import this file
            report = standout.process_folder("photos", "cutouts")
            print(report.count("done"), [outcome.error for outcome in report.failed])

    Args:
        source: The folder of photos; nothing is written to it, except where `target` lies in it.
        target: The folder of cut-outs, created if need be. May lie in `source`, but not be it.
        settings: How.
        on_photo: Called after each photo with its outcome, how many have ended and how many there are.
        stop: When set, no further photo is begun; those left are `pending` in the report.
        work: What the workers do instead of cutting out, for tests and for those who bring their own.

    Raises:
        InputError: There is no such folder.
        OutputError: The target can't be written, is the source, or another run is at work in it.
        ModelFileError, ConfigError, MissingExtra: Nothing can be done with these settings.
    """
    with FolderRun(Path(source), Path(target), settings or FolderOptions(), work) as run:
        due = deque(run.look())
        total, ended = len(due), 0
        run.engage(total)
        while True:
            while due and run.free and not (stop and stop.is_set()):
                run.begin(due.popleft())
            if not run.busy:
                break
            for outcome, _ in run.ended():
                ended += 1
                if on_photo:
                    on_photo(outcome, ended, total)
        run.leave(list(due))
    return run.report
