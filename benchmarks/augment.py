"""Images/s of `standout augment` for 1 … N workers, and the chart.

    python benchmarks/augment.py [DATA] [--count 3000] [--workers 4] [--plot augment.png]

Without DATA it augments 120 cut-outs of the bundled photograph, 500 × 375 pixels. The start of the processes (they
import albumentations, 1 to 2 s) is counted in `whole`; `steady` is what a long run gets. The yardstick is 12.5 images/s
on one core and 167 on twelve.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from standout.cli.machine import describe_machine
from standout.hardware import hardware_threads
from standout.workshop.data.augment_folder import begin, in_a_row, write_samples
from standout.workshop.data.augment_plan import AugmentOptions, Plan
from standout.workshop.data.check import check_pairs
from standout.workshop.data.pairs import find_pairs
from standout.workshop.plots import scaling_chart

YARDSTICK = {1: 12.5, 12: 167.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=3000, help="images for each number of workers")
    parser.add_argument("--workers", type=int, default=hardware_threads(), help="the most workers")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = given.data or make_photos(Path(folder) / "photos")
        checked = check_pairs(find_pairs(data)[0])
        runs = [measure(checked.good, Path(folder) / "out", given, n) for n in range(1, given.workers + 1)]
    machine = describe_machine()
    result = {"machine": machine, "photos": len(checked.good), "size": given.size, "runs": runs}
    print(f"{machine['processor']}, {machine['cores']} cores; {len(checked.good)} photographs")
    print("workers  steady images/s  whole images/s  times one worker  peak MB of a worker")
    for run in runs:
        times = run["steady"] / runs[0]["steady"]
        print(f"{run['workers']:7}  {run['steady']:15.1f}  {run['whole']:14.1f}  {times:16.2f}  {run['peak_mb']:19.0f}")
    if given.json:
        given.json.write_text(json.dumps(result, indent=1))
    if given.plot:
        given.plot.write_bytes(scaling_chart(result, YARDSTICK))


def make_photos(folder: Path) -> Path:
    """Cut-outs of the bundled photograph, 500 × 375, with an ellipse for a person."""
    file = resources.files("standout") / "assets" / "astronaut.jpg"
    photo = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    scale = 1.3 * max(500 / photo.shape[1], 375 / photo.shape[0])
    photo = cv2.resize(photo, None, fx=scale, fy=scale)
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for i in range(120):
        top, left = int(rng.integers(photo.shape[0] - 375)), int(rng.integers(photo.shape[1] - 500))
        mask = np.zeros((375, 500), np.uint8)
        cv2.ellipse(mask, (int(rng.integers(150, 350)), 220), (90, 150), 0, 0, 360, 255, -1)
        cv2.imwrite(str(folder / "images" / f"{i:03}.jpg"), photo[top : top + 375, left : left + 500])
        cv2.imwrite(str(folder / "masks" / f"{i:03}.png"), mask)
    return folder


def measure(pairs: tuple[Any, ...], out: Path, given: argparse.Namespace, workers: int) -> dict[str, float]:
    """One run into an empty folder."""
    import resource

    options = AugmentOptions(given.size, in_a_row=in_a_row(out, given.count, len(pairs)))
    plan = Plan(pairs, options, out)
    waiting = begin(plan, given.count, "", out / "none")
    marks: list[tuple[float, int]] = []
    start = time.perf_counter()
    write_samples(plan, waiting, workers=workers, progress=lambda done, _: marks.append((time.perf_counter(), done)))
    end, done = marks[-1]
    # From the first tenth on every worker has started.
    first, before = next(mark for mark in marks if mark[1] >= 0.1 * done)
    shutil.rmtree(out)
    who = resource.RUSAGE_CHILDREN if workers > 1 else resource.RUSAGE_SELF
    return {
        "workers": workers,
        "steady": (done - before) / (end - first),
        "whole": done / (end - start),
        "peak_mb": resource.getrusage(who).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
