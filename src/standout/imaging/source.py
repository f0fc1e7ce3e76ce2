"""The bytes of a picture file, within a limit, and what kind of file they are."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from standout.errors import InputError, LimitExceeded

ALLOWED = "JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC and AVIF"

#: Ending of a file -> the kind that such files are; for folders. The content decides, not the ending.
KINDS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jfif": "JPEG", ".jpe": "JPEG", ".jif": "JPEG", ".pjpeg": "JPEG", ".pjp": "JPEG",
    ".png": "PNG", ".apng": "PNG", ".webp": "WebP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".dib": "BMP",
    ".gif": "GIF", ".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC", ".avif": "AVIF",
}  # fmt: skip
#: Endings of the files that can be read.
SUFFIXES = tuple(KINDS)
#: Endings of pictures that can't; they are named where they are passed over.
FOREIGN_SUFFIXES = (
    ".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw", ".raw",
    ".psd", ".svg", ".jxl", ".jp2", ".tga", ".ico", ".exr", ".hdr", ".pdf",
)  # fmt: skip

#: A piece of a stream, bytes: what is asked for is allocated before it is read.
_PIECE = 1 << 20


def passed_over(name: str, endings: Collection[str] = SUFFIXES) -> str:
    """Why a file of this name isn't looked into, as a summary counts it; empty where it has one of the endings.

    >>> passed_over("photo.JFIF"), passed_over("photo.nef"), passed_over("notes.txt")
    ('', '.nef files, which are not read', 'other files')
    """
    ending = os.path.splitext(name)[1].lower()
    if ending in endings:
        return ""
    return f"{ending} files, which are not read" if ending in FOREIGN_SUFFIXES else "other files"


#: A `Path` has lost one of the slashes.
_ADDRESS = re.compile(r"(https?|ftp|s3|gs|az|file):/|data:[a-z]+/", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether a text is an address rather than the name of a file.

    >>> is_address("https://example.org/photo.jpg"), is_address("C:/photo.jpg")
    (True, False)
    """
    return _ADDRESS.match(text) is not None


def load_bytes(source: str | Path | bytes | bytearray | memoryview, max_bytes: int) -> tuple[str, bytes]:
    """What to call the source in messages, and its content."""
    if isinstance(source, bytes | bytearray | memoryview):
        name, data = "The input", bytes(source)
    elif str(source) == "-":
        if sys.stdin is None:
            raise InputError("Standard input is closed; give the name of a file.")
        name, data = "Standard input", read_all(sys.stdin.buffer, max_bytes)
    else:
        if is_address(str(source)) and not os.path.exists(source):
            raise InputError(
                f"`{str(source)[:80]}` is an address, and Standout downloads nothing; save the picture and give its "
                "path, or pass its bytes."
            )
        name, data = f"`{source}`", _read_file(Path(source), max_bytes)
    if len(data) > max_bytes:
        raise LimitExceeded(f"{name} must be at most {max_bytes:,} bytes; received more.")
    if not data:
        raise InputError(f"{name} is empty; expected {ALLOWED}.")
    return name, data


def _read_file(path: Path, max_bytes: int) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"`{path}` is a folder, not a picture; use `standout folder` for a folder of pictures.")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                raise LimitExceeded(f"`{path}` must be at most {max_bytes:,} bytes; received {size:,}.")
            return read_all(file, max_bytes, size)
    except FileNotFoundError:
        raise InputError(f"There is no file `{path}`.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"`{path}` can't be read: {getattr(error, 'strerror', None) or error}.") from error


def read_all(file: BinaryIO, max_bytes: int, expected: int = 0) -> bytes:
    """All bytes of an open file, but no more than one above `max_bytes`; of text, the text.

    Args:
        file: Opened for reading bytes.
        max_bytes: How many are allowed.
        expected: How many there should be, if that is known.
    """
    parts = [file.read(min(max_bytes, expected or _PIECE) + 1)]
    total = len(parts[0])
    while parts[-1] and total <= max_bytes:
        parts.append(file.read(min(_PIECE, max_bytes + 1 - total)))
        total += len(parts[-1])
    return parts[0] if len(parts) < 3 else type(parts[0])().join(parts)


def sniff(data: bytes) -> str | None:
    """The kind of file, by its first bytes: only decoders named here ever see the data."""
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:2] == b"BM":
        return "BMP"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")):
            return "HEIC"
    return None


def what_it_is(data: bytes) -> str:
    """What a file is that is no picture which is read, as the end of a sentence; empty if that isn't known."""
    if (
        data[:4] in (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb")
        or data[:8] == b"FUJIFILM"
        or data[4:11] == b"ftypcrx"
    ):
        return "it is a camera's RAW file; develop it to JPEG or TIFF first"
    if data.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS; `git lfs pull` brings the file itself"
    if data[:4] == b"%PDF":
        return "it is a PDF; save its page as PNG first"
    if data[:4] == b"8BPS":
        return "it is a Photoshop document; save it as PNG or TIFF first"
    if data[:12] == b"\0\0\0\x0cJXL \r\n\x87\n" or data[:2] == b"\xff\x0a":
        return "it is a JPEG XL; save it as JPEG or PNG first"
    if data[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith((b"<svg", b"<?xml", b"<!doctype", b"<html")):
        return "it is text such as SVG or a page of the web"
    return ""
