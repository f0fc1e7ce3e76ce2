"""How fast `standout video` is from file to file, as ratios to decoding and x264 alone and to a rival, in one run.

    python benchmarks/video.py                                     # 1280 x 720, 90 frames of the bundled astronaut
    python benchmarks/video.py --selfie selfie_segmentation_landscape.tflite --chart video.png --json video.json
    python benchmarks/video.py --model new-live.onnx --size 640 360 --count 30 --rounds 1

`decode + x264` is PyAV alone: every frame decoded and encoded again with x264's default preset. The rival is what
people build: MediaPipe selfie segmentation, OpenCV's blur and blend in RGB, and our encoder. All kinds take turns in
each round; a kind's figure is the median of its rounds. The stages are measured one after another, in processor time of
all threads, so that their shares hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

import standout
from standout.cli.machine import describe_machine
from standout.imaging.arrays import Frame
from standout.imaging.decode import read
from standout.inference.alpha_stream import AlphaStream, edge_levels
from standout.inference.smoothing import TemporalSmoother
from standout.inference.video_alpha import load_for_video, threads_beside_others
from standout.video.background import Painter
from standout.video.encoders import opaque_encoder
from standout.video.options import VideoOptions
from standout.video.process import guide_size
from standout.video.reader import VideoReader
from standout.video.writer import VideoWriter

ROOT = Path(__file__).resolve().parent.parent
ALONE, RIVAL = "decode + x264", "MediaPipe selfie, OpenCV"
#: Kind -> (file, background, options, the ratio to `decode + x264` that it must reach).
KINDS: dict[str, tuple[str, str, VideoOptions, float]] = {
    "blur, .mp4": ("out.mp4", "blur", VideoOptions(), 0.35),
    "color, .mp4": ("out.mp4", "seagreen", VideoOptions(), 0.35),
    "transparent, .webm": ("out.webm", "transparent", VideoOptions(), 0.14),
    "transparent, .mov (ProRes)": ("out.mov", "transparent", VideoOptions(), 0.18),
    "PNG pictures": ("pngs", "transparent", VideoOptions(frames=True), 0.19),
}


def make_clip(path: Path, size: tuple[int, int], count: int, *, rate: int = 30) -> None:
    """A person who sways in front of a still room, with the noise of a camera; `size` is (height, width)."""
    photo = read(ROOT / "src/standout/assets/astronaut.jpg").frame
    scale, rng = size[1] / photo.shape[1], np.random.default_rng(1)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=rate, options={"crf": "20"})
        stream.height, stream.width, stream.pix_fmt = size[0], size[1], "yuv420p"
        for index in range(count):
            shift = np.array([[scale, 0, 12 * np.sin(index / 8)], [0, scale, -0.1 * size[0]]], np.float32)
            frame = cv2.warpAffine(photo, shift, size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            noisy = frame.astype(np.int16) + rng.integers(-2, 3, frame.shape, np.int16)
            picture = av.VideoFrame.from_ndarray(np.clip(noisy, 0, 255).astype(np.uint8), "rgb24")
            out.mux(stream.encode(picture.reformat(format="yuv420p")))
        out.mux(stream.encode(None))


def alone(clip: Path, target: Path) -> None:
    """Decoding and x264's default preset, nothing else."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as out:
        source.streams.video[0].thread_type = "AUTO"
        stream: Any = out.add_stream("libx264", rate=30)
        stream.width, stream.height = source.streams.video[0].width, source.streams.video[0].height
        stream.pix_fmt = "yuv420p"
        for picture in source.decode(video=0):
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def rival(clip: Path, target: Path, selfie: Path) -> None:
    """MediaPipe's mask, OpenCV's blur and blend, the encoder that Standout takes."""
    from live import SelfieMask

    mask = SelfieMask(selfie, 1)
    with av.open(str(clip)) as source, av.open(str(target), "w") as out:
        source.streams.video[0].thread_type = "AUTO"
        film = source.streams.video[0]
        chosen = opaque_encoder(".mp4", size_hw=(film.height, film.width))
        stream: Any = out.add_stream(chosen.name, rate=30, options=chosen.options)
        stream.width, stream.height, stream.pix_fmt = film.width, film.height, chosen.pixels
        for picture in source.decode(video=0):
            frame: Frame = picture.to_ndarray(format="rgb24")
            alpha = cv2.merge([mask.enlarge(mask.coarse(frame), frame)] * 3)
            blurred = cv2.GaussianBlur(frame, (0, 0), 16)
            near, far = cv2.multiply(frame, alpha, scale=1 / 255), cv2.multiply(blurred, 255 - alpha, scale=1 / 255)
            made = av.VideoFrame.from_ndarray(cv2.add(near, far), "rgb24")
            out.mux(stream.encode(made.reformat(format=chosen.pixels)))
        out.mux(stream.encode(None))


