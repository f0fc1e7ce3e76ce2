"""A folder anywhere: on disk or behind an fsspec URL; what is written there appears whole or not at all.

Credentials come from where each storage's own tools look for them (environment, configuration files, the machine's
role). They are neither taken from us nor passed on, and `redact` keeps those that a library or a URL holds out of
messages.
"""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standout.errors import ConfigError, InputError, MissingExtra, OutputError, StandoutError
from standout.imaging.files import atomic_write, temporary_name
from standout.work.lease import FolderStore

#: Storages in which a file that is put appears whole, as one object; elsewhere a file is renamed into its place.
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "ossfs", "memory"}
#: Between two writers who both believe that they have made a file, seconds.
_SETTLE_S = 1.0
_SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]+://")
_USER_IN_URL = re.compile(r"(?<=://)[^/@\s]+@")
_SIGNED = re.compile(r"(?i)((?:signature|sig|token|credential|accesskeyid|key|secret|password)=)[^&\s`'\"]+")
_SECRET_VARIABLES = re.compile(r"(?i)secret|token|passw|credential|access_key|account_key|sas|connection_string|_key$")


@dataclass(frozen=True)
class Entry:
    """A file: its path relative to the place, with forward slashes, its size in bytes (-1 if unknown), and what
    changes when its content does (a time or an ETag; "" if unknown)."""

    path: str
    size: int = -1
    changed: str = ""


class Place:
    """A folder on disk or in a storage that fsspec knows; made anew from its address in each process.

    Args:
        address: A folder, or a URL (`s3://bucket/prefix`, `gs://…`, `file://…`, `memory://…`).

    Attributes:
        address: Absolute, without a slash at its end.
        folder: Where it lies on disk; None if it doesn't.

    Raises:
        MissingExtra: fsspec, or the package of this storage, isn't installed.
        ConfigError: There is no storage of this name.
    """

    def __init__(self, address: str | Path) -> None:
        text = str(address)
        if not is_url(text):
            text = str(Path(text).resolve())
        self._fs, root = _open(text)
        protocol = self._fs.protocol
        self._protocols = {protocol} if isinstance(protocol, str) else set(protocol)
        self._root = root.rstrip("/")
        self.folder = Path(root) if self._protocols & {"file", "local"} else None
        self.address = str(self.folder) if self.folder else text.rstrip("/")

    def __reduce__(self) -> tuple[type[Place], tuple[str]]:
        return Place, (self.address,)

    def __str__(self) -> str:
        return redact(self.address)

    @property
    def in_this_process(self) -> bool:
        """Whether no other process can see it."""
        return "memory" in self._protocols

    def path(self, name: str) -> str:
        """The full path of a file in it, as its storage knows it."""
        return f"{self._root}/{name}" if name else self._root

    def holds(self, other: Place) -> str | None:
        """The path of `other` relative to this place; None if it doesn't lie in it ("" if it is the same)."""
        if self._protocols != other._protocols:
            return None
        if self._root == other._root:
            return ""
        return other._root.removeprefix(self._root + "/") if other._root.startswith(self._root + "/") else None

    def entries(self, under: str = "", *, recursive: bool = True) -> Iterator[Entry]:
        """The files in it; with `recursive` those in its folders too, else the folders as entries of size -1.

        Raises:
            FileNotFoundError: There is no such place.
            StandoutError: It can't be looked into.
        """
        root = self.path(under)
        try:
            self._fs.invalidate_cache()
            if recursive:
                found = self._fs.find(root, detail=True).values()
            else:
                found = self._fs.ls(root, detail=True)
        except FileNotFoundError:
            raise
        except Exception as error:  # each storage has errors of its own
            raise InputError(f"`{self}` can't be looked into: {reason(error)}.") from error
        for info in found:
            path = info["name"].rstrip("/")
            if info["type"] == "directory":
                yield Entry(path[len(self._root) + 1 :] + "/")
            elif path != self._root and not info["name"].endswith("/"):  # an empty object that stands for a folder
                yield Entry(path[len(self._root) + 1 :], int(info.get("size") or 0), _stamp(info))

    def exists(self, name: str = "") -> bool:
        """Whether there is such a file or folder.

        Raises:
            InputError: The storage doesn't answer.
        """
        try:
            self._fs.invalidate_cache()
            return bool(self._fs.exists(self.path(name)))
        except Exception as error:
            raise InputError(f"`{self}` can't be reached: {reason(error)}.") from error

    def is_file(self) -> bool:
        """Whether the place is a file and no folder."""
        try:
            return bool(self._fs.isfile(self._root))
        except Exception as error:
            raise InputError(f"`{self}` can't be reached: {reason(error)}.") from error

    def read(self, name: str, *, max_bytes: int = 1 << 40) -> bytes:
        """The content of a file.

        Raises:
            InputError: It is missing, can't be read, or is larger than `max_bytes`.
        """
        path = self.path(name)
        try:
            if self.folder is not None:
                with open(path, "rb") as file:
                    size = os.fstat(file.fileno()).st_size
                    data: bytes = b"" if size > max_bytes else file.read()
            else:
                data = self._fs.cat_file(path)
                size = len(data)
        except FileNotFoundError:
            raise InputError(f"There is no file `{redact(path)}`.") from None
        except Exception as error:
            raise InputError(f"`{redact(path)}` can't be read: {reason(error)}.") from error
        if size > max_bytes:
            raise InputError(f"`{redact(path)}` must be at most {max_bytes:,} bytes; received {size:,}.")
        return data

    def write(self, name: str, data: bytes) -> None:
        """Writes a file and the folders that it needs; it appears whole or not at all.

        Raises:
            OutputError: It can't be written.
        """
        path = self.path(name)
        try:
            if self.folder is not None:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with atomic_write(path) as file:
                    file.write(data)
            elif self._protocols & _OBJECT_STORES:
                self._fs.pipe_file(path, data)
            else:
                self._write_renamed(path, data)
        except StandoutError:
            raise
        except Exception as error:
            raise OutputError(f"`{redact(path)}` can't be written: {reason(error)}.") from error

    def names(self, folder: str) -> list[str]:
        """The paths of the files that lie in a folder itself; empty if there is no such folder.

        Raises:
            InputError: It can't be looked into.
        """
        try:
            return [entry.path for entry in self.entries(folder, recursive=False) if not entry.path.endswith("/")]
        except FileNotFoundError:
            return []

    def create(self, name: str, data: bytes) -> bool:
        """Writes a small file unless there is one; False if there is, or if somebody else did so at the same time.

        Raises:
            OutputError: It can't be written.
        """
        if self.folder is not None:
            return FolderStore(self.folder).create(name, data)
        path = self.path(name)
        try:
            try:
                self._fs.pipe_file(path, data, mode="create")
            except FileExistsError:
                raise
            except Exception:  # noqa: BLE001 - a storage that knows no such condition
                if self._fs.exists(path):
                    return False
                self.write(name, data)
            if not self.in_this_process:
                time.sleep(_SETTLE_S)  # nor does each that takes it heed it: then the last one has it
            return self.read(name) == data
        except FileExistsError:
            return False
        except StandoutError:
            raise
        except Exception as error:
            raise OutputError(f"`{redact(path)}` can't be written: {reason(error)}.") from error

    def remove(self, name: str) -> None:
        """Removes a file; it is no fault if it isn't there.

        Raises:
            OutputError: It can't be removed.
        """
        try:
            self._fs.rm_file(self.path(name))
        except FileNotFoundError:
            return
        except Exception as error:
            raise OutputError(f"`{redact(self.path(name))}` can't be removed: {reason(error)}.") from error

    def _write_renamed(self, path: str, data: bytes) -> None:
        folder, _, name = path.rpartition("/")
        temporary = f"{folder}/{temporary_name()}"
        self._fs.makedirs(folder, exist_ok=True)
        try:
            with self._fs.open(temporary, "wb") as file:
                file.write(data)
            self._fs.mv(temporary, f"{folder}/{name}")
        except BaseException:
            with suppress(Exception):
                self._fs.rm_file(temporary)
            raise


