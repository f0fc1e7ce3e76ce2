"""Stand-ins with the real interface for the webcam: a clock, a camera, a mask, outputs, OpenCV's and pyvirtualcam's."""

from __future__ import annotations

import types
from enum import Enum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from standout.errors import DeviceError
from standout.imaging.arrays import Alpha, Frame
from standout.webcam.camera import LiveFrame


class FakeClock:
    """Time that passes when somebody sleeps or works. `load` is the share of a core that work takes."""

    def __init__(self, load: float = 0.5) -> None:
        self.time, self.used, self._load = 100.0, 0.0, load

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def work(self, seconds: float) -> None:
        self.time += seconds
        self.used += seconds * self._load

    def cpu(self) -> float:
        return self.used


class FakeCamera:
    """A camera on a fake clock: frame n comes at n / fps; its first pixel is n."""

    def __init__(self, clock: FakeClock, fps: float = 30.0, size: tuple[int, int] = (64, 36)) -> None:
        self.clock, self.fps, self.size = clock, fps, size
        self.opened, self.closed = 0, 0
        self.is_open = False
        self.gone_from: float | None = None
        self.back_at = float("inf")

    def _gone(self) -> bool:
        return self.gone_from is not None and self.gone_from <= self.clock.now() < self.back_at

    def open(self) -> tuple[int, int]:
        if self._gone():
            raise DeviceError("The camera is gone.")
        self.opened += 1
        self.is_open = True
        return self.size

    def newest(self, after: int, timeout_s: float) -> tuple[int, LiveFrame] | None:
        assert self.is_open
        if self._gone():
            raise DeviceError("The camera is gone.")
        number = int(self.clock.now() * self.fps + 1e-6)
        if number <= after:
            wait = (after + 1) / self.fps - self.clock.now()
            self.clock.sleep(min(wait, timeout_s))
            if wait > timeout_s:
                return None
            number = after + 1
        frame = np.full((self.size[1], self.size[0], 3), 128, np.uint8)
        frame[0, 0] = number % 256
        return number, LiveFrame(frame, number / self.fps)

    def close(self) -> None:
        self.closed += 1
        self.is_open = False


class FakeMask:
    """Everybody is a person; takes `cost_s` of the fake clock."""

    def __init__(self, clock: FakeClock, cost_s: float = 0.0) -> None:
        self.clock, self.cost_s, self.calls, self.resets = clock, cost_s, 0, 0

    def coarse(self, frame: Frame) -> Alpha:
        self.calls += 1
        self.clock.work(self.cost_s)
        return np.ones((2, 2), np.float32)

    def enlarge(self, alpha: Alpha, frame: Frame) -> NDArray[np.uint8]:
        return np.full(frame.shape[:2], 255, np.uint8)

    def reset(self) -> None:
        self.resets += 1


class FakeOutput:
    """Remembers the frames and when they came."""

    def __init__(self, clock: FakeClock, own_view: bool = True) -> None:
        self.clock, self.own_view, self.waits = clock, own_view, 0
        self.frames: list[Frame] = []
        self.times: list[float] = []
        self.seen_by: int | None = 1
        self.closed = False
        self.then: Any = None  # called after each frame

    def show(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.times.append(self.clock.now())
        if self.then is not None:
            self.then(self)

    def wait(self) -> None:
        self.waits += 1

    def watchers(self) -> int | None:
        return self.seen_by

    def close(self) -> None:
        self.closed = True


class FakeCapture:
    """`cv2.VideoCapture` of a camera that works until `frames` are used up."""

    frames = 10**9
    is_there = True
    made: list[FakeCapture] = []

    def __init__(self, source: int | str) -> None:
        self.source, self.settings, self.released, self.number = source, {}, False, 0
        self.made.append(self)

    def isOpened(self) -> bool:
        return self.is_there

    def set(self, key: int, value: float) -> bool:
        self.settings[key] = value
        return True

    def get(self, key: int) -> float:
        return self.settings.get(key, 0.0)

    def grab(self) -> bool:
        self.number += 1
        return self.number <= self.frames

    def retrieve(self) -> tuple[bool, Any]:
        blue = np.zeros((36, 64, 3), np.uint8)
        blue[..., 0] = 255  # OpenCV is BGR
        return True, blue

    def read(self) -> tuple[bool, Any]:
        return self.retrieve() if self.grab() else (False, None)

    def release(self) -> None:
        self.released = True


class FakePixelFormat(Enum):
    RGB = "raw "


class FakeVirtualCamera:
    """`pyvirtualcam.Camera`; `failure` makes the next one fail as the real one does."""

    failure: str | None = None
    made: list[FakeVirtualCamera] = []

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        *,
        fmt: Any = FakePixelFormat.RGB,
        device: str | None = None,
        backend: str | None = None,
        print_fps: bool = False,
        **kw: Any,
    ) -> None:
        if self.failure is not None:
            raise RuntimeError(self.failure)
        self.width, self.height, self.fps = width, height, fps
        self.device = device or "OBS Virtual Camera"
        self.sent: list[Frame] = []
        self.closed = False
        self.made.append(self)

    def send(self, frame: Frame) -> None:
        if frame.dtype != np.uint8:
            raise TypeError(f"unexpected frame dtype: {frame.dtype} != uint8")
        if frame.shape != (self.height, self.width, 3):
            raise ValueError(f"unexpected frame shape: {frame.shape} != {(self.height, self.width, 3)}")
        self.sent.append(frame.copy())

    def close(self) -> None:
        self.closed = True


def fake_pyvirtualcam(monkeypatch: pytest.MonkeyPatch, failure: str | None = None) -> type[FakeVirtualCamera]:
    """Puts a fake `pyvirtualcam` where `import` finds it; returns the class of its cameras."""

    class Camera(FakeVirtualCamera):
        made = []

    Camera.failure = failure
    module = types.ModuleType("pyvirtualcam")
    module.Camera, module.PixelFormat = Camera, FakePixelFormat  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "pyvirtualcam", module)
    return Camera


def write_film(path: Path, count: int = 12, size: tuple[int, int] = (96, 54), fps: float = 30.0) -> Path:
    """A motion JPEG film of `count` frames, a bright block on dark ground: a file-backed camera."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    for number in range(count):
        frame = np.full((size[1], size[0], 3), 30, np.uint8)
        frame[10:44, 30 + number % 8 : 60 + number % 8] = 240
        writer.write(frame)
    writer.release()
    return path
