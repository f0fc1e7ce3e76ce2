"""JPEGs that lack their end."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

_END = b"\xff\xd9"
#: What no scan needs that is whole, and what changes the picture of one that isn't.
_FILLING = b"\x5a\x33" * 64


def decode_without_end(data: bytes) -> NDArray[np.uint8] | None:
    """The pixels of a JPEG whose end marker is missing, uint8 RGB (H, W, 3), not turned; None if more is missing.

    A decoder fills what is missing with gray and says nothing. So the file is decoded with two different ends: a scan
    that is whole needs neither, and both give the same pixels.
    """
    if _END in data[-64:]:
        return None
    data = data.removesuffix(b"\xff")  # half of the marker
    how = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pictures = []
    for filling in (b"", _FILLING):
        try:
            pixels = cv2.imdecode(np.frombuffer(data + filling + _END, np.uint8), how)
        except cv2.error:
            return None
        if pixels is None:
            return None
        pictures.append(np.asarray(pixels, np.uint8))
    return pictures[0] if np.array_equal(pictures[0], pictures[1]) else None


def ends_early(data: bytes, end: int) -> bool:
    """Whether a JPEG has its end marker before all of its blocks, which decoders fill with gray and say nothing.

    Args:
        data: The file.
        end: Where its end marker stands. A scan that is whole gives the same pixels whatever is put before it.
    """
    filled = data[:end] + _FILLING + data[end:]
    return not np.array_equal(_eighth(data), _eighth(filled))


def _eighth(data: bytes) -> NDArray[np.uint8]:
    """The mean of each block, uint8 (H / 8, W / 8); by Pillow, for OpenCV prints what is put before the end marker."""
    image = JpegImageFile(io.BytesIO(data))
    image.draft("L", (image.width // 8, image.height // 8))
    return np.asarray(image)
