"""Decoding once for everybody: a file, bytes, a Pillow picture or an array becomes a `Picture`, upright and checked.

Limits hold before a pixel is decoded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.errors import InputError, LimitExceeded, MissingExtra
from standout.imaging import tiff
from standout.imaging.bounds import check_bounds, check_claim
from standout.imaging.defaults import MAX_PIXELS
from standout.imaging.pages import choose_page
from standout.imaging.picture import Picture
from standout.imaging.pixels import decode, decode_deep_tiff, from_channels, open_image
from standout.imaging.png import tidy_png
from standout.imaging.source import ALLOWED, SUFFIXES, is_address, load_bytes, read_all, sniff, what_it_is

__all__ = ["MAX_BYTES", "SUFFIXES", "AnyPicture", "from_array", "from_pil", "is_address", "picture_of", "read"]

MAX_BYTES = 1 << 30

#: What is taken for a picture.
AnyPicture = Picture | Image.Image | NDArray[Any] | bytes | bytearray | memoryview | BinaryIO | str | Path


def picture_of(
    source: object, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, name: str = "source"
) -> Picture:
    """The one entry for what users give: a file, its bytes, a Pillow picture or an array.

    Args:
        source: A path, `-` for standard input, the bytes of a file, a file opened for reading bytes, a Pillow picture,
            or an array as `from_array` takes it.
        max_pixels: Width × height that is allowed; looked up in the header, before decoding.
        max_bytes: Size of a file that is allowed.
        name: The parameter, for messages.

    Raises:
        LimitExceeded: The file or the picture is larger than allowed.
        InputError: It is none of these, or no picture that can be read.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, np.ndarray):
        return from_array(source, max_pixels=max_pixels)
    if isinstance(source, Image.Image):
        return from_pil(source, max_pixels=max_pixels)
    if callable(getattr(source, "read", None)) and not isinstance(source, Path):
        source = read_all(source, max_bytes)  # type: ignore[arg-type]
        if not isinstance(source, bytes):
            raise InputError(f"`{name}` must be a file opened for reading bytes; it gave {type(source).__name__}.")
    if isinstance(source, bytes | bytearray | memoryview | str | Path):
        return read(source, max_pixels=max_pixels, max_bytes=max_bytes)
    raise InputError(
        f"`{name}` must be a Pillow picture, an array, bytes, an open file or a path; received {type(source).__name__}."
    )


def read(
    source: str | Path | bytes | bytearray | memoryview, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES
) -> Picture:
    """Decodes a photograph.

    Args:
        source: A path, `-` for standard input, or the bytes of a file.
        max_pixels: Width × height that is allowed; looked up in the header, before decoding.
        max_bytes: Size of the file that is allowed.

    Raises:
        LimitExceeded: The file or the picture is larger than allowed.
        InputError: It is missing, empty, cut off, a folder, or no picture of a kind that is read.
    """
    name, data = load_bytes(source, max_bytes)
    kind = sniff(data)
    if kind is None:
        known = what_it_is(data)
        what = f": {known}" if known else f"; expected {ALLOWED}"
        raise InputError(f"{name} is not a picture of a kind that is read{what}.")
    try:
        check_bounds(kind, data, max_pixels, name)
        pages, icc, notes = 1, None, tuple[str, ...]()
        if kind == "TIFF":
            data, pages = choose_page(data)
        elif kind == "PNG":
            data, icc, notes = tidy_png(data)
        if kind == "TIFF" and tiff.is_deep(tags := tiff.read_tags(data)):
            _check_pixels(tiff.size_of(tags), max_pixels, name)
            return decode_deep_tiff(tags, data, notes=_one_of_many(kind, pages))
        with open_image(kind, data) as image:
            _check_pixels(image.size, max_pixels, name)
            check_claim(kind, data, image.size, max_pixels, name)
            pages = pages if kind == "TIFF" else getattr(image, "n_frames", 1)
            if icc is not None:
                image.info["icc_profile"] = icc
            return decode(image, kind, data, notes=notes + _one_of_many(kind, pages))
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
        InputError: The picture's file is broken, or its mode has no colors that could be meant.
    """
    _check_pixels(image.size, max_pixels, "The picture")
    try:
        return decode(image, "", b"")
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"The picture can't be decoded: it is broken or cut off ({_reason(error)}).") from error


def from_array(array: NDArray[Any], *, max_pixels: int = MAX_PIXELS) -> Picture:
    """An array as a picture in sRGB.

    Args:
        array: uint8, uint16, or floating-point numbers in [0, 1]; gray (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA
            (H, W, 4), at least one pixel. Floats are kept with 16 bits.

    Raises:
        InputError: It has another shape or type, or floats lie outside of [0, 1].
    """
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not fits or 0 in array.shape or not (array.dtype in (np.uint8, np.uint16) or array.dtype.kind == "f"):
        raise InputError(
            "An array must be uint8, uint16 or floats in [0, 1], gray (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA "
            f"(H, W, 4), of at least one pixel; received {array.dtype} {array.shape}."
        )
    _check_pixels((array.shape[1], array.shape[0]), max_pixels, "The array")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.dtype.kind == "f":
        array = _from_floats(array)
    return from_channels(np.ascontiguousarray(array))


def _from_floats(array: NDArray[Any]) -> NDArray[np.uint16]:
    low, high = float(array.min()), float(array.max())
    if not (low >= -1e-6 and high <= 1 + 1e-6):  # also where one of them isn't a number
        hint = "; divide by 255, or pass uint8" if 1 < high <= 255 and low >= 0 else ""
        raise InputError(f"An array of floats must lie in [0, 1]; received {low:g} … {high:g}{hint}.")
    return np.asarray(np.clip(array, 0, 1).astype(np.float32) * 65535 + 0.5, np.uint16)


def _one_of_many(kind: str, count: int) -> tuple[str, ...]:
    """The note that a file holds more pictures than the one that was read."""
    if count < 2:
        return ()
    if kind in ("TIFF", "HEIC"):
        return (f"the first of {count} pages" if kind == "TIFF" else f"the main one of {count} pictures",)
    return (f"the first of {count} frames; `standout video` makes an animation",)


def _check_pixels(size_wh: tuple[int, int], max_pixels: int, name: str) -> None:
    width, height = size_wh
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width} × {height}).")
    if width * height > max_pixels:
        raise LimitExceeded(
            f"{name} must have at most {max_pixels:,} pixels; received {width} × {height} = {width * height:,}; "
            "make it smaller or raise `max_pixels`."
        )


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
