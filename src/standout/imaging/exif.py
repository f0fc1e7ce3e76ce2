"""What a file says of its picture: its orientation, which is undone, its resolution, its metadata."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.imaging.bounds import is_metadata

ORIENTATION = 274


def turn(channels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undoes an EXIF orientation (Exif 2.32, section 4.6.4)."""
    if orientation in (5, 6, 7, 8):
        channels = channels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        channels = channels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        channels = channels[::-1]
    return np.ascontiguousarray(channels)


def read_exif(image: Image.Image) -> Image.Exif | None:
    """The EXIF of a picture; None where it is broken, or would unpack to far more than it is."""
    block = image.info.get("exif")
    if isinstance(block, bytes) and not is_metadata(block):
        return None
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - broken metadata is no reason to refuse a good picture
        return None


def upright_exif(exif: Image.Exif | None) -> bytes | None:
    """The metadata for an upright picture; the thumbnail, which shows the background, isn't written by Pillow."""
    if not exif:
        return None
    try:
        exif[ORIENTATION] = 1
        return exif.tobytes()
    except Exception:  # noqa: BLE001 - as above
        return None


def read_dpi(image: Image.Image, exif: Image.Exif | None) -> tuple[float, float] | None:
    """(horizontal, vertical) pixels per inch, as stored; None where the file doesn't say, or says nonsense."""
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
    # A TIFF that says nothing has one pixel per inch, by Pillow.
    return (horizontal, vertical) if 1 < horizontal <= 1e5 and 1 < vertical <= 1e5 else None
