"""One run per place, also where files can't be locked: a small file that says who is at work, renewed meanwhile.

Lock files are numbered and made only where there is none of that number, which the storage decides at once for all who
ask: whoever takes over from a run that died makes the next number. A run that couldn't renew its file, or finds it
gone, has lost the place before another may take it.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol

from standout.errors import InputError, OutputError, StandoutError

_log = logging.getLogger("standout")

LEASE_FOLDER = ".standout-run"
#: A lease is renewed so often, seconds; one that wasn't for `STALE_S` is that of a run that died. As clocks differ, it
#: is looked at for another `CONFIRM_S`, in which a living run renews it.
RENEW_S, STALE_S, CONFIRM_S = 20.0, 90.0, 25.0


class Store(Protocol):
    """Where lock files lie; its errors are StandoutError."""

    def names(self, folder: str) -> list[str]:
        """The paths of the files in a folder; empty if there is no such folder."""
        ...

    def create(self, name: str, data: bytes) -> bool:
        """Writes a file that isn't there yet; False if there is one, also if it came at the same time."""
        ...

    def read(self, name: str) -> bytes: ...
    def write(self, name: str, data: bytes) -> None: ...
    def remove(self, name: str) -> None: ...


class Lease:
    """Holds a place for one run; a context manager.

    Args:
        store: The place.
        called: What messages call it.

    Raises:
        OutputError: Another run is at work there, or it can't be written.
    """

    def __init__(self, store: Store, called: str) -> None:
        self._store, self._called = store, called
        self._token = secrets.token_hex(8)
        self._name, self._renewed = "", 0.0
        self._lost, self._over = threading.Event(), threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True, name="standout-lease")

    def __enter__(self) -> Lease:
        while True:
            there = self._there()
            if self._alive(there):
                raise self._busy(there)
            number = max((int(Path(name).stem) for name in there), default=-1) + 1
            self._name = f"{LEASE_FOLDER}/{number:06d}.json"
            if self._store.create(self._name, self._content()):
                break
        # Whoever saw other files than we did may have made one of another number.
        now = self._there()
        others = {name: lock for name, lock in now.items() if name != self._name and lock != there.get(name)}
        if others or now.get(self._name, {}).get("token") != self._token:
            self._remove_own()
            raise self._busy(others)
        for name in there:
            self._store.remove(name)
        self._renewed = time.monotonic()
        self._keeper.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._keeper.join(RENEW_S)
        self._remove_own()

    def check(self) -> None:
        """To be asked before what only the holder may do.

        Raises:
            OutputError: The place is no longer ours.
        """
        if self._lost.is_set():
            raise OutputError(
                f"`{self._called}` couldn't be reached for {STALE_S - RENEW_S:.0f} seconds, or another run has taken "
                "it over; what is done is kept; rerun the same command to resume."
            )

    def _keep(self) -> None:
        while not self._over.wait(RENEW_S):
            with suppress(StandoutError):  # the next time may do
                token = self._read(self._name).get("token", self._token)
                if token != self._token or self._name not in self._store.names(LEASE_FOLDER):
                    self._lost.set()
                elif time.monotonic() - self._renewed < STALE_S - RENEW_S:
                    self._store.write(self._name, self._content())
                    self._renewed = time.monotonic()
            if time.monotonic() - self._renewed >= STALE_S - RENEW_S:
                self._lost.set()
            if self._lost.is_set():
                return

    def _alive(self, locks: dict[str, dict[str, object]]) -> bool:
        """Whether any of these is of a run that lives; waits where only the clock says that it is dead."""
        doubtful = False
        for lock in locks.values():
            written, pid = lock.get("time"), lock.get("pid")
            if lock.get("machine") == _machine() and isinstance(pid, int) and os.name != "nt":
                if _runs(pid):
                    return True
            elif isinstance(written, int | float) and abs(time.time() - written) < STALE_S:
                return True
            else:
                doubtful = True
        if not doubtful:
            return False
        _log.warning("A run in `%s` seems to have died; looking for %.0f s whether it has.", self._called, CONFIRM_S)
        time.sleep(CONFIRM_S)
        return self._there() != locks

    def _there(self) -> dict[str, dict[str, object]]:
        return {name: self._read(name) for name in self._store.names(LEASE_FOLDER) if Path(name).stem.isdigit()}

    def _read(self, name: str) -> dict[str, object]:
        try:
            content = json.loads(self._store.read(name))
        except (InputError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _content(self) -> bytes:
        lock = {"token": self._token, "host": socket.gethostname(), "machine": _machine(), "pid": os.getpid()}
        return json.dumps(lock | {"time": time.time()}).encode()

    def _remove_own(self) -> None:
        with suppress(StandoutError):
            if self._read(self._name).get("token") == self._token:
                self._store.remove(self._name)

    def _busy(self, locks: dict[str, dict[str, object]]) -> OutputError:
        hosts = ", ".join(str(lock["host"]) for lock in locks.values() if "host" in lock) or "some machine"
        return OutputError(
            f"Another run of Standout is at work in `{self._called}`, on {hosts}; wait for it, or choose another "
            f"folder (a run that died is forgotten after {STALE_S:.0f} seconds)."
        )


class FolderStore:
    """A folder on a drive that knows no locks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self, folder: str) -> list[str]:
        """See `Store`."""
        with suppress(OSError):
            return [f"{folder}/{name}" for name in os.listdir(self._folder / folder)]
        return []

    def create(self, name: str, data: bytes) -> bool:
        """See `Store`."""
        try:
            (self._folder / name).parent.mkdir(exist_ok=True)
            with (self._folder / name).open("xb") as file:
                file.write(data)
        except FileExistsError:
            return False
        except OSError as error:
            raise OutputError(f"`{self._folder}` can't be written to: {error.strerror}.") from error
        return True

    def read(self, name: str) -> bytes:
        """See `Store`."""
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise InputError(f"`{self._folder / name}` can't be read: {error.strerror}.") from error

    def write(self, name: str, data: bytes) -> None:
        """See `Store`."""
        try:
            (self._folder / name).write_bytes(data)
        except OSError as error:
            raise OutputError(f"`{self._folder / name}` can't be written: {error.strerror}.") from error

    def remove(self, name: str) -> None:
        """See `Store`."""
        with suppress(OSError):
            (self._folder / name).unlink()
        with suppress(OSError):
            (self._folder / name).parent.rmdir()


def _machine() -> str:
    """Where process ids are told apart: a kernel's run and, as containers have ids of their own, their namespace."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
