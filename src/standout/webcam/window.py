"""A preview window, from the standard library's Tk, since the core's OpenCV has no windows of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import cv2

from standout.errors import DeviceError, StandoutError
from standout.imaging.arrays import Frame
from standout.webcam.terminal import KEYS

#: Width with which the window opens, pixels.
_WIDTH = 800


def has_display() -> bool:
    """Whether a window can be expected to open here."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


class Window:
    """Shows frames and takes hot keys; everything happens in the thread that calls `show`.

    Args:
        command: Called with the command of a key.

    Raises:
        DeviceError: No window can be opened: Tk isn't installed, or there is no display.
    """

    own_view = True

    def __init__(self, command: Callable[[str], str]) -> None:
        try:
            import tkinter

            from PIL import ImageTk

            self._root: Any = tkinter.Tk(className="standout")
        except (ImportError, RuntimeError) as error:
            raise DeviceError(_no_window(error)) from error
        except Exception as error:  # tkinter.TclError, which has no name where Tk is missing
            if type(error).__name__ != "TclError":
                raise
            raise DeviceError(_no_window(error)) from error
        self._command, self._photo_class = command, ImageTk.PhotoImage
        self._photo: Any = None
        self._closed = False
        self._root.title("Standout")
        self._label: Any = tkinter.Label(self._root, borderwidth=0, background="black")
        self._label.pack(fill="both", expand=True)
        self._root.protocol("WM_DELETE_WINDOW", lambda: self._tell("quit"))
        self._root.bind("<Key>", lambda event: self._tell(KEYS.get(event.char.lower(), "")))

    def show(self, frame: Frame) -> None:
        """Paints a frame, uint8 RGB (H, W, 3), as large as the window, and looks for keys."""
        from PIL import Image

        if self._closed:
            return
        height, width = frame.shape[:2]
        across, down = self._root.winfo_width(), self._root.winfo_height()
        if across <= 1:  # not yet on the screen
            across, down = _WIDTH, round(_WIDTH * height / width)
        scale = min(across / width, down / height)
        size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        picture = Image.fromarray(cv2.resize(frame, size_wh, interpolation=cv2.INTER_LINEAR))
        if self._photo is None or (self._photo.width(), self._photo.height()) != size_wh:
            self._photo = self._photo_class(picture)
            self._label.configure(image=self._photo)
        else:
            self._photo.paste(picture)
        self.wait()

    def wait(self) -> None:
        """Lets the window react; to be called some times a second while there is nothing to show."""
        if not self._closed:
            self._root.update()

    def watchers(self) -> int:
        """1, or 0 while the window is minimized."""
        return 0 if self._closed or self._root.state() == "iconic" else 1

    def close(self) -> None:
        """Closes the window."""
        if not self._closed:
            self._closed = True
            self._root.destroy()

    def _tell(self, command: str) -> None:
        if not command:
            return
        try:
            self._command(command)
        except StandoutError as error:
            self._root.title(f"Standout: {error}")


def _no_window(error: Exception) -> str:
    return (
        f"No window can be opened here ({' '.join(str(error).split()).rstrip('.')}); "
        "use `--preview browser`, or on Linux `sudo apt install python3-tk`."
    )
