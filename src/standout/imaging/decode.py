"""Decoding once for everybody: a file, bytes, a Pillow picture or an array becomes a `Picture`, upright and checked.

Limits hold before a pixel is decoded.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from standout.errors import InputError, LimitExceeded, MissingExtra
from standout.imaging import cicp, tiff
from standout.imaging.arrays import Alpha, Frame
from standout.imaging.encode import DEFAULT_QUALITY, EncodeOptions, to_8_bit
from standout.imaging.icc import from_srgb, is_srgb, rgb_profile, to_srgb
from standout.imaging.jpeg import decode_without_end

MAX_PIXELS = 200_000_000
MAX_BYTES = 1 << 30

#: Endings of the files that can be read; for folders. The content decides, not the ending.
SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".heic", ".heif", ".hif", ".avif",
)  # fmt: skip

_ALLOWED = "JPEG, PNG, WebP, TIFF, BMP, HEIC and AVIF"
_ORIENTATION = 274


@dataclass(frozen=True, eq=False)
class Picture:
    """A photograph, upright.

    Attributes:
        frame: uint8 RGB (H, W, 3) in sRGB: what networks and compositing see.
        colour: RGB (H, W, 3) as in the file: uint8 or uint16, in the colours of `icc`; `frame` itself if sRGB.
        alpha: The file's own transparency, float32 (H, W) in [0, 1]; None without.
        icc: The colour profile of `color`; None is sRGB.
        dpi: Pixels per inch, (horizontal, vertical), upright; None if the file doesn't say.
        exif: The file's metadata with the orientation reset and without its thumbnail; to be written on demand only.
        format: What it was read from, as Pillow calls it: "JPEG", "PNG", …; "" for arrays.
        notes: What was lost in reading, a sentence each; usually empty.
    """

    frame: Frame
    color: NDArray[Any]
    alpha: Alpha | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    exif: bytes | None = None
    format: str = ""
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.frame.shape[0], self.frame.shape[1]

    def own_color(self, frame: Frame) -> NDArray[Any]:
        """An sRGB picture (any size) in the colours and depth of this one: what lies beside `color` in one output."""
        own = frame if self.icc is None else from_srgb(frame, self.icc)
        return own if self.color.dtype == np.uint8 else own.astype(np.uint16) * np.uint16(257)

    def encoding(
        self, file_format: str = "PNG", *, quality: int = DEFAULT_QUALITY, keep_metadata: bool = False
    ) -> EncodeOptions:
        """How an output in this picture's own colours is written: its profile and DPI, metadata only on demand."""
        return EncodeOptions(file_format, quality, self.icc, self.dpi, self.exif if keep_metadata else None)


