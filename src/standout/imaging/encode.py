"""Encoding: a picture to the bytes of a PNG, WebP, JPEG or TIFF."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.errors import ConfigError, OutputError
from standout.imaging.defaults import DEFAULT_QUALITY
from standout.imaging.parse import check_choice, check_within

#: Each format that is written -> how people call it, Pillow too.
FORMATS = {"png": "PNG", "webp": "WebP", "jpg": "JPEG", "tiff": "TIFF"}
#: Other words for them, as endings and as names.
_ALIASES = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg", "pjpeg": "jpg", "tif": "tiff"}

#: How a PNG is deflated, chosen by benchmarks/png_level.py.
PNG_LEVEL = 2

NO_TRANSPARENCY = "A JPEG can't hold transparency; choose a `background`, such as `white`, or write PNG, WebP or TIFF."


@dataclass(frozen=True)
class EncodeOptions:
    """How a picture is written.

    Attributes:
        format: "png", "webp", "jpg" or "tiff"; `format_named` reads it.
        quality: 1 … 100, of JPEG and WebP (100 makes a WebP lossless).
        icc: The color profile of the pixels; None is sRGB.
        dpi: Pixels per inch, (horizontal, vertical).
        exif: Metadata to write, as `Picture.exif`.

    Example:
        >>> encode(np.zeros((2, 2, 3), np.uint8), EncodeOptions("jpg", quality=80))[:2]
        b'\\xff\\xd8'
    """

    format: str = "png"
    quality: int = DEFAULT_QUALITY
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    exif: bytes | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "format", format_named(self.format))
        check_within("quality", self.quality, 1, 100, whole=True)


def format_named(word: str, *, name: str = "format") -> str:
    """Reads the name of a format that is written: in capitals or not, with a dot or without.

    Raises:
        ConfigError: Standout doesn't write such files.

    Example:
        >>> format_named("JPEG"), format_named(".tif"), format_named("png")
        ('jpg', 'tiff', 'png')
    """
    low = str(word).strip().lower().removeprefix(".")
    low = _ALIASES.get(low, low)
    check_choice(name, low, tuple(FORMATS))
    return low


def format_of(path: Path | str) -> str:
    """The format that a file name's ending asks for.

    Raises:
        OutputError: Standout doesn't write such files.
    """
    suffix = Path(path).suffix
    try:
        return format_named(suffix)
    except ConfigError:
        endings = ", ".join(f".{ending}" for ending in (*FORMATS, *_ALIASES))
        raise OutputError(
            f"The output `{path}` must end in {endings}; received {suffix or 'no ending'}, so choose one of these."
        ) from None


def write_picture(target: BinaryIO, pixels: NDArray[Any], encoding: EncodeOptions) -> None:
    """Writes a picture.

    Args:
        target: An open binary file.
        pixels: uint8 or uint16; gray (H, W), RGB (H, W, 3) or RGBA (H, W, 4). 16 bits survive in a PNG; the other
            formats get 8.
        encoding: The format and what goes with it.

    Raises:
        OutputError: The format can't hold the picture: transparency in a JPEG, or too many pixels.
    """
    if encoding.format == "jpg" and pixels.ndim == 3 and pixels.shape[2] == 4:
        raise OutputError(NO_TRANSPARENCY)
    limit = {"jpg": 65535, "webp": 16383}.get(encoding.format)
    if limit and max(pixels.shape[:2]) > limit:
        raise OutputError(
            f"A {FORMATS[encoding.format]} is at most {limit} pixels wide and high; "
            f"received {pixels.shape[1]} × {pixels.shape[0]}; write a PNG or TIFF."
        )
    if encoding.format == "png":
        for part in _png(pixels, encoding):
            target.write(part)
        return
    image = Image.fromarray(np.ascontiguousarray(to_8_bit(pixels)))
    image.save(target, FORMATS[encoding.format], **_options(encoding))


def encode(pixels: NDArray[Any], encoding: EncodeOptions | None = None) -> bytes:
    """As `write_picture`, into bytes."""
    buffer = io.BytesIO()
    write_picture(buffer, pixels, encoding or EncodeOptions())
    return buffer.getvalue()


def to_8_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """uint16 to uint8, rounded; uint8 as it is."""
    if pixels.dtype == np.uint8:
        return pixels
    import cv2

    return np.asarray(cv2.convertScaleAbs(pixels, alpha=1 / 257), np.uint8).reshape(pixels.shape)


def _options(encoding: EncodeOptions) -> dict[str, Any]:
    """What Pillow's `save` wants for this format (PNGs don't go through Pillow)."""
    options: dict[str, Any] = {}
    if encoding.icc:
        options["icc_profile"] = encoding.icc
    if encoding.exif:
        options["exif"] = encoding.exif
    if encoding.format == "tiff":
        # Pillow's deflated TIFFs can't hold the GPS part of the metadata, its plain ones can.
        options["compression"] = "raw" if encoding.exif else "tiff_adobe_deflate"
    else:
        options["quality"] = encoding.quality
    if encoding.format == "jpg":
        # Colored edges of a cut-out suffer most from thinned-out color.
        options["subsampling"] = 0 if encoding.quality >= 90 else 2
    if encoding.format == "webp":
        options["lossless"] = encoding.quality == 100
    if encoding.dpi is not None:
        if encoding.format != "webp":
            options["dpi"] = encoding.dpi
        elif not encoding.exif:
            options["exif"] = _dpi_as_exif(encoding.dpi)  # the only place that a WebP has for it
    return options


def _dpi_as_exif(dpi: tuple[float, float]) -> bytes:
    exif = Image.Exif()
    exif[282], exif[283], exif[296] = dpi[0], dpi[1], 2  # XResolution, YResolution, inches
    return exif.tobytes()


def _png(pixels: NDArray[Any], encoding: EncodeOptions) -> tuple[bytes, bytes, memoryview]:
    """A PNG in three parts, by OpenCV: twice as fast as Pillow's, and 16-bit color, which Pillow can't write.

    The chunks that OpenCV leaves out (profile, resolution, metadata) are put in by hand.
    """
    import cv2

    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, order[pixels.shape[2]])
    how = (
        (cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL),
        (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
        (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG),
    )
    done, data = cv2.imencode(".png", bgr, [value for pair in how for value in pair])
    if not done:
        raise OutputError("The PNG could not be encoded; write a TIFF or WebP instead.")
    chunks = b""
    if encoding.icc:
        chunks += _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(encoding.icc))
    if encoding.dpi is not None:
        per_meter = [round(value / 0.0254) for value in encoding.dpi]
        chunks += _chunk(b"pHYs", struct.pack(">IIB", *per_meter, 1))
    if encoding.exif:
        chunks += _chunk(b"eXIf", encoding.exif.removeprefix(b"Exif\0\0"))
    raw = data.data
    after_header = 8 + 25  # signature, IHDR
    return bytes(raw[:after_header]), chunks, raw[after_header:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
