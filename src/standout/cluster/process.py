"""Photos anywhere to finished files anywhere, on many machines: `standout folder --cluster`."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from standout.cluster.cut_out import CutOutWork
from standout.cluster.engines import Engine, in_this_process
from standout.cluster.job import Job
from standout.cluster.options import ClusterOptions
from standout.cluster.photo import Photo, Work
from standout.cluster.ray_engine import RayEngine
from standout.cluster.step import Step
from standout.folder.options import FolderOptions
from standout.folder.process import FolderProgress
from standout.folder.report import FolderReport, PhotoResult

_log = logging.getLogger("standout")

#: Between two looks, seconds: on disk, and elsewhere, where a look costs requests.
LOOK_EVERY_S, LOOK_EVERY_REMOTE_S = 2.0, 15.0


def process_on_cluster(
    source: str | Path,
    target: str | Path,
    *,
    options: FolderOptions | None = None,
    cluster: ClusterOptions | None = None,
    progress: FolderProgress | None = None,
    stop: threading.Event | None = None,
    watch: bool = False,
    work: Work | None = None,
    engine: Engine | None = None,
) -> FolderReport:
    """As `process_folder`, on Ray, and with URLs.

    Args:
        source: A folder, a URL that fsspec knows (`s3://bucket/prefix`), or a text or Parquet list of paths.
        target: A folder or URL; gets the cut-outs and `manifest.parquet`.
        options: How the folder is processed; `workers` fixes the number of processes.
        cluster: How the job is spread.
        progress: Called after each photo with its outcome, how many have ended and how many there are.
        stop: When set, the run ends soon; what was at work is done again by the next.
        watch: Then do what arrives, until `stop` is set. A file on disk is begun when it looks the same at two looks;
            an object in a storage is whole when it appears.
        work: What is done with each photo instead of cutting out.
        engine: What drives the step instead of Ray.

    Raises:
        InputError: There are no such photos.
        OutputError: The target can't be written, is the source, or another run is at work in it.
        ModelFileError, ConfigError, MissingExtra: Nothing can be done with these options, or on this cluster.
        StandoutError: The cluster gave up; the same call goes on there.
    """
    options, cluster = options or FolderOptions(), cluster or ClusterOptions()
    work = work or CutOutWork.of(options, on_gpu=cluster.gpus_per_worker > 0)
    began = time.perf_counter()
    with ExitStack() as stack:
        job = Job(source, target, work, options, cluster.retry_failed, stack)
        due = job.look()
        if due or watch:
            step, engine = job.step(cluster), engine or engine_for(job, cluster, stack)
            if watch:
                _watch(job, step, engine, due, progress, stop or threading.Event())
            else:
                job.run(step, due, engine, progress, stop)
    job.report.seconds = time.perf_counter() - began
    return job.report


def _watch(
    job: Job,
    step: Step,
    engine: Engine,
    due: list[Photo],
    progress: FolderProgress | None,
    stop: threading.Event,
) -> None:
    """Looks through a place that may be a URL, where nobody reports changes, until `stop` is set."""
    on_disk = job.sources.folder.folder is not None
    seen: dict[str, Photo] = {}
    ended = 0

    def count(outcome: PhotoResult, now: int, total: int) -> None:
        if progress:
            progress(outcome, ended + now, ended + total)

    while not stop.is_set():
        ready = [photo for photo in due if not on_disk or seen.get(photo.path) == photo]
        seen = {photo.path: photo for photo in due}
        if ready:
            job.run(step, ready, engine, count, stop)
            ended += len(ready)
        stop.wait(LOOK_EVERY_S if on_disk else LOOK_EVERY_REMOTE_S)
        due = [] if stop.is_set() else job.look_again()


def engine_for(job: Job, cluster: ClusterOptions, stack: ExitStack) -> Engine:
    """Ray, or this process where no other could see the photos.

    Raises:
        MissingExtra, ConfigError: Whatever `RayEngine` raises.
    """
    if not (job.sources.folder.in_this_process or job.target.in_this_process):
        return stack.enter_context(RayEngine(cluster))
    _log.warning("`memory://` exists in one process only, so the photos are worked on in this one.")
    return in_this_process
