"""Files and folders that appear whole or not at all, and the sweep that removes what killed processes left of them.

What is being written has a hidden name, `.standout-ID.part`, beside its place. Whoever writes holds `.standout-ID.lock`
locked meanwhile: only what has a lock file that nobody holds is known to be abandoned, and only that is ever swept.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import re
import secrets
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from standout.errors import OutputError

_log = logging.getLogger("standout")

#: Bytes of UTF-8 that a name may have on ext4, APFS, NTFS and what is mounted of them.
MOST_NAME_BYTES = 255
_TEMPORARY = re.compile(r"(\.standout-[0-9a-f]{16})(\.part)?(\.\w+)?")
#: Another machine's lock may not be seen on a shared drive: what it has begun is left alone for so long, seconds.
_PATIENCE_S = 24 * 3600
#: What `fsync` answers on drives that have nothing to flush, or can't tell; the bytes are where they belong.
_NO_FSYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


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


def temporary_name(suffix: str = ".part") -> str:
    """A hidden name that nobody has."""
    return f".standout-{secrets.token_hex(8)}{suffix}"


def try_lock(file: int) -> bool | None:
    """Locks an open file until it is closed, also by the process's death; None where the drive knows no locks."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, 1 << 40, os.SEEK_SET)  # a byte that nobody reads
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


class Unfinished:
    """A file or folder that is being written under a hidden name beside its place.

        film = Unfinished("out.mp4", suffix=".part.mp4")
        try:
            write_to(film.path)
            film.place()
        except BaseException:
            film.discard()
            raise

    Args:
        target: Where it goes. A link stays a link: what it leads to is replaced.
        suffix: Of the hidden name, where a writer goes by the ending.
        folder: Whether it is a folder, which is made; a file is made by the writer.

    Attributes:
        path: The hidden name.

    Raises:
        OutputError: The folder that it goes to is missing or can't be written to, or `target` is a folder.
    """

    def __init__(self, target: Path | str, *, suffix: str = ".part", folder: bool = False) -> None:
        self._name = Path(target)
        self._target = Path(os.path.realpath(self._name))
        if not folder and os.path.isdir(self._target):
            raise OutputError(f"The output `{self._name}` is a folder; give the name of a file.")
        try:
            self._lock_path, self._lock = _owned(self._target.parent)
            self.path = self._lock_path.with_name(f"{self._lock_path.stem}{suffix}")
            if folder:
                self.path.mkdir()
        except OSError as error:
            raise _cannot_write(self._name, error) from error

    def place(self, *, sync: bool = True) -> None:
        """Gives it its name; a file that was there keeps its permissions.

        Args:
            sync: Wait until the file is on the disk.

        Raises:
            OutputError: It can't be done; nothing is left of it.
        """
        try:
            if not self.path.is_dir():
                if sync:
                    file = os.open(self.path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
                    try:
                        _flush_to_disk(file)
                    finally:
                        os.close(file)
                _keep_permissions(self._target, self.path)
            os.replace(self.path, self._target)
        except OSError as error:
            self.discard()
            raise _cannot_write(self._name, error) from error
        self._release()

    def discard(self) -> None:
        """Removes what was written."""
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            with suppress(OSError):
                self.path.unlink()
        self._release()

    def _release(self) -> None:
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        if sys.platform == "win32":  # where no open file can be removed
            os.close(lock)
        with suppress(OSError):
            self._lock_path.unlink()
        if sys.platform != "win32":
            os.close(lock)


def sweep_temporary(folder: Path) -> None:
    """Deletes the unfinished files and folders in a folder whose owners' locks prove them abandoned."""
    owners: dict[str, list[Path]] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if match := _TEMPORARY.fullmatch(entry.name):
                owners.setdefault(match[1], []).append(Path(entry.path))
    for owner, paths in owners.items():
        lock = folder / f"{owner}.lock"
        if lock in paths:
            with suppress(OSError):
                _sweep(lock, [path for path in paths if path != lock])


def _sweep(lock: Path, paths: list[Path]) -> None:
    if lock.is_symlink():
        return
    file = os.open(lock, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        host = os.read(file, 300).decode("utf-8", "replace")
        last = max(os.lstat(path).st_mtime for path in (lock, *paths))
        elsewhere = host != socket.gethostname() and time.time() - last < _PATIENCE_S
        if elsewhere or not try_lock(file):
            return
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if sys.platform != "win32":
            lock.unlink(missing_ok=True)
    finally:
        os.close(file)
    if sys.platform == "win32":
        lock.unlink(missing_ok=True)


def _owned(folder: Path) -> tuple[Path, int | None]:
    """A new lock file in a folder, and the open file that holds it; None where the drive knows no locks."""
    while True:
        path = folder / temporary_name(".lock")
        # os.open and not tempfile: what is written beside it is to have the permissions that any new file gets.
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o666)
        os.write(file, socket.gethostname().encode()[:300])
        held = try_lock(file)
        if held:
            return path, file
        os.close(file)
        with suppress(OSError):
            path.unlink()
        if held is None:
            return path, None
        # A sweep looked at it before it was locked, and takes it for abandoned.


@contextmanager
def atomic_write(path: Path | str) -> Iterator[BinaryIO]:
    """Opens a file that appears under `path` whole when the block ends, and not at all when it fails.

        with atomic_write("out.png") as file:
            file.write(data)

    The bytes go to a hidden file in the same folder, are flushed to the disk, and the file is renamed. A file that was
    there keeps its permissions, and a link stays a link: the file that it leads to is replaced. A pipe or a device gets
    the bytes themselves.

    Raises:
        OutputError: The folder is missing or read-only, the disk is full, or `path` is a folder.
    """
    if _is_no_file(path):
        buffer = io.BytesIO()
        yield buffer
        try:
            Path(path).write_bytes(buffer.getbuffer())
        except OSError as error:
            raise _cannot_write(Path(path), error) from error
        return
    unfinished = Unfinished(path)
    try:
        descriptor = os.open(unfinished.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o666)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            _flush_to_disk(file.fileno())
    except BaseException as error:
        unfinished.discard()
        if isinstance(error, OSError):
            raise _cannot_write(Path(path), error) from error
        raise
    unfinished.place(sync=False)


def _is_no_file(path: Path | str) -> bool:
    """Whether something is there that can't be replaced by a file: a pipe, a device, a socket."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _keep_permissions(before: Path, new: Path) -> None:
    """Gives a new file the mode of the one that it replaces, if there is one: what was private stays private."""
    try:
        mode = stat.S_IMODE(os.stat(before).st_mode)
    except OSError:
        return
    if os.name == "nt":  # has no such modes
        return
    with suppress(OSError):  # some network drives have modes that can't be changed
        os.chmod(new, mode)
    with suppress(OSError):
        if stat.S_IMODE(os.stat(new).st_mode) & ~mode:
            _log.warning("`%s` was private; the drive that it lies on doesn't let the new file be so.", before)


def _flush_to_disk(file: int) -> None:
    """Waits until an open file is on the disk.

    Raises:
        OSError: It isn't, and never will be.
    """
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise


def _cannot_write(path: Path, error: OSError) -> OutputError:
    if isinstance(error, FileNotFoundError):
        return OutputError(
            f"The output `{path}` can't be written: there is no folder `{path.parent}`; create it first."
        )
    return OutputError(f"The output `{path}` can't be written: {error.strerror or error}.")
