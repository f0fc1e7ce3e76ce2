"""Writing video files: the same time stamps, color tags, sound and subtitles as the source; opaque or transparent."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from standout.errors import OutputError
from standout.hardware import hardware_threads
from standout.imaging.files import Unfinished, sweep_temporary
from standout.video.animation import ANIMATED, muxer_options, plays_of, set_length
from standout.video.codecs import Container, container_of
from standout.video.encoders import Encoder
from standout.video.hdr_metadata import x265_parameters
from standout.video.pyav import av
from standout.video.rgb_picture import rgb_picture
from standout.video.scheduling import keep_scheduling
from standout.video.signal import Signal
from standout.video.source import Source
from standout.video.tags import chapters_of, copy_tags, missing_tags
from standout.video.timed_frame import TimedFrame
from standout.video.tracks import Track, add_track, shifted


class Sink(Protocol):
    """Where frames and the source's other packets go.

    Attributes:
        notes: What is not as in the source, a sentence each.
        complete: Nothing of the source's other streams was damaged.
        wants_rgb: Frames come as arrays, uint8 sRGB (H, W, 3 or 4) or gray (H, W); else as PyAV's, in the film's own
            colors.
    """

    notes: list[str]
    complete: bool
    wants_rgb: bool

    @property
    def wanted(self) -> tuple[int, ...]: ...
    def put(self, timed: TimedFrame, picture: Any) -> None: ...
    def put_packet(self, packet: Any) -> None: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...


class VideoWriter:
    """Writes frames and packets to one file; under its final name only once it is complete.

    Args:
        target: The file; its ending chooses the container.
        reader: The source, for its streams and tags.
        encoder: How the frames are encoded.
        signal: The color signal of the frames that come; the source's if absent.
        suffix: Chooses the container instead of the target's ending; for `-`, standard output.
        start_s: Taken from every time stamp.
        rate: Frames per second of a video whose rate was changed; else the source's time stamps are kept.

    Raises:
        ConfigError: No such container.
        OutputError: The file can't be written there, or the container refuses what goes into it.
    """

    def __init__(
        self,
        target: Path,
        reader: Source,
        encoder: Encoder,
        *,
        signal: Signal | None = None,
        suffix: str = "",
        start_s: Fraction | None = None,
        rate: Fraction | None = None,
    ) -> None:
        self._is_pipe = str(target) == "-"
        suffix = suffix or target.suffix.lower()
        self.target = target
        self.notes: list[str] = [encoder.note] if encoder.note else []
        self.complete = True
        self.wants_rgb = encoder.pixels in ("rgba", "bgra", "pal8")
        self._encoder, self._start = encoder, start_s or Fraction(0)
        self._held: Any = None
        self._first: int | None = None
        self._suffix = suffix
        self._reader = reader
        self._signal = signal or reader.film.signal
        self._chapters: list[Any] = []
        self._durations: dict[int, int] = {}
        self._tracks: dict[int, Track] = {}
        container = container_of(suffix)
        self._unfinished: Unfinished | None = None
        if not self._is_pipe:
            sweep_temporary(target.absolute().parent)
            self._unfinished = Unfinished(target, suffix=f".part{suffix}")
        try:
            place = str(self._unfinished.path) if self._unfinished else sys.stdout.buffer
            self._out = av.open(place, "w", format=container.format, options=_muxing(suffix, rate, reader))
        except (av.FFmpegError, OSError) as error:
            if self._unfinished:
                self._unfinished.discard()
            raise OutputError(f"`{target}` can't be written: {error.strerror}.") from error
        try:
            with self._told(), keep_scheduling():
                self._add_film(reader, rate, suffix)
                if reader.container is not None:
                    self._add_rest(reader, container, suffix)
                self._out.start_encoding()  # an encoder or a container that refuses does so here
        except BaseException:
            self.abandon()
            raise

    @property
    def wanted(self) -> tuple[int, ...]:
        """Numbers of the source's streams that are wanted as packets."""
        return tuple(self._tracks)

    def _add_film(self, reader: Source, rate: Fraction | None, suffix: str) -> None:
        info, encoder = reader.info, self._encoder
        options = dict(encoder.options)
        if encoder.name == "libx265" and self._signal.tags.is_hdr:
            options["x265-params"] += x265_parameters(reader.film, reader.first)
        film: Any = self._out.add_stream(encoder.name, rate=rate or info.rate, options=options)
        context = film.codec_context
        context.width, context.height, context.pix_fmt = info.width, info.height, encoder.pixels
        context.time_base = film.time_base = 1 / rate if rate else info.time_base
        timecode = reader.timecode if suffix in (".mov", ".mp4", ".mkv") and not self._start else ""
        if timecode:
            film.metadata["timecode"] = timecode
        context.thread_count = hardware_threads()
        if encoder.tag:
            context.codec_tag = encoder.tag
        if info.pixel_aspect != 1:
            context.sample_aspect_ratio = info.pixel_aspect
        self._tags = encoder.tags(self._signal.tags)
        if self.wants_rgb:  # PNG is sRGB
            context.color_primaries, context.color_trc = 1, 13
        else:
            context.colorspace, context.color_range = self._tags.matrix, self._tags.range
            context.color_primaries, context.color_trc = self._tags.primaries, self._tags.transfer
        self._film = film

    def _add_rest(self, reader: Source, container: Container, suffix: str) -> None:
        """Tags, chapters, sound, subtitles, covers and attachments."""
        for stream in reader.container.streams:
            if stream.index == reader.film_index:
                continue
            track, note = add_track(self._out, stream, container, suffix, reader.path)
            if note and note not in self.notes:
                self.notes.append(note)
            if track is not None:
                self._tracks[stream.index] = track
        if not container.silent:
            copy_tags(reader.container, self._out)
            self._chapters = chapters_of(reader.container, self._start, reader.end_s)
            if self._chapters:
                self._out.set_chapters(self._chapters)

    def put_packet(self, packet: Any) -> None:
        """A packet of the source's sound or subtitles."""
        track = self._tracks[packet.stream.index]
        with self._told():
            try:
                self._mux(track.packets(shifted(packet, self._start)))
            except av.error.InvalidDataError:  # one damaged packet doesn't end a film
                self._damaged(track.kind)
            if track.damaged:
                self._damaged(track.kind)

    def _damaged(self, kind: str) -> None:
        note = f"some {kind} of `{self._reader.path}` is damaged and was left out"
        self.complete = False
        if note not in self.notes:
            self.notes.append(note)

    def put(self, timed: TimedFrame, picture: Any) -> None:
        """A frame at the time of `timed`: PyAV's in the film's own colors, or uint8 RGBA if `wants_rgb`."""
        picture = self._converted(picture)
        picture.pts = timed.pts - round(self._start / timed.time_base)
        picture.time_base, picture.duration = timed.time_base, timed.duration
        self._first = picture.pts if self._first is None else self._first
        with self._told():
            if self._held is not None:
                # The file's own durations are guesses where the rate varies; the next time stamp is not.
                self._held.duration = max(1, picture.pts - self._held.pts)
                self._encode(self._held)
        self._held = picture

    def _converted(self, picture: Any) -> Any:
        """In the encoder's pixel format, matrix and range."""
        if self.wants_rgb:
            return rgb_picture(picture, self._encoder.pixels)
        signal, tags = self._signal, self._tags
        matrix, extent = tags.working(signal.size_hw[0])
        matrix = matrix if tags.matrix != signal.tags.matrix else signal.matrix
        if (picture.format.name, signal.matrix, signal.range) != (self._encoder.pixels, matrix, extent):
            picture = picture.reformat(
                format=self._encoder.pixels,
                src_colorspace=signal.matrix,
                src_color_range=signal.range,
                dst_colorspace=matrix,
                dst_color_range=extent,
            )
        tags.put_on(picture)
        return picture

    def _encode(self, picture: Any) -> None:
        if picture is not None:
            self._durations[picture.pts] = picture.duration
        packets = []
        for packet in self._film.encode(picture):
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            packets.append(packet)
        self._mux(packets)

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            self._out.mux(packet)

    def finish(self) -> None:
        """Completes the file and gives it its name.

        Raises:
            OutputError: The disk is full, or the like.
        """
        with self._told():
            length, last = self._length()
            if self._held is not None:
                self._encode(self._held)
                self._held = None
            self._encode(None)
            for track in self._tracks.values():
                self._mux(track.rest())
            self._out.close()
            if self._unfinished is None:
                sys.stdout.buffer.flush()
                return
            set_length(self._unfinished.path, self._suffix, length, last)
            if self._reader.container is not None:
                self.notes += missing_tags(self._reader.container, self._chapters, self._unfinished.path)
        self._unfinished.place()

    def _length(self) -> tuple[Fraction, Fraction]:
        """Seconds from the first frame to the end of the last, and of the last alone."""
        last = self._held
        if last is None or self._first is None:
            return Fraction(0), Fraction(0)
        return (last.pts + last.duration - self._first) * last.time_base, last.duration * last.time_base

    def abandon(self) -> None:
        """Closes and removes the partial file."""
        with contextlib.suppress(av.FFmpegError, ValueError):  # nothing was encoded yet; the file goes anyway
            self._out.close()
        if self._unfinished:
            self._unfinished.discard()

    @contextlib.contextmanager
    def _told(self) -> Any:
        """FFmpeg's errors as ours."""
        try:
            yield
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OutputError(f"`{self.target}` can't be written: {reason}.") from error


def _muxing(suffix: str, rate: Fraction | None, reader: Source) -> dict[str, str]:
    if suffix in ANIMATED:
        return muxer_options(suffix, plays_of(reader.path))
    if suffix not in (".mp4", ".mov"):
        return {}
    # A film that begins later than its sound does so by an edit list, in ticks of the whole file: milliseconds, if
    # nothing is said, which would round the time stamps.
    ticks = rate.numerator if rate else reader.info.time_base.denominator
    return {"movie_timescale": str(ticks)} if 1000 <= ticks < 1 << 31 else {}