def read(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> Picture:
    """Decodes a photograph.

    Args:
        source: A path, `-` for standard input, or the bytes of a file.
        max_pixels: Width × height that is allowed; looked up in the header, before decoding.
        max_bytes: Size of the file that is allowed.

    Raises:
        LimitExceeded: The file or the picture is larger than allowed.
        InputError: It is missing, empty, cut off, a folder, or no picture of a kind that is read.
    """
    name, data = _load_bytes(source, max_bytes)
    kind = _sniff(data)
    if kind is None:
        raise InputError(f"{name} is not a picture of a kind that is read: allowed are {_ALLOWED}.")
    try:
        if kind == "TIFF" and tiff.is_deep(tags := tiff.read_tags(data)):
            _check_pixels(tiff.size_of(tags), max_pixels, name)
            return _decode_deep_tiff(tags, data)
        with _open(kind, data) as image:
            _check_pixels(image.size, max_pixels, name)
            return _decode(image, kind, data)
    except (LimitExceeded, MissingExtra):
        raise
    except InputError as error:
        raise type(error)(f"{name} can't be used: {str(error)[0].lower()}{str(error)[1:]}") from error
    except MemoryError as error:
        raise LimitExceeded(f"{name} needs more memory than there is; make it smaller.") from error
    except Exception as error:
        raise InputError(f"{name} can't be decoded: the {kind} is broken or cut off ({_reason(error)}).") from error


def from_pil(image: Image.Image, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """A Pillow picture of any mode, turned upright by its EXIF.

    Raises:
        LimitExceeded: It has more pixels than allowed.
        InputError: Its file is broken, or its mode has no colours that could be meant.
    """
    _check_pixels(image.size, max_pixels, "The picture")
    try:
        return _decode(image, "", b"")
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"The picture can't be decoded: it is broken or cut off ({_reason(error)}).") from error


def from_array(array: NDArray[Any]) -> Picture:
    """An array as a picture in sRGB.

    Args:
        array: uint8, uint16, or floating-point numbers in [0, 1]; grey (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA
            (H, W, 4), at least one pixel. Floats are kept with 16 bits.

    Raises:
        InputError: It has another shape or type, or floats lie outside of [0, 1].
    """
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not fits or 0 in array.shape or not (array.dtype in (np.uint8, np.uint16) or array.dtype.kind == "f"):
        raise InputError(
            "An array must be uint8, uint16 or floats in [0, 1], grey (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA "
            f"(H, W, 4), of at least one pixel; received {array.dtype} {array.shape}."
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.dtype.kind == "f":
        array = _from_floats(array)
    return _from_channels(np.ascontiguousarray(array))


def _from_floats(array: NDArray[Any]) -> NDArray[np.uint16]:
    low, high = float(array.min()), float(array.max())
    if not (low >= -1e-6 and high <= 1 + 1e-6):  # also where one of them isn't a number
        hint = "; divide by 255, or pass uint8" if 1 < high <= 255 and low >= 0 else ""
        raise InputError(f"An array of floats must lie in [0, 1]; received {low:g} … {high:g}{hint}.")
    return np.asarray(np.clip(array, 0, 1).astype(np.float32) * 65535 + 0.5, np.uint16)


# ---------------------------------------------------------------- bytes


def _load_bytes(source: str | Path | bytes, max_bytes: int) -> tuple[str, bytes]:
    """What to call the source in messages, and its content."""
    if isinstance(source, bytes | bytearray | memoryview):
        name, data = "The input", bytes(source)
    elif str(source) == "-":
        name, data = "Standard input", sys.stdin.buffer.read(max_bytes + 1)
    else:
        name, data = f"`{source}`", _read_file(Path(source), max_bytes)
    if len(data) > max_bytes:
        raise LimitExceeded(f"{name} must be at most {max_bytes:,} bytes; received more.")
    if not data:
        raise InputError(f"{name} is empty; allowed are {_ALLOWED}.")
    return name, data


def _read_file(path: Path, max_bytes: int) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"`{path}` is a folder, not a picture; use `standout folder` for a folder of pictures.")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                raise LimitExceeded(f"`{path}` must be at most {max_bytes:,} bytes; received {size:,}.")
            return file.read(max_bytes + 1)
    except FileNotFoundError:
        raise InputError(f"There is no file `{path}`.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"`{path}` can't be read: {getattr(error, 'strerror', None) or error}.") from error


def _sniff(data: bytes) -> str | None:
    """The kind of file, by its first bytes: only decoders named here ever see the data."""
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if data[:2] == b"BM":
        return "BMP"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")):
            return "HEIC"
    return None


_DECODERS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIC": ("pi_heif", "HeifImageFile"),
}


def _open(kind: str, data: bytes) -> ImageFile.ImageFile:
    """Reads the header only. Calls the decoder itself: `Image.open` has a limit of its own that is process-wide."""
    module, name = _DECODERS[kind]
    image: ImageFile.ImageFile = getattr(importlib.import_module(module), name)(io.BytesIO(data))
    return image


def _check_pixels(size: tuple[int, int], max_pixels: int, name: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width} × {height}).")
    if width * height > max_pixels:
        raise LimitExceeded(
            f"{name} must have at most {max_pixels:,} pixels; received {width} × {height} = {width * height:,}; "
            "make it smaller or raise the limit (`--max-pixels`)."
        )


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


# ---------------------------------------------------------------- pixels


def _decode(image: Image.Image, kind: str, data: bytes) -> Picture:
    """Decodes, turns upright, separates alpha, converts to sRGB.

    Args:
        image: Opened, not loaded.
        kind: As `_sniff` names it; "" for a Pillow picture of which no file is known.
        data: The file.
    """
    exif = _read_exif(image)
    icc, dpi = image.info.get("icc_profile"), _read_dpi(image, exif)
    code = _color_code(image, kind, data, icc)
    channels = _decode_itself(image, kind, data, code)
    # TIFFs are turned by Pillow itself while loading.
    turned_by_pillow = image.format == "TIFF"
    if channels is not None:
        profile = rgb_profile(icc)
    else:
        channels, profile = _decode_8_bit(image, icc)
    notes: tuple[str, ...] = ()
    if code is not None:
        channels, profile, notes = _convert_code(channels, code)
    return _upright(channels, exif, dpi, profile, image.format or "", turned=turned_by_pillow, notes=notes)


