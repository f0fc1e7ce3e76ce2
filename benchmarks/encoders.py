"""What each `--quality` of each encoder costs and gives: processor time, size and error, on the same composited film.

    python benchmarks/encoders.py                    # 1280 x 720, 48 frames
    python benchmarks/encoders.py --size 640 360 --count 24

The presets of `video/encoders.py` were chosen from this table: milliseconds of processor per frame (all threads),
kilobytes per frame, and PSNR of luma, in decibels.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from standout.video.encoders import QUALITIES, Encoder, EncodingOptions, opaque_encoder, transparent_encoder
from video import make_clip


def encoded(pictures: list[Any], chosen: Encoder, target: Path) -> tuple[float, float, float]:
    """(ms of processor per frame, kB per frame, PSNR of luma)."""
    height, width = pictures[0].height, pictures[0].width
    frames = [picture.reformat(format=chosen.pixels) for picture in pictures]
    start = time.process_time()
    with av.open(str(target), "w") as out:
        stream: Any = out.add_stream(chosen.name, rate=30, options=chosen.options)
        stream.width, stream.height, stream.pix_fmt = width, height, chosen.pixels
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, 30)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    spent = 1000 * (time.process_time() - start) / len(frames)
    with av.open(str(target)) as source:
        off = [
            float(((one.to_ndarray(format="gray").astype(np.float32) - two.to_ndarray(format="gray")) ** 2).mean())
            for one, two in zip(source.decode(video=0), pictures, strict=False)
        ]
    return spent, target.stat().st_size / 1000 / len(frames), float(10 * np.log10(255**2 / max(1e-9, np.mean(off))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--count", type=int, default=48)
    arguments = parser.parse_args()
    size = arguments.size[1], arguments.size[0]
    print("| encoder | quality | ms of processor | kB per frame | PSNR, dB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name) / "in.mp4"
        make_clip(clip, size, arguments.count)
        with av.open(str(clip)) as source:
            pictures = list(source.decode(video=0))
        for suffix, bits in ((".mp4", 8), (".mp4", 10), (".webm", 8), (".webm", 10), ("transparent .webm", 8)):
            for quality in QUALITIES:
                options = EncodingOptions(quality=quality)
                ending = suffix.rsplit(" ", 1)[-1]
                if suffix == ending:
                    chosen = opaque_encoder(ending, size_hw=size, bits=bits, options=options)
                else:
                    chosen = transparent_encoder(ending, options=options)
                spent, weight, psnr = encoded(pictures, chosen, Path(name) / f"out{ending}")
                print(f"| {chosen.name} ({suffix}) | {quality} | {spent:.1f} | {weight:.1f} | {psnr:.1f} |", flush=True)
        for quality in ("balanced", "best"):
            chosen = transparent_encoder(".mov", options=EncodingOptions(quality=quality))
            spent, weight, psnr = encoded(pictures, chosen, Path(name) / "out.mov")
            print(f"| {chosen.name} (.mov) | {quality} | {spent:.1f} | {weight:.1f} | {psnr:.1f} |", flush=True)


if __name__ == "__main__":
    main()
