"""How long a start takes, and how much memory drawing needs, for 1,000 and for 100,000 pairs.

    python benchmarks/data_start.py /tmp/large --pairs 100000

Writes a folder of pairs by hard links to a few drawn pictures, then, in a process of its own for each size: finds and
checks the pairs, makes the sampler, draws batches. Prints seconds, and peak memory as a multiple of the small set's.
Nothing is trained; importing TensorFlow is not part of it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

_LINKS = 30_000  # of one file, at most: ext4 allows 65,000


def write_pairs(folder: Path, count: int) -> None:
    """`count` pairs of 256 × 192, that share their content by hard links."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(count):
        if index % _LINKS == 0:
            photo = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (256, 192), interpolation=cv2.INTER_CUBIC)
            mask = np.zeros((192, 256), np.uint8)
            mask[40:192, 80:170] = 255
            sources = (folder / f"photo-{index}.jpg", folder / f"mask-{index}.png")
            cv2.imwrite(str(sources[0]), photo)
            cv2.imwrite(str(sources[1]), mask)
        os.link(sources[0], folder / "images" / f"{index:06d}.jpg")
        os.link(sources[1], folder / "masks" / f"{index:06d}.png")


def measure(folder: Path, batches: int) -> dict[str, float]:
    """Seconds of each step, and the process's peak memory, MB."""
    from standout.config import DataOptions
    from standout.data.check import MOST_AT_ONCE, check_pairs
    from standout.data.pairs import find_pairs
    from standout.data.samples import Samples
    from standout.data.split import split_pairs

    start = time.perf_counter()
    pairs, faults = find_pairs(folder)
    found = time.perf_counter()
    checked = check_pairs(pairs, faults=faults, most_at_once=MOST_AT_ONCE)
    train, _ = split_pairs(checked.good, 0.05)
    ready = time.perf_counter()
    samples = Samples(train, DataOptions(size=128), 0, checked.put_off)
    samples.batch(0, 0, 8)
    first = time.perf_counter()
    for index in range(batches):
        samples.batch(0, 8 * index, 8)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)
    return {"find_s": found - start, "check_s": ready - found, "first_batch_s": first - ready, "peak_mb": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to write the pairs; kept for the next time")
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=50)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.batches)))
        return
    rows = {}
    for count in (1000, asked.pairs):
        folder = asked.folder / str(count)
        if not folder.exists():
            write_pairs(folder, count)
        words = [sys.executable, __file__, str(asked.folder), "--measure", str(folder), "--batches", str(asked.batches)]
        environment = os.environ | {"STANDOUT_CACHE": str(asked.folder / "cache")}
        output = subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout
        rows[count] = json.loads(output.splitlines()[-1])
        told = ", ".join(f"{name} {value:.2f}" for name, value in rows[count].items())
        print(f"{count:7d} pairs: {told}")
    small, large = rows[1000], rows[asked.pairs]
    steps = ("find_s", "check_s", "first_batch_s")
    print(f"start of the large set: {sum(large[step] for step in steps):.1f} s")
    print(f"peak memory, large / small: {large['peak_mb'] / small['peak_mb']:.2f}")


if __name__ == "__main__":
    main()
