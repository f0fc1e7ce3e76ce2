"""Reading video files: frames upright with their exact time; sound and subtitles as they lie in the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from standout.errors import InputError
from standout.imaging.arrays import Frame
from standout.video.color_tags import ColorTags
from standout.video.decoders import choose_decoder, transparent_decoder
from standout.video.pipe import Pipe, is_pipe
from standout.video.pyav import av
from standout.video.timed_frame import Film, TimedFrame, turn_of
from standout.video.timestamps import Clock, exact, rate_of, time_base_of
from standout.video.tracks import is_cover

#: A file that ends this much before the length that it names is cut short, seconds.
_MISSING_S = 0.25
#: Errors of a file in a row, without a packet in between, after which it is given up.
_MOST_ERRORS = 16


@dataclass(frozen=True)
class VideoInfo:
    """Metadata of a video file.

    Attributes:
        path: The file.
        width: The width of the upright picture, pixels.
        height: The height of the upright picture, pixels.
        rate: Average frames per second, exact.
        frames: How many there will be, if the file says it or it follows from duration and rate: an estimate.
        duration_s: Seconds of the part that is read, or None if the file doesn't say.
        time_base: Seconds per tick of the time stamps.
        color: The video's color tags.
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
    color: ColorTags
    pixel_aspect: Fraction
    losses: tuple[str, ...] = ()


class VideoReader:
    """An open video file; iterate it once.

    Args:
        path: The file.
        start_s: Seconds from the beginning of the file from which frames are wanted.
        end_s: Seconds before which frames are wanted.
        size_hw: (height, width) of the frames; the file's own if absent.
        decoder: The decoder, as in `decoders.DECODERS`.

    Attributes:
        info: The file's metadata.
        film: What all of its frames have in common.
        first: The first frame, for what only frames tell; its time means nothing.
        notes: What couldn't be read, a sentence each; filled while it is read.
        decoder_note: What there is to say of the decoder; usually empty.
        film_index: The number of the film among the file's streams.
        timecode: The film's first, as `01:02:03:04`; "" without.

    Raises:
        InputError: There is no such file, it is no video, or it holds no picture.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        start_s: Fraction | None = None,
        end_s: Fraction | None = None,
        size_hw: tuple[int, int] | None = None,
        decoder: str = "software",
    ) -> None:
        self.path, self.end_s = Path(path), end_s
        self.notes: list[str] = []
        _check(self.path)
        self._pipe = Pipe(path) if is_pipe(path) else None
        accelerator, self.decoder_note = choose_decoder(str(path), decoder)
        with self._pipe.told_of_ctrl_c() if self._pipe else nullcontext():
            self.container, self.stream = _open(self.path, accelerator, self._pipe)
        self.stream.thread_type = "AUTO"
        self._transparent = transparent_decoder(self.stream)
        self.film_index: int = self.stream.index
        self.timecode: str = self.stream.metadata.get("timecode", "")
        self._clock = Clock(self.container, self.stream, start_s, end_s)
        try:
            self._kept: list[tuple[Any, list[Any]]] = []
            first = self._peek() if self._pipe else _first_picture(self.path)
            self._size = f"{first.width}x{first.height}"
            self.film = Film(first, turn_of(first), size_hw)
            self.first = TimedFrame(self.film, first, 0, 1, Fraction(1))
            self.info = self._info(first)
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
        if self._pipe:
            self._pipe.close()

    def cancel(self) -> None:
        """Ends the waiting for a pipe that says nothing, from another thread; what is read then ends."""
        if self._pipe:
            self._pipe.cancel()

    def __iter__(self) -> Iterator[TimedFrame]:
        """The frames alone."""
        for item in self.items(()):
            if isinstance(item, TimedFrame):
                yield item

    def items(self, others: tuple[int, ...]) -> Iterator[TimedFrame | Any]:
        """Frames and, in between, the packets of the streams with these numbers, in the order of the file.

        Packets have their time stamps from the beginning of the file, like frames. A file that is cut short ends where
        it can no longer be read; `notes` then says so.

        Raises:
            InputError: Not a single frame can be decoded.
        """
        clock, count = self._clock, 0
        if not self._pipe:
            clock.seek()
        for packet, decoded in self._read():
            clock.watch(packet)
            if packet.stream.index != self.stream.index:
                if packet.stream.index in others and clock.shift(packet):
                    yield packet
            elif not clock.over:
                for timed in self._frames(decoded):
                    count += 1
                    yield timed
            if clock.all_read:
                return
        self._judge_end(count)

    def _judge_end(self, count: int) -> None:
        """Says whether all of the file was there."""
        if self._broken:
            if not count:
                raise InputError(f"`{self.path}` can't be decoded ({self._broken}); it is broken or cut short.")
            self._note(f"`{self.path}` is cut short or broken: it ends after {count} frames ({self._broken})")
            return
        missing = self._clock.missing_s
        if missing > _MISSING_S:
            self._note(f"`{self.path}` is cut short: {missing:.1f} s are missing at its end")

    def _peek(self) -> Any:
        """The first frame of what can be read only once: what is read on the way is kept."""
        for packet in self._packets():
            pictures = self._decoded(packet) if packet.stream.index == self.stream.index else []
            self._kept.append((packet, pictures))
            if pictures:
                return pictures[0]
        raise InputError("No frame of standard input can be decoded; it is empty, broken or cut short.")

    def _packets(self) -> Iterator[Any]:
        """All packets; what can't be read in between is left out, until nothing more comes."""
        self._broken, errors = "", 0
        while True:
            try:
                with self._pipe.told_of_ctrl_c() if self._pipe else nullcontext():
                    for packet in self.container.demux():
                        errors = 0
                        yield packet
                return
            except av.FFmpegError as error:
                errors += 1
                if errors >= _MOST_ERRORS or isinstance(error, EOFError):
                    self._broken = error.strerror or str(error)
                    return
                self._note(f"a part of `{self.path}` can't be read and was left out ({error.strerror})")

    def _read(self) -> Iterator[tuple[Any, list[Any]]]:
        """All packets, with the pictures in them."""
        yield from self._kept
        self._kept = []
        for packet in self._packets():
            wanted = packet.stream.index == self.stream.index and not self._clock.over
            yield packet, self._decoded(packet) if wanted else []

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            return self._transparent.decode(packet) if self._transparent else list(packet.decode())
        except (av.FFmpegError, ValueError, NotImplementedError):  # one damaged packet doesn't end a film
            self._note(f"some frames of `{self.path}` are broken and were left out")
            return []

    def _frames(self, pictures: list[Any]) -> Iterator[TimedFrame]:
        for picture in pictures:
            self._watch_size(picture)
            pts, duration = self._clock.stamp(picture)
            base = time_base_of(self.stream)
            if self._clock.inside(pts * base):
                if picture.is_corrupt:
                    self._note(f"some frames of `{self.path}` are damaged")
                yield TimedFrame(self.film, picture, pts, duration, base)

    def _watch_size(self, picture: Any) -> None:
        size = f"{picture.width}x{picture.height}"
        if size != self._size:
            begin, self._size = self._size, size
            self._note(
                f"`{self.path}` changes its size from {begin} to {size}; all of it was scaled to the size in which it "
                "begins, `size` chooses another"
            )

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _info(self, first: Any) -> VideoInfo:
        stream, film = self.stream, self.film
        aspect = stream.sample_aspect_ratio or Fraction(1)
        # What the file's pixels are in shape, those of another size are too, where the proportions are kept.
        aspect = 1 / aspect if film.turn[1] else aspect
        rate, seconds = rate_of(stream), self._clock.length_s
        frames = stream.frames if self._clock.whole else 0
        if not frames and seconds is not None:
            frames = max(1, round(seconds * rate))
        return VideoInfo(
            self.path,
            film.signal.size_hw[1],
            film.signal.size_hw[0],
            rate,
            frames or None,
            seconds,
            time_base_of(stream),
            film.tags,
            aspect,
            _losses(first, film),
        )


