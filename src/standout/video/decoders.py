"""Which decoder reads a film: the processor's, or a graphics card's where PyAV's build has it and it works on the film.

A card's frames are brought back to memory (PyAV's `HWAccel`), since everything after that works there.
"""

from __future__ import annotations

import contextlib
from typing import Any

from standout.errors import ConfigError
from standout.video.pyav import av

#: FFmpeg's names of what decodes besides the processor, in the order in which `auto` tries them.
HARDWARE_DECODERS = (
    "cuda", "videotoolbox", "qsv", "vaapi", "d3d11va", "d3d12va", "dxva2", "vulkan", "amf", "vdpau", "mediacodec",
)  # fmt: skip
DECODERS = ("software", "auto", *HARDWARE_DECODERS)


def check_decoder(name: str) -> None:
    """Refuses what is no decoder.

    Raises:
        ConfigError: `name` is none of `DECODERS`.
    """
    if name not in DECODERS:
        raise ConfigError(f"`decoder` must be one of {', '.join(DECODERS)}; received {name!r}.")


def choose_decoder(place: str, asked: str) -> tuple[Any, str]:
    """What a film is opened with.

    Args:
        place: The file; `-` is read by the processor, since it can't be tried out first.
        asked: One of `DECODERS`.

    Returns:
        PyAV's `HWAccel`, or None for the processor; and what there is to say, usually nothing.
    """
    if asked == "software":
        return None, ""
    if place == "-":
        return None, "" if asked == "auto" else "standard input is decoded by the processor"
    if asked == "auto":
        built_in = set(_built_in())
        for name in HARDWARE_DECODERS:
            if name in built_in and not _problem(place, name):
                return _accelerator(name), f"decoded by {name}"
        return None, ""
    problem = "is not in this PyAV" if asked not in _built_in() else _problem(place, asked)
    if problem:
        return None, f"the decoder {asked} {problem}, so the processor's was used"
    return _accelerator(asked), ""


def _built_in() -> list[str]:
    from av.codec.hwaccel import hwdevices_available

    return list(hwdevices_available())


def _accelerator(name: str, *, strict: bool = False) -> Any:
    from av.codec.hwaccel import HWAccel

    return HWAccel(device_type=name, allow_software_fallback=not strict)


def _problem(place: str, name: str) -> str:
    """Why a decoder can't be used for a film, "" where it can: drivers and cards are only known by trying."""
    try:
        with av.open(place, hwaccel=_accelerator(name, strict=True)) as container:
            stream = container.streams.video[0]
            next(container.decode(stream))
            used = bool(stream.codec_context.is_hwaccel)
    except Exception as error:  # noqa: BLE001 (PyAV raises errors of FFmpeg's, RuntimeError, ValueError, StopIteration …)
        with contextlib.suppress(AttributeError):
            return f"doesn't work here ({error.strerror})" if error.strerror else "doesn't work here"  # type: ignore[attr-defined]
        return "doesn't work for this film"
    return "" if used else "doesn't work for this film"


def transparent_decoder(stream: Any) -> Any:
    """libvpx's decoder for a stream of VP8 or VP9 that says it is transparent; None for every other.

    FFmpeg's own decoders of the two don't know the transparency that Matroska and WebM carry beside the pictures.
    """
    codec = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.codec.canonical_name)
    said = {key.lower(): value for key, value in stream.metadata.items()}
    if codec is None or said.get("alpha_mode") != "1":
        return None
    decoder: Any = av.CodecContext.create(codec, "r")
    decoder.extradata, decoder.thread_count = stream.codec_context.extradata, 0
    return decoder
