"""Watching a place that may be a URL: nobody reports changes there, so it is looked through every few seconds."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path

from standout.cluster.cut_out import CutOutWork
from standout.cluster.engines import Engine
from standout.cluster.job import Job
from standout.cluster.options import ClusterOptions
from standout.cluster.photo import Photo, Work
from standout.cluster.process import engine_for
from standout.folder.options import FolderOptions
from standout.folder.process import FolderProgress
from standout.folder.report import FolderReport

#: Between two looks, seconds: on disk, and elsewhere, where a look costs requests.
LOOK_EVERY_S, LOOK_EVERY_REMOTE_S = 2.0, 15.0


def watch_on_cluster(
    source: str | Path,
    target: str | Path,
    *,
    stop: threading.Event,
    options: FolderOptions | None = None,
    cluster: ClusterOptions | None = None,
    progress: FolderProgress | None = None,
    work: Work | None = None,
    engine: Engine | None = None,
) -> FolderReport:
    """Like `process_on_cluster`, for what is there and for what arrives, until `stop` is set.

    A file on disk is begun when it looks the same at two looks; an object in a storage is whole when it appears.

    Args:
        source, target, options, cluster, work, engine: What `process_on_cluster` takes.
        stop: When set, the run ends soon, and the report is returned.
        progress: Called after each photo with its outcome, how many have ended and how many are known.

    Raises:
        StandoutError: Whatever `process_on_cluster` raises.
    """
    options, cluster = options or FolderOptions(), cluster or ClusterOptions()
    work = work or CutOutWork.of(options, on_gpu=cluster.gpus_per_worker > 0)
    began = time.perf_counter()
    with ExitStack() as stack:
        job = Job(source, target, work, options, cluster.retry_failed, stack)
        step = job.step(cluster)
        engine = engine or engine_for(job, cluster, stack)
        local = job.sources.folder.folder is not None
        seen: dict[str, Photo] = {}
        ended = 0

        def count(outcome: object, now: int, total: int) -> None:
            if progress:
                progress(outcome, ended + now, ended + total)  # type: ignore[arg-type]

        while not stop.is_set():
            due = job.look_again()
            ready = [photo for photo in due if not local or seen.get(photo.path) == photo]
            seen = {photo.path: photo for photo in due}
            if ready:
                job.run(step, ready, engine, count, stop)
                ended += len(ready)
            stop.wait(LOOK_EVERY_S if local else LOOK_EVERY_REMOTE_S)
    job.report.seconds = time.perf_counter() - began
    return job.report
