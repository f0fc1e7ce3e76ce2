"""TIFFs of more than 8 bits, which neither Pillow nor OpenCV reads whole: 16-bit scans, camera and Photoshop files.

Pillow unpacks the file's strips and tiles as bare bytes: the file gets a second directory that calls a row of 16-bit
colors a row of six times as many gray bytes. What the bytes mean (order, prediction, planes, inks, transparency) is
read here, by TIFF 6.0 and Adobe's Photoshop TIFF technical notes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from standout.errors import InputError

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_COUNTS = 273, 277, 278, 279
_PLANAR, _PREDICTOR = 284, 317
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_INK_SET, _EXTRA, _FORMAT, _FILL_ORDER = 332, 338, 339, 266

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _CMYK = 0, 1, 2, 5
_KINDS = {3: "palette", 4: "mask", 6: "YCbCr", 8: "CIELab", 9: "ICCLab", 32803: "raw sensor", 34892: "linear raw"}
_COLORS = {_MIN_IS_WHITE: 1, _MIN_IS_BLACK: 1, _RGB: 3, _CMYK: 4}
#: none, LZW, deflate (two numbers), packed bits, LZMA, ZSTD: what leaves every bit as it was.
_LOSSLESS = {1: "none", 5: "LZW", 8: "deflate", 32946: "deflate", 32773: "PackBits", 34925: "LZMA", 50000: "ZSTD"}
_PREMULTIPLIED, _STRAIGHT = 1, 2


@dataclass(frozen=True)
class DeepTiff:
    """The pixels of a 16-bit TIFF as they lie in the file, not yet turned.

    Attributes:
        channels: uint16, gray (H, W), RGB (H, W, 3) or RGBA (H, W, 4), alpha not premultiplied.
        cmyk: Instead, uint8 (H, W, 4), 255 is full ink: colors that still need their profile. None otherwise.
    """

    channels: NDArray[np.uint16] | None
    cmyk: NDArray[np.uint8] | None = None


Tags = Mapping[int, Any]


def read_tags(data: bytes) -> Tags:
    """The tags of a TIFF's first picture, also where Pillow doesn't open it.

    Raises:
        InputError: It is a big-endian BigTIFF.
        Exception: It is broken, in one of many ways.
    """
    if data[:4] == b"MM\0+":
        raise InputError("A BigTIFF in big-endian order isn't supported; save it as an ordinary TIFF.")
    # The eight bytes of a header; a BigTIFF has sixteen.
    directory = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if data[2] == 43 else 8])
    stream = io.BytesIO(data)
    stream.seek(directory.next)
    directory.load(stream)
    return directory


def is_deep(tags: Tags) -> bool:
    """Whether a TIFF has to be read here: its samples have more than 8 bits.

    Gray whole numbers of 32 bits are left to Pillow.
    """
    bits = _values(tags, _BITS, (1,))
    gray32 = bits == (32,) and _values(tags, _FORMAT, (1,)) != (3,)
    return max(bits) > 8 and not gray32


def size_of(tags: Tags) -> tuple[int, int]:
    """(width, height)."""
    return _one(tags, _WIDTH, 0), _one(tags, _LENGTH, 0)


def exif_of(tags: Tags) -> Image.Exif:
    """What the directory itself says of orientation and resolution, for files that Pillow doesn't open."""
    exif = Image.Exif()
    for tag in (274, 282, 283, 296):
        if tag in tags:
            exif[tag] = tags[tag]
    return exif


