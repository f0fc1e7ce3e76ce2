"""Which picture of a TIFF is meant: a preview in front of it is passed over, a camera's raw data is refused."""

from __future__ import annotations

import struct
from itertools import islice
from typing import NamedTuple

from standout.errors import InputError
from standout.imaging.tiff_directory import TiffDirectory, tiff_directories

_WIDTH, _LENGTH = 256, 257
_DNG_VERSION, _SUBFILE, _OLD_SUBFILE, _PHOTOMETRIC, _OLD_REDUCED = 50706, 254, 255, 262, 2
#: Colors as a sensor sees them, and the same after interpolation (TIFF/EP, DNG 1.7).
_SENSOR = (32803, 34892)
_REDUCED, _MASK = 1, 4
#: How many times the pixels of a page are those of its thumbnail, at least.
_THUMBNAIL = 16
_MOST_LOOKED_AT = 1001  # of more, `bounds` says that they are too many
RAW = (
    "The file is a camera's RAW file (such as DNG, NEF, CR2 or ARW), of which only a small preview could be read; "
    "develop it to JPEG or TIFF first."
)


class Page(NamedTuple):
    """The picture of a TIFF that is meant.

    Attributes:
        data: The file, with that picture first.
        pages: How many pictures of full size it has.
    """

    data: bytes
    pages: int


def choose_page(data: bytes) -> Page:
    """The first picture of full size in a TIFF.

    Raises:
        InputError: It is a RAW file, or its directory is cut off.
    """
    directories = list(islice(tiff_directories(data), _MOST_LOOKED_AT))
    raw = any(_DNG_VERSION in found.entries or found.first(_PHOTOMETRIC) in _SENSOR for found in directories)
    if raw or data[8:10] == b"CR":
        raise InputError(RAW)
    pages = [found for found in directories if found.at_top]
    whole = [found for found in pages if not _is_reduced(found)]
    most = max((_pixels(found) for found in whole or pages), default=0)
    if not whole and most > min((_pixels(found) for found in pages), default=0):
        whole = [found for found in pages if _pixels(found) == most]  # programs call the picture itself a preview, too
    if pages and not whole:
        raise InputError(RAW)
    if not pages:
        return Page(data, 1)  # the decoder says what is wrong with it
    # A thumbnail may come without a word, in front or behind.
    whole = [found for found in whole if _THUMBNAIL * _pixels(found) >= most]
    chosen = whole[0]
    if chosen is not pages[0]:
        head, code = (data[:8], "Q") if b"+" in data[2:4] else (data[:4], "I")
        offset = struct.pack(("<" if data[:2] == b"II" else ">") + code, chosen.at)
        data = b"".join([head, offset, memoryview(data)[len(head) + len(offset) :]])
    return Page(data, len(whole))


def _pixels(found: TiffDirectory) -> int:
    return found.first(_WIDTH) * found.first(_LENGTH)


def _is_reduced(found: TiffDirectory) -> bool:
    """Whether a directory is a preview, or a mask for another."""
    return bool(found.first(_SUBFILE) & (_REDUCED | _MASK)) or found.first(_OLD_SUBFILE) == _OLD_REDUCED