def is_url(text: str) -> bool:
    """Whether an address is a URL and not a path.

    >>> is_url("s3://photos/2026"), is_url("photos/2026"), is_url("C:\\\\photos")
    (True, False, False)
    """
    return bool(_SCHEME.match(text))


def redact(text: str) -> str:
    """Takes credentials out of a message: those in URLs, and the values of variables that hold some.

    >>> redact("sftp://me:word@host/photos?X-Amz-Signature=3f2a can't be read")
    "sftp://***@host/photos?X-Amz-Signature=*** can't be read"
    """
    text = _SIGNED.sub(r"\1***", _USER_IN_URL.sub("***@", text))
    for name, value in os.environ.items():
        if len(value) >= 8 and _SECRET_VARIABLES.search(name):
            text = text.replace(value, "***")
    return text


def reason(error: BaseException) -> str:
    """What an error of some storage says, in one line and without credentials."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return redact(" ".join(str(text).split())).rstrip(".")


def read_table(data: bytes, columns: list[str] | None = None) -> Any:
    """The bytes of a Parquet file as an Arrow table."""
    return arrow("parquet").read_table(io.BytesIO(data), columns=columns)


def arrow(module: str = "") -> Any:
    """pyarrow, or a module of it.

    Raises:
        MissingExtra: It isn't installed.
    """
    try:
        if module == "parquet":
            import pyarrow.parquet as found
        else:
            import pyarrow as found
    except ImportError as error:
        raise MissingExtra("Work on a cluster", "cluster") from error
    return found


def _open(address: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtra("Work on a cluster", "cluster") from error
    try:
        found: tuple[Any, str] = url_to_fs(address)
    except ImportError as error:
        raise ConfigError(
            f"`{redact(address)}` needs a package that isn't installed: {reason(error)}; install it on every machine."
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"`{redact(address)}` must be a folder or the URL of a storage that fsspec knows: {reason(error)}."
        ) from error
    return found


def _stamp(info: dict[str, Any]) -> str:
    """What changes when the content does: an ETag, else a time."""
    for key in ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created", "modified"):
        if info.get(key):
            return str(info[key]).strip('"')
    return ""