def decode_deep(tags: Tags, data: bytes) -> DeepTiff:
    """Decodes a 16-bit TIFF.

    Args:
        tags: What `read_tags` returned.
        data: The file.

    Raises:
        InputError: It is of a kind that isn't supported; the message names it.
    """
    photometric = _one(tags, _PHOTOMETRIC, _MIN_IS_BLACK)
    samples = _one(tags, _SAMPLES, 1)
    _check_supported(tags, photometric, samples)
    colors = _COLORS[photometric]
    pixels = _samples(tags, data, samples, colors)
    own = pixels[..., :colors]
    if photometric == _MIN_IS_WHITE:
        own = np.uint16(65535) - own
    alpha, premultiplied = _alpha(tags, pixels, colors)
    if alpha is not None and premultiplied:
        own = _divided(own, alpha)
    if photometric == _CMYK:
        return DeepTiff(None, np.ascontiguousarray((own >> 8).astype(np.uint8)))
    if alpha is None:
        return DeepTiff(np.ascontiguousarray(own[..., 0] if colors == 1 else own))
    rgb = np.repeat(own, 3, axis=2) if colors == 1 else own
    return DeepTiff(np.ascontiguousarray(np.dstack([rgb, alpha])))


def _check_supported(tags: Tags, photometric: int, samples: int) -> None:
    bits, formats = set(_values(tags, _BITS, (1,))), set(_values(tags, _FORMAT, (1,)))
    compression = _one(tags, _COMPRESSION, 1)
    advice = "save it with 8 or 16 bits per color, as RGB, gray or CMYK"
    if 3 in formats:
        raise InputError(
            "A TIFF of floating-point numbers isn't supported: it doesn't say which number is white; "
            "save it with 8 or 16 bits per color."
        )
    if formats != {1} or bits != {16}:
        kind = "signed or complex numbers" if formats != {1} else f"{', '.join(map(str, sorted(bits)))} bits"
        raise InputError(f"A TIFF of {kind} per color isn't supported; {advice}.")
    if photometric not in _COLORS:
        kind = _KINDS.get(photometric, f"kind {photometric}")
        raise InputError(f"A 16-bit TIFF with {kind} colors isn't supported; {advice}.")
    if compression not in _LOSSLESS:
        name = TiffImagePlugin.COMPRESSION_INFO.get(compression, f"number {compression}")
        raise InputError(f"A 16-bit TIFF with the compression {name} isn't supported; save it with LZW, ZIP or none.")
    if photometric == _CMYK and _one(tags, _INK_SET, 1) != 1:
        raise InputError(f"A TIFF with other inks than cyan, magenta, yellow and black isn't supported; {advice}.")
    if samples < _COLORS[photometric]:
        raise InputError(f"The TIFF has {samples} channel(s), too few for its colors; it is broken.")


def _alpha(tags: Tags, pixels: NDArray[np.uint16], colors: int) -> tuple[NDArray[np.uint16] | None, bool]:
    """The channel that is transparency, and whether the colors are multiplied by it.

    Extra channels without a meaning (a saved selection, a spot color) are no transparency.
    """
    for extra, meaning in enumerate(_values(tags, _EXTRA, ())):
        if meaning in (_PREMULTIPLIED, _STRAIGHT) and colors + extra < pixels.shape[2]:
            return pixels[..., colors + extra], meaning == _PREMULTIPLIED
    return None, False


def _divided(own: NDArray[np.uint16], alpha: NDArray[np.uint16]) -> NDArray[np.uint16]:
    share = np.maximum(alpha, 1).astype(np.float32)[..., None] / np.float32(65535)
    return np.asarray(np.clip(own / share + np.float32(0.5), 0, 65535), np.uint16)


# ---------------------------------------------------------------- bytes to samples


