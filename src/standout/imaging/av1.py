"""The sizes with which the AV1 pictures of an AVIF are coded; what the container claims around them may be another.

Boxes by ISO/IEC 14496-12 (`iinf`, `iloc`, `stco`), sequence headers by the AV1 specification, sections 5.3 to 5.5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from standout.imaging.cicp import boxes

_MOST_ITEMS = 4096
_SEQUENCE_HEADER = 1


def coded_sizes(data: bytes) -> list[tuple[int, int]]:
    """(width, height) of every sequence header that the file's items and tracks begin with."""
    top = {kind: body for kind, body in reversed(boxes(memoryview(data)))}
    sizes = []
    for start in _starts(memoryview(data), top):
        try:
            size = _sequence_size(bytes(start[:256]))
        except IndexError:
            continue
        if size is not None:
            sizes.append(size)
    return sizes


def _starts(data: memoryview, top: dict[bytes, memoryview]) -> Iterator[memoryview]:
    """The file from where a coded picture begins, for each."""
    meta = {kind: body for kind, body in reversed(boxes(top[b"meta"][4:]))} if b"meta" in top else {}
    try:
        if b"iloc" in meta:
            yield from _item_starts(data, meta)
        if b"moov" in top:
            yield from _chunk_starts(data, top[b"moov"])
    except (struct.error, IndexError):
        return  # broken: the decoder says so


def _item_starts(data: memoryview, meta: dict[bytes, memoryview]) -> Iterator[memoryview]:
    pictures = _picture_items(meta.get(b"iinf"))
    body = meta[b"iloc"]
    version, sizes = body[0], struct.unpack_from(">H", body, 4)[0]
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    count, at = int.from_bytes(body[6 : 6 + wide], "big"), 6 + wide
    for _ in range(min(count, _MOST_ITEMS)):
        item = int.from_bytes(body[at : at + wide], "big")
        at += wide
        method = 0
        if version:
            method = body[at + 1] & 15
            at += 2
        base = int.from_bytes(body[at + 2 : at + 2 + base_size], "big")
        at += 2 + base_size
        extents = int.from_bytes(body[at : at + 2], "big")
        first = int.from_bytes(body[at + 2 + index_size : at + 2 + index_size + offset_size], "big")
        at += 2 + extents * (index_size + offset_size + length_size)
        if item in pictures:
            # Inside `idat` (method 1) offsets count from that box.
            yield (meta.get(b"idat", data) if method == 1 else data)[base + first :]


def _picture_items(body: memoryview | None) -> set[int]:
    """The numbers of the items that are AV1 pictures."""
    if body is None:
        return set()
    found = set()
    for kind, entry in boxes(body[8 if body[0] else 6 :]):
        wide = 4 if entry[0] == 3 else 2
        if kind == b"infe" and entry[0] >= 2 and bytes(entry[6 + wide : 10 + wide]) == b"av01":
            found.add(int.from_bytes(entry[4 : 4 + wide], "big"))
    return found


def _chunk_starts(data: memoryview, moov: memoryview) -> Iterator[memoryview]:
    """From the first chunk of each track."""
    for kind, track in boxes(moov):
        place: memoryview | None = track if kind == b"trak" else None
        for name in (b"mdia", b"minf", b"stbl"):
            place = next((body for kind, body in boxes(place) if kind == name), None) if place is not None else None
        for kind, body in boxes(place) if place is not None else ():
            if kind in (b"stco", b"co64"):
                yield data[struct.unpack_from(">I" if kind == b"stco" else ">Q", body, 8)[0] :]


def _sequence_size(data: bytes) -> tuple[int, int] | None:
    """The size in the first sequence header of a chain of OBUs; None if there is none."""
    at = 0
    while at < len(data):
        header = data[at]
        at += 2 if header & 4 else 1
        size = len(data) - at
        if header & 2:
            size, at = _leb128(data, at)
        if header >> 3 & 15 == _SEQUENCE_HEADER:
            return _SequenceHeader(data[at : at + size]).size()
        at += size
    return None


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(8):
        value |= (data[at + place] & 127) << 7 * place
        if not data[at + place] & 128:
            return value, at + place + 1
    return value, at + 8


class _SequenceHeader:
    """Reads `sequence_header_obu` up to the largest frame's size."""

    def __init__(self, data: bytes) -> None:
        self._bits, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def _read(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise IndexError
        return self._bits >> self._left & (1 << count) - 1

    def size(self) -> tuple[int, int]:
        self._read(4)  # seq_profile, still_picture
        if self._read(1):  # reduced_still_picture_header
            self._read(5)
        else:
            self._timing_and_points()
        across, down = self._read(4) + 1, self._read(4) + 1
        return self._read(across) + 1, self._read(down) + 1

    def _timing_and_points(self) -> None:
        delay = 0
        if self._read(1):  # timing_info
            self._read(64)
            if self._read(1):
                self._uvlc()
            if self._read(1):  # decoder_model_info
                delay = self._read(5) + 1
                self._read(42)
        shown_late = self._read(1)
        for _ in range(self._read(5) + 1):
            self._read(12)
            if self._read(5) > 7:
                self._read(1)
            if delay and self._read(1):
                self._read(2 * delay + 1)
            if shown_late and self._read(1):
                self._read(4)

    def _uvlc(self) -> None:
        zeros = 0
        while not self._read(1):
            zeros += 1
        self._read(zeros if zeros < 32 else 0)
