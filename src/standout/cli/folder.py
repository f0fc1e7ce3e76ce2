"""`standout folder IN OUT`: cuts the people out of all photos in a folder."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standout.cli.cluster_options import (
    CpusPerWorker,
    GpusPerWorker,
    MaxWorkers,
    MinWorkers,
    OnCluster,
    RayAddress,
    RetryFailed,
    cluster_options,
)
from standout.cli.console import progress_bar, say
from standout.cli.photo_options import PhotoChoice, takes_photo_options
from standout.cli.signals import stopped_by_signals

if TYPE_CHECKING:
    from standout.cluster.options import ClusterOptions
    from standout.folder.options import FolderOptions
    from standout.folder.report import FolderReport, PhotoResult

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_STOPPING = "stopping after the photos at work; Ctrl-C again stops at once."


@app.command()
@takes_photo_options
def folder(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="The folder of photos; they stay as they are. With --cluster also a URL (s3://bucket/photos), or a "
            "text or Parquet list of paths.",
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="OUT", help="The folder of cut-outs; created if need be. With --cluster also a URL."),
    ],
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; one per core by default.", show_default=False)
    ] = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Look into the folders in IN too.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Then wait for more photos, until Ctrl-C; changed ones are redone.")
    ] = False,
    limit: Annotated[
        float, typer.Option(min=0, max=86400, help="Seconds after which a photo is given up as failed; 0: never.")
    ] = 600,
    report: Annotated[
        Path | None, typer.Option(help="Write what became of each photo to this .json or .csv file.")
    ] = None,
    cluster: OnCluster = False,
    ray_address: RayAddress = None,
    min_workers: MinWorkers = None,
    max_workers: MaxWorkers = None,
    cpus_per_worker: CpusPerWorker = 1,
    gpus_per_worker: GpusPerWorker = 0.0,
    retry_failed: RetryFailed = False,
    *,
    choice: PhotoChoice,
) -> None:
    """Cut the people out of all photos in a folder. The same command goes on where it was interrupted."""
    from standout.cli.devices import choose_device
    from standout.folder.options import FolderOptions
    from standout.folder.process import process_folder
    from standout.folder.report import check_report_path, write_report
    from standout.folder.watch import watch_folder

    options = FolderOptions(
        **vars(choice.options),
        file_format=choice.file_format,
        model=choice.model,
        workers=workers,
        recursive=recursive,
        # Where a cluster's workers run is for their machines to find out.
        tta=choice.tta,
        device=(choice.device or "auto") if cluster else choose_device(choice.model, choice.device),
        limit_s=limit,
    )
    if report is not None:
        check_report_path(report)
    on_cluster = cluster_options(
        cluster, workers, source, target, address=ray_address, min_workers=min_workers, max_workers=max_workers,
        cpus_per_worker=cpus_per_worker, gpus_per_worker=gpus_per_worker, retry_failed=retry_failed,
    )  # fmt: skip
    with stopped_by_signals(_STOPPING) as stop, _bar(watch) as progress:
        if on_cluster is not None:
            result = _on_cluster(source, target, options, on_cluster, progress, stop, watch)
        elif watch:
            result = watch_folder(source, target, options=options, progress=progress, stop=stop)
        else:
            result = process_folder(source, target, options=options, progress=progress, stop=stop)
    for line in summary(result):
        say(line)
    if report is not None:
        write_report(report, result)
    if stop.is_set() and not watch:
        raise SystemExit(130)
    if result.failed:
        raise SystemExit(1)


def _on_cluster(
    source: str,
    target: str,
    options: FolderOptions,
    cluster: ClusterOptions,
    progress: Callable[[PhotoResult, int, int], None],
    stop: threading.Event,
    watch: bool,
) -> FolderReport:
    from standout.cluster.process import process_on_cluster

    return process_on_cluster(
        source, target, options=options, cluster=cluster, progress=progress, stop=stop, watch=watch
    )


def summary(report: FolderReport) -> list[str]:
    """The outcome of a folder, in a few sentences."""
    done, unchanged, failed, pending = (report.count(word) for word in ("done", "unchanged", "failed", "pending"))
    parts = [f"{done} done", f"{failed} failed" if failed else "", f"{unchanged} unchanged" if unchanged else ""]
    speed = f", {done / report.seconds:.1f} images/s" if done else ""
    lines = [f"{', '.join(filter(None, parts))} in {report.seconds:.1f} s{speed}; the cut-outs are in `{report.out}`."]
    if pending:
        lines.append(f"{pending} not started; rerun the same command to resume.")
    if not report.results:
        lines = [f"There are no photos in `{report.folder}`."]
    if report.skipped:
        lines.append(
            "Skipped: " + "; ".join(f"{what}: {count}" for what, count in sorted(report.skipped.items())) + "."
        )
    nobody = sum(result.people == 0 for result in report.results.values())
    if nobody:
        lines.append(f"No person was found in {nobody} of them; those cut-outs are empty.")
    notes = Counter(note for outcome in report.results.values() for note in outcome.notes)
    lines += [f"{count} × {note}." for note, count in notes.items()]
    return lines


@contextmanager
def _bar(watch: bool) -> Iterator[Callable[[PhotoResult, int, int], None]]:
    """A progress bar with images per second; yields what tells it of each photo."""
    text = "Watching, Ctrl-C ends" if watch else "Cutting out"
    with progress_bar(text, unit="images/s", at_once=True) as move:

        def progress(outcome: PhotoResult, ended: int, total: int) -> None:
            move(ended, total)
            if outcome.status == "failed":
                say(outcome.error)

        yield progress