def _samples(tags: Tags, data: bytes, samples: int, colors: int) -> NDArray[np.uint16]:
    """uint16 (H, W, samples); of planes, the colors' and those up to a transparency alone."""
    width, height = _one(tags, _WIDTH, 0), _one(tags, _LENGTH, 0)
    order = "<" if data[:2] == b"II" else ">"
    planes = samples if _one(tags, _PLANAR, 1) == 2 and samples > 1 else 1
    wide = 2 if planes > 1 else 2 * samples  # bytes of a pixel in one plane
    predictor = _one(tags, _PREDICTOR, 1)
    if predictor not in (1, 2):
        raise InputError(
            f"A 16-bit TIFF with the predictor {predictor} isn't supported; save it with LZW, ZIP or none."
        )
    extras = _values(tags, _EXTRA, ())
    seen = [colors + extra + 1 for extra, meaning in enumerate(extras) if meaning in (_PREMULTIPLIED, _STRAIGHT)]
    parts = []
    for plane in range(min(planes, max(seen, default=colors)) if planes > 1 else 1):
        raw = _unpack(tags, data, order, plane, planes, wide)
        part = raw.view(order + "u2").reshape(height, width, wide // 2).astype(np.uint16)
        if predictor == 2:
            part = _sum_up(tags, part)
        parts.append(part)
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _sum_up(tags: Tags, part: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Undoes horizontal differencing (TIFF 6.0, section 14), which begins anew in every tile."""
    step = _one(tags, _TILE_WIDTH, part.shape[1])
    for left in range(0, part.shape[1], step):
        np.cumsum(part[:, left : left + step], axis=1, dtype=np.uint16, out=part[:, left : left + step])
    return part


def _unpack(tags: Tags, data: bytes, order: str, plane: int, planes: int, wide: int) -> NDArray[np.uint8]:
    """The bytes of one plane, unpacked and put together, (H, W × wide)."""
    width, height = _one(tags, _WIDTH, 0), _one(tags, _LENGTH, 0)
    bare: dict[int, tuple[int, ...]] = {
        _WIDTH: (width * wide,), _LENGTH: (height,), _BITS: (8,), _COMPRESSION: (_one(tags, _COMPRESSION, 1),),
        _PHOTOMETRIC: (_MIN_IS_BLACK,), _SAMPLES: (1,), _PLANAR: (1,), _PREDICTOR: (1,),
        _FILL_ORDER: (_one(tags, _FILL_ORDER, 1),),
    }  # fmt: skip
    tiled = bool(_values(tags, _TILE_OFFSETS, ()))
    for tag in (_TILE_OFFSETS, _TILE_COUNTS) if tiled else (_STRIP_OFFSETS, _STRIP_COUNTS):
        places = _values(tags, tag, ())
        share = len(places) // planes
        bare[tag] = places[plane * share : (plane + 1) * share]
    if tiled:
        bare |= {_TILE_WIDTH: (_one(tags, _TILE_WIDTH, width) * wide,)}
        bare |= {_TILE_LENGTH: (_one(tags, _TILE_LENGTH, height),)}
    else:
        bare |= {_ROWS_PER_STRIP: (min(_one(tags, _ROWS_PER_STRIP, height), height),)}
    image = _Bytes(io.BytesIO(_with_directory(data, order, bare)))
    return np.ascontiguousarray(np.asarray(image), np.uint8)


class _Bytes(TiffImagePlugin.TiffImageFile):
    """Pillow's own limit counts pixels, and these are bytes; `bounds` has counted already."""

    def load_prepare(self) -> None:
        self.im = Image.core.new(self.mode, getattr(self, "_tile_size", self.size))  # type: ignore[attr-defined]
        super().load_prepare()


def _with_directory(data: bytes, order: str, tags: dict[int, tuple[int, ...]]) -> bytes:
    """The file with a directory of these tags at its end, and a header that points there."""
    start = len(data) + len(data) % 2
    entries, values = b"", b""
    values_at = start + 2 + 12 * len(tags) + 4
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(numbers) > 1:
            field = struct.pack(order + "I", values_at + len(values))
            values += packed
        else:
            field = packed
        entries += struct.pack(order + "HHI", tag, 4, len(numbers)) + field
    header = data[:2] + struct.pack(order + "HI", 42, start)
    directory = struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0) + values
    return b"".join([header, data[8:], bytes(start - len(data)), directory])


def _values(tags: Tags, tag: int, absent: tuple[int, ...]) -> tuple[int, ...]:
    value = tags.get(tag, absent)
    return tuple(int(number) for number in value) if isinstance(value, tuple | list) else (int(value),)


def _one(tags: Tags, tag: int, absent: int) -> int:
    return (_values(tags, tag, (absent,)) or (absent,))[0]
