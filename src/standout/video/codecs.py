"""What each container holds: encoders for opaque and transparent video, sound and subtitles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from standout.errors import ConfigError, OutputError
from standout.video.pyav import av

Codec = Literal["vp9", "prores", "png"]
CODECS: tuple[Codec, ...] = ("vp9", "prores", "png")


@dataclass(frozen=True)
class Container:
    """A file ending that can be written.

    Attributes:
        sound: FFmpeg's names of the sound codecs that it holds and that are copied; None takes anything.
        sound_instead: The encoder for everything else.
        subtitles: What subtitles must be there.
        transparent: Codecs with transparency, first choice first.
    """

    sound: frozenset[str] | None
    sound_instead: str
    subtitles: str
    transparent: tuple[Codec, ...]


_MPEG = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
CONTAINERS: dict[str, Container] = {
    ".mp4": Container(_MPEG | {"opus", "flac"}, "aac", "mov_text", ()),
    ".mov": Container(
        _MPEG | {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_f32le"}, "aac", "mov_text", ("prores", "png")
    ),
    ".mkv": Container(None, "aac", "subrip", ("vp9",)),
    ".webm": Container(frozenset({"opus", "vorbis"}), "libopus", "webvtt", ("vp9",)),
}


@dataclass(frozen=True)
class Encoder:
    """How frames are encoded.

    Attributes:
        name: FFmpeg's name of the encoder.
        pixels: Its pixel format.
        options: Its options.
        note: What a user should know about it; usually empty.
    """

    name: str
    pixels: str
    options: dict[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def loses_colour(self) -> bool:
        """Whether colours of neighbouring pixels run into each other."""
        return self.pixels != "rgba"


#: Constant quality; the speed keeps pace with the network on two cores.
_VP9 = {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1"}
_TRANSPARENT: dict[Codec, Encoder] = {
    # Alternate reference frames and alpha don't go together in libvpx.
    "vp9": Encoder("libvpx-vp9", "yuva420p", {**_VP9, "auto-alt-ref": "0"}),
    "prores": Encoder("prores_ks", "yuva444p10le", {"profile": "4444", "vendor": "apl0", "alpha_bits": "16"}),
    "png": Encoder("png", "rgba"),
}


def container_of(suffix: str) -> Container:
    """The container of a file ending, in lower case.

    Raises:
        ConfigError: It is none that can be written.
    """
    if suffix not in CONTAINERS:
        raise ConfigError(f"The output must end in {', '.join(CONTAINERS)}; received {suffix or 'no ending'!r}.")
    return CONTAINERS[suffix]


def transparent_encoder(suffix: str, codec: Codec | None = None) -> Encoder:
    """The encoder of a transparent video.

    Raises:
        ConfigError: The container can't be transparent, or not with this codec.
    """
    choices = container_of(suffix).transparent
    if codec is not None and codec not in CODECS:
        raise ConfigError(f"`codec` must be one of {', '.join(CODECS)}; received {codec!r}.")
    if not choices:
        raise ConfigError(
            f"A {suffix} can't be transparent; write .webm or .mov, use `--frames`, or give a `--background`."
        )
    if codec is not None and codec not in choices:
        raise ConfigError(f"A transparent {suffix} holds {' or '.join(choices)}; received the codec {codec!r}.")
    return _TRANSPARENT[codec or choices[0]]


def opaque_encoder(suffix: str, *, odd: bool) -> Encoder:
    """The encoder of a video without transparency.

    Args:
        suffix: The file's ending.
        odd: Height or width is odd.

    Raises:
        ConfigError: No such container.
        OutputError: This installation of PyAV has no encoder for it.
    """
    container_of(suffix)
    if suffix == ".webm":
        return Encoder("libvpx-vp9", "yuv420p", _VP9)
    if _has("libx264"):
        # Without B-frames the time stamps stay the source's in every player.
        options = {"crf": "18", "preset": "veryfast", "bf": "0"}
        if not odd:
            return Encoder("libx264", "yuv420p", options)
        # 4:2:0 halves the picture, which an odd one can't be.
        note = "the size is odd, so the video is 4:4:4, which some players refuse; `--size` avoids it"
        return Encoder("libx264", "yuv444p", options, note)
    if suffix != ".mov":
        return Encoder(
            "libvpx-vp9",
            "yuv420p",
            _VP9,
            "this PyAV has no H.264 encoder, so the video is VP9, which some players refuse",
        )
    raise OutputError("This PyAV has no H.264 encoder, which .mov needs; write .webm, .mkv or .mp4.")


def _has(name: str) -> bool:
    try:
        av.Codec(name, "w")
    except ValueError:
        return False
    return True
