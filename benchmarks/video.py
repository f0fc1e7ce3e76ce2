"""Measures `standout video` as a whole: frames per second per kind of output, against the network by itself.

    python benchmarks/video.py                  # 1280 x 720, 48 frames of the bundled astronaut
    python benchmarks/video.py --size 640 360 --count 24

The ratio says what decoding, smoothing, composing and encoding cost beside the network, which runs at the same time: 1
would be for nothing.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np

import standout
from standout.imaging.arrays import Frame
from standout.imaging.decode import read
from standout.video.options import VideoOptions

ROOT = Path(__file__).resolve().parent.parent
KINDS = {
    "blur, .mp4": ("out.mp4", "blur", VideoOptions()),
    "colour, .mp4": ("out.mp4", "seagreen", VideoOptions()),
    "transparent, .webm": ("out.webm", "transparent", VideoOptions()),
    "transparent, .mov (ProRes)": ("out.mov", "transparent", VideoOptions()),
    "PNG pictures": ("pngs", "transparent", VideoOptions(frames=True)),
    "blur without smoothing": ("off.mp4", "blur", VideoOptions(smoothing="off")),
}


def make_clip(path: Path, size: tuple[int, int], count: int) -> list[Frame]:
    """A pan over the photograph, size (height, width); returns its frames too."""
    photo = read(ROOT / "src/standout/assets/astronaut.jpg").frame
    scale = size[1] / photo.shape[1]
    made = []
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "20"})
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        for index in range(count):
            shift = np.array([[scale, 0, 0], [0, scale, -float(index)]], np.float32)
            frame = cv2.warpAffine(photo, shift, size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            made.append(np.asarray(frame, np.uint8))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(made[-1], "rgb24")))
        out.mux(stream.encode(None))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures `standout video` as a whole.")
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--model", help="a bundled model's name or an ONNX file; else live, or photo")
    arguments = parser.parse_args()
    from standout.inference.video_alpha import load_for_video

    model = load_for_video(arguments.model)
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name) / "in.mp4"
        frames = make_clip(clip, (arguments.size[1], arguments.size[0]), arguments.count)
        model.coarse(frames[0])
        start = time.perf_counter()
        for frame in frames[: max(8, len(frames) // 4)]:
            model.coarse(frame)
        alone = max(8, len(frames) // 4) / (time.perf_counter() - start)
        print(f"{platform.machine()}, {model.name}, {arguments.size[0]} x {arguments.size[1]}, {len(frames)} frames")
        print("| output | frames/s | against the network alone |\n|---|---|---|")
        print(f"| the network alone | {alone:.1f} | 1 |")
        for kind, (target, background, options) in KINDS.items():
            start = time.perf_counter()
            standout.process_video(clip, Path(name) / target, background=background, model=model, options=options)
            speed = len(frames) / (time.perf_counter() - start)
            print(f"| {kind} | {speed:.1f} | {speed / alone:.2f} |", flush=True)


if __name__ == "__main__":
    main()
