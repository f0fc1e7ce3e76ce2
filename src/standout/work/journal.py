"""The journal of a folder of results: what is finished, from which source, in which way.

One JSON object a line, appended when a result is in place. A line that was cut off by a crash is no line, so its source
is done again. The open journal is locked: a second run into the same folder is refused.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from types import TracebackType

from standout.errors import OutputError
from standout.imaging.files import try_lock
from standout.text_files import TextFileError, parse_json
from standout.work.lease import FolderStore, Lease

JOURNAL_NAME = ".standout-journal.jsonl"
#: The fingerprint of a result that isn't whole: its name stays its source's, and it is made again.
INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class Record:
    """A finished result.

    Attributes:
        folder: The folder that the source lay in, absolute.
        source: The source's path in the folder, with forward slashes.
        size: The size of the source's file, bytes, before it was read.
        mtime_ns: When the source's file was changed last, nanoseconds, before it was read.
        target: The result's path, relative to the journal.
        target_size: The size of the result's file, bytes.
        fingerprint: What it was made with, from `work.fingerprint`; `INCOMPLETE` where some is missing.
    """

    folder: str
    source: str
    size: int
    mtime_ns: int
    target: str
    target_size: int
    fingerprint: str


class Journal:
    """The open journal of the folder `out`; a context manager.

    Raises:
        OutputError: It can't be written, or another run is at work in the folder.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / JOURNAL_NAME
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise OutputError(f"The folder `{out}` can't be written to: {error.strerror or error}.") from error
        self._lease: Lease | None = None
        try:
            locked = try_lock(self._file)
            if locked is False:
                raise OutputError(
                    f"Another run of Standout is at work in `{out}`; wait for it, or choose another folder."
                )
            # Some network drives know no locks.
            if locked is None:
                self._lease = Lease(FolderStore(out), str(out)).__enter__()
            data = self._path.read_bytes()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self._torn = bool(data) and not data.endswith(b"\n")
        self._records: dict[tuple[str, str], Record] = {}
        #: The same by path, size and time of the source, to know it again when its folder was moved.
        self._moved: dict[tuple[str, int, int], Record] = {}
        for record in _parse(data):
            self._remember(record)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._lease is not None:
            self._lease.__exit__(kind, error, at)
        os.close(self._file)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def add(self, record: Record) -> None:
        """Appends a record.

        Raises:
            OSError: It can't be written; what was written of it counts as nothing.
            OutputError: Another run has taken the folder over.
        """
        if self._lease is not None:
            self._lease.check()
        line = (b"\n" if self._torn else b"") + json.dumps(asdict(record)).encode("ascii") + b"\n"
        self._torn = True
        if os.write(self._file, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._torn = False
        self._remember(record)

    def find(self, folder: str, source: str, size: int, mtime_ns: int) -> Record | None:
        """The record of a source; also of one whose folder has been moved to `folder` since."""
        record = self._records.get((folder, source))
        if record is None:
            record = self._moved.get((source, size, mtime_ns))
            if record is not None and os.path.lexists(Path(record.folder, record.source)):
                return None  # it is still there: this is another source of the same name
        return record

    def is_current(self, record: Record, stamp: tuple[int, int] | None, fingerprint: str) -> bool:
        """Whether a record's result is there, of this source as it is now, made in this way.

        Args:
            record: From `find`.
            stamp: (size, mtime_ns) of the source's file.
            fingerprint: How it would be made now.
        """
        if (record.size, record.mtime_ns) != stamp or record.fingerprint != fingerprint:
            return False
        target = self._path.parent / record.target
        try:
            return target.is_file() and target.stat().st_size == record.target_size
        except OSError:
            return False

    def _remember(self, record: Record) -> None:
        self._records[record.folder, record.source] = record
        self._moved[record.source, record.size, record.mtime_ns] = record


def _parse(data: bytes) -> Iterator[Record]:
    kinds = {field.name: int if field.type == "int" else str for field in fields(Record)}
    for line in data.splitlines():
        try:
            values = parse_json(line)
        except TextFileError:
            continue
        if not isinstance(values, dict) or {name: type(value) for name, value in values.items()} != kinds:
            continue
        record = Record(**values)
        target = PurePosixPath(record.target)
        if not target.is_absolute() and ".." not in target.parts:  # never write outside the folder
            yield record
