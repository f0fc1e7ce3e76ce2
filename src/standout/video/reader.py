"""Reading video files: frames upright with their exact time; sound and subtitles as they lie in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from standout.errors import InputError
from standout.imaging.arrays import Frame, resize
from standout.video.color_tags import Colour
from standout.video.pyav import av
from standout.video.timestamps import Clock, exact, rate_of, time_base_of

#: FFmpeg's mark of a stream that is a cover picture, no film.
_COVER = 0x400
#: A file that ends this much before the length that it names is cut short, seconds.
_MISSING_S = 0.25


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself.

    Attributes:
        path: The file.
        width: Of the upright picture, pixels.
        height: Likewise.
        rate: Average frames per second, exact.
        frames: How many there will be, if the file says it or it follows from duration and rate: an estimate.
        duration_s: Seconds of the part that is read, or None if the file doesn't say.
        time_base: Seconds per tick of the time stamps.
        colour: Its tags.
        pixel_aspect: Width of a pixel / height, upright.
        losses: What a frame here doesn't have of the file's, a sentence each; usually empty.
    """

    path: Path
    width: int
    height: int
    rate: Fraction
    frames: int | None
    duration_s: float | None
    time_base: Fraction
    colour: Colour
    pixel_aspect: Fraction
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame with its time.

    Attributes:
        frame: uint8 RGB (H, W, 3), upright.
        pts: Time stamp in ticks of `time_base`; 0 is where the file begins.
        duration: Ticks that the file gives it.
        time_base: Seconds per tick.
    """

    frame: Frame
    pts: int
    duration: int
    time_base: Fraction

    @property
    def time(self) -> Fraction:
        """Seconds from the beginning of the file, exact."""
        return self.pts * self.time_base


class VideoReader:
    """An open video file; iterate it once.

    Args:
        path: The file.
        start_s: Seconds from the beginning of the file from which frames are wanted.
        end_s: Seconds before which frames are wanted.
        size: (height, width) of the frames; the file's own if absent.

    Raises:
        InputError: There is no such file, it is no video, or it holds no picture.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        start_s: Fraction | None = None,
        end_s: Fraction | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self.path = Path(path)
        self._size = size
        self.notes: list[str] = []
        self.container, self.stream = _open(self.path)
        self.stream.thread_type = "AUTO"
        self._clock = Clock(self.container, self.stream, start_s, end_s)
        try:
            self._first, self._turn = _look(self.path)
            self.info = self._info()
        except BaseException:
            self.container.close()
            raise

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self.container.close()

    def __iter__(self) -> Iterator[Shot]:
        """The frames alone."""
        for item in self.items(()):
            if isinstance(item, Shot):
                yield item

    def items(self, others: tuple[int, ...]) -> Iterator[Shot | Any]:
        """Frames and, in between, the packets of the streams with these numbers, in the order of the file.

        Packets have their time stamps from the beginning of the file, like shots. A file that is cut short ends where
        it can no longer be read; `notes` then says so.

        Raises:
            InputError: Not a single frame can be decoded.
        """
        clock, count = self._clock, 0
        clock.seek()
        try:
            for packet in self.container.demux():
                clock.watch(packet)
                if packet.stream.index != self.stream.index:
                    if packet.stream.index in others and clock.shift(packet):
                        yield packet
                elif not clock.over:
                    for shot in self._shots(packet):
                        count += 1
                        yield shot
                if clock.all_read:
                    return
        except av.FFmpegError as error:
            if not count:
                raise InputError(
                    f"`{self.path}` can't be decoded ({error.strerror}); it is broken or cut short."
                ) from error
            self._note(f"`{self.path}` is cut short or broken: it ends after {count} frames ({error.strerror})")
            return
        missing = clock.missing_s
        if missing > _MISSING_S:
            self._note(f"`{self.path}` is cut short: {missing:.1f} s are missing at its end")

    def _shots(self, packet: Any) -> Iterator[Shot]:
        try:
            pictures = packet.decode()
        except av.error.InvalidDataError:
            self._note(f"some frames of `{self.path}` are broken and were left out")
            return
        for picture in pictures:
            pts, duration = self._clock.stamp(picture)
            if self._clock.inside(pts * time_base_of(self.stream)):
                yield Shot(self._frame(picture), pts, duration, time_base_of(self.stream))

    def _frame(self, picture: Any) -> Frame:
        size = (self._first.width, self._first.height)
        if picture.format.is_rgb:
            picture = picture.reformat(*size, format="rgb24")
        else:
            matrix, extent = self.info.colour.working(size[1])
            picture = picture.reformat(*size, format="rgb24", src_colorspace=matrix, src_color_range=extent)
        frame = _upright(picture.to_ndarray(), self._turn)
        return frame if self._size is None else np.asarray(resize(frame, self._size), np.uint8)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _info(self) -> VideoInfo:
        stream, first = self.stream, self._first
        height, width, aspect = first.height, first.width, stream.sample_aspect_ratio or Fraction(1)
        if self._turn[1]:
            height, width, aspect = width, height, 1 / aspect
        if self._size:
            # What the file's pixels are in shape, the new ones are too, where the proportions are kept.
            height, width = self._size
        rate, seconds = rate_of(stream), self._clock.length_s
        frames = stream.frames if self._clock.whole else 0
        if not frames and seconds is not None:
            frames = max(1, round(seconds * rate))
        return VideoInfo(
            self.path,
            width,
            height,
            rate,
            frames or None,
            seconds,
            time_base_of(stream),
            Colour.of(first),
            aspect,
            _losses(first),
        )


