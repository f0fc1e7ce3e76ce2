"""How pictures are encoded: which encoder, how hard it tries, and what it can say of their colors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from standout.errors import ConfigError, OutputError
from standout.video.codecs import CODECS, Codec, Container, container_of
from standout.video.color_tags import LIMITED, ColorTags
from standout.video.pyav import av
from standout.video.scheduling import keep_scheduling

Quality = Literal["fast", "balanced", "best"]
QUALITIES: tuple[Quality, ...] = ("fast", "balanced", "best")

#: Encoders of the processor, and those of graphics cards in the order in which `auto` tries them.
SOFTWARE_ENCODERS = ("libx264", "libx265", "libvpx-vp9", "libsvtav1")
HARDWARE_ENCODERS = (
    "h264_nvenc", "h264_videotoolbox", "h264_qsv", "h264_amf", "h264_vaapi", "h264_mf",
    "hevc_nvenc", "hevc_videotoolbox", "hevc_qsv", "hevc_amf", "hevc_vaapi", "hevc_mf",
)  # fmt: skip


@dataclass(frozen=True)
class Encoder:
    """How frames are encoded.

    Attributes:
        name: FFmpeg's name of the encoder.
        pixels: The encoder's pixel format.
        options: The encoder's options.
        note: What a user should know about it; usually empty.
        full_range: It can carry the tag of full range; what can't is converted to limited.
        matrices: The matrices that it can carry; None: all.
        transfers: The transfers that it can carry; None: all.
        tag: The container's four letters for it, where the usual ones don't play everywhere.
    """

    name: str
    pixels: str
    options: dict[str, str] = field(default_factory=dict)
    note: str = ""
    full_range: bool = True
    matrices: frozenset[int] | None = None
    transfers: frozenset[int] | None = None
    tag: str = ""

    def tags(self, tags: ColorTags) -> ColorTags:
        """The tags that the file will have for a film of these: the same, or the nearest that the encoder can carry."""
        tags = tags.written()
        if tags.range and not self.full_range:
            tags = replace(tags, range=LIMITED)
        if self.matrices is not None and tags.matrix not in self.matrices:
            # Both matrices of BT.601 are one; what is neither goes to the one that players guess least wrong.
            tags = replace(tags, matrix=6)
        if self.transfers is not None and tags.transfer not in self.transfers:
            # The curves of BT.601, BT.709 and BT.2020 are one (H.273, table 3).
            tags = replace(tags, transfer=1 if tags.transfer in (6, 14, 15) else 2)
        return tags


@dataclass(frozen=True)
class EncodingOptions:
    """How good and how large a video becomes.

    Attributes:
        quality: "fast", "balanced" or "best": how hard the encoder tries; docs/measurements.md has the evidence.
        crf: Constant quality in the encoder's own numbers, smaller is better; that of `quality` if absent.
        bitrate: Bits per second, instead of constant quality.
        encoder: FFmpeg's name of an encoder, "software", or "auto" for the first of a graphics card's that works.

    Raises:
        ConfigError: A value is out of range, or `crf` and `bitrate` are both given.
    """

    quality: Quality = "balanced"
    crf: int | None = None
    bitrate: int | None = None
    encoder: str = "software"

    def __post_init__(self) -> None:
        if self.quality not in QUALITIES:
            raise ConfigError(f"`quality` must be one of {', '.join(QUALITIES)}; received {self.quality!r}.")
        if self.crf is not None and self.bitrate is not None:
            raise ConfigError("`crf` and `bitrate` exclude each other; give one of the two.")
        if self.crf is not None and not 0 <= self.crf <= 63:
            raise ConfigError(f"`crf` must lie between 0 and 63; received {self.crf}.")
        if self.bitrate is not None and not 1000 <= self.bitrate <= 2_000_000_000:
            raise ConfigError(
                f"`bitrate` must lie between 1000 and 2 billion bits per second; received {self.bitrate}."
            )
        if self.encoder not in ("auto", "software", *SOFTWARE_ENCODERS, *HARDWARE_ENCODERS):
            raise ConfigError(
                f"`encoder` must be auto, software or one of {', '.join((*SOFTWARE_ENCODERS, *HARDWARE_ENCODERS))}; "
                f"received {self.encoder!r}."
            )


#: Encoder -> quality -> (constant quality, other options). Chosen by the table in docs/measurements.md.
_PRESETS: dict[str, dict[str, tuple[int, dict[str, str]]]] = {
    # Without B-frames the time stamps stay the source's in every player.
    "libx264": {
        "fast": (20, {"preset": "superfast", "bf": "0"}),
        "balanced": (18, {"preset": "veryfast", "bf": "0"}),
        "best": (16, {"preset": "slow", "bf": "0"}),
    },
    "libx265": {
        "fast": (22, {"preset": "ultrafast", "bf": "0"}),
        "balanced": (20, {"preset": "superfast", "bf": "0"}),
        "best": (17, {"preset": "medium", "bf": "0"}),
    },
    "libvpx-vp9": {
        "fast": (28, {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "tile-columns": "2"}),
        "balanced": (24, {"deadline": "realtime", "cpu-used": "5", "row-mt": "1", "tile-columns": "1"}),
        "best": (20, {"deadline": "good", "cpu-used": "2", "row-mt": "1", "tile-columns": "1"}),
    },
    "libsvtav1": {
        "fast": (32, {"preset": "10"}),
        "balanced": (26, {"preset": "8"}),
        "best": (22, {"preset": "5"}),
    },
    "nvenc": {
        "fast": (24, {"preset": "p1", "rc": "vbr", "bf": "0"}),
        "balanced": (21, {"preset": "p4", "rc": "vbr", "bf": "0"}),
        "best": (18, {"preset": "p7", "rc": "vbr", "bf": "0"}),
    },
    "other": {"fast": (24, {"bf": "0"}), "balanced": (21, {"bf": "0"}), "best": (18, {"bf": "0"})},
}
#: How each family calls constant quality.
_CONSTANT = {"nvenc": "cq", "qsv": "global_quality", "amf": "qp_i", "vaapi": "qp", "mf": "quality"}
_PRORES = {"matrices": frozenset({1, 2, 6, 9}), "transfers": frozenset({1, 2, 16, 18}), "full_range": False}


def transparent_encoder(
    suffix: str, codec: Codec | None = None, options: EncodingOptions | None = None, *, deep: bool = False
) -> Encoder:
    """The encoder of a transparent video.

    Args:
        suffix: The file's ending.
        codec: None takes what suits the container.
        options: How good the result becomes.
        deep: The source has more than 8 bits.

    Raises:
        ConfigError: The container can't be transparent, or not with this codec.
    """
    options = options or EncodingOptions()
    chosen = _transparent_codec(suffix, codec)
    if chosen in ("webp", "apng", "gif"):
        return animated_encoder(suffix, options)
    if chosen == "raw":
        return Encoder("rawvideo", "rgba")
    if options.encoder not in ("auto", "software"):
        raise ConfigError("`encoder` is for opaque videos; `codec` chooses that of a transparent one.")
    if chosen == "vp9":
        made = _of("libvpx-vp9", "yuva420p", options)
        note = "transparent VP9 has 8 bits per color, the source has more" if deep else ""
        # Alternate reference frames and alpha don't go together in libvpx.
        return replace(made, options={**made.options, "auto-alt-ref": "0"}, note=note)
    if options.crf is not None or options.bitrate is not None:
        raise ConfigError(f"`crf` and `bitrate` are not for {chosen}, whose quality is fixed; leave them out.")
    if chosen == "prores":
        if options.quality == "best" or not _has("prores_aw"):
            profile = {"profile": "4444", "vendor": "apl0", "alpha_bits": "16"}
            return Encoder("prores_ks", "yuva444p10le", profile, **_PRORES)  # type: ignore[arg-type]
        profile = {"profile": "4", "vendor": "apl0"}
        return Encoder("prores_aw", "yuva444p10le", profile, **_PRORES)  # type: ignore[arg-type]
    note = "PNG has 8 bits per color here, the source has more" if deep else ""
    return Encoder("png", "rgba", {"compression_level": "1", "pred": "sub"}, note)


def _transparent_codec(suffix: str, codec: Codec | None) -> Codec:
    choices = container_of(suffix).transparent
    if codec is not None and codec not in CODECS:
        raise ConfigError(f"`codec` must be one of {', '.join(CODECS)}; received {codec!r}.")
    if not choices:
        raise ConfigError(
            f"A {suffix} can't be transparent; write .webm or .mov, a folder of frames, or give a `background`."
        )
    if codec is not None and codec not in choices:
        raise ConfigError(f"A transparent {suffix} holds {' or '.join(choices)}; received the codec {codec!r}.")
    return codec or choices[0]


def animated_encoder(suffix: str, options: EncodingOptions) -> Encoder:
    """The encoder of an animated picture, transparent or not.

    Raises:
        ConfigError: `options` ask for what it can't do.
    """
    if options.bitrate is not None or options.encoder not in ("auto", "software"):
        raise ConfigError(f"`bitrate` and `encoder` are not for {suffix}; `quality` is.")
    if suffix == ".webp":
        quality = {"fast": ("75", "0"), "balanced": ("80", "2"), "best": ("90", "4")}[options.quality]
        if options.crf is not None:
            quality = str(max(0, 100 - 100 * options.crf // 63)), quality[1]
        return Encoder("libwebp_anim", "bgra", {"quality": quality[0], "compression_level": quality[1], "loop": "0"})
    if options.crf is not None:
        raise ConfigError(f"`crf` is not for {suffix}; leave it out.")
    if suffix == ".gif":
        return Encoder("gif", "pal8", note="a .gif has 256 colors and is wholly transparent or not at all")
    return Encoder("apng", "rgba", {"compression_level": "1" if options.quality == "fast" else "4", "pred": "sub"})


def opaque_encoder(
    suffix: str,
    *,
    size_hw: tuple[int, int],
    bits: int = 8,
    options: EncodingOptions | None = None,
) -> Encoder:
    """The encoder of a video without transparency.

    Args:
        suffix: The file's ending.
        size_hw: The size of the frames, pixels.
        bits: How many bits the source's values have; more than 8 are kept where an encoder for that is there, and
            players want HDR in HEVC or AV1.
        options: How good it becomes, and by which encoder.

    Raises:
        ConfigError: No such container, or the encoder isn't for it.
        OutputError: This installation of PyAV has no encoder for it.
    """
    options = options or EncodingOptions()
    container, notes = container_of(suffix), []
    if container.silent and not container.pictures:
        return animated_encoder(suffix, options)
    if container.pictures == ("rawvideo",):
        return _raw_encoder(suffix, size_hw, bits)
    name, note = _asked_for(options.encoder, suffix, size_hw, bits)
    notes += [note] if note else []
    if name == "software":
        name, note = _software(suffix, container, bits)
        notes += [note] if note else []
    deep = bits > 8 and _deep_too(name)
    if bits > 8 and not deep:
        notes.append(f"the source has {bits} bits per color and the output 8")
    made = _of(name, _pixels(name, size_hw, deep), options)
    if made.pixels.startswith("yuv444") and name.startswith("libx26"):
        # 4:2:0 halves the picture, which an odd one can't be.
        notes.append("the size is odd, so the video is 4:4:4, which some players refuse; an even `size` avoids it")
    hevc = "hvc1" if ("265" in name or name.startswith("hevc")) and suffix in (".mp4", ".mov") else ""
    return replace(made, note="; ".join(notes), tag=hevc)


def _asked_for(asked: str, suffix: str, size_hw: tuple[int, int], bits: int) -> tuple[str, str]:
    """The encoder that was asked for, or "software" where it doesn't work; and what there is to say."""
    container = container_of(suffix)
    if asked == "auto":
        hardware = [one for one in HARDWARE_ENCODERS if one.startswith("hevc" if bits > 8 else "h264")]
        name = next((one for one in hardware if _holds(container, one) and _opens(one, size_hw, bits)), "software")
        return name, "" if name == "software" else f"encoded by {name}"
    if asked == "software":
        return asked, ""
    if not _holds(container, asked):
        raise ConfigError(f"A {suffix} can't hold what `{asked}` makes; it takes {', '.join(container.pictures)}.")
    if _opens(asked, size_hw, bits if _deep_too(asked) else 8):
        return asked, ""
    why = "doesn't work here" if _has(asked) else "is not in this PyAV"
    return "software", f"the encoder {asked} {why}, so one of the processor was used"


