"""The camera, or a video file in its place: always the newest frame, and errors that say what is missing."""

from __future__ import annotations

import errno
import os
import re
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2

from standout.errors import DeviceError, InputError
from standout.imaging.arrays import Frame
from standout.webcam.latest import LatestValue

#: A camera that gives nothing for so long is gone.
SILENCE_S = 5.0


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """One frame of a camera.

    Attributes:
        frame: uint8 RGB (H, W, 3).
        taken_s: When it came from the device, on the clock of `time.monotonic`, before it was decoded.
    """

    frame: Frame
    taken_s: float


class FrameSource(Protocol):
    """What the webcam's loop needs of a camera."""

    def open(self) -> tuple[int, int]:
        """Starts it; returns (width, height)."""

    def newest(self, after: int, timeout_s: float) -> tuple[int, LiveFrame] | None:
        """The newest frame with its number, once newer than number `after`; None if there is none in time."""

    def close(self) -> None:
        """Stops it and lets other programs have it; it can be opened again."""


class Camera:
    """A camera, read in a thread of its own so that no old frame ever waits in the driver's queue.

    Args:
        source: A camera's number, a device (`/dev/video2`), or a video file, which is played at its own pace, again
            and again.
        size_wh: (width, height) to ask for; the camera may give another.
        fps: Frames per second to ask for.
    """

    def __init__(self, source: int | str, *, size_wh: tuple[int, int] = (1280, 720), fps: float = 30.0) -> None:
        self.source, self._size_wh, self._fps = source, size_wh, fps
        self._file = isinstance(source, str) and not source.startswith("/dev/")
        self._frames = LatestValue[LiveFrame]()
        self._reading: _Reading | None = None

    def open(self) -> tuple[int, int]:
        """Starts the camera and waits for its first frame.

        Returns:
            (width, height) of its frames.

        Raises:
            DeviceError: There is no such camera, it may not be used, or another program has it.
            InputError: The file is no video.
        """
        capture = self._open_file(str(self.source)) if self._file else self._open_device()
        grabbed, first = capture.read()
        if not grabbed:
            capture.release()
            raise InputError(f"`{self.source}` holds no picture that can be read.") if self._file else _why(self.source)
        self._frames.put(LiveFrame(_rgb(first), time.monotonic()))
        self._reading = _Reading(capture, self._frames, self.source, loop_fps=self._fps if self._file else None)
        return first.shape[1], first.shape[0]

    def newest(self, after: int, timeout_s: float) -> tuple[int, LiveFrame] | None:
        """The newest frame; see `FrameSource`.

        Raises:
            DeviceError: The camera stopped giving frames: it was unplugged, or another program took it.
        """
        found = self._frames.get(after, timeout_s)
        if found is None and self._reading is not None and self._reading.error is not None:
            raise self._reading.error
        return found

    def close(self) -> None:
        """Stops the thread and gives the device back."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _open_device(self) -> Any:
        number = re.fullmatch(r"/dev/video(\d+)", os.path.realpath(str(self.source)))  # also of /dev/v4l/by-id/…
        with _quiet():
            capture = cv2.VideoCapture(int(number[1]) if number else self.source)
        if not capture.isOpened():
            raise _why(self.source)
        # Uncompressed 720p doesn't fit through USB 2 at 30 frames per second; JPEG does.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size_wh[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size_wh[1])
        capture.set(cv2.CAP_PROP_FPS, self._fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture

    def _open_file(self, path: str) -> Any:
        if not os.path.isfile(path):
            raise InputError(f"The camera must be a number, a device or a video file; there is no file `{path}`.")
        with _quiet():
            capture = cv2.VideoCapture(path)
        if not capture.isOpened():
            raise InputError(f"`{path}` is not a video that can be read.")
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._fps = rate if 1 <= rate <= 240 else self._fps
        return capture


class _Reading:
    """The thread that reads one opened device, and all that belongs to it.

    A driver may hang for ever. Its thread then keeps this device and its own signal to stop, and whoever opens the
    camera again gets another of each: two threads never read one device.

    Args:
        capture: The opened device or file.
        frames: Where its frames go.
        source: What messages call the camera.
        loop_fps: A file is played at this rate, again and again; None for a device.
    """

    def __init__(
        self, capture: Any, frames: LatestValue[LiveFrame], source: int | str, *, loop_fps: float | None
    ) -> None:
        self.capture = capture
        self.error: DeviceError | None = None
        self._frames, self._source, self._loop_fps = frames, source, loop_fps
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="camera")
        self._thread.start()

    def close(self) -> None:
        """Ends the thread, which gives the device back; a driver that hangs keeps it until it returns.

        To release a device in the middle of a read crashes.
        """
        self._stop.set()
        self._thread.join(timeout=SILENCE_S)

    def _run(self) -> None:
        try:
            self._read()
        finally:
            self.capture.release()

    def _read(self) -> None:
        last = due = time.monotonic()
        while not self._stop.is_set():
            if self._loop_fps is not None:
                due = max(due + 1 / self._loop_fps, time.monotonic() - 1 / self._loop_fps)
                self._stop.wait(max(0.0, due - time.monotonic()))
            if self.capture.grab():
                if self._stop.is_set():  # it hung in the meantime, and the next opening's frames are newer
                    return
                last = time.monotonic()
                decoded, picture = self.capture.retrieve()
                if decoded:
                    self._frames.put(LiveFrame(_rgb(picture), last))
            elif self._loop_fps is not None:
                self.capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            elif time.monotonic() - last > SILENCE_S:
                self.error = DeviceError(
                    f"The camera {self._source} stopped delivering frames; it was unplugged, or another program took "
                    "it: plug it in again, or choose another with `source`."
                )
                return
            else:
                self._stop.wait(0.05)


def _rgb(picture: Any) -> Frame:
    frame: Frame = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return frame


class _quiet:
    """OpenCV's own warnings about a missing camera are silenced: we say it in one sentence."""

    def __enter__(self) -> None:
        self._level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

    def __exit__(self, *_: object) -> None:
        cv2.utils.logging.setLogLevel(self._level)


