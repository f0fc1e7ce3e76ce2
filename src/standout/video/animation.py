"""What FFmpeg doesn't keep of animated pictures: how often they play, and how long the last frame lasts."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

#: Endings of animated pictures.
ANIMATED = (".gif", ".webp", ".apng", ".png")
FOR_EVER = 0


def plays_of(path: Path) -> int:
    """How often a source plays: what an animated picture says, 0 for ever; films that become pictures play for ever."""
    if path.suffix.lower() not in ANIMATED or not path.is_file():
        return FOR_EVER
    from PIL import Image

    try:
        with Image.open(path) as picture:
            said = picture.info.get("loop")
            # A GIF that says nothing plays once.
            return int(said) if said is not None else 1 if picture.format == "GIF" else FOR_EVER
    except (OSError, ValueError, SyntaxError):
        return FOR_EVER


def muxer_options(suffix: str, plays: int) -> dict[str, str]:
    """FFmpeg's options for a picture that plays so often."""
    if suffix == ".gif":
        return {"loop": "-1" if plays == 1 else str(plays)}
    if suffix == ".webp":
        return {"loop": str(plays)}
    return {"plays": str(plays)} if suffix in (".apng", ".png") else {}


def set_length(path: Path, suffix: str, length_s: Fraction, last_s: Fraction) -> None:
    """Gives the last frame of a finished WebP or APNG its own duration: FFmpeg writes a guess.

    Args:
        path: The file; it is changed in place.
        suffix: The ending it will have.
        length_s: Seconds of the whole.
        last_s: Seconds of the last frame.
    """
    if suffix == ".webp":
        _set_webp(path, length_s)
    elif suffix in (".apng", ".png"):
        _set_apng(path, last_s)


def _set_webp(path: Path, length_s: Fraction) -> None:
    """https://developers.google.com/speed/webp/docs/riff_container: a frame's duration is 3 bytes, milliseconds."""
    data = bytearray(path.read_bytes())
    places = [at + 8 + 12 for name, at, _ in _riff_chunks(data) if name == b"ANMF"]
    if not places:
        return  # a single picture
    # Frames that look alike are one in the file, so the last one gets what is left of the whole.
    before = sum(int.from_bytes(data[at : at + 3], "little") for at in places[:-1])
    lasts = max(1, round(length_s * 1000) - before)
    data[places[-1] : places[-1] + 3] = min(lasts, (1 << 24) - 1).to_bytes(3, "little")
    path.write_bytes(data)


def _riff_chunks(data: bytearray) -> Iterator[tuple[bytes, int, int]]:
    """(name, offset, size) of the chunks of a RIFF file."""
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield bytes(data[at : at + 4]), at, size
        at += 8 + size + size % 2


def _set_apng(path: Path, last_s: Fraction) -> None:
    """https://www.w3.org/TR/png-3/#fcTL-chunk: delay_num and delay_den are 2 bytes each at offset 20."""
    data = bytearray(path.read_bytes())
    at, last = 8, None
    while at + 12 <= len(data):
        size = struct.unpack_from(">I", data, at)[0]
        if data[at + 4 : at + 8] == b"fcTL":
            last = at
        at += 12 + size
    if last is None:
        return
    delay = last_s.limit_denominator(1000)
    struct.pack_into(">HH", data, last + 8 + 20, min(delay.numerator, 0xFFFF), delay.denominator)
    end = last + 8 + 26
    struct.pack_into(">I", data, end, zlib.crc32(data[last + 4 : end]))
    path.write_bytes(data)
