"""`process_video`: decode, find people, steady, compose and encode at the same time, in constant memory."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from standout.errors import ConfigError, OutputError
from standout.imaging.arrays import Frame, resize
from standout.inference.alpha_stream import AlphaStream, CoarsePredictor, edge_levels
from standout.inference.video_alpha import load_for_video, threads_beside_others
from standout.video.background import Painter
from standout.video.codecs import container_of
from standout.video.encoders import opaque_encoder, transparent_encoder
from standout.video.frames_folder import PictureWriter
from standout.video.options import VideoOptions, fit_size
from standout.video.pipe import is_pipe
from standout.video.reader import VideoInfo
from standout.video.source import Source, open_source
from standout.video.stages import run_stream
from standout.video.timed_frame import TimedFrame
from standout.video.writer import Sink, VideoWriter

#: Frames that may wait between two stages; four stages of 4K frames then fit into half a gigabyte.
_DEPTH = 2
#: Longer side of the picture that network, motion and edges look at, at most, pixels; half the frame's where that is
#: less: the size of a film's chroma, so that alpha needn't be resized for it.
_GUIDE = 1280
#: Frames below this longer side are looked at as they are.
_SMALL = 512

#: Called with the number of frames done and what is known of the source.
Progress = Callable[[int, VideoInfo], None]


@dataclass(frozen=True)
class VideoResult:
    """Result of `process_video`.

    Attributes:
        target: The file or folder.
        frames: Their number.
        notes: What is not as in the source, or not as asked, a sentence each.
        model: The network's name.
        complete: Nothing is missing: no interruption, and a source that wasn't cut short.
        interrupted: It ended early by Ctrl-C, and the part that was done was kept.
    """

    target: Path
    frames: int
    notes: tuple[str, ...]
    model: str
    complete: bool = True
    interrupted: bool = False


def process_video(
    source: str | Path,
    target: str | Path,
    *,
    background: str | Path | Frame = "transparent",
    model: str | Path | CoarsePredictor | None = None,
    device: str | None = None,
    options: VideoOptions | None = None,
    progress: Progress | None = None,
) -> VideoResult:
    """Cuts the people out of a video.

        >>> standout.process_video("in.mp4", "out.webm")  # doctest: +SKIP
        >>> standout.process_video("in.mp4", "out.mp4", background="blur")  # doctest: +SKIP

    Time stamps, sound, subtitles and color tags are the source's; the file appears under its name only when complete.

    Args:
        source: A video file, an animated picture (WebP, GIF, APNG), a folder of pictures, or "-" for standard input.
        target: `.mp4`, `.mov`, `.mkv` or `.webm`; `.webp`, `.gif`, `.apng` or `.png` for an animated picture; `.nut` or
            `.y4m`, or "-" for standard output; a folder for `frames`.
        background: "transparent", a color, an image (or its pixels, uint8 RGB), a video (repeated), "blur" or
            "blur:RADIUS".
        model: From `standout.load`, or what it takes; by default the bundled "live".
        device: Where a model that is given by name runs, as in `standout.load`.
        options: Everything else.
        progress: Called after each frame; what it raises ends the run.

    Raises:
        InputError: The source is no video that can be read.
        ConfigError: The options don't go together, or the container can't hold what is asked for.
        OutputError: The target can't be written.
        ModelFileError: There is no such model.
    """
    options = options or VideoOptions()
    source, target = Path(source), Path(target)
    if source.exists() and target.exists() and source.samefile(target):
        raise OutputError(f"`{target}` is the source itself; give another name for the output.")
    with contextlib.closing(_open(source, options)) as reader:
        painter = Painter(background, reader.film, "matte" if options.matte else "people")
        try:
            predictor = load_for_video(model, device, threads=threads_beside_others())
            sink, rate = _sink(target, reader, painter, options)
            try:
                job = _Job(reader, predictor, painter, sink, options, rate, progress)
                interrupted = job.run()
            except BaseException:
                sink.abandon()
                raise
        finally:
            painter.close()
    complete = not interrupted and not reader.notes and sink.complete
    said = (reader.decoder_note,) if reader.decoder_note else ()
    notes = (*said, *reader.info.losses, *sink.notes, *reader.notes)
    return VideoResult(target, job.done, notes, predictor.name, complete, interrupted)


def _open(source: Path, options: VideoOptions) -> Source:
    part: dict[str, Any] = {
        "start_s": options.start,
        "end_s": options.end,
        "fps": options.rate,
        "decoder": options.decoder,
    }
    reader = open_source(source, **part)
    if not options.size:
        return reader
    size_hw = fit_size(options.size, reader.info.width, reader.info.height)
    if is_pipe(source):  # can't be opened again
        reader.film.resize(size_hw)
        reader.info = replace(reader.info, height=size_hw[0], width=size_hw[1])
        return reader
    reader.close()
    return open_source(source, size_hw=size_hw, **part)


def _sink(target: Path, reader: Source, painter: Painter, options: VideoOptions) -> tuple[Sink, Fraction | None]:
    """Where frames go, and the constant rate at which it wants them, if it does."""
    if options.frames:
        return PictureWriter(target, options.start), options.rate
    suffix, signal = target.suffix.lower(), painter.signal
    if str(target) == "-":
        suffix = "." + (options.pipe_format or ("nut" if painter.transparent else "y4m"))
    if painter.transparent:
        encoder = transparent_encoder(suffix, options.codec, options.encoding, deep=reader.film.deep)
    elif options.codec is not None:
        raise ConfigError("`codec` is for transparent video; leave it out with a background or the matte.")
    else:
        encoder = opaque_encoder(suffix, size_hw=signal.size_hw, bits=signal.bits, options=options.encoding)
    rate = options.rate or (reader.info.rate if container_of(suffix).constant_rate else None)
    writer = VideoWriter(target, reader, encoder, signal=signal, suffix=suffix, start_s=options.start, rate=rate)
    return writer, rate


def guide_size(height: int, width: int) -> tuple[int, int]:
    """(height, width) of the picture that network, motion and edges look at, for frames of this size.

    Example:
        >>> guide_size(720, 1280), guide_size(2160, 3840), guide_size(48, 64)
        ((360, 640), (720, 1280), (48, 64))
    """
    if max(height, width) < _SMALL:
        return height, width
    scale = min(0.5, _GUIDE / max(height, width))
    if scale == 0.5:
        return (height + 1) // 2, (width + 1) // 2
    return max(1, round(height * scale)), max(1, round(width * scale))


@contextlib.contextmanager
def _gentle_ctrl_c(wanted: bool) -> Iterator[threading.Event]:
    """Where it is wanted, the first Ctrl-C only sets the event; a second one interrupts.

    An interruption in the midst of an encoder's work would leave a frame half written, and nothing to keep.
    """
    pressed = threading.Event()
    # Handlers can be set by the main thread alone, where Ctrl-C arrives; a handler of the caller's stays.
    ours = wanted and threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield pressed
        return

    def press(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        pressed.set()

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class _Job:
    """One film on its way through the stages."""

    reader: Source
    predictor: CoarsePredictor
    painter: Painter
    sink: Sink
    options: VideoOptions
    rate: Fraction | None
    progress: Progress | None
    done: int = 0

    def run(self) -> bool:
        """Everything; whether it was interrupted and the part that was done was kept."""
        with _gentle_ctrl_c(self.options.keep_partial) as pressed:
            try:
                stages = (self._find, self._paint)
                run_stream(self._source(), stages, self._write, depth=_DEPTH, stop=pressed, cancel=self.reader.cancel)
            except KeyboardInterrupt:  # of `progress`, or of a caller with a handler of its own
                if not self.options.keep_partial or pressed.is_set():
                    raise
                pressed.set()
            if self.done:
                self.sink.finish()
        interrupted = pressed.is_set()
        if not self.done:
            if interrupted:
                raise KeyboardInterrupt
            raise ConfigError(
                f"No frame of `{self.reader.path}` lies between `start_s` and `end_s`; choose a part that it has."
            )
        return interrupted

    def _source(self) -> Iterator[Any]:
        items = self.reader.items(self.sink.wanted)
        if self.rate is None:
            return items
        # Who asked for a rate knows what becomes of the frames.
        changed = (lambda: None) if self.options.rate else self._say_rate
        return _at_rate(items, self.rate, changed)

    def _say_rate(self) -> None:
        note = f"the film's rate varies: frames were repeated or left out for {float(self.rate or 0):g} frames a second"
        if note not in self.sink.notes:
            self.sink.notes.append(note)

    def _find(self, items: Iterator[Any]) -> Iterator[Any]:
        """Frames become (frame, guide, alpha), later by the smoothing's lag; packets pass."""
        stream = AlphaStream(self.predictor, self.options.smoothing, lag=self.options.lag)
        guide_hw = guide_size(self.reader.info.height, self.reader.info.width)
        waiting: deque[tuple[TimedFrame, Frame]] = deque()
        for item in items:
            if not isinstance(item, TimedFrame):
                yield item
                continue
            waiting.append((item, item.small(guide_hw)))
            for alpha in stream.push(waiting[-1][1]):
                yield (*waiting.popleft(), alpha)
        for alpha in stream.flush():
            yield (*waiting.popleft(), alpha)

    def _paint(self, items: Iterator[Any]) -> Iterator[Any]:
        first: Fraction | None = None
        paint = self.painter.paint_rgb if self.sink.wants_rgb else self.painter.paint
        for item in items:
            if not isinstance(item, tuple):
                yield item
                continue
            timed, guide, alpha = item
            first = timed.time if first is None else first
            levels = edge_levels(alpha, guide)
            if timed.transparency is not None:  # what couldn't be seen before stays unseen
                full = resize(levels, timed.transparency.shape)
                levels = np.asarray(cv2.multiply(full, timed.transparency, scale=1 / 255), np.uint8)
            yield timed, paint(timed, levels, timed.time - first)

    def _write(self, item: Any) -> None:
        if not isinstance(item, tuple):
            self.sink.put_packet(item)
            return
        self.sink.put(*item)
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.reader.info)


def _at_rate(items: Iterator[Any], fps: Fraction, changed: Callable[[], None]) -> Iterator[Any]:
    """Frames at a constant rate: of each moment, the frame that was on the screen.

    Args:
        items: Frames and packets; packets pass.
        fps: Frames per second.
        changed: Called where a frame is repeated or left out.
    """
    tick = 1 / fps
    # Time stamps in milliseconds are off by half of one.
    slack = tick / 8
    count: int | None = None
    last: TimedFrame | None = None
    for item in items:
        if not isinstance(item, TimedFrame):
            yield item
            continue
        if count is None:
            count = round(item.time * fps)
        begin = count
        while last is not None and count * tick < item.time - slack:
            yield last.at(count, 1, tick)
            count += 1
        if last is not None and count - begin != 1:
            changed()
        last = item
    if last is not None and count is not None:
        end = last.time + last.duration * last.time_base
        while count * tick < end - tick / 2:
            yield last.at(count, 1, tick)
            count += 1
