"""Photos per second of `standout folder`, cold start included, for 1 … N workers in turn.

python benchmarks/folders.py PHOTOS [--photos 40] [--workers 1,2] [--rounds 2]
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from standout.imaging.decode import SUFFIXES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("--photos", type=int, default=40, dest="count", help="so many of them, by name")
    parser.add_argument("--workers", default="1,2", help="numbers of workers")
    parser.add_argument("--rounds", type=int, default=2, help="how often; the best counts")
    asked = parser.parse_args()
    found = sorted(path for path in asked.photos.iterdir() if path.suffix.lower() in SUFFIXES)[: asked.count]
    if not found:
        parser.error(f"there are no photos in {asked.photos}")
    numbers = [int(number) for number in asked.workers.split(",")]
    best: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        photos = Path(scratch, "photos")
        photos.mkdir()
        for path in found:
            (photos / path.name).symlink_to(path.resolve())
        for step, workers in itertools.product(range(asked.rounds), numbers):
            out = Path(scratch, f"out-{step}-{workers}")
            command = [sys.executable, "-m", "standout", "folder", str(photos), str(out), "--workers", str(workers)]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best[workers] = min(best.get(workers, float("inf")), time.perf_counter() - start)
    for workers, seconds in best.items():
        ratio = best[numbers[0]] / seconds
        print(
            f"{workers} workers: {len(found) / seconds:.2f} photos/s ({len(found)} in {seconds:.1f} s), {ratio:.2f} ×"
        )


if __name__ == "__main__":
    main()