def stages(clip: Path, folder: Path, model: Any, background: str) -> dict[str, float]:
    """Stage -> milliseconds of processor per frame, of a film over a background."""
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = work()
        spent[name] = spent.get(name, 0.0) + 1000 * (time.process_time() - start)
        return result

    with VideoReader(clip) as reader:
        painter = Painter(background, reader.film)
        encoder = opaque_encoder(".mp4", size_hw=reader.film.signal.size_hw)
        sink = VideoWriter(folder / "stages.mp4", reader, encoder)
        steady, items, count = TemporalSmoother("flow", lag=1), reader.items(()), 0
        hw = guide_size(reader.info.height, reader.info.width)
        waiting: list[Any] = []
        while True:
            timed_frame = timed("decode", lambda: next(items, None))
            if timed_frame is None:
                break
            guide = timed("small picture", lambda frame=timed_frame: frame.small(hw))
            raw = timed("network", lambda picture=guide: model.coarse(picture))
            waiting.append((timed_frame, guide))
            for alpha in timed("smoothing", lambda picture=guide, a=raw: steady.push(picture, a)):
                frame, seen = waiting.pop(0)
                levels = timed("edges", lambda a=alpha, picture=seen: edge_levels(a, picture))
                made = timed("compose", lambda f=frame, a=levels: painter.paint(f, a, Fraction(0)))
                timed("encode", lambda f=frame, picture=made: sink.put(f, picture))
                count += 1
        timed("encode", sink.finish)
        painter.close()
    return {name: total / max(1, count) for name, total in spent.items()}


def looks(clip: Path, model: Any) -> float:
    """How often the network looked, as a share of the frames."""
    stream, count = AlphaStream(model, "flow", lag=1), 0
    with VideoReader(clip) as reader:
        for frame in reader:
            stream.push(frame.small(guide_size(reader.info.height, reader.info.width)))
            count += 1
    return stream.inferences / max(1, count)


def chart(path: Path, ratios: dict[str, float]) -> None:
    """Bars of the ratios to `decode + x264`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 0.5 * len(ratios) + 1), layout="constrained")
    names = list(ratios)[::-1]
    axes.barh(names, [ratios[name] for name in names], color=["#888" if n == RIVAL else "#2a7f62" for n in names])
    axes.set_xlabel("speed from file to file, 1 = decoding and x264 alone")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--count", type=int, default=90, help="frames")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", help="a bundled model's name or an ONNX file; else live")
    parser.add_argument("--selfie", type=Path, help="MediaPipe's selfie_segmentation_landscape.tflite")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--chart", type=Path)
    arguments = parser.parse_args()
    model = load_for_video(arguments.model, threads=threads_beside_others())
    with tempfile.TemporaryDirectory() as name:
        folder, clip = Path(name), Path(name) / "in.mp4"
        make_clip(clip, (arguments.size[1], arguments.size[0]), arguments.count)
        model.coarse(np.zeros((arguments.size[1], arguments.size[0], 3), np.uint8))  # warm
        works: dict[str, Callable[[], Any]] = {ALONE: lambda: alone(clip, folder / "alone.mp4")}
        if arguments.selfie is not None:
            works[RIVAL] = lambda: rival(clip, folder / "rival.mp4", arguments.selfie)
        else:
            sys.stderr.write("MediaPipe's file is missing (give --selfie): no rival.\n")
        for kind, (target, background, options, _) in KINDS.items():
            works[kind] = lambda t=target, b=background, o=options: standout.process_video(
                clip, _fresh(folder / t), background=b, model=model, options=o
            )
        speeds: dict[str, list[float]] = {kind: [] for kind in works}
        for number in range(arguments.rounds):
            for kind, work in works.items():
                sys.stderr.write(f"round {number + 1}/{arguments.rounds}: {kind}\n")
                start = time.perf_counter()
                work()
                speeds[kind].append(arguments.count / (time.perf_counter() - start))
        shares = {kind: stages(clip, folder, model, word) for kind, word in (("blur", "blur"), ("color", "seagreen"))}
        looked = looks(clip, model)
    machine = describe_machine()
    medians = {kind: float(np.median(values)) for kind, values in speeds.items()}
    ratios = {kind: speed / medians[ALONE] for kind, speed in medians.items() if kind != ALONE}
    print(f"{machine['processor']}, {machine['cores']} cores; {arguments.size[0]}x{arguments.size[1]}; {model.name}\n")
    print("| output | frames/s | of decode + x264 | must |\n|---|---|---|---|")
    for kind, speed in medians.items():
        must = f"{KINDS[kind][3]:.2f}" if kind in KINDS else "–"
        print(f"| {kind} | {speed:.1f} | {speed / medians[ALONE]:.2f} | {must} |")
    print(f"\nThe network looked at {looked:.0%} of the frames.\n")
    names = list(shares["blur"])
    print(f"| ms of processor per frame | {' | '.join(names)} | sum |\n|{'---|' * (len(names) + 2)}")
    for kind, spent in shares.items():
        total = sum(spent.values())
        cells = " | ".join(f"{spent[name]:.1f} ({spent[name] / total:.0%})" for name in names)
        print(f"| {kind}, .mp4 | {cells} | {total:.1f} |")
    if arguments.chart:
        chart(arguments.chart, ratios)
    if arguments.json:
        result = {
            "machine": machine,
            "model": model.name,
            "frames_per_s": speeds,
            "ratios": ratios,
            "stages_ms": shares,
        }
        arguments.json.write_text(json.dumps(result, indent=1), "utf-8")


def _fresh(path: Path) -> Path:
    """The place, empty."""
    import shutil

    shutil.rmtree(path, ignore_errors=True)
    return path


if __name__ == "__main__":
    main()
