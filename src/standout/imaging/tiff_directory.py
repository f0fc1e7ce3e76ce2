"""The directories of a TIFF or BigTIFF: where each stands, and the whole numbers of its tags.

TIFF 6.0, section 2, and the BigTIFF design of Aware Systems. Read before a decoder opens the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from standout.errors import InputError

#: Tags that say where further directories stand: SubIFDs, Exif, GPS, interoperability.
_SUB_DIRECTORIES = (330, 34665, 34853, 40965)
#: Bytes of one value of each kind, and the kinds of whole numbers.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WHOLE = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
#: Directories that one directory may hold.
_MOST_INSIDE = 1000


class Entry(NamedTuple):
    """A tag of a directory: its kind, how many values it has, and where they stand."""

    kind: int
    numbers: int
    at: int

    @property
    def size(self) -> int:
        """Bytes of one value."""
        return _SIZES.get(self.kind, 1)


@dataclass(frozen=True)
class _Layout:
    data: bytes
    order: str
    big: bool

    @property
    def entry(self) -> int:
        return 20 if self.big else 12

    def number(self, at: int, *, short: bool = False) -> int:
        """A count of entries (short), or an offset."""
        code = ("Q" if self.big else "H") if short else ("Q" if self.big else "I")
        return int(struct.unpack_from(self.order + code, self.data, at)[0])


@dataclass(frozen=True)
class TiffDirectory:
    """One directory.

    Attributes:
        at: Where it stands in the file.
        at_top: Whether it is one of those that follow each other, and not inside another.
        entries: tag -> what the directory says of it.
    """

    at: int
    at_top: bool
    entries: dict[int, Entry]
    _layout: _Layout

    def numbers(self, tag: int, most: int | None = None) -> tuple[int, ...]:
        """The whole numbers of a tag, as many as the file holds, or the first of them; empty where it isn't there."""
        entry, layout = self.entries.get(tag), self._layout
        if entry is None or entry.kind not in _WHOLE:
            return ()
        count = min(entry.numbers, max(0, len(layout.data) - entry.at) // entry.size)
        count = count if most is None else min(count, most)
        return struct.unpack_from(f"{layout.order}{count}{_WHOLE[entry.kind]}", layout.data, entry.at) if count else ()

    def first(self, tag: int, absent: int = 0) -> int:
        """The first number of a tag."""
        return next(iter(self.numbers(tag, 1)), absent)


def tiff_directories(data: bytes) -> Iterator[TiffDirectory]:
    """The directories that follow each other, each followed by those that it holds.

    Raises:
        InputError: One is cut off.
    """
    layout = _Layout(data, "<" if data[:2] == b"II" else ">", b"+" in data[2:4])
    try:
        yield from _walk(layout)
    except struct.error:
        raise InputError("The TIFF is cut off: its directory isn't whole.") from None


def _walk(layout: _Layout) -> Iterator[TiffDirectory]:
    after, seen = [(layout.number(8 if layout.big else 4), True)], set[int]()
    while after:
        at, at_top = after.pop()
        if at in seen or not 0 < at <= len(layout.data) - 2:
            continue
        seen.add(at)
        found = TiffDirectory(at, at_top, _entries(layout, at), layout)
        yield found
        end = at + (8 if layout.big else 2) + layout.number(at, short=True) * layout.entry
        if end + (8 if layout.big else 4) <= len(layout.data):
            after.append((layout.number(end), at_top))
        for tag in _SUB_DIRECTORIES:
            after.extend((inside, False) for inside in found.numbers(tag, _MOST_INSIDE))


def _entries(layout: _Layout, at: int) -> dict[int, Entry]:
    count = layout.number(at, short=True)
    start = at + (8 if layout.big else 2)
    found = {}
    for place in range(start, min(start + count * layout.entry, len(layout.data) - layout.entry + 1), layout.entry):
        tag, kind = struct.unpack_from(layout.order + "HH", layout.data, place)
        values = layout.number(place + 4)
        room = 8 if layout.big else 4
        inside = place + 4 + room
        fits = values * _SIZES.get(kind, 1) <= room
        found[tag] = Entry(kind, values, inside if fits else layout.number(inside))
    return found
