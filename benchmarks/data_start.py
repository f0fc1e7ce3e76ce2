"""How long a start takes, and how much memory drawing needs, for 1,000 and for 100,000 pairs.

    python benchmarks/data_start.py /tmp/large --pairs 100000

Writes a folder of pairs by hard links to a few drawn pictures of 100 KB, so that 100,000 look like 10 GB and take a few
MB of disk. Then, in a process of its own for each size: finds and checks the pairs, makes the sampler, draws batches.
Prints a Markdown table: the start, and the memory while it draws, which is what a set much larger than memory needs.
Nothing is trained; importing TensorFlow is not part of it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

_COLUMNS = ("find_s", "check_s", "first_batch_s", "fifth_mb", "half_mb", "end_mb", "peak_mb")
_LINKS = 30_000  # of one file, at most: ext4 allows 65,000


def write_pairs(folder: Path, count: int) -> None:
    """`count` pairs of 320 × 240, that share their content by hard links."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(count):
        if index % _LINKS == 0:
            photo = rng.integers(0, 255, (240, 320, 3), np.uint8)  # noise, for a large file
            mask = np.zeros((240, 320), np.uint8)
            mask[50:240, 100:212] = 255
            sources = (folder / f"photo-{index}.jpg", folder / f"mask-{index}.png")
            cv2.imwrite(str(sources[0]), photo, (cv2.IMWRITE_JPEG_QUALITY, 95))
            cv2.imwrite(str(sources[1]), mask)
        os.link(sources[0], folder / "images" / f"{index:06d}.jpg")
        os.link(sources[1], folder / "masks" / f"{index:06d}.png")


def measure(folder: Path, batches: int) -> dict[str, float]:
    """Seconds of each step; resident memory at a fifth, half and the end of drawing, and its peak, MB."""
    from standout.workshop.config import DataOptions
    from standout.workshop.data.check import MOST_AT_ONCE, check_pairs
    from standout.workshop.data.pairs import find_pairs
    from standout.workshop.data.samples import Samples
    from standout.workshop.data.split import split_pairs

    start = time.perf_counter()
    pairs, faults = find_pairs(folder)
    found = time.perf_counter()
    checked = check_pairs(pairs, faults=faults, most_at_once=MOST_AT_ONCE)
    train, _ = split_pairs(checked.good, 0.05)
    ready = time.perf_counter()
    samples = Samples(train, DataOptions(size=128), 0, checked.put_off)
    samples.batch(0, 0, 8)
    out = {"find_s": found - start, "check_s": ready - found, "first_batch_s": time.perf_counter() - ready}
    marks = {batches // 5: "fifth_mb", batches // 2: "half_mb", batches - 1: "end_mb"}
    for index in range(batches):
        samples.batch(0, 8 * index, 8)
        if index in marks:
            out[marks[index]] = resident_mb()
    out["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1 << 20
    )
    return out


def resident_mb() -> float:
    """Of this process; 0 where the system doesn't say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to write the pairs; kept for the next time")
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=300, help="of 8, that are drawn; at least 5")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.batches)))
        return
    rows = {}
    print("| pairs | GB | find s | check s | first batch s | MB at 20 % | 50 % | 100 % of the draws | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for count in (1000, asked.pairs):
        folder = asked.folder / str(count)
        if not folder.exists():
            write_pairs(folder, count)
        size = sum(file.stat().st_size for part in ("images", "masks") for file in os.scandir(folder / part)) / 1e9
        words = [sys.executable, __file__, str(asked.folder), "--measure", str(folder), "--batches", str(asked.batches)]
        cache = asked.folder / f"cache-{os.getpid()}"
        environment = os.environ | {"STANDOUT_CACHE": str(cache)}  # empty: what was checked before isn't known
        output = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout
        shutil.rmtree(cache, ignore_errors=True)
        rows[count] = json.loads(output.splitlines()[-1]) | {"gb": size}
        print(f"| {count:,} | {size:.2f} | " + " | ".join(f"{rows[count][key]:.2f}" for key in _COLUMNS) + " |")
    small, large = rows[1000], rows[asked.pairs]
    start = sum(large[step] for step in _COLUMNS[:3])
    print(f"\nStart of the large set: {start:.1f} s (at most 10 for 100,000 pairs).")
    print(f"Its files are {1000 * large['gb'] / large['peak_mb']:.1f} times its peak memory (at least 10).")
    print(f"Peak memory, large / small: {large['peak_mb'] / small['peak_mb']:.2f}.")


if __name__ == "__main__":
    main()
