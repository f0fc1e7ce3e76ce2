"""Memory of `standout video` over a long film: the most of each tenth of the way, and whether it grows.

    python benchmarks/video_memory.py                         # ten minutes at 1920 × 1080, ten frames a second
    python benchmarks/video_memory.py --minutes 1 --fps 25

The film is made here: the bundled portrait, swaying before a plain wall. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import av
import cv2
import numpy as np

#: What was promised, megabytes.
MOST_MB = 700


def write_film(file: Path, width: int, height: int, fps: int, count: int) -> None:
    data = (files("standout") / "assets" / "astronaut.jpg").read_bytes()
    person = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    scale = height / person.shape[0]
    person = cv2.resize(person, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    with av.open(str(file), "w") as film:
        stream = film.add_stream("h264", rate=fps, options={"preset": "ultrafast", "crf": "26"})
        stream.width, stream.height, stream.pix_fmt, stream.time_base = width, height, "yuv420p", Fraction(1, fps)
        for number in range(count):
            frame = np.full((height, width, 3), (110, 120, 130), np.uint8)
            left = round((width - person.shape[1]) * (0.5 + 0.4 * np.sin(number / fps)))
            frame[:, left : left + person.shape[1]] = person[:height]
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        film.mux(stream.encode(None))


def resident_mb(pid: int) -> float:
    """Resident memory of a process and of those that it started; what they share counts for each."""
    try:
        total = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * 4096 / 1e6
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(resident_mb(int(child)) for child in (task / "children").read_text("ascii").split())
    except (OSError, IndexError):
        return 0.0
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--fps", type=int, default=10)
    parser.add_argument("--size", type=int, nargs=2, default=(1920, 1080), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--background", default="blur")
    options = parser.parse_args()
    count = round(options.minutes * 60 * options.fps)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.mp4"), Path(folder, "out.mp4")
        write_film(source, *options.size, options.fps, count)
        command = [sys.executable, "-m", "standout", "video", str(source), "-o", str(target), "-b", options.background]
        looks: list[tuple[float, float]] = []
        started = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                looks.append((time.monotonic() - started, resident_mb(process.pid)))
                time.sleep(0.5)
        if process.returncode:
            sys.exit(f"standout video failed with {process.returncode}.")
    whole = looks[-1][0]
    tenths = [max((mb for at, mb in looks if i <= at / whole * 10 < i + 1), default=0.0) for i in range(10)]
    width, height = options.size
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