def _decode_itself(image: Image.Image, kind: str, data: bytes, code: cicp.ColorCode | None) -> NDArray[Any] | None:
    """What Pillow would decode slower, or cut to 8 bits; None where Pillow is to decode."""
    if kind == "JPEG" and image.mode == "RGB":
        pixels = _decode_with_opencv(data, deep=False)
        return decode_without_end(data) if pixels is None else pixels
    if kind == "PNG" and data[24] == 16:
        return _decode_with_opencv(data, deep=True)
    if kind == "AVIF" and code is not None:
        pixels = _decode_with_opencv(data, deep=True)
        # 10 and 12 bits come as they are, in the low bits.
        return pixels if pixels is None or pixels.dtype == np.uint8 else _to_16_bit(pixels, cicp.avif_bits(data))
    if kind == "HEIC" and code is not None and int(image.info.get("bit_depth", 8)) > 8:
        deep = importlib.import_module("pi_heif").open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        bits = int(image.info["bit_depth"])
        return _to_16_bit(np.asarray(deep) >> (16 - bits), bits)
    return None


def _to_16_bit(pixels: NDArray[Any], bits: int) -> NDArray[np.uint16]:
    table = (np.arange(1 << bits) * (65535 / ((1 << bits) - 1)) + 0.5).astype(np.uint16)
    return np.asarray(table[np.minimum(pixels, (1 << bits) - 1)])


def _color_code(image: Image.Image, kind: str, data: bytes, icc: bytes | None) -> cicp.ColorCode | None:
    """The code points by which the colors have to be converted; None where a profile or sRGB says what they are.

    PNG's `cICP` goes before a profile (PNG, third edition, 4.3); in HEIC and AVIF only HDR does, which the profiles
    there describe for want of better.
    """
    nclx = image.info.get("nclx_profile") if kind == "HEIC" else None
    if nclx:
        code: cicp.ColorCode | None = cicp.ColorCode(
            int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])
        )
    else:
        code = cicp.color_code(kind, data)
    if code is None or code.is_srgb or (icc and kind != "PNG" and not code.is_hdr):
        return None
    return code


def _convert_code(channels: NDArray[Any], code: cicp.ColorCode) -> tuple[NDArray[Any], bytes | None, tuple[str, ...]]:
    """Channels in the colors of a code to sRGB, and what to say about it."""
    if not code.is_known:
        return channels, None, (f"its colors ({code.name}) aren't known and are taken for sRGB",)
    if channels.ndim == 2:
        channels = cv2.cvtColor(channels, cv2.COLOR_GRAY2RGB)
    colors = cicp.to_srgb(np.ascontiguousarray(channels[..., :3]), code)
    notes = (f"its HDR ({code.name}) became sRGB; what is brighter than a white page is white",) if code.is_hdr else ()
    if channels.shape[2] == 4:
        colors = np.dstack([colors, channels[..., 3]])
    return colors, None, notes


def _decode_deep_tiff(tags: tiff.Tags, data: bytes) -> Picture:
    """A TIFF of 16 bits per color; Pillow gives its metadata, where it opens such a file at all."""
    deep = tiff.decode_deep(tags, data)
    try:
        with _open("TIFF", data) as image:
            exif, icc, dpi = _read_exif(image), image.info.get("icc_profile"), _read_dpi(image, _read_exif(image))
    except Exception:  # noqa: BLE001 - the pixels are there
        exif, icc = tiff.exif_of(tags), tags.get(34675)
        dpi = None
    profile = rgb_profile(icc)
    channels: NDArray[Any]
    if deep.cmyk is not None:
        inks = Image.frombytes("CMYK", (deep.cmyk.shape[1], deep.cmyk.shape[0]), deep.cmyk.tobytes())
        channels, profile = np.asarray(_to_rgb(inks, icc)), None
    elif deep.channels is not None:
        channels = deep.channels
    return _upright(channels, exif, dpi, profile, "TIFF", turned=False)