def _raw_encoder(suffix: str, size_hw: tuple[int, int], bits: int) -> Encoder:
    """That of frames as they are, for pipes."""
    odd = bool((size_hw[0] | size_hw[1]) & 1)  # 4:2:0 can't be odd in YUV4MPEG
    deep = bits > 8 and suffix == ".nut"
    note = f"the source has {bits} bits per color and the output 8" if bits > 8 and not deep else ""
    return Encoder("rawvideo", ("yuv444p" if odd else "yuv420p") + ("10le" if deep else ""), note=note)


def _software(suffix: str, container: Container, bits: int) -> tuple[str, str]:
    """The processor's encoder for a container, and a note."""
    if suffix == ".webm":
        return ("libsvtav1" if bits > 8 and _has("libsvtav1") else "libvpx-vp9"), ""
    if bits > 8 and _has("libx265"):
        return "libx265", ""
    if _has("libx264"):
        return "libx264", ""
    if _holds(container, "libvpx-vp9"):
        return "libvpx-vp9", "this PyAV has no H.264 encoder, so the video is VP9, which some players refuse"
    raise OutputError(f"This PyAV has no H.264 encoder, which {suffix} needs; write .webm, .mkv or .mp4.")


def _deep_too(name: str) -> bool:
    """Whether an encoder takes more than 8 bits."""
    return name in ("libx265", "libsvtav1") or name.startswith("hevc")


