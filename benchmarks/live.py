"""How fast the webcam's whole path is, against MediaPipe selfie segmentation doing the same composite in the same run.

    python benchmarks/live.py --selfie selfie_segmentation_landscape.tflite

From a camera's frame to the frame that is handed to the virtual camera: mask, edge, blurred background, blend, and
the conversion to I420 that every virtual camera does. Both networks go through the same loop (`webcam/session.py`),
with the same composer; they take turns, so that a disturbed machine disturbs both. Two measurements:

- flat out: frames from memory, as fast as they go: milliseconds per stage, frames per second, the ratio.
- at 30 frames per second: frames of a motion JPEG film, decoded as a webcam's are, newest frame wins: the rate that is
  kept, how old a frame is when it leaves (from its arrival, before decoding), the share of the processor.

MediaPipe's file is `selfie_segmentation_landscape.tflite` of the npm package @mediapipe/selfie_segmentation; it needs
`pip install ai-edge-litert` (or TensorFlow, which the extra `train` installs). Without, Standout is measured alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.cli.console import write_file
from standout.cli.machine import describe_machine
from standout.imaging.arrays import Alpha, Frame
from standout.imaging.decode import read
from standout.inference.live import LiveConfig, LiveMask, load_live
from standout.webcam.camera import Camera, FrameSource, LiveFrame
from standout.webcam.session import Mask, Webcam, WebcamOptions
from standout.webcam.timing import Figures, Meter
from standout.workshop.score.intervals import median_ratio

RIVAL = "MediaPipe selfie, same composite"

#: One setting at a time, away from the defaults: the evidence that they rest on.
SWEEP: dict[str, dict[str, Any]] = {
    "default": {},
    "2 threads": {"threads": 2},
    "network 320": {"longest": 320},
    "mask every 2nd frame": {"every": 2},
    "mask every 3rd frame": {"every": 3},
    "smoothing by confidence": {"smoothing": "confidence"},
    "no smoothing": {"smoothing": "off"},
    "no edge refinement": {"refine": False},
}


class Memory:
    """A camera that always has the next frame at once."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames, self._number = frames, 0

    def open(self) -> tuple[int, int]:
        height, width = self._frames[0].shape[:2]
        return width, height

    def newest(self, after: int, timeout_s: float) -> tuple[int, LiveFrame]:
        del after, timeout_s
        self._number += 1
        return self._number, LiveFrame(self._frames[self._number % len(self._frames)], time.monotonic())

    def close(self) -> None:
        pass


class Converter:
    """What a virtual camera does with a frame, without one: the conversion to I420."""

    own_view = False

    def show(self, frame: Frame) -> None:
        cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)

    def wait(self) -> None:
        pass

    def watchers(self) -> int:
        return 1

    def close(self) -> None:
        pass


