"""Where bytes lie: in a file of their own, or somewhere in a large one (a shard).

A `Member` behaves like a path as far as names and reading go, so that a picture in a tar is read like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from standout.errors import InputError


@dataclass(frozen=True, slots=True)
class Member:
    """A file within an uncompressed shard, read by its position: no need to read what lies before it.

    Attributes:
        shard: The tar or TFRecord.
        member: The file's name in the shard.
        offset: Where its first byte lies in the shard.
        size: Bytes.
    """

    shard: Path
    member: str
    offset: int
    size: int

    @property
    def name(self) -> str:
        return PurePosixPath(self.member).name

    @property
    def stem(self) -> str:
        return PurePosixPath(self.member).stem

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.member).suffix

    @property
    def parent(self) -> Path:
        return self.shard

    def __str__(self) -> str:
        return f"{self.shard}:{self.member}"


Place = Path | Member


def read_bytes(place: Place) -> bytes:
    """The content of a file or a member.

    Raises:
        InputError: It is missing, empty or cut off.
    """
    try:
        if isinstance(place, Member):
            with place.shard.open("rb") as stream:
                stream.seek(place.offset)
                data = stream.read(place.size)
            if len(data) < place.size:
                raise InputError(f"{place} is cut off: the shard ends within it.")
        else:
            data = place.read_bytes()
    except OSError as error:
        raise InputError(f"{place} can't be read ({error.strerror}).") from error
    if not data:
        raise InputError(f"{place} is an empty file.")
    return data


def read_head(place: Place, size: int) -> bytes:
    """The first bytes of a file or a member; fewer where it ends, none where it can't be read."""
    try:
        if isinstance(place, Member):
            with place.shard.open("rb") as stream:
                stream.seek(place.offset)
                return stream.read(min(size, place.size))
        with place.open("rb") as stream:
            return stream.read(size)
    except OSError:
        return b""
