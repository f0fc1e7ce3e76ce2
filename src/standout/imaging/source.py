"""The bytes of a picture file, within a limit, and what kind of file they are."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from standout.errors import InputError, LimitExceeded

ALLOWED = "JPEG, PNG, WebP, TIFF, BMP, HEIC and AVIF"


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
        name, data = "Standard input", sys.stdin.buffer.read(max_bytes + 1)
    else:
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
            return file.read(max_bytes + 1)
    except FileNotFoundError:
        if is_address(str(path)):
            raise InputError(
                f"`{str(path)[:80]}` is an address, and Standout downloads nothing; save the picture and give its "
                "path, or pass its bytes."
            ) from None
        raise InputError(f"There is no file `{path}`.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"`{path}` can't be read: {getattr(error, 'strerror', None) or error}.") from error


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
    if data[:2] == b"BM":
        return "BMP"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")):
            return "HEIC"
    return None