def read_frames(
    path: str | Path, *, start_s: float = 0, end_s: float | None = None, size_hw: tuple[int, int] | None = None
) -> Iterator[Frame]:
    """The frames of a video file, upright, one after another; in constant memory.

        >>> for frame in standout.read_frames("in.mp4"): ...  # doctest: +SKIP

    Args:
        path: The file.
        start_s: Seconds from which frames are wanted.
        end_s: Seconds before which frames are wanted.
        size_hw: (height, width) of the frames; the file's own if absent.

    Yields:
        uint8 RGB (H, W, 3). For exact times, iterate `standout.video.reader.VideoReader`.

    Raises:
        InputError: There is no such file, it is no video, or it holds no picture.
    """
    start = exact(start_s) if start_s else None
    end = None if end_s is None else exact(end_s)
    with VideoReader(path, start_s=start, end_s=end, size_hw=size_hw) as reader:
        for timed in reader:
            yield timed.frame


def _check(path: Path) -> None:
    if str(path) == "-":
        return
    if not path.exists():
        raise InputError(f"There is no file `{path}`.")
    if path.is_dir():
        raise InputError(f"Expected a video file; received the folder `{path}`.")


def _open(path: Path, accelerator: Any = None, pipe: Pipe | None = None) -> tuple[Any, Any]:
    """The container and its first film, covers aside."""
    place: Any = pipe or str(path)
    try:
        container = av.open(place, hwaccel=accelerator) if accelerator else av.open(place)
    except (av.FFmpegError, OSError) as error:
        raise InputError(
            f"`{path}` is not a video that can be read ({error.strerror}); it is of another kind, broken or cut short."
        ) from error
    for stream in container.streams.video:
        if not is_cover(stream):
            return container, stream
    container.close()
    raise InputError(f"`{path}` holds no video stream; give a file with moving pictures.")


def _first_picture(path: Path) -> Any:
    """The first frame, for what only frames tell: size, colors and display matrix. Looks at the file by itself, since
    after seeking back to the beginning the first packets of the sound would be missing."""
    container, stream = _open(path)
    with container:
        errors = 0
        while errors < _MOST_ERRORS:
            try:
                return next(_decode(container, stream))
            except StopIteration:
                break
            except av.FFmpegError:  # a damaged beginning
                errors += 1
    raise InputError(f"No frame of `{path}` can be decoded; it is empty, broken or cut short.")


def _decode(container: Any, stream: Any) -> Iterator[Any]:
    decoder = transparent_decoder(stream)
    if decoder is None:
        yield from container.decode(stream)
        return
    for packet in container.demux(stream):
        yield from decoder.decode(packet if packet.size else None)


def _losses(picture: Any, film: Film) -> tuple[str, ...]:
    told = {
        "the source is interlaced and was taken line by line; deinterlace it first": picture.interlaced_frame,
        f"the source's primaries (H.273: {film.tags.primaries}) are taken for those of sRGB": film.tags.is_guess,
        "the source's Dolby Vision layer was left out": picture.side_data.get("DOVI_METADATA") is not None,
    }
    return tuple(text for text, true in told.items() if true)