class SelfieMask:
    """MediaPipe's network on the same frames: 256 × 144 in, its mask enlarged bilinearly, as MediaPipe does."""

    def __init__(self, file: Path, threads: int) -> None:
        from rivals import interpreter, without_custom_ops  # beside this file; TensorFlow comes with it

        self._net = interpreter(without_custom_ops(file.read_bytes()), threads)
        self._input, self._output = self._net.get_input_details()[0], self._net.get_output_details()[0]
        self._size = tuple(int(n) for n in self._input["shape"][1:3])

    def reset(self) -> None:
        pass

    def coarse(self, frame: Frame) -> Alpha:
        small = cv2.resize(frame, self._size[::-1], interpolation=cv2.INTER_AREA)
        self._net.set_tensor(self._input["index"], (small.astype(np.float32) / 255)[None])
        self._net.invoke()
        alpha: Alpha = self._net.get_tensor(self._output["index"])[0, ..., 0]
        return alpha

    def enlarge(self, alpha: Alpha, frame: Frame) -> NDArray[np.uint8]:
        small = cv2.convertScaleAbs(alpha, alpha=255)
        return np.asarray(cv2.resize(small, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


@dataclass
class Case:
    """One path: how to make its mask, and what was measured."""

    make: Callable[[], Mask]
    background: str = "blur"
    frame_ms: list[list[float]] = field(default_factory=list)
    flat: list[Figures] = field(default_factory=list)
    live: list[Figures] = field(default_factory=list)


def sample_frames(size: tuple[int, int], count: int = 60) -> list[Frame]:
    """The bundled portrait as a webcam might see it, swaying: uint8 RGB (H, W, 3) each, (width, height) = `size`."""
    from importlib.resources import files

    with (files("standout") / "assets" / "astronaut.jpg").open("rb") as file:
        portrait = read(file.read()).frame
    side = round(size[0] * 1.15)
    large = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_CUBIC)
    room = side - size[0]
    turns = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return [
        np.ascontiguousarray(large[top : top + size[1], left : left + size[0]])
        for left, top in (
            (round(room * (0.5 + 0.5 * np.sin(turn))), round(0.05 * side * (1 + 0.5 * np.cos(turn)))) for turn in turns
        )
    ]


def measured(camera: FrameSource, mask: Mask, background: str, count: int, fps: float) -> Meter:
    """Runs the webcam's own loop over `count` frames, after a few that don't count."""
    for frames in (8, count):
        cam = Webcam(camera, mask, WebcamOptions((background,), fps=fps, idle_s=0))
        cam.meter = Meter(cam.clock, count)
        cam.run(lambda _: [Converter()], frames=frames)
    return cam.meter


def measure(cases: dict[str, Case], arguments: argparse.Namespace, film: Path, frames: list[Frame]) -> None:
    """All cases in turn, in each round."""
    for round_number in range(arguments.rounds):
        for name, case in cases.items():
            sys.stderr.write(f"round {round_number + 1}/{arguments.rounds}: {name}\n")
            mask = case.make()
            meter = measured(Memory(frames), mask, case.background, arguments.frames, 240)
            case.frame_ms.append(meter.latencies_ms())
            case.flat.append(meter.figures())
            meter = measured(Camera(str(film)), mask, case.background, arguments.frames, 30)
            case.live.append(meter.figures())


def differences(cases: dict[str, Case], frames: list[Frame], reference: Mask) -> dict[str, float]:
    """How far each case's alpha is from `reference` (the network on every frame, no past), mean of |Δ| in percent."""
    found = dict.fromkeys(cases, 0.0)
    masks = {name: case.make() for name, case in cases.items()}
    for frame in frames:
        want = reference.enlarge(reference.coarse(frame), frame)
        for name, mask in masks.items():
            alpha = mask.enlarge(mask.coarse(frame), frame)
            found[name] += float(cv2.absdiff(alpha, want).mean()) / 2.55 / len(frames)
    return found


def processor_ms(case: Case) -> float:
    """Milliseconds of processor, all threads together, per frame: hardly changed by what else the machine does."""
    return float(np.median([10 * one.cpu_percent / one.fps for one in case.flat]))


def table(cases: dict[str, Case], away: dict[str, float]) -> str:
    """Markdown, one line per case."""
    lines = [
        "| path | mask | edge | background | output | **whole path** | processor | fps, flat out | × MediaPipe (95 %) "
        "| × its processor | at 30/s: fps | age p50 / p95 | CPU of the machine | alpha differs by |",
        "|" + "---|" * 14,
    ]
    rival = cases.get(RIVAL)
    for name, case in cases.items():
        whole = float(np.median(np.concatenate(case.frame_ms)))
        stages = {
            stage: float(np.median([one.stages_ms.get(stage, 0.0) for one in case.flat]))
            for stage in ("mask", "edge", "background", "output")
        }
        ratio = share = "–"
        if rival is not None and case is not rival:
            share = f"{processor_ms(case) / processor_ms(rival):.2f}"
            interval = median_ratio(rival.frame_ms, case.frame_ms)
            ratio = f"{interval.value:.2f} ({interval.low:.2f} … {interval.high:.2f})"
        live = {
            key: float(np.median([getattr(one, key) for one in case.live]))
            for key in ("fps", "latency_ms", "latency_p95_ms", "cpu_percent")
        }
        age = f"{live['latency_ms']:.0f} / {live['latency_p95_ms']:.0f} ms"
        cells = [
            name,
            *(f"{ms:.1f}" for ms in stages.values()),
            f"**{whole:.1f} ms**",
            f"{processor_ms(case):.1f} ms",
            f"{1000 / whole:.0f}",
            ratio,
            share,
            f"{live['fps']:.1f}",
            age,
            f"{live['cpu_percent'] / (os.cpu_count() or 1):.0f} %",
            f"{away[name]:.1f} %",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="live", help="a bundled model's name or an ONNX file")
    parser.add_argument("--selfie", type=Path, help="MediaPipe's selfie_segmentation_landscape.tflite")
    parser.add_argument("--selfie-threads", type=int, default=1, help="one is faster than two, for so small a network")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--frames", type=int, default=60, help="per case, round and measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--network", type=int, help="longer side at the network, pixels")
    parser.add_argument("--sweep", action="store_true", help="every setting, not the defaults alone")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)  # as `standout webcam` does
    width, height = (int(side) for side in arguments.size.split("x"))
    frames = sample_frames((width, height))

    def standout(settings: dict[str, Any]) -> Mask:
        config = LiveConfig(**{"longest": arguments.network, **settings})
        return LiveMask(load_live(arguments.model, config), config)

    names = SWEEP if arguments.sweep else {"default": {}}
    cases = {name: Case(lambda settings=settings: standout(settings)) for name, settings in names.items()}
    if arguments.sweep:
        cases["color instead of blur"] = Case(lambda: standout({}), background="#00b140")
    if arguments.selfie is not None and arguments.selfie.is_file():
        cases[RIVAL] = Case(lambda: SelfieMask(arguments.selfie, arguments.selfie_threads))
    else:
        sys.stderr.write(f"MediaPipe's file is missing ({arguments.selfie or 'give --selfie'}): no ratio.\n")
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.avi"
        writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 30, (width, height))
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        writer.release()
        measure(cases, arguments, film, frames)
    away = differences(cases, frames, standout({"smoothing": "off"}))
    machine = describe_machine()
    print(f"{machine['processor']}, {machine['cores']} cores; {arguments.size}, blur; model {arguments.model}\n")
    print(table(cases, away))
    if arguments.json:
        result = {
            "machine": machine,
            "model": arguments.model,
            "cases": {
                name: {
                    "frame_ms": case.frame_ms,
                    "flat": [asdict(f) for f in case.flat],
                    "live": [asdict(f) for f in case.live],
                }
                for name, case in cases.items()
            },
        }
        write_file(arguments.json, json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
