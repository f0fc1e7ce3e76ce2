"""How a cut-out's PNG is deflated: seconds and bytes per encoder, level and filter, on a noisy 12 MP cut-out.

    python benchmarks/png_level.py [PHOTO]

Measured with Pillow 13 (zlib-ng) and OpenCV 4.14, best of two, the bundled portrait at 4000 × 3000, processor time:

    encoder                           seconds  megabytes
    Pillow, level 1                      0.70       10.7
    Pillow, level 4                      1.32        8.9
    Pillow, level 6 (its default)        2.15        8.9
    OpenCV, level 1, sub, default        0.37       10.8
    OpenCV, level 1, average, default    0.32       10.4
    OpenCV, level 1, all, default        0.75       10.4
    OpenCV, level 1, sub, RLE            0.26        8.9
    OpenCV, level 1, average, RLE        0.28        8.5   <- as imaging/encode.py; level 2 is the same within the noise

Runs are all that deflate finds in a noisy photograph; looking for longer repeats costs time and wins nothing.
"""

from __future__ import annotations

import importlib.resources
import io
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from standout.compositing.composite import composite
from standout.imaging.decode import from_array, read
from standout.imaging.encode import encode


def cutout(path: str | None) -> np.ndarray:
    """The photo (or the bundled portrait) at 12 MP with a sensor's noise, cut out along an ellipse."""
    source = path or (importlib.resources.files("standout") / "assets" / "astronaut.jpg").read_bytes()
    frame = cv2.resize(read(source).frame, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 3, frame.shape)
    frame = np.clip(frame + noise, 0, 255).astype(np.uint8)
    alpha = np.zeros((3000, 4000), np.float32)
    cv2.ellipse(alpha, (2000, 1700), (1100, 1300), 0, 0, 360, 1.0, -1)
    return composite(from_array(frame), cv2.GaussianBlur(alpha, (0, 0), 3)).pixels


def with_pillow(pixels: np.ndarray, level: int) -> int:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=level)
    return buffer.tell()


def with_opencv(pixels: np.ndarray, level: int, strategy: int, kind: int) -> int:
    options = (cv2.IMWRITE_PNG_COMPRESSION, level, cv2.IMWRITE_PNG_STRATEGY, strategy, cv2.IMWRITE_PNG_FILTER, kind)
    return len(cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA), options)[1])


def timed(name: str, function: Callable[[], int]) -> None:
    best, size = float("inf"), 0
    for _ in range(2):
        start = time.process_time()  # of the processor: what else runs doesn't count
        size = function()
        best = min(best, time.process_time() - start)
    print(f"{name:<30} {best:>7.2f}  {size / 1e6:>9.1f}")


def main() -> None:
    pixels = cutout(sys.argv[1] if len(sys.argv) > 1 else None)
    print(f"{'encoder':<30} seconds  megabytes")
    for level in (1, 4, 6):
        timed(f"Pillow, level {level}", lambda level=level: with_pillow(pixels, level))
    strategies = {"default": cv2.IMWRITE_PNG_STRATEGY_DEFAULT, "RLE": cv2.IMWRITE_PNG_STRATEGY_RLE}
    kinds = {
        "sub": cv2.IMWRITE_PNG_FILTER_SUB,
        "average": cv2.IMWRITE_PNG_FILTER_AVG,
        "all": cv2.IMWRITE_PNG_ALL_FILTERS,
    }
    for level in (1, 2, 4):
        for strategy, code in strategies.items():
            for kind, mask in kinds.items():
                name = f"OpenCV, level {level}, {kind}, {strategy}"
                timed(name, lambda level=level, code=code, mask=mask: with_opencv(pixels, level, code, mask))
    timed("standout.imaging.encode", lambda: len(encode(pixels)))


if __name__ == "__main__":
    main()
