"""What a picture file may cost, asked of its bytes before a decoder sees them: its header alone says too little.

A few kilobytes can hold hundreds of scans, of planes that share their bytes, or a picture around which a small one is
claimed. Whole files of cameras and programs stay far below each of these limits.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping

from standout.errors import InputError, LimitExceeded
from standout.imaging.av1 import coded_sizes
from standout.imaging.tiff_directory import TiffDirectory, tiff_directories

#: Pixels that any file may claim, however few its bytes; of more, each byte stands for 4,096 at the most.
_FREE_PIXELS, _PIXELS_PER_BYTE = 12_000_000, 4096
#: Scans of a JPEG × their components × pixels: 85 scans of a photo of 50 megapixels. Programs write up to 20.
_MOST_SCANNED = 4_250_000_000
_MOST_SEGMENTS, _MOST_CHUNKS = 20_000, 200_000
#: Channels of a TIFF: four inks, transparency, and some saved selections.
_MOST_SAMPLES = 10
_MOST_DIRECTORIES, _MOST_VALUES = 1000, 1 << 18
#: Fractions in metadata: a camera writes twenty. Each costs Pillow 30 µs, and many tags may share the same bytes.
_MOST_FRACTIONS, _MOST_METADATA = 20_000, 8 << 20
_FRACTIONS = (5, 10)
#: Frames of a GIF, which Pillow counts one by one.
_MOST_FRAMES = 20_000
#: Pixels of a tile that may be larger than its picture.
_SMALL_TILE = 1 << 20


def check_bounds(kind: str, data: bytes, max_pixels: int, name: str) -> None:
    """Refuses a file that would cost more than its header says; comes before a decoder has opened it.

    Args:
        kind: The file format as `sniff` names it.
        data: The file.
        max_pixels: The most pixels that a picture may have.
        name: What the file is called in messages.

    Raises:
        LimitExceeded: More would be decoded than `max_pixels` allows.
        InputError: It is cut off, or no file that a camera or a program writes.
    """
    if kind == "JPEG":
        _check_jpeg(data)
    elif kind == "PNG":
        _check_png(data)
    elif kind == "TIFF":
        _check_tiff(data, max_pixels, name)
    elif kind == "GIF":
        _check_gif(data)


def check_claim(kind: str, data: bytes, size_wh: tuple[int, int], max_pixels: int, name: str) -> None:
    """As `check_bounds`, where a decoder has said which size the header claims."""
    pixels = size_wh[0] * size_wh[1]
    _check_density(pixels, len(data))
    if kind == "AVIF":
        _check_avif(data, pixels, max_pixels, name)


def _check_density(pixels: int, count: int) -> None:
    if pixels > _FREE_PIXELS and count * _PIXELS_PER_BYTE < pixels:
        raise InputError(f"It claims {pixels:,} pixels in {count:,} bytes, as no photograph does.")


# ---------------------------------------------------------------- JPEG

#: A marker inside a scan that ends it: neither a stuffed byte, nor a restart, nor filling.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_BASELINE, _PROGRESSIVE, _SCAN, _END = (0xC0, 0xC1), 0xC2, 0xDA, 0xD9


def _check_jpeg(data: bytes) -> None:
    frame, pixels, blocks, scanned = 0, 0, 0, 0
    for count, (marker, at) in enumerate(_segments(data)):
        if count >= _MOST_SEGMENTS:
            raise InputError(f"The JPEG has more than {_MOST_SEGMENTS:,} segments; save it anew.")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            frame, pixels, blocks = marker, width * height, -(-width // 8) * -(-height // 8)
        if marker == _SCAN:
            scanned += max(1, data[at + 4] if at + 4 < len(data) else 1)
            if scanned * pixels > _MOST_SCANNED:
                raise InputError(
                    f"The JPEG goes over its {pixels:,} pixels more than {scanned - 1} times; save it anew."
                )
    # A block of 8 × 8 takes two bits at least, a progressive one (the ends of many may be told at once) one.
    bits = 2 if frame in _BASELINE else 1 if frame == _PROGRESSIVE else 0
    if len(data) * 8 < blocks * bits:
        raise InputError(f"The JPEG is broken or cut off: {len(data):,} bytes hold no {pixels:,} pixels.")


def end_of_jpeg(data: bytes) -> int | None:
    """Where the end marker of the first picture stands; None where there is none."""
    return next((at for marker, at in _segments(data) if marker == _END), None)


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """(marker, where it stands) up to the end of the first picture."""
    at = 2
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        yield marker, at
        if marker == _END:
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        if marker == _SCAN:
            end = _SCAN_END.search(data, at)
            if end is None:
                return
            at = end.start()


# ---------------------------------------------------------------- PNG


def _check_png(data: bytes) -> None:
    at, count = 8, 0
    while at + 8 <= len(data):
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        count += 1
        if count > _MOST_CHUNKS:
            raise InputError(f"The PNG has more than {_MOST_CHUNKS:,} chunks; save it anew.")


def png_is_whole(data: bytes) -> bool:
    """Whether a PNG's rows are all there (PNG, third edition, 7.2 and 8); Pillow leaves missing ones black."""
    width, height, depth, color, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(color, 1)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    missing = 0
    for left, top, across, down in passes:
        wide, tall = -(-(width - left) // across), -(-(height - top) // down)
        missing += tall * (1 + (wide * bits + 7) // 8) if wide > 0 and tall > 0 else 0
    inflate, at = zlib.decompressobj(), 8
    while at + 8 <= len(data) and missing > 0 and not inflate.eof:
        length = int.from_bytes(data[at : at + 4], "big")
        packed = data[at + 8 : at + 8 + length] if data[at + 4 : at + 8] == b"IDAT" else b""
        while packed and missing > 0:
            missing -= len(inflate.decompress(packed, 1 << 20))
            packed = inflate.unconsumed_tail
        at += 12 + length
    return missing <= 0


#: (left, top, across, down) of each pass.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


# ---------------------------------------------------------------- TIFF

_WIDTH, _LENGTH, _BITS, _SAMPLES = 256, 257, 258, 277
_STRIPS, _STRIP_COUNTS, _TILES, _TILE_COUNTS = 273, 279, 324, 325
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_LOOKED_AT = (_WIDTH, _LENGTH, _BITS, _SAMPLES, _STRIP_COUNTS, _TILES, _TILE_COUNTS, _TILE_WIDTH, _TILE_LENGTH)


def _check_tiff(data: bytes, max_pixels: int, name: str) -> None:
    together = fractions = 0
    for count, directory in enumerate(tiff_directories(data)):
        if count >= _MOST_DIRECTORIES:
            raise InputError(f"The TIFF has more than {_MOST_DIRECTORIES:,} pages; save the one you mean.")
        together += sum(entry.numbers for entry in directory.entries.values() if entry.size > 1)
        fractions += sum(entry.numbers for entry in directory.entries.values() if entry.kind in _FRACTIONS)
        if together > 20 * _MOST_VALUES or fractions > _MOST_FRACTIONS:
            raise InputError(f"The TIFF's directories have {together:,} numbers; save it anew.")
        _check_directory(directory, len(data), max_pixels, name)


def is_metadata(block: bytes) -> bool:
    """Whether an EXIF block costs what it looks like: its directories' values have no more bytes than it."""
    block = block.removeprefix(b"Exif\0\0")
    count = fractions = 0
    try:
        for directories, directory in enumerate(tiff_directories(block)):
            count += sum(entry.numbers * entry.size for entry in directory.entries.values())
            fractions += sum(entry.numbers for entry in directory.entries.values() if entry.kind in _FRACTIONS)
            if directories > 100 or count > 2 * len(block) + 1024 or fractions > _MOST_FRACTIONS:
                return False
    except InputError:
        return False
    return len(block) <= _MOST_METADATA


def _check_directory(directory: TiffDirectory, count: int, max_pixels: int, name: str) -> None:
    for tag, entry in directory.entries.items():
        most = 16 * _MOST_VALUES if tag in (_STRIPS, _STRIP_COUNTS, _TILES, _TILE_COUNTS) else _MOST_VALUES
        if entry.numbers > most and entry.size > 1:
            raise InputError(f"The TIFF's tag {tag} has {entry.numbers:,} numbers; save it anew.")
    numbers = {tag: directory.numbers(tag) for tag in _LOOKED_AT if tag in directory.entries}
    pixels = _first(numbers, _WIDTH, 0) * _first(numbers, _LENGTH, 0)
    samples, bits = _first(numbers, _SAMPLES, 1), _first(numbers, _BITS, 1)
    if samples > _MOST_SAMPLES:
        raise InputError(f"The TIFF has {samples} channels; at most {_MOST_SAMPLES} are read.")
    if max_pixels >= pixels and pixels * samples > 5 * max_pixels:
        raise LimitExceeded(f"{name} has {pixels:,} pixels of {samples} channels, more than are read; make it smaller.")
    _check_density(pixels * samples * max(bits, 8) // 24, count)
    _check_parts(numbers, pixels, max_pixels, count)


def _check_parts(numbers: Mapping[int, tuple[int, ...]], pixels: int, max_pixels: int, count: int) -> None:
    """Strips or tiles: none is larger than the picture, and no two share their bytes."""
    tile = _first(numbers, _TILE_WIDTH, 0) * _first(numbers, _TILE_LENGTH, 0)
    if _TILES in numbers and tile > max(_SMALL_TILE, min(4 * pixels, 2 * max_pixels)):
        raise InputError(f"The TIFF's tiles have {tile:,} pixels, its picture {pixels:,}; save it anew.")
    if max(sum(numbers.get(_STRIP_COUNTS, ())), sum(numbers.get(_TILE_COUNTS, ()))) > count:
        raise InputError("The TIFF is broken or cut off: its strips or tiles have more bytes than the file.")


def _first(numbers: Mapping[int, tuple[int, ...]], tag: int, absent: int) -> int:
    return next(iter(numbers.get(tag, ())), absent)


# ---------------------------------------------------------------- GIF


def _check_gif(data: bytes) -> None:
    """Walks over the blocks (GIF89a, section 17 on)."""
    at, frames = 13 + _table(data, 10), 0
    while at < len(data) and data[at] in (0x21, 0x2C):
        if data[at] == 0x2C:
            frames += 1
            at += 11 + _table(data, at + 9)
        else:
            at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
        if frames > _MOST_FRAMES:
            raise InputError(f"The GIF has more than {_MOST_FRAMES:,} frames; save the one you mean.")


def _table(data: bytes, at: int) -> int:
    """Bytes of the color table that a packed field announces."""
    packed = data[at] if at < len(data) else 0
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


# ---------------------------------------------------------------- AVIF


def _check_avif(data: bytes, pixels: int, max_pixels: int, name: str) -> None:
    sizes = coded_sizes(data)
    together = sum(width * height for width, height in sizes)
    for width, height in sizes:
        if width * height > max_pixels or together > 4 * max_pixels:
            raise LimitExceeded(f"{name} must have at most {max_pixels:,} pixels; it is coded with {width} × {height}.")
        if width * height > 4 * pixels + _SMALL_TILE:
            raise InputError(f"The AVIF claims {pixels:,} pixels and is coded with {width} × {height}.")
    _check_density(together, len(data))
