"""Sound and subtitles on their way from the source to the output: copied, or turned into what the container holds."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from standout.video.codecs import Container
from standout.video.pipe import is_pipe
from standout.video.pyav import av

_TEXT = {"mov_text", "subrip", "srt", "text", "webvtt", "ass", "ssa"}
_UNKNOWN = "an unknown codec"
#: QuickTime knows some languages by their bibliographic codes (ISO 639-2/B) only.
_QUICKTIME = {
    "deu": "ger", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi", "sqi": "alb", "mkd": "mac", "swe": "sve",
}  # fmt: skip
#: FFmpeg's names of the containers that hold sound.
_FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
#: Sample rates that every AAC player knows.
_AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}


class Track(Protocol):
    """One stream of the output that isn't the film; the time stamps of packets are already the output's.

    Attributes:
        kind: "sound" or "subtitles", for messages.
        damaged: The last packet was damaged, wholly or in part, and left out.
    """

    kind: str
    damaged: bool

    def packets(self, packet: Any) -> Iterator[Any]: ...
    def rest(self) -> Iterator[Any]: ...


class _Copied:
    damaged = False

    def __init__(self, made: Any, kind: str) -> None:
        self._made, self.kind = made, kind

    def packets(self, packet: Any) -> Iterator[Any]:
        packet.stream = self._made
        yield packet

    def rest(self) -> Iterator[Any]:
        return iter(())


class _Encoded:
    """Sound that is decoded and encoded again; what can't be decoded becomes silence."""

    kind = "sound"

    def __init__(self, out: Any, stream: Any, encoder: str) -> None:
        context = stream.codec_context
        rate = context.sample_rate if encoder == "aac" and context.sample_rate in _AAC_RATES else 48000
        self.layout = _layout_for(encoder, context, rate)
        self._made = out.add_stream(encoder, rate=rate, layout=self.layout)
        self._resampler = av.AudioResampler(format=self._made.format, layout=self._made.layout, rate=rate)
        self.damaged = False
        self._last: Any = None

    def packets(self, packet: Any) -> Iterator[Any]:
        self.damaged = False
        try:
            sounds = packet.decode()
        except (av.FFmpegError, ValueError):
            self.damaged = True
            sounds = self._silence(packet)
        for sound in sounds:
            self._last = sound
            yield from self._encode(sound)

    def _silence(self, packet: Any) -> list[Any]:
        """As much silence as the packet would have been sound, so that what follows stays in step."""
        last = self._last
        if last is None:
            return []
        silence: Any = av.AudioFrame(last.format.name, last.layout.name, last.samples)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate, silence.time_base = last.sample_rate, last.time_base
        if packet.pts is not None:
            silence.pts = round(packet.pts * packet.time_base / last.time_base)
        return [silence]

    def rest(self) -> Iterator[Any]:
        yield from self._encode(None)
        yield from self._made.encode(None)

    def _encode(self, sound: Any) -> Iterator[Any]:
        for part in self._resampler.resample(sound):
            yield from self._made.encode(part)


def _layout_for(encoder: str, context: Any, rate: int) -> str:
    """The sound's own arrangement of channels if the encoder knows it; else stereo, or mono of one."""
    layouts = (context.layout.name, "mono" if context.channels == 1 else "stereo")
    for layout in layouts:
        trial: Any = av.CodecContext.create(encoder, "w")
        try:
            trial.sample_rate, trial.layout, trial.format = rate, layout, trial.codec.audio_formats[0]
            trial.open()
        except (av.FFmpegError, ValueError):
            continue
        return str(layout)
    return str(layouts[-1])


class _Rewrapped:
    """Subtitles whose text is kept and whose wrapping changes."""

    kind, damaged = "subtitles", False

    def __init__(self, out: Any, stream: Any, source: str, wanted: str) -> None:
        self._source, self._wanted = source, wanted
        self._made = out.add_mux_stream(wanted)
        self._made.time_base = stream.time_base

    def packets(self, packet: Any) -> Iterator[Any]:
        text = _text_of(bytes(packet), self._source)
        if not text.strip():
            return  # MP4 fills gaps between subtitles with empty ones
        new: Any = av.Packet(len(text).to_bytes(2, "big") + text if self._wanted == "mov_text" else text)
        new.pts, new.dts, new.duration = packet.pts, packet.pts, packet.duration
        new.time_base, new.stream = packet.time_base, self._made
        yield new

    def rest(self) -> Iterator[Any]:
        return iter(())


class _Cover:
    """A picture of the film, for a player's list; written when all else is."""

    kind, damaged = "the cover", False

    def __init__(self, made: Any, data: bytes) -> None:
        self._made, self._data = made, data

    def packets(self, packet: Any) -> Iterator[Any]:  # noqa: ARG002 - the cover was read before
        return iter(())

    def rest(self) -> Iterator[Any]:
        packet: Any = av.Packet(self._data)
        packet.pts = packet.dts = 0
        packet.time_base, packet.stream = self._made.time_base, self._made
        yield packet


def is_cover(stream: Any) -> bool:
    """Whether a stream of pictures is a cover, no film."""
    return stream.type == "video" and bool(stream.disposition & av.stream.Disposition.attached_pic)


