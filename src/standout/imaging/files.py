"""Files that are written whole or not at all; one kind of temporary name, so that one sweep finds what a kill left."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from standout.errors import OutputError

#: Bytes of UTF-8 that a name may have on ext4, APFS, NTFS and what is mounted of them.
MOST_NAME_BYTES = 255
_TEMPORARY = re.compile(r"\.standout-[0-9a-f]{16}(\.part)?(\.\w+)?")


def temporary_path(path: Path, *, suffix: str = ".part") -> Path:
    """A hidden name that nobody has, in the folder of `path`; `suffix` where a writer goes by the ending."""
    return path.parent / f".standout-{secrets.token_hex(8)}{suffix}"


def fitting_name(stem: str, ending: str) -> str:
    """`stem` + `ending`, the stem shortened where no file system would take the name.

    Six digits that follow from the whole stem keep two long names apart that begin alike.

    >>> fitting_name("photo", ".png"), fitting_name("é" * 200, ".standout.png")[-21:]
    ('photo.png', 'é~df20b2.standout.png')
    """
    whole = stem + ending
    if len(os.fsencode(whole)) <= MOST_NAME_BYTES:
        return whole
    digest = hashlib.sha256(os.fsencode(stem)).hexdigest()[:6]
    room = MOST_NAME_BYTES - len(os.fsencode(ending)) - 7
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return f"{stem}~{digest}{ending}"


def is_temporary(name: str) -> bool:
    """Whether a file or folder of this name is the unfinished work of a process.

    >>> is_temporary(".standout-0123456789abcdef.part"), is_temporary("photo.standout.png")
    (True, False)
    """
    return _TEMPORARY.fullmatch(name) is not None


def sweep_temporary(folder: Path) -> None:
    """Deletes the unfinished files in a folder: of processes that were killed, if nobody else is at work there."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if is_temporary(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    os.unlink(entry.path)


@contextmanager
def atomic_write(path: Path | str) -> Iterator[BinaryIO]:
    """Opens a file that appears under `path` whole when the block ends, and not at all when it fails.

        with atomic_write("out.png") as file:
            file.write(data)

    The bytes go to a hidden file in the same folder, are flushed to the disk, and the file is renamed. A file that was
    there keeps its permissions, and a link stays a link: the file that it leads to is replaced.

    Raises:
        OutputError: The folder is missing or read-only, the disk is full, or `path` is a folder.
    """
    name = Path(path)
    path = Path(os.path.realpath(name))
    if os.path.isdir(path):
        raise OutputError(f"The output `{name}` is a folder; give the name of a file.")
    temporary = temporary_path(path)
    try:
        # os.open and not tempfile: the file is to have the permissions that any new file gets.
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise _cannot_write(name, error) from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            _keep_permissions(path, file.fileno())
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise _cannot_write(name, error) from error
        raise


def _keep_permissions(path: Path, descriptor: int) -> None:
    """Gives a new file the mode of the one that it replaces, if there is one: what was private stays private."""
    if hasattr(os, "fchmod"):  # Windows has no such modes
        with suppress(FileNotFoundError):
            os.fchmod(descriptor, stat.S_IMODE(os.stat(path).st_mode))


def _cannot_write(path: Path, error: OSError) -> OutputError:
    if isinstance(error, FileNotFoundError):
        return OutputError(
            f"The output `{path}` can't be written: there is no folder `{path.parent}`; create it first."
        )
    return OutputError(f"The output `{path}` can't be written: {error.strerror or error}.")