def _upright(
    channels: NDArray[Any],
    exif: Image.Exif | None,
    dpi: tuple[float, float] | None,
    profile: bytes | None,
    file_format: str,
    *,
    turned: bool,
    notes: tuple[str, ...] = (),
) -> Picture:
    """The picture turned upright by its EXIF, which is reset."""
    orientation = exif.get(_ORIENTATION, 1) if exif is not None else 1
    if not turned:
        channels = turn(channels, orientation)
    if dpi is not None and orientation in (5, 6, 7, 8):
        dpi = (dpi[1], dpi[0])
    return _from_channels(
        channels, icc=profile, dpi=dpi, exif=_upright_exif(exif), file_format=file_format, notes=notes
    )


def _from_channels(
    channels: NDArray[Any],
    *,
    icc: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    exif: bytes | None = None,
    file_format: str = "",
    notes: tuple[str, ...] = (),
) -> Picture:
    """Grey, RGB or RGBA channels, upright, as a picture."""
    alpha: Alpha | None = None
    if channels.ndim == 2:
        channels = cv2.cvtColor(channels, cv2.COLOR_GRAY2RGB)
    elif channels.shape[2] == 4:
        own = channels[..., 3]
        if int(own.min()) < np.iinfo(own.dtype).max:
            alpha = own.astype(np.float32) / np.float32(np.iinfo(own.dtype).max)
        channels = np.ascontiguousarray(channels[..., :3])
    frame = to_8_bit(channels)
    if icc is not None:
        if is_srgb(icc):
            icc = None
        else:
            frame = to_srgb(frame, icc)
    return Picture(frame, channels, alpha, icc, dpi, exif, file_format, notes)


def _decode_8_bit(image: Image.Image, icc: bytes | None) -> tuple[NDArray[Any], bytes | None]:
    """Channels (H, W), (H, W, 3) or (H, W, 4), and the profile that they are in."""
    if image.mode in ("I", "I;16", "I;16B", "I;16L", "I;16N"):
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 65535:
            raise InputError("A picture of 32-bit whole numbers must lie in 0 … 65535; save it with 8 or 16 bits.")
        return np.ascontiguousarray(grey, np.uint16), None
    if image.mode == "F":
        raise InputError("A picture of floating-point numbers has no range of its own; save it with 8 or 16 bits.")
    if image.mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        # These colours can't stay in an RGB file, so they are converted for good, and no profile is kept.
        return np.asarray(_to_rgb(image, icc)), None
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        return np.asarray(image.convert("RGBA")), rgb_profile(icc) if image.mode not in ("L", "LA") else None
    if image.mode == "L":
        return np.asarray(image), None
    profile = rgb_profile(icc)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB")), profile


def _to_rgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    from standout.imaging.icc import cmyk_to_srgb

    if image.mode == "CMYK" and icc:
        converted = cmyk_to_srgb(image, icc)
        if converted is not None:
            return converted
    return image.convert("RGB")


def _decode_with_opencv(data: bytes, *, deep: bool) -> NDArray[Any] | None:
    """Grey, RGB or RGBA channels; None where a JPEG is damaged: then Pillow has the last word."""
    how = cv2.IMREAD_UNCHANGED if deep else cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    except cv2.error:
        pixels = None
    if not deep:
        return pixels
    if pixels is None:
        raise ValueError("the 16-bit pixels can't be read")
    if pixels.ndim == 2:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)


def turn(channels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undoes an EXIF orientation (Exif 2.32, section 4.6.4)."""
    if orientation in (5, 6, 7, 8):
        channels = channels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        channels = channels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        channels = channels[::-1]
    return np.ascontiguousarray(channels)


# ---------------------------------------------------------------- metadata


def _read_exif(image: Image.Image) -> Image.Exif | None:
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - broken metadata is no reason to refuse a good picture
        return None


def _upright_exif(exif: Image.Exif | None) -> bytes | None:
    """The metadata for an upright picture; the thumbnail, which shows the background, isn't written by Pillow."""
    if not exif:
        return None
    try:
        exif[_ORIENTATION] = 1
        return exif.tobytes()
    except Exception:  # noqa: BLE001 - as above
        return None


def _read_dpi(image: Image.Image, exif: Image.Exif | None) -> tuple[float, float] | None:
    value = image.info.get("dpi")
    try:
        if value is None and exif is not None and 282 in exif and 283 in exif:
            per_cm = exif.get(296, 2) == 3
            value = tuple(float(exif[tag]) * (2.54 if per_cm else 1.0) for tag in (282, 283))
        if value is None:
            return None
        horizontal, vertical = float(value[0]), float(value[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError):
        return None
    return (horizontal, vertical) if 1 <= horizontal <= 1e5 and 1 <= vertical <= 1e5 else None
