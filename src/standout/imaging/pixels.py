"""Pixels of an opened file: upright, alpha apart, in sRGB, with what was lost on the way."""

from __future__ import annotations

import importlib
import io
from typing import Any

import cv2
import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageFile, features

from standout.errors import InputError
from standout.imaging import cicp, tiff
from standout.imaging.arrays import Alpha
from standout.imaging.bounds import end_of_jpeg, png_is_whole
from standout.imaging.encode import to_8_bit
from standout.imaging.exif import ORIENTATION, read_dpi, read_exif, turn, upright_exif
from standout.imaging.icc import is_srgb, rgb_profile, to_srgb
from standout.imaging.jpeg import decode_without_end, ends_early
from standout.imaging.picture import Picture

_DECODERS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIC": ("pi_heif", "HeifImageFile"),
}


def open_image(kind: str, data: bytes) -> ImageFile.ImageFile:
    """Reads the header only. Calls the decoder itself: `Image.open` has a limit of its own that is process-wide.

    Raises:
        InputError: The library that decodes this kind can't be loaded.
    """
    module, name = _DECODERS[kind]
    try:
        if kind in ("AVIF", "WebP") and not features.check(kind.lower()):
            raise ImportError(f"Pillow {PIL.__version__} without {kind}")
        decoder = getattr(importlib.import_module(module), name)
    except ImportError as error:
        package = module.partition(".")[0].replace("PIL", "Pillow").replace("_", "-")
        raise InputError(
            f"A {kind} is decoded by the package `{package}`, which can't be loaded here ({error}); run "
            f"`pip install --upgrade {package}`, or save the picture as JPEG or PNG."
        ) from error
    image: ImageFile.ImageFile = decoder(io.BytesIO(data))
    return image


def decode(image: Image.Image, kind: str, data: bytes, *, notes: tuple[str, ...] = ()) -> Picture:
    """Decodes, turns upright, separates alpha, converts to sRGB.

    Args:
        image: Opened, not loaded.
        kind: The file format as `sniff` names it; "" for a Pillow picture of which no file is known.
        data: The file.
        notes: What was lost already.
    """
    exif = read_exif(image)
    icc, dpi = image.info.get("icc_profile"), read_dpi(image, exif)
    code = _color_code(image, kind, data, icc)
    channels = _decode_itself(image, kind, data, code)
    # TIFFs are turned by Pillow itself while loading.
    turned_by_pillow = image.format == "TIFF"
    if channels is not None:
        profile = rgb_profile(icc)
    else:
        channels, profile = _decode_8_bit(image, icc)
    if _ends_flat(channels):
        _check_whole(kind, data)
    if kind == "BMP" and channels.ndim == 3 and channels.shape[2] == 4 and not channels[..., 3].any():
        channels = np.ascontiguousarray(channels[..., :3])  # programs write an alpha of 0 that they don't mean
    if code is not None:
        channels, profile, lost = _convert_code(channels, code)
        notes += lost
    return _upright(channels, exif, dpi, profile, image.format or "", turned=turned_by_pillow, notes=notes)


def _ends_flat(channels: NDArray[Any]) -> bool:
    """Whether the last row has one color, as it has where a file ends early."""
    return bool((channels[-1] == channels[-1, 0]).all())


def _check_whole(kind: str, data: bytes) -> None:
    end = end_of_jpeg(data) if kind == "JPEG" else None
    if (kind == "PNG" and not png_is_whole(data)) or (end is not None and ends_early(data, end)):
        raise InputError(f"The {kind} is cut off: its last rows are missing.")


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


def decode_deep_tiff(tags: tiff.Tags, data: bytes, *, notes: tuple[str, ...] = ()) -> Picture:
    """A TIFF of 16 bits per color; Pillow gives its metadata, where it opens such a file at all."""
    deep = tiff.decode_deep(tags, data)
    try:
        with open_image("TIFF", data) as image:
            exif, icc, dpi = read_exif(image), image.info.get("icc_profile"), read_dpi(image, read_exif(image))
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
    return _upright(channels, exif, dpi, profile, "TIFF", turned=False, notes=notes)


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
    orientation = exif.get(ORIENTATION, 1) if exif is not None else 1
    if not turned:
        channels = turn(channels, orientation)
    if dpi is not None and orientation in (5, 6, 7, 8):
        dpi = (dpi[1], dpi[0])
    return from_channels(channels, icc=profile, dpi=dpi, exif=upright_exif(exif), file_format=file_format, notes=notes)


def from_channels(
    channels: NDArray[Any],
    *,
    icc: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    exif: bytes | None = None,
    file_format: str = "",
    notes: tuple[str, ...] = (),
) -> Picture:
    """Gray, RGB or RGBA channels, upright, as a picture."""
    alpha: Alpha | None = None
    if channels.ndim == 2:
        channels = cv2.cvtColor(channels, cv2.COLOR_GRAY2RGB)
    elif channels.shape[2] == 4:
        own = channels[..., 3]
        if int(own.min()) < np.iinfo(own.dtype).max:
            alpha = own.astype(np.float32) / np.float32(np.iinfo(own.dtype).max)
        if not own.any():
            notes += ("it is transparent everywhere, so nothing of it is shown",)
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
        gray = np.asarray(image)
        if gray.min() < 0 or gray.max() > 65535:
            raise InputError("A picture of 32-bit whole numbers must lie in 0 … 65535; save it with 8 or 16 bits.")
        return np.ascontiguousarray(gray, np.uint16), None
    if image.mode == "F":
        raise InputError("Floating-point pictures have no defined range; save it with 8 or 16 bits.")
    if image.mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        # These colors can't stay in an RGB file, so they are converted for good, and no profile is kept.
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
    """Gray, RGB or RGBA channels; None where a JPEG is damaged: then Pillow has the last word."""
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
