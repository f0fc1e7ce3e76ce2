"""What a cluster costs and brings, in one machine: overhead, two nodes against one, memory and growth, a lost node.

    python benchmarks/cluster.py overhead [--photos 1000]   # the engine against `standout folder`, on the same cores
    python benchmarks/cluster.py nodes [--photos 400]       # two Ray nodes against one, each pinned to a core
    python benchmarks/cluster.py growth [--photos 10000]    # time from a tenth of the photos to all; memory meanwhile
    python benchmarks/cluster.py killed [--photos 2000]     # a node is killed at a quarter; then the command again

Photos are made here: the person of the bundled portrait at several places. Start-up, until the first photo has ended,
is told apart. Each part prints a Markdown table and takes some minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from standout.cluster.manifest import MANIFEST_NAME
from standout.cluster.options import ClusterOptions
from standout.cluster.process import process_on_cluster
from standout.cluster.storage import Place, read_table
from standout.folder.options import FolderOptions
from standout.folder.process import process_folder
from standout.folder.report import FolderReport
from standout.imaging.decode import read


def make_photos(folder: Path, count: int, side: int) -> None:
    """So many photos, no two alike, `side` pixels high and wide."""
    portrait = read(Path(str(files("standout") / "assets" / "astronaut.jpg"))).frame
    person = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)[..., ::-1]
    rng = np.random.default_rng(0)
    for number in range(count):
        shift = np.float32([[1, 0, rng.integers(-side // 8, side // 8)], [0, 1, rng.integers(0, side // 8)]])
        frame = cv2.warpAffine(person, shift, (side, side), borderMode=cv2.BORDER_REPLICATE)
        cv2.imwrite(str(folder / f"p{number:06d}.jpg"), frame)


class Clock:
    """Told of each photo: seconds until the first has ended, and from there to the last."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._ends: list[float] = []

    def __call__(self, *_: object) -> None:
        self._ends.append(time.perf_counter() - self._began)

    @property
    def start_up(self) -> float:
        return self._ends[0]

    @property
    def work(self) -> float:
        return self._ends[-1] - self._ends[0]


def timed(run: Callable[..., FolderReport], source: Path, target: Path, options: FolderOptions, **given: Any) -> Clock:
    clock = Clock()
    report = run(source, target, options=options, progress=clock, **given)
    if report.failed:
        raise SystemExit(report.failed[0].error)
    return clock


