"""The virtual camera that Zoom, Meet and OBS can choose, through pyvirtualcam: an extra under the GPL, not bundled."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from standout.errors import DeviceError, MissingExtra
from standout.imaging.arrays import Frame

#: Seconds between two looks at who uses the device.
_LOOK_EVERY_S = 1.0

_LINUX_MODULE = (
    "run `sudo apt install v4l2loopback-dkms` and "
    '`sudo modprobe v4l2loopback exclusive_caps=1 card_label="Standout"`, once after each start of the computer'
)


class VirtualCamera:
    """A virtual camera; what is shown here is what other programs see.

    Args:
        size_wh: (width, height).
        fps: Frames per second that programs are told.
        device: The virtual camera's name (`/dev/video10`, `OBS Virtual Camera`); None takes the first there is.

    Raises:
        MissingExtra: pyvirtualcam isn't installed.
        DeviceError: There is no virtual camera, it may not be used, or another program sends to it.
    """

    own_view = False

    def __init__(self, size_wh: tuple[int, int], fps: float, device: str | None = None) -> None:
        try:
            import pyvirtualcam
        except ImportError:
            raise MissingExtra("The virtual camera", "webcam") from None
        try:
            self._camera: Any = pyvirtualcam.Camera(width=size_wh[0], height=size_wh[1], fps=fps, device=device)
        except RuntimeError as error:
            raise DeviceError(_why(str(error), device)) from error
        self.device: str = self._camera.device
        self._watching = _Readers(Path(self.device)) if self.device.startswith("/dev/") else None

    def show(self, frame: Frame) -> None:
        """Sends a frame, uint8 RGB (H, W, 3) of the camera's size.

        Raises:
            DeviceError: The virtual camera went away.
        """
        try:
            self._camera.send(frame)
        except (RuntimeError, OSError) as error:
            raise DeviceError(f"The virtual camera takes no more frames ({_one_line(str(error))}).") from error

    def wait(self) -> None:
        """Nothing to do: the still picture of a pause is sent by `show`."""

    def watchers(self) -> int | None:
        """How many other programs have the device open; None where the system doesn't tell (macOS, Windows)."""
        return None if self._watching is None else self._watching.count

    def close(self) -> None:
        """Gives the device back."""
        if self._watching is not None:
            self._watching.stop()
        self._camera.close()


class _Readers:
    """Counts the processes that hold a device open, in a thread, since a look takes some milliseconds."""

    def __init__(self, device: Path) -> None:
        self.count: int | None = count_readers(device)
        self._device, self._stop = device, threading.Event()
        threading.Thread(target=self._look, daemon=True, name="readers").start()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            self.count = count_readers(self._device)

    def stop(self) -> None:
        self._stop.set()


def count_readers(device: Path, proc: Path = Path("/proc")) -> int | None:
    """The number of other processes of this user that have `device` open; None if the system doesn't tell."""
    if not (proc / "self").exists():
        return None
    target, own, count = os.path.realpath(device), os.getpid(), 0
    for process in proc.iterdir():
        if not process.name.isdigit() or int(process.name) == own:
            continue
        count += _has_open(process / "fd", target)
    return count


def _has_open(descriptors: Path, target: str) -> bool:
    try:
        names = os.listdir(descriptors)
    except OSError:  # the process ended, or belongs to another user
        return False
    for name in names:
        try:
            if os.readlink(descriptors / name) == target:
                return True
        except OSError:  # closed meanwhile
            continue
    return False


def _why(reason: str, device: str | None) -> str:
    """One sentence that says what is missing, and how to get it."""
    low = reason.lower()
    if device is not None and sys.platform.startswith("linux") and not Path(device).exists():
        return f"There is no virtual camera `{device}`; leave out `device`, or {_LINUX_MODULE}."
    if "permission" in low or "eacces" in low:
        return "You may not write to the virtual camera; run `sudo usermod -aG video $USER`, then log out and in again."
    if "busy" in low or "already" in low or "in use" in low:
        return "Another program sends to the virtual camera; stop it (OBS: Stop Virtual Camera), then try again."
    if sys.platform.startswith("linux"):
        return f"There is no virtual camera; {_LINUX_MODULE} ({_one_line(reason)})."
    if sys.platform == "darwin":
        return (
            "There is no virtual camera; install OBS 30 or newer, click Start Virtual Camera in it once, allow it in "
            f"System Settings, then quit OBS ({_one_line(reason)})."
        )
    return f"There is no virtual camera; install OBS, or Unity Capture ({_one_line(reason)})."


def _one_line(reason: str) -> str:
    return " ".join(reason.split()).rstrip(".")
