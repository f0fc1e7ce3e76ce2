"""Memory of `standout video` over a long film: the most of each tenth of the way, and whether it grows.

    python benchmarks/video_memory.py                         # ten minutes at 1920 × 1080, ten frames a second
    python benchmarks/video_memory.py --minutes 1 --fps 25

The film is that of benchmarks/video.py. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from server import memory_mb
from video import make_clip

#: What was promised, megabytes.
MOST_MB = 700


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--fps", type=int, default=10)
    parser.add_argument("--size", type=int, nargs=2, default=(1920, 1080), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--background", default="blur")
    options = parser.parse_args()
    width, height = options.size
    count = round(options.minutes * 60 * options.fps)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.mp4"), Path(folder, "out.mp4")
        make_clip(source, (height, width), count, rate=options.fps)
        command = [sys.executable, "-m", "standout", "video", str(source), "-o", str(target), "-b", options.background]
        looks: list[tuple[float, float]] = []
        started = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                looks.append((time.monotonic() - started, memory_mb(process.pid)))
                time.sleep(0.5)
        if process.returncode:
            sys.exit(f"standout video failed with {process.returncode}.")
    whole = looks[-1][0]
    tenths = [max((mb for at, mb in looks if i <= at / whole * 10 < i + 1), default=0.0) for i in range(10)]
    print(
        f"{width} × {height}, {options.minutes:g} minutes, {count} frames in {whole:.0f} s: "
        f"{count / whole:.1f} frames/s"
    )
    print("| tenth | " + " | ".join(str(i + 1) for i in range(10)) + " |")
    print("|---|" + "---|" * 10)
    print("| most MB | " + " | ".join(f"{mb:.0f}" for mb in tenths) + " |")
    growth = max(tenths[5:]) / max(tenths[1:5]) - 1
    print(f"Peak {max(tenths):.0f} MB (promised: {MOST_MB}); the second half against the first: {growth:+.1%}.")


if __name__ == "__main__":
    main()