def table(header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    """Prints a Markdown table."""
    print()
    for cells in (header, ("---",) * len(header), *rows):
        print("| " + " | ".join(f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |")
    print(flush=True)


def overhead(photos: Path, scratch: Path, options: FolderOptions, rounds: int) -> None:
    rows: list[tuple[object, ...]] = []
    ratios = []
    for number in range(rounds):
        plain = timed(process_folder, photos, scratch / f"plain{number}", options)
        engine = timed(process_on_cluster, photos, scratch / f"engine{number}", options, cluster=ClusterOptions())
        ratios.append(engine.work / plain.work)
        rows.append(("`standout folder`", plain.start_up, plain.work, "1"))
        rows.append(("`standout folder --cluster`", engine.start_up, engine.work, f"{ratios[-1]:.3f}"))
    cores = len(os.sched_getaffinity(0))
    table((f"{len(list(photos.iterdir()))} photos, {cores} cores", "start-up s", "work s", "ratio"), rows)
    print(f"Overhead of the engine: {100 * (statistics.median(ratios) - 1):+.1f} % (at most 15 %, aim 5 %).")


@contextmanager
def pinned_nodes(count: int) -> Iterator[Any]:
    """A Ray cluster whose head only drives, and so many nodes of one core each, pinned to it."""
    import ray
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cores = sorted(os.sched_getaffinity(0))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for number in range(count):
        os.sched_setaffinity(0, {cores[number % len(cores)]})  # what is started now inherits it
        cluster.add_node(num_cpus=1)
    os.sched_setaffinity(0, cores)
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def nodes(photos: Path, scratch: Path, options: FolderOptions, _: int) -> None:
    took = {}
    rows: list[tuple[object, ...]] = []
    for count in (1, 2):
        with pinned_nodes(count):
            clock = timed(
                process_on_cluster, photos, scratch / f"nodes{count}", options,
                cluster=ClusterOptions(min_workers=count, max_workers=count),
            )  # fmt: skip
        took[count] = clock.work
        rows.append((count, clock.start_up, clock.work, f"{took[1] / clock.work:.2f}"))
    table((f"nodes of one core, {len(list(photos.iterdir()))} photos", "start-up s", "work s", "times as fast"), rows)
    print(f"Two nodes are {took[1] / took[2]:.2f} times as fast as one (at least 1.6).")


def killed(photos: Path, scratch: Path, options: FolderOptions, _: int) -> None:
    """Ends with an error unless every photo has one row and one cut-out, and none is done again by the same command."""
    count, lost = len(list(photos.iterdir())), []
    with pinned_nodes(2) as cluster:
        room = ClusterOptions(min_workers=2, max_workers=2)

        def kill_one(_: object, ended: int, __: int) -> None:
            if ended >= count // 4 and not lost:
                lost.append(next(iter(cluster.worker_nodes)))
                cluster.remove_node(lost[0], allow_graceful=False)

        first = process_on_cluster(photos, scratch / "out", options=options, cluster=room, progress=kill_one)
        again = process_on_cluster(photos, scratch / "out", options=options, cluster=room)
    target = Place(scratch / "out")
    paths = [
        path
        for entry in target.entries(MANIFEST_NAME)
        for path in read_table(target.read(entry.path), ["path"]).column("path").to_pylist()
    ]
    outputs = sum(entry.path.endswith(".png") for entry in target.entries())
    table(
        ("run", "seconds", "done", "failed", "unchanged", "rows", "rows of a photo", "cut-outs"),
        [
            ("a node killed at a quarter", first.seconds, first.count("done"), first.count("failed"), 0, "", "", ""),
            ("the same command again", again.seconds, again.count("done"), again.count("failed"),
             again.count("unchanged"), len(paths), max(Counter(paths).values()), outputs),
        ],
    )  # fmt: skip
    if not (lost and len(paths) == len(set(paths)) == outputs == first.count("done") == count and not again.failed):
        raise SystemExit("Something was lost, or done twice.")
    print("Nothing was lost, and nothing was done twice.")


class Memory(threading.Thread):
    """Resident memory of the driver and of the largest worker, a sample a second, MB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float]] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(1.0):
            workers = [resident(pid) for pid in processes() if b"MapWorker" in command_of(pid)]
            self.samples.append((resident(os.getpid()), max(workers, default=0.0)))

    def rows(self) -> list[tuple[object, ...]]:
        """(share of the work, driver MB, largest worker MB)."""
        working = [sample for sample in self.samples if sample[1]]
        if len(working) < 10:
            return [("too short to tell", "", "")]
        parts = (("20 %", len(working) // 5), ("50 %", len(working) // 2), ("100 %", -2))
        return [(share, *working[at]) for share, at in parts]


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def resident(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(photos: Path, scratch: Path, options: FolderOptions, _: int) -> None:
    everything = sorted(photos.iterdir())
    tenth = scratch / "tenth"
    tenth.mkdir()
    for path in everything[: len(everything) // 10]:
        (tenth / path.name).symlink_to(path)
    few = timed(process_on_cluster, tenth, scratch / "few", options, cluster=ClusterOptions())
    memory = Memory()
    memory.start()
    many = timed(process_on_cluster, photos, scratch / "many", options, cluster=ClusterOptions())
    memory.over.set()
    memory.join()
    table(
        ("photos", "start-up s", "work s", "ms per photo"),
        [
            (count, clock.start_up, clock.work, 1000 * clock.work / count)
            for count, clock in ((len(everything) // 10, few), (len(everything), many))
        ],
    )
    print(f"{many.work / few.work:.2f} times the time for 10 times the photos (9 to 11).")
    table(("of the work", "driver MB", "largest worker MB"), memory.rows())


PARTS = {
    "overhead": (overhead, 1_000, 320, "photo"),
    "nodes": (nodes, 400, 320, "photo"),
    "growth": (growth, 10_000, 96, "live"),
    "killed": (killed, 2_000, 96, "live"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--photos", type=int, help="how many")
    parser.add_argument("--model", help="photo or live")
    parser.add_argument("--rounds", type=int, default=1, help="of overhead; the median counts")
    asked = parser.parse_args()
    run, count, side, model = PARTS[asked.part]
    with tempfile.TemporaryDirectory() as folder:
        photos, scratch = Path(folder, "photos"), Path(folder)
        photos.mkdir()
        make_photos(photos, asked.photos or count, side)
        run(photos, scratch, FolderOptions(model=asked.model or model), asked.rounds)


if __name__ == "__main__":
    main()