def _pixels(name: str, size_hw: tuple[int, int], deep: bool) -> str:
    """The pixel format in which an encoder gets its frames."""
    odd = bool((size_hw[0] | size_hw[1]) & 1) and name in ("libx264", "libx265")
    wanted = "yuv444p" if odd else "yuv420p"
    wanted += "10le" if deep else ""
    takes = [one.name for one in av.Codec(name, "w").video_formats or ()] if _has(name) else []
    instead = "p010le" if deep else "nv12"
    return instead if takes and wanted not in takes and instead in takes else wanted


def _of(name: str, pixels: str, options: EncodingOptions) -> Encoder:
    family = name if name in _PRESETS else "nvenc" if name.endswith("nvenc") else "other"
    constant, rest = _PRESETS[family][options.quality]
    made = dict(rest)
    if options.bitrate is not None:
        made["b"] = str(options.bitrate)
    else:
        kind = name.rsplit("_", 1)[-1]
        made[_CONSTANT.get(kind, "crf")] = str(constant if options.crf is None else options.crf)
        if name == "libvpx-vp9":
            made["b"] = "0"  # else `crf` is a limit only
    if name == "libx265":
        made["x265-params"] = "log-level=error"
    return Encoder(name, pixels, made)


def _holds(container: Container, name: str) -> bool:
    return name.startswith(container.pictures)


@lru_cache(maxsize=32)
def _opens(name: str, size_hw: tuple[int, int], bits: int) -> bool:
    """Whether an encoder really works here: drivers and cards are only known by trying."""
    if not _has(name):
        return False
    context: Any = av.CodecContext.create(name, "w")
    context.width, context.height = size_hw[1], size_hw[0]
    context.pix_fmt, context.time_base, context.framerate = _pixels(name, size_hw, bits > 8), Fraction(1, 25), 25
    try:
        with keep_scheduling():
            context.open()
    except (av.FFmpegError, ValueError, OSError):
        return False
    return True


def _has(name: str) -> bool:
    try:
        av.Codec(name, "w")
    except ValueError:
        return False
    return True
