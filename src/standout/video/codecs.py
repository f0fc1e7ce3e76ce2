"""What each container holds: pictures, sound and subtitles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from standout.errors import ConfigError

Codec = Literal["vp9", "prores", "png", "webp", "apng", "gif", "raw"]
CODECS: tuple[Codec, ...] = ("vp9", "prores", "png", "webp", "apng", "gif", "raw")


@dataclass(frozen=True)
class Container:
    """A file ending that can be written.

    Attributes:
        sound: FFmpeg's names of the sound codecs that it holds and that are copied; None takes anything.
        sound_instead: The encoder for everything else.
        subtitles: What subtitles must be there.
        transparent: Codecs with transparency, first choice first.
        pictures: Encoders of opaque pictures that it holds, by the beginning of their names; none: the only codec that
            it holds is the one of `transparent`.
        format: FFmpeg's name of it, where that doesn't follow from the ending.
        silent: It holds nothing but pictures.
        constant_rate: It has no time stamps, only a rate.
    """

    sound: frozenset[str] | None
    sound_instead: str
    subtitles: str
    transparent: tuple[Codec, ...]
    pictures: tuple[str, ...] = ()
    format: str | None = None
    silent: bool = False
    constant_rate: bool = False


_MPEG = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
_ANY_PICTURES = ("libx264", "h264", "libx265", "hevc", "libvpx-vp9", "libsvtav1")
CONTAINERS: dict[str, Container] = {
    ".mp4": Container(_MPEG | {"opus", "flac"}, "aac", "mov_text", (), _ANY_PICTURES),
    ".mov": Container(
        _MPEG | {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_f32le"},
        "aac",
        "mov_text",
        ("prores", "png"),
        _ANY_PICTURES[:4],
    ),
    ".mkv": Container(None, "aac", "subrip", ("vp9",), _ANY_PICTURES),
    ".webm": Container(frozenset({"opus", "vorbis"}), "libopus", "webvtt", ("vp9",), _ANY_PICTURES[4:]),
    # Animated pictures.
    ".webp": Container(None, "", "", ("webp",), format="webp", silent=True),
    ".apng": Container(None, "", "", ("apng",), format="apng", silent=True),
    ".png": Container(None, "", "", ("apng",), format="apng", silent=True),
    ".gif": Container(None, "", "", ("gif",), format="gif", silent=True),
    # For pipes.
    ".y4m": Container(None, "", "", (), ("rawvideo",), format="yuv4mpegpipe", silent=True, constant_rate=True),
    ".nut": Container(None, "", "", ("raw",), ("rawvideo",), format="nut"),
}


def container_of(suffix: str) -> Container:
    """The container of a file ending, in lower case.

    Raises:
        ConfigError: It is none that can be written.
    """
    if suffix not in CONTAINERS:
        raise ConfigError(f"The output must end in {', '.join(CONTAINERS)}; received {suffix or 'no ending'!r}.")
    return CONTAINERS[suffix]
