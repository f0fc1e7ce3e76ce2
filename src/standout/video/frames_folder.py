"""A film as a folder of PNG pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standout.errors import OutputError
from standout.imaging.files import Unfinished, sweep_temporary
from standout.video.pyav import av
from standout.video.timed_frame import TimedFrame

#: Deflating harder saves a few per cent and takes several times as long; FFmpeg's encoder with one filter for all rows
#: takes a third of OpenCV's time, which tries all of them.
_PNG_OPTIONS = {"compression_level": "1", "pred": "sub"}
#: Tells FFmpeg when each picture is shown: `ffmpeg -i FOLDER/frames.ffconcat …`.
TIMES_FILE = "frames.ffconcat"


class PictureWriter:
    """Writes frames into a folder, which gets its name only once it is complete.

    Args:
        folder: New or empty.
        start_s: Taken from every time.

    Raises:
        OutputError: The folder holds something, or its parent doesn't exist.
    """

    def __init__(self, folder: Path, start_s: Fraction | None = None) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"`--frames` wants a new or an empty folder; `{folder}` is not.")
        parent = folder.absolute().parent
        if not parent.is_dir():
            raise OutputError(f"There is no folder `{folder.parent}`; create it first.")
        self.target = folder
        self.notes: list[str] = []
        self.complete, self.wants_rgb = True, True
        self._times: list[tuple[str, Fraction, Fraction]] = []
        self._start = start_s or Fraction(0)
        sweep_temporary(parent)
        self._unfinished = Unfinished(folder, folder=True)
        self._partial = self._unfinished.path

    @property
    def wanted(self) -> tuple[int, ...]:
        """Pictures have no sound."""
        return ()

    def put(self, timed: TimedFrame, pixels: NDArray[np.uint8]) -> None:
        """A frame: uint8 RGB, RGBA or gray (H, W)."""
        name = f"{len(self._times) + 1:06d}.png"
        try:
            (self._partial / name).write_bytes(_png(pixels))
        except OSError as error:
            raise OutputError(f"`{self.target / name}` can't be written: {error.strerror}.") from error
        self._times.append((name, timed.time - self._start, timed.duration * timed.time_base))

    def put_packet(self, packet: Any) -> None:
        """Pictures have no sound."""

    def finish(self) -> None:
        """Writes the times and gives the folder its name."""
        lines = ["ffconcat version 1.0"]
        for index, (name, time, duration) in enumerate(self._times):
            lasts = self._times[index + 1][1] - time if index + 1 < len(self._times) else duration
            lines += [f"file {name}", f"duration {float(lasts):.6f}"]
        try:
            (self._partial / TIMES_FILE).write_text("\n".join(lines) + "\n", "utf-8")
            if self.target.exists():
                self.target.rmdir()
        except OSError as error:
            raise OutputError(f"`{self.target}` can't be written: {error.strerror}.") from error
        self._unfinished.place()

    def abandon(self) -> None:
        """Removes the partial folder."""
        self._unfinished.discard()


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """The file of uint8 RGB, RGBA or gray pixels."""
    layout = {2: "gray", 3: "rgb24"}[pixels.ndim] if pixels.shape[-1] != 4 or pixels.ndim == 2 else "rgba"
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = pixels.shape[1], pixels.shape[0], layout
    encoder.time_base, encoder.options, encoder.thread_count = Fraction(1), _PNG_OPTIONS, 1
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), layout)
    picture.pts = 0
    return b"".join(bytes(packet) for part in (picture, None) for packet in encoder.encode(part))