def frames(
    path: str | Path, *, start_s: float = 0, end_s: float | None = None, size: tuple[int, int] | None = None
) -> Iterator[Frame]:
    """The frames of a video file, upright, one after another; in constant memory.

        >>> for frame in standout.frames("in.mp4"): ...  # doctest: +SKIP

    Args:
        path: The file.
        start_s: Seconds from which frames are wanted.
        end_s: Seconds before which frames are wanted.
        size: (height, width) of the frames; the file's own if absent.

    Yields:
        uint8 RGB (H, W, 3). For exact times, iterate `standout.video.reader.VideoReader`.

    Raises:
        InputError: There is no such file, it is no video, or it holds no picture.
    """
    start = exact(start_s) if start_s else None
    end = None if end_s is None else exact(end_s)
    with VideoReader(path, start_s=start, end_s=end, size=size) as reader:
        for shot in reader:
            yield shot.frame


def _open(path: Path) -> tuple[Any, Any]:
    """The container and its first film, covers aside."""
    if not path.exists():
        raise InputError(f"There is no file `{path}`.")
    if path.is_dir():
        raise InputError(f"A video file is wanted; received the folder `{path}`.")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise InputError(
            f"`{path}` is not a video that can be read ({error.strerror}); it is of another kind, broken or cut short."
        ) from error
    for stream in container.streams.video:
        if not int(stream.disposition) & _COVER:
            return container, stream
    container.close()
    raise InputError(f"`{path}` holds no video stream; give a file with moving pictures.")


def _look(path: Path) -> tuple[Any, tuple[int, int, int, int]]:
    """The first frame, for what only frames tell: size and display matrix. Looks at the file by itself, since after
    seeking back to the beginning the first packets of the sound would be missing."""
    container, stream = _open(path)
    with container:
        try:
            picture = next(container.decode(stream))
        except (av.FFmpegError, StopIteration):
            raise InputError(f"No frame of `{path}` can be decoded; it is empty, broken or cut short.") from None
        data = picture.side_data.get("DISPLAYMATRIX")
        matrix = np.frombuffer(bytes(data), np.int32) / 65536 if data is not None else np.array([1, 0, 0, 0, 1])
        # Turns that aren't a multiple of 90 degrees go to the nearest one, as in every player.
        a, b, c, d = (round(float(matrix[i])) for i in (0, 1, 3, 4))
        return picture, (a, b, c, d) if a * d - b * c else (1, 0, 0, 1)


def _losses(picture: Any) -> tuple[str, ...]:
    parts = picture.format.components
    bits = max(part.bits for part in parts)
    told = {
        f"the source has {bits} bits per colour and the output 8": bits > 8,
        "the source's own transparency was left out": any(part.is_alpha for part in parts) and len(parts) > 1,
        "the source is interlaced and was taken line by line; deinterlace it first": picture.interlaced_frame,
    }
    return tuple(text for text, true in told.items() if true)


def _upright(frame: Any, turn: tuple[int, int, int, int]) -> Frame:
    """Applies the display matrix's (a, b, c, d): x' = a·x + c·y, y' = b·x + d·y."""
    a, b, c, d = turn
    across, down = a, d
    if b:
        frame = cv2.transpose(frame)
        across, down = c, b
    if across < 0:
        frame = cv2.flip(frame, 1)
    if down < 0:
        frame = cv2.flip(frame, 0)
    return np.ascontiguousarray(frame, np.uint8)
