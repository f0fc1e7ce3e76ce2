"""`manifest.parquet`: what became of each photo, one row each, written as the job goes.

A Parquet file can't be appended to, least of all in an object store. So it is a folder of Parquet files, which pandas,
pyarrow, DuckDB, Spark and their like read as one table: each file is written whole, and small ones are joined when a
run ends. A photo that is due again loses its row before it is begun: no photo ever has two.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from standout.cluster.photo import Row
from standout.cluster.storage import Place, arrow, read_table
from standout.errors import InputError, OutputError, StandoutError

MANIFEST_NAME = "manifest.parquet"

#: Rows are written after so many, or so many seconds; in a young run sooner: after a tenth of the time that it took.
_ROWS_PER_WRITE, _SECONDS_PER_WRITE = 5_000, 5.0
_SHARE_OF_RUN, _LEAST_S = 0.1, 0.5
#: How often it is looked whether rows wait, seconds: they are written also if no other comes.
_LOOK_EVERY_S = 0.25
#: Files of fewer rows are joined when a run ends.
_ROWS_PER_FILE = 200_000


class Known(NamedTuple):
    """What is kept in mind of a photo's row; the names are those of `Row`."""

    status: str
    fingerprint: str
    size: int
    changed: str
    output: str
    output_size: int
    reason: str
    file: str  # of the manifest, that its row is in; "" if it isn't written yet