def cameras(folder: Path = Path("/dev"), sysfs: Path = Path("/sys/class/video4linux")) -> dict[str, str]:
    """The cameras that Linux lists: device -> name. Elsewhere the system doesn't tell; then empty."""
    found = {}
    for device in sorted(folder.glob("video[0-9]*"), key=lambda path: int(path.name[5:])):
        entry = sysfs / device.name
        try:
            # A webcam has a second node for its metadata, which has no picture: index 1.
            if (entry / "index").read_text().strip() != "0":
                continue
            found[str(device)] = (entry / "name").read_text().strip()
        except OSError:
            found[str(device)] = ""
    return found


def _why(source: int | str) -> DeviceError:
    """What keeps us from this camera, and how to get it."""
    if sys.platform == "darwin":
        return DeviceError(
            f"The camera {source} can't be opened; allow your terminal in System Settings > Privacy & Security > "
            "Camera, quit other programs that use it, or choose another with `source 1`."
        )
    if sys.platform == "win32":
        return DeviceError(
            f"The camera {source} can't be opened; allow desktop apps in Settings > Privacy & security > Camera, "
            "quit other programs that use it, or choose another with `source 1`."
        )
    return _why_on_linux(Path(f"/dev/video{source}" if isinstance(source, int) else source))


def _why_on_linux(device: Path) -> DeviceError:
    if not device.exists():
        others = ", ".join(
            f"`{path}` ({name})" if name else f"`{path}`" for path, name in cameras(device.parent).items()
        )
        found = f"there are {others}: choose one with `source`" if others else (
            "no camera is connected: plug one in (a container needs `--device /dev/video0`), "
            "or give a video file with `source clip.mp4`"
        )  # fmt: skip
        return DeviceError(f"There is no camera `{device}`; {found}.")
    try:
        os.close(os.open(device, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            return DeviceError(
                f"You may not use the camera `{device}`; run `sudo usermod -aG video $USER`, then log out and in again."
            )
        if error.errno != errno.EBUSY:
            return DeviceError(f"The camera `{device}` can't be opened: {error.strerror}; plug it in again.")
    return DeviceError(
        f"The camera `{device}` gives no picture; another program has it (`fuser -v {device}` names it: quit that), "
        "or it is no camera: choose another with `source`."
    )
