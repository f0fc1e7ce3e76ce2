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
from standout.cluster.photo import Work
from standout.cluster.ray_engine import RayEngine
from standout.folder.options import FolderOptions
from standout.folder.process import FolderProgress
from standout.folder.report import FolderReport

_log = logging.getLogger("standout")


def process_on_cluster(
    source: str | Path,
    target: str | Path,
    *,
    options: FolderOptions | None = None,
    cluster: ClusterOptions | None = None,
    progress: FolderProgress | None = None,
    stop: threading.Event | None = None,
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
        if due:
            step = job.step(cluster)
            job.run(step, due, engine or engine_for(job, cluster, stack), progress, stop)
    job.report.seconds = time.perf_counter() - began
    return job.report


def engine_for(job: Job, cluster: ClusterOptions, stack: ExitStack) -> Engine:
    """Ray, or this process where no other could see the photos.

    Raises:
        MissingExtra, ConfigError: Whatever `RayEngine` raises.
    """
    if not (job.sources.folder.in_this_process or job.target.in_this_process):
        return stack.enter_context(RayEngine(cluster))
    _log.warning("`memory://` exists in one process only, so the photos are worked on in this one.")
    return in_this_process
