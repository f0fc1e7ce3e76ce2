"""Sound and subtitles on their way from the source to the output: copied, or turned into what the container holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol

from standout.video.codecs import Container
from standout.video.pyav import av

_TEXT = {"mov_text", "subrip", "srt", "text", "webvtt", "ass", "ssa"}
_UNKNOWN = "an unknown codec"
#: QuickTime knows some languages by their bibliographic codes (ISO 639-2/B) only.
_QUICKTIME = {
    "deu": "ger", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi", "sqi": "alb", "mkd": "mac", "swe": "sve",
}  # fmt: skip
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
        layout = "mono" if context.channels == 1 else "5.1" if context.channels == 6 else "stereo"
        self._made = out.add_stream(encoder, rate=rate, layout=layout)
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


def add_track(out: Any, stream: Any, container: Container, suffix: str) -> tuple[Track | None, str]:
    """Adds to the output what corresponds to a stream of the source.

    Args:
        out: PyAV's output container.
        stream: The stream of the source.
        container: The container of the output.
        suffix: The output's ending, for the note.

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
    else:
        return None, ""
    return track, note


def _sound(out: Any, stream: Any, codec: str, container: Container, suffix: str) -> tuple[Track | None, str]:
    if codec == _UNKNOWN:
        return None, f"sound: a track in {codec} was left out"
    if container.sound is None or codec in container.sound:
        return _Copied(_named(out.add_stream_from_template(stream), stream, suffix), "sound"), ""
    track = _Encoded(out, stream, container.sound_instead)
    _named(track._made, stream, suffix)
    return track, f"sound: {codec} became {container.sound_instead.removeprefix('lib')}, which {suffix} needs"


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
