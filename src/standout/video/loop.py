"""A video that plays over and over, for behind the people."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from standout.errors import InputError
from standout.imaging.arrays import Frame
from standout.video.reader import VideoReader
from standout.video.timed_frame import TimedFrame

#: Endings by which a background is recognized as a video.
SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv",
    ".gif",
)  # fmt: skip


class VideoLoop:
    """A video that plays from its beginning again when it ends.

    Args:
        path: The file.
        fit: Brings a frame to the size that is wanted; called once per frame.

    Raises:
        InputError: It is no video, or holds no picture.
    """

    def __init__(self, path: str | Path, fit: Callable[[Frame], Frame]) -> None:
        self._path, self._fit = path, fit
        self._offset = Fraction(0)
        self._begin()

    def _begin(self) -> None:
        self._reader = VideoReader(self._path)
        try:
            self._read_first()
        except BaseException:
            self._reader.close()
            raise

    def _read_first(self) -> None:
        self._shots = iter(self._reader)
        first = next(self._shots, None)
        if first is None:
            raise InputError(f"No frame of the background `{self._path}` can be decoded.")
        self._now, self._first = first, first.time
        self._picture = self._fit(first.frame)
        self._next: TimedFrame | None = next(self._shots, None)

    def at(self, time: Fraction) -> Frame:
        """The picture at this time (seconds, never going back); not to be written to."""
        while True:
            if self._next is None:
                length = self._now.time - self._first + max(1, self._now.duration) * self._now.time_base
                if time - self._offset < length:
                    return self._picture
                self._offset += length
                self._reader.close()
                self._begin()
            elif time - self._offset >= self._next.time - self._first:
                self._now, self._next = self._next, next(self._shots, None)
                self._picture = self._fit(self._now.frame)
            else:
                return self._picture

    def close(self) -> None:
        """Closes the file."""
        self._reader.close()
