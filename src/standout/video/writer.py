"""Writing video files: the same time stamps, colour tags, sound and subtitles as the source; opaque or transparent."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import OutputError
from standout.hardware import hardware_threads
from standout.imaging.files import temporary_path
from standout.video.codecs import Encoder, container_of
from standout.video.pyav import av
from standout.video.reader import Shot, VideoReader
from standout.video.tracks import Track, add_track, shifted


class Sink(Protocol):
    """Where frames and the source's other packets go."""

    notes: list[str]

    @property
    def wanted(self) -> tuple[int, ...]: ...
    def put(self, shot: Shot, pixels: NDArray[np.uint8]) -> None: ...
    def put_packet(self, packet: Any) -> None: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...


class VideoWriter:
    """Writes shots and packets to one file; under its final name only once it is complete.

    Args:
        target: The file; its ending chooses the container.
        reader: The source, for its streams and tags.
        encoder: Of the frames; with an `a` in its pixel format they come as RGBA.
        start_s: Taken from every time stamp.
        rate: Frames per second of a video whose rate was changed; else the source's time stamps are kept.

    Raises:
        ConfigError: No such container.
        OutputError: The file can't be written there, or the container refuses what goes into it.
    """

    def __init__(
        self,
        target: Path,
        reader: VideoReader,
        encoder: Encoder,
        *,
        start_s: Fraction | None = None,
        rate: Fraction | None = None,
    ) -> None:
        suffix = target.suffix.lower()
        self.target = target
        self.notes: list[str] = [encoder.note] if encoder.note else []
        self._encoder, self._start = encoder, start_s or Fraction(0)
        self._held: Any = None
        self._durations: dict[int, int] = {}
        self._tracks: dict[int, Track] = {}
        self._partial = temporary_path(target, suffix=f".part{suffix}")
        if target.is_dir():
            raise OutputError(f"The output `{target}` is a folder; give the name of a file.")
        if not target.absolute().parent.is_dir():
            raise OutputError(f"There is no folder `{target.parent}`; create it first.")
        container = container_of(suffix)
        try:
            self._out = av.open(str(self._partial), "w", options=_muxing(suffix, rate, reader))
        except (av.FFmpegError, OSError) as error:
            raise OutputError(f"`{target}` can't be written: {error.strerror}.") from error
        try:
            with self._told():
                self._add_film(reader, rate)
                for stream in reader.container.streams:
                    track, note = add_track(self._out, stream, container, suffix)
                    self.notes += [note] if note else []
                    if track is not None:
                        self._tracks[stream.index] = track
                self._out.start_encoding()  # an encoder or a container that refuses does so here
        except BaseException:
            self.abandon()
            raise

    @property
    def wanted(self) -> tuple[int, ...]:
        """Numbers of the source's streams that are wanted as packets."""
        return tuple(self._tracks)

    def _add_film(self, reader: VideoReader, rate: Fraction | None) -> None:
        info, encoder = reader.info, self._encoder
        film: Any = self._out.add_stream(encoder.name, rate=rate or info.rate, options=encoder.options)
        context = film.codec_context
        context.width, context.height, context.pix_fmt = info.width, info.height, encoder.pixels
        context.time_base = film.time_base = 1 / rate if rate else info.time_base
        context.thread_count = hardware_threads()
        if info.pixel_aspect != 1:
            context.sample_aspect_ratio = info.pixel_aspect
        tags = info.colour.written()
        if encoder.pixels != "rgba":
            context.colorspace, context.color_range = tags.matrix, tags.range
        context.color_primaries, context.color_trc = tags.primaries, tags.transfer
        for key in ("title", "creation_time"):
            if key in reader.container.metadata:
                self._out.metadata[key] = reader.container.metadata[key]
        self._film, self._working = film, tags.working(info.height)

    def put_packet(self, packet: Any) -> None:
        """A packet of the source's sound or subtitles."""
        track = self._tracks[packet.stream.index]
        with self._told():
            self._mux(track.packets(shifted(packet, self._start)))

    def put(self, shot: Shot, pixels: NDArray[np.uint8]) -> None:
        """A frame: `pixels` is uint8 RGB, RGBA if transparent, or grey (H, W), at the time of `shot`."""
        picture = self._picture(pixels)
        picture.pts = shot.pts - round(self._start / shot.time_base)
        picture.time_base, picture.duration = shot.time_base, shot.duration
        with self._told():
            if self._held is not None:
                # The file's own durations are guesses where the rate varies; the next time stamp is not.
                self._held.duration = max(1, picture.pts - self._held.pts)
                self._encode(self._held)
        self._held = picture

    def _picture(self, pixels: NDArray[np.uint8]) -> Any:
        if pixels.ndim == 2:
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
        layout = "rgba" if pixels.shape[2] == 4 else "rgb24"
        picture: Any = av.VideoFrame.from_ndarray(pixels, layout)
        if layout == self._encoder.pixels:
            return picture
        matrix, extent = self._working
        return picture.reformat(format=self._encoder.pixels, dst_colorspace=matrix, dst_color_range=extent)

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
            if self._held is not None:
                self._encode(self._held)
                self._held = None
            self._encode(None)
            for track in self._tracks.values():
                self._mux(track.rest())
            self._out.close()
            os.replace(self._partial, self.target)

    def abandon(self) -> None:
        """Closes and removes the partial file."""
        with contextlib.suppress(av.FFmpegError, ValueError):  # nothing was encoded yet; the file goes anyway
            self._out.close()
        self._partial.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _told(self) -> Any:
        """FFmpeg's errors as ours."""
        try:
            yield
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OutputError(f"`{self.target}` can't be written: {reason}.") from error


def _muxing(suffix: str, rate: Fraction | None, reader: VideoReader) -> dict[str, str]:
    if suffix not in (".mp4", ".mov"):
        return {}
    # A film that begins later than its sound does so by an edit list, in ticks of the whole file: milliseconds, if
    # nothing is said, which would round the time stamps.
    ticks = rate.numerator if rate else reader.info.time_base.denominator
    return {"movie_timescale": str(ticks)} if 1000 <= ticks < 1 << 31 else {}
