"""Pictures as a film: a folder of frames, and animated WebP, which FFmpeg doesn't read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from standout.errors import InputError
from standout.imaging.arrays import Frame
from standout.imaging.decode import SUFFIXES, read
from standout.video.pyav import av
from standout.video.reader import VideoInfo
from standout.video.timed_frame import Film, TimedFrame

#: Ticks per second: whole for every usual frame rate, and for milliseconds.
_TICKS = 90000
#: Of a folder of pictures, where nothing says it.
_FPS = Fraction(25)
#: Written by `frames=True` beside its pictures.
TIMES_FILE = "frames.ffconcat"


@dataclass(frozen=True)
class Pictures:
    """Pictures in their order.

    Attributes:
        count: How many pictures.
        read: The one of a number, uint8 RGB (H, W, 3), or RGBA (H, W, 4) where it can be seen through.
        lasts: Seconds that each is shown.
    """

    count: int
    read: Callable[[int], Frame]
    lasts: list[Fraction]


class PictureReader:
    """Pictures that are read like a video; see `video.source.Source`.

    Args:
        path: The path that messages name.
        pictures: What is shown, and how long.
        start_s: Seconds from which it is wanted.
        end_s: Seconds before which it is wanted.
        size_hw: (height, width) of the frames; that of the first if absent. All get it.

    Raises:
        InputError: The first picture can't be read.
    """

    container: Any = None
    decoder_note: str = ""
    film_index: int = 0
    timecode: str = ""

    def __init__(
        self,
        path: Path,
        pictures: Pictures,
        *,
        start_s: Fraction | None = None,
        end_s: Fraction | None = None,
        size_hw: tuple[int, int] | None = None,
    ) -> None:
        self.path, self.end_s = path, end_s
        self.notes: list[str] = []
        self._pictures, self._start = pictures, start_s or Fraction(0)
        first = _as_picture(pictures.read(0))
        self.film = Film(first, size_hw=size_hw)
        self.first = TimedFrame(self.film, first, 0, 1, Fraction(1))
        total = sum(pictures.lasts, Fraction(0))
        rate = (pictures.count / total).limit_denominator(1001) if total else _FPS
        length = max(Fraction(0), min(total, end_s or total) - self._start)
        height, width = self.film.signal.size_hw
        self.info = VideoInfo(
            path,
            width,
            height,
            rate,
            max(1, round(pictures.count * length / total)) if total else pictures.count,
            float(length),
            Fraction(1, _TICKS),
            self.film.tags,
            Fraction(1),
        )

    def items(self, others: tuple[int, ...] = ()) -> Iterator[TimedFrame]:  # noqa: ARG002 - a film's other streams
        """The frames; a picture that can't be read is left out and noted."""
        time = Fraction(0)
        for number in range(self._pictures.count):
            lasts = self._pictures.lasts[number]
            begin, time = time, time + lasts
            if begin < self._start or (self.end_s is not None and begin >= self.end_s):
                continue
            try:
                picture = _as_picture(self._pictures.read(number))
            except InputError as error:
                self.notes.append(f"a picture was left out: {str(error).rstrip('.')}")
                continue
            ticks = max(1, round(lasts * _TICKS))
            yield TimedFrame(self.film, picture, round(begin * _TICKS), ticks, Fraction(1, _TICKS))

    def close(self) -> None:
        """Nothing is held open."""

    def cancel(self) -> None:
        """Nothing is waited for."""


def _as_picture(frame: Frame) -> Any:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgba" if frame.shape[2] == 4 else "rgb24")


def picture_folder(folder: Path, fps: Fraction | None = None) -> Pictures:
    """The pictures of a folder, in the order of their names, numbers counted: 9 comes before 10.

    Args:
        folder: With pictures of any format that photos can have; `frames.ffconcat` says how long each is shown.
        fps: Frames per second, where nothing else says it.

    Raises:
        InputError: There is no picture in it.
    """
    paths = sorted((path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES), key=_counted)
    if not paths:
        raise InputError(f"The folder `{folder}` holds no pictures; give a video file or a folder of frames.")
    named = _durations(folder / TIMES_FILE) if fps is None else {}
    lasts = [named.get(path.name, 1 / (fps or _FPS)) for path in paths]
    return Pictures(len(paths), lambda number: _pixels(paths[number]), lasts)


def _pixels(path: Path) -> Frame:
    picture = read(path)
    if picture.alpha is None:
        return picture.frame
    return np.dstack([picture.frame, np.rint(picture.alpha * 255).astype(np.uint8)])


def _counted(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in parts if part]


def _durations(path: Path) -> dict[str, Fraction]:
    """What `frames.ffconcat` says; empty if it isn't there or says nothing that can be read."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found, name = {}, ""
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        if word == "file":
            name = rest.strip().strip("'")
        elif word == "duration" and name:
            try:
                found[name] = Fraction(rest.strip())
            except (ValueError, ZeroDivisionError):
                continue
    return {name: lasts for name, lasts in found.items() if lasts > 0}


def webp_pictures(path: Path) -> Pictures:
    """The pictures of a WebP, animated or not; a single one is shown for a frame.

    Raises:
        InputError: It can't be read.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        opened: Any = Image.open(path)
        count = int(getattr(opened, "n_frames", 1))
        lasts = []
        for number in range(count):
            opened.seek(number)
            opened.load()
            lasts.append(Fraction(int(opened.info.get("duration", 40)) or 100, 1000))
    except (OSError, UnidentifiedImageError, ValueError, EOFError) as error:
        raise InputError(f"`{path}` is not a WebP that can be read ({error}); it is broken or cut short.") from error

    def frame(number: int) -> Frame:
        opened.seek(number)
        return np.asarray(opened.convert("RGBA" if opened.has_transparency_data else "RGB"), np.uint8)

    return Pictures(count, frame, lasts)