def add_track(out: Any, stream: Any, container: Container, suffix: str, path: Path) -> tuple[Track | None, str]:
    """Adds to the output what corresponds to a stream of the source.

    Args:
        out: PyAV's output container.
        stream: The stream of the source.
        container: The container of the output.
        suffix: The output's ending, for the note.
        path: The source's file, for its covers.

    Returns:
        The track, or None if the stream can't come along, and a note, empty if it is a plain copy.
    """
    codec = stream.codec_context.name if getattr(stream, "codec_context", None) else _UNKNOWN
    codec = {"mp3float": "mp3", "libopus": "opus", "libvorbis": "vorbis"}.get(codec, codec)  # decoders, not codecs
    if container.silent:
        kind = {"audio": "sound", "subtitle": "subtitles"}.get(stream.type)
        return None, f"{kind}: left out, for {suffix} holds pictures only" if kind else ""
    if stream.type == "audio":
        track, note = _sound(out, stream, codec, container, suffix)
    elif stream.type == "subtitle":
        track, note = _subtitles(out, stream, codec, container, suffix)
    elif is_cover(stream):
        track, note = _cover(out, stream, suffix, path)
    elif stream.type == "attachment":
        track, note = _attachment(out, stream, suffix)
    elif stream.type == "video":
        track, note = None, "a second film in the file was left out; one is processed"
    elif "timecode" in stream.metadata and suffix in (".mov", ".mp4", ".mkv"):
        track, note = None, ""  # it goes along as the film's own
    else:
        title = stream.metadata.get("handler_name", "").strip() or stream.type
        track, note = None, f"a track of other data ({title}) was left out"
    return track, note


def _cover(out: Any, stream: Any, suffix: str, path: Path) -> tuple[Track | None, str]:
    """A stream of its own in MP4, an attachment in Matroska."""
    data = b"" if is_pipe(path) else _first_packet(path, stream.index)
    codec = stream.codec_context.name
    if data and suffix == ".mkv" and codec in ("mjpeg", "png"):
        kind = "jpg" if codec == "mjpeg" else codec
        out.add_attachment(f"cover.{kind}", f"image/{kind.replace('jpg', 'jpeg')}", data)
        return None, ""
    if data and suffix in (".mp4", ".mov") and codec in ("mjpeg", "png"):
        return _Cover(_named(out.add_stream_from_template(stream), stream, suffix), data), ""
    return None, f"the cover was left out, for {suffix} can't hold it" if data else "the cover was left out"


def _first_packet(path: Path, index: int) -> bytes:
    with av.open(str(path)) as container:
        return next((bytes(packet) for packet in container.demux(container.streams[index]) if packet.size), b"")


def _attachment(out: Any, stream: Any, suffix: str) -> tuple[Track | None, str]:
    if suffix == ".mkv" and stream.data:
        out.add_attachment(stream.name or "attachment", stream.mimetype or "application/octet-stream", stream.data)
        return None, ""
    return None, f"the attachment {stream.name or ''} was left out, for {suffix} can't hold it".replace("  ", " ")


def _sound(out: Any, stream: Any, codec: str, container: Container, suffix: str) -> tuple[Track | None, str]:
    if codec == _UNKNOWN:
        return None, f"sound: a track in {codec} was left out"
    if (container.sound is None or codec in container.sound) and _muxer_takes(stream, container, suffix):
        return _Copied(_named(out.add_stream_from_template(stream), stream, suffix), "sound"), ""
    track = _Encoded(out, stream, container.sound_instead)
    _named(track._made, stream, suffix)
    note = f"sound: {codec} became {container.sound_instead.removeprefix('lib')}, which {suffix} needs"
    source = stream.codec_context.layout
    same = source.nb_channels == av.AudioLayout(track.layout).nb_channels
    return track, note if same else f"{note}, and {source.name} became {track.layout}"


def _muxer_takes(stream: Any, container: Container, suffix: str) -> bool:
    """Whether the container takes the sound as it is, sample rate and all: a header is tried, names say too little."""
    try:
        with av.open(io.BytesIO(), "w", format=container.format or _FORMATS[suffix]) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _subtitles(out: Any, stream: Any, codec: str, container: Container, suffix: str) -> tuple[Track | None, str]:
    same = codec == container.subtitles or (container.subtitles == "subrip" and codec not in ("mov_text", "webvtt"))
    if same and codec != _UNKNOWN:
        return _Copied(_named(out.add_stream_from_template(stream), stream, suffix), "subtitles"), ""
    if codec not in _TEXT:
        return None, f"subtitles: a track in {codec} was left out, for {suffix} can't hold it"
    rewrapped = _Rewrapped(out, stream, codec, container.subtitles)
    _named(rewrapped._made, stream, suffix)
    return rewrapped, f"subtitles: {codec} became {container.subtitles}, which {suffix} needs"


def _named(made: Any, stream: Any, suffix: str) -> Any:
    """Language, title and disposition (which track plays by itself, which is forced) go along."""
    for key, value in stream.metadata.items():
        if key.lower() in ("language", "title"):
            made.metadata[key.lower()] = _QUICKTIME.get(value, value) if suffix == ".mov" else value
    made.disposition = stream.disposition
    return made


def _text_of(data: bytes, codec: str) -> bytes:
    """The words of a subtitle packet, UTF-8."""
    if codec == "mov_text":
        return data[2 : 2 + int.from_bytes(data[:2], "big")]
    if codec in ("ass", "ssa"):
        # ReadOrder, Layer, Style, Name, three margins, Effect, Text; {…} are drawing commands.
        text = data.decode("utf-8", "replace").split(",", 8)[-1]
        return re.sub(r"\{[^}]*\}", "", text).replace("\\N", "\n").replace("\\n", "\n").encode()
    return data


def shifted(packet: Any, start_s: Fraction) -> Any:
    """The packet with its time stamps counted from `start_s`."""
    ticks = round(start_s / Fraction(packet.time_base))
    packet.pts -= ticks
    packet.dts -= ticks
    return packet