class Manifest:
    """The manifest in a target folder.

    Args:
        target: The folder.
        folder: The source, as rows name it: what other sources have left in the same target stays.

    Attributes:
        known: Photo -> what its row says.

    Raises:
        OutputError: What is there is no manifest, or can't be read.
    """

    def __init__(self, target: Place, folder: str) -> None:
        self._target = target
        self._folder = folder
        self._rows: list[Row] = []
        self._lock = threading.RLock()
        self._first_at = self._written_at = 0.0
        self._over = threading.Event()
        self._writer: threading.Thread | None = None
        self._counts: dict[str, int] = {}
        self.known: dict[str, Known] = {}
        twice: set[str] = set()
        for file in self._files():
            twice |= self._load(file)
        self._number = max((int(name.split("-")[1].split(".")[0]) for name in self._counts), default=-1) + 1
        if twice:  # a run was killed between two writes of joining
            self._rewrite(lambda file, photo: photo in twice and self.known[photo].file != file)

    def forget(self, photos: Iterable[str]) -> None:
        """Takes out the rows of photos that are done again."""
        with self._lock:
            self.flush()
            due = {photo for photo in photos if photo in self.known}
            if due:
                stale = {self.known[photo].file for photo in due}
                self._rewrite(lambda _, photo: photo in due, stale)
                for photo in due:
                    del self.known[photo]

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows of photos that have none; the first are written at once, later ones within five seconds.

        Raises:
            OutputError: They can't be written.
        """
        with self._lock:
            for row in rows:
                self._rows.append(row)
                self.known[row["path"]] = Known(
                    row["status"], row["fingerprint"], row["size"], row["changed"], row["output"], row["output_size"],
                    row["reason"], "",
                )  # fmt: skip
            if self._is_due():
                self.flush()
            if self._writer is None and self._rows:
                self._over.clear()
                self._writer = threading.Thread(target=self._keep_writing, daemon=True, name="standout-manifest")
                self._writer.start()

    def flush(self) -> None:
        """Writes the rows that wait.

        Raises:
            OutputError: They can't be written; they go on waiting.
        """
        with self._lock:
            if not self._rows:
                return
            self._written_at = time.monotonic()
            self._first_at = self._first_at or self._written_at
            file = self._write(arrow().Table.from_pylist(self._rows, schema=schema()))
            for row in self._rows:
                self.known[row["path"]] = self.known[row["path"]]._replace(file=file)
            self._rows = []

    def close(self) -> None:
        """Writes what waits, and joins small files."""
        self._over.set()
        if self._writer is not None:
            self._writer.join()
            self._writer = None
        with self._lock:
            self.flush()
            self._join_small_files()

    def _is_due(self) -> bool:
        if not self._rows:
            return False
        now = time.monotonic()
        wait = min(_SECONDS_PER_WRITE, max(_LEAST_S, _SHARE_OF_RUN * (now - self._first_at)))
        return not self._first_at or len(self._rows) >= _ROWS_PER_WRITE or now - self._written_at >= wait

    def _keep_writing(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            with self._lock, suppress(StandoutError):  # `add` and `close` try it again, and tell
                if self._is_due():
                    self.flush()

    def _join_small_files(self) -> None:
        small = sorted(name for name, count in self._counts.items() if count < _ROWS_PER_FILE)
        joined: list[str] = []
        rows = 0
        for name in small:
            joined.append(name)
            rows += self._counts[name]
            if rows >= _ROWS_PER_FILE or (name == small[-1] and len(joined) > 1):
                tables = [self._read(name) for name in joined]
                self._write(arrow().concat_tables(tables))
                for old in joined:
                    self._target.remove(old)
                    del self._counts[old]
                joined, rows = [], 0

    def _files(self) -> list[str]:
        try:
            found = [entry.path for entry in self._target.entries(MANIFEST_NAME, recursive=False)]
        except FileNotFoundError:
            return []
        except InputError as error:
            raise OutputError(str(error)) from error
        return sorted(path for path in found if path.endswith(".parquet") and path != MANIFEST_NAME)

    def _load(self, file: str) -> set[str]:
        """Remembers the rows of a file; returns the photos that were known already."""
        table = self._read(file)
        self._counts[file] = table.num_rows
        twice = set()
        columns = ("path", "folder", "status", "fingerprint", "size", "changed", "output", "output_size", "reason")
        for batch in table.select(columns).to_batches(10_000):
            for path, folder, *rest in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
                if folder != self._folder:
                    continue
                if path in self.known:
                    twice.add(path)
                self.known[path] = Known._make((*rest, file))
        return twice

    def _read(self, file: str) -> Any:
        try:
            return read_table(self._target.read(file)).cast(schema())
        except Exception as error:
            raise OutputError(
                f"`{self._target}/{file}` must be part of a manifest of Standout; it can't be read as one ({error}); "
                "choose another folder, or move it away."
            ) from error

    def _write(self, table: Any) -> str:
        buffer = io.BytesIO()
        arrow("parquet").write_table(table, buffer, compression="zstd")
        name = f"{MANIFEST_NAME}/part-{self._number:08d}.parquet"
        self._target.write(name, buffer.getvalue())
        self._counts[name] = table.num_rows
        self._number += 1
        return name

    def _rewrite(self, drop: Any, files: Iterable[str] | None = None) -> None:
        """Writes files anew in place, without the rows that `drop(file, photo)` names."""
        for file in sorted(files or self._counts):
            table = self._read(file)
            paths, folders = table.column("path").to_pylist(), table.column("folder").to_pylist()
            keep = [folder != self._folder or not drop(file, path) for path, folder in zip(paths, folders, strict=True)]
            if all(keep):
                continue
            table = table.filter(arrow().array(keep))
            self._counts[file] = table.num_rows
            if not table.num_rows:
                self._target.remove(file)
                del self._counts[file]
                continue
            buffer = io.BytesIO()
            arrow("parquet").write_table(table, buffer, compression="zstd")
            self._target.write(file, buffer.getvalue())


def schema() -> Any:
    """The columns of the manifest, as an Arrow schema."""
    pa = arrow()
    return pa.schema([
        ("path", pa.string()), ("status", pa.string()), ("reason", pa.string()), ("found_person", pa.bool_()),
        ("width", pa.int32()), ("height", pa.int32()), ("model", pa.string()), ("sha256", pa.string()),
        ("ms", pa.float32()), ("output", pa.string()), ("notes", pa.list_(pa.string())), ("facts", pa.string()),
        ("folder", pa.string()), ("size", pa.int64()), ("changed", pa.string()), ("output_size", pa.int64()),
        ("fingerprint", pa.string()),
    ])  # fmt: skip
