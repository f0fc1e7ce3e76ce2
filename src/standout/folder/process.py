"""A folder of photos to a folder of cut-outs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from standout.compositing.background import AnyBackground
from standout.folder.options import FolderOptions, chosen_options
from standout.folder.report import FolderReport, PhotoResult
from standout.folder.run import FolderRun

#: Called after each photo: its result, how many have ended, how many there are.
FolderProgress = Callable[[PhotoResult, int, int], None]


def process_folder(
    source: str | Path,
    target: str | Path,
    *,
    background: AnyBackground | None = None,
    options: FolderOptions | None = None,
    progress: FolderProgress | None = None,
    model: str | Path | None = None,
    device: str | None = None,
    stop: threading.Event | None = None,
) -> FolderReport:
    """Cuts the people out of every photo in a folder.

    What an earlier run has finished stays as it is, unless the photo or the settings have changed since; what failed is
    tried again. A photo that can't be used is reported and doesn't stop the rest.

        import standout

        report = standout.process_folder("photos", "cutouts")
        print(report.count("done"), [result.error for result in report.failed])

    Args:
        source: The folder of photos; nothing is written to it, except where `target` lies in it.
        target: The folder of cut-outs, created if need be. May lie in `source`, but not be it.
        background: What comes behind the people, as in `standout.cut_out`. Goes before the background of `options`.
        options: Everything else about the cut-outs and the run.
        progress: Called after each photo with its result, how many have ended and how many there are.
        model: A bundled model's name, or an ONNX file. Goes before the model of `options`.
        device: Where the model runs; see `standout.load`.
        stop: When set, no further photo is begun; those left are `pending` in the report.

    Raises:
        InputError: There is no such folder.
        OutputError: The target can't be written, is the source, or another run is at work in it.
        ModelFileError, DeviceError, ConfigError, MissingExtra: Nothing can be done with these options.
    """
    chosen = chosen_options(options, background, model, device)
    return run_folder(FolderRun(Path(source), Path(target), chosen), progress=progress, stop=stop)


def run_folder(
    folder_run: FolderRun, *, progress: FolderProgress | None = None, stop: threading.Event | None = None
) -> FolderReport:
    """Works through a folder, with whatever work the run was given; see `process_folder`."""
    with folder_run as run:
        due = deque(run.look())
        total, ended = len(due), 0
        run.start_workers(total)
        while True:
            while due and run.free and not (stop and stop.is_set()):
                run.begin(due.popleft())
            if not run.busy:
                break
            for result, _ in run.ended():
                ended += 1
                if progress:
                    progress(result, ended, total)
        run.leave(list(due))
    return run.report
