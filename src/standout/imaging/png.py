"""PNGs with side data that a decoder stumbles over: text of any size, large profiles, damaged ancillary chunks.

None of them is needed for the picture (PNG, third edition, 13.1: an ancillary chunk may be left out).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

_TEXT = (b"tEXt", b"zTXt", b"iTXt")
#: What changes the picture, or what it means; its loss is said.
_SEEN = {b"iCCP": "color profile", b"cICP": "color code", b"tRNS": "transparency", b"eXIf": "metadata"}
#: Largest profile that is read, bytes; those of printers have a few million.
_MOST_PROFILE = 16 << 20


class TidyPng(NamedTuple):
    """A PNG without what a decoder may stumble over.

    Attributes:
        data: The file; the same bytes where nothing was left out.
        icc: The color profile that was taken out of it; None if there is none, or it is still inside.
        notes: What was lost, a sentence each.
    """

    data: bytes
    icc: bytes | None = None
    notes: tuple[str, ...] = ()


def tidy_png(data: bytes) -> TidyPng:
    """Takes out text, profiles and damaged ancillary chunks, before a decoder sees the file."""
    left_out: list[tuple[int, int]] = []
    icc: bytes | None = None
    notes: list[str] = []
    for kind, at, end in _chunks(data):
        ancillary = bool(kind[0] & 0x20)
        if not ancillary:
            continue
        body = memoryview(data)[at + 8 : end - 4]
        whole = kind in _TEXT or zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(data[end - 4 : end], "big")
        profile = _profile(bytes(body)) if kind == b"iCCP" and whole else None
        if kind in _TEXT or not whole or kind == b"iCCP":
            left_out.append((at, end))
            icc = icc or profile
            if kind in _SEEN and (not whole or (kind == b"iCCP" and profile is None)):
                notes.append(f"its {_SEEN[kind]} is damaged and was left out")
    if not left_out:
        return TidyPng(data)
    view, parts, start = memoryview(data), list[memoryview](), 0
    for at, end in left_out:
        parts.append(view[start:at])
        start = end
    return TidyPng(b"".join([*parts, view[start:]]), icc, tuple(notes))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, where it begins, where it ends) of each chunk that is whole."""
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            return
        yield data[at + 4 : at + 8], at, end
        at = end


def _profile(body: bytes) -> bytes | None:
    """The profile of an `iCCP` chunk: a name, a zero, the method (0, deflate), and the bytes."""
    packed = body.partition(b"\0")[2][1:]
    try:
        inflate = zlib.decompressobj()
        profile = inflate.decompress(packed, _MOST_PROFILE)
    except zlib.error:
        return None
    return profile if profile and inflate.eof else None
