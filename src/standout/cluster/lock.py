"""One run per target, also where files can't be locked: a small object that says who is at work, renewed meanwhile."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

from standout.cluster.storage import Place
from standout.errors import InputError, OutputError, StandoutError

LOCK_NAME = ".standout-run.json"

_RENEW_S = 20.0
#: A lock that wasn't renewed for so long is that of a run that died. A clock may differ by as much.
STALE_S = 90.0


class RunLock:
    """Holds a target for one run; a context manager.

    Raises:
        OutputError: Another run is at work there, or it can't be written.
    """

    def __init__(self, target: Place) -> None:
        self._target = target
        self._token = secrets.token_hex(8)
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True, name="standout-lock")

    def __enter__(self) -> RunLock:
        other = self._read()
        if other and not _is_dead(other):
            raise OutputError(
                f"Another `standout folder` is at work in `{self._target}`, on {other.get('host', 'some machine')}; "
                f"wait for it, or choose another folder (a run that died is forgotten after {STALE_S:.0f} seconds)."
            )
        self._write()
        if self._read().get("token") != self._token:
            raise OutputError(f"Another `standout folder` has just begun in `{self._target}`; wait for it.")
        self._keeper.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._keeper.join(_RENEW_S)
        with suppress(StandoutError):
            if self._read().get("token") == self._token:
                self._target.remove(LOCK_NAME)

    def _keep(self) -> None:
        while not self._over.wait(_RENEW_S):
            with suppress(StandoutError):  # the next time may do
                self._write()

    def _write(self) -> None:
        content = {"token": self._token, "host": socket.gethostname(), "pid": os.getpid(), "time": time.time()}
        self._target.write(LOCK_NAME, json.dumps(content).encode())

    def _read(self) -> dict[str, object]:
        try:
            content = json.loads(self._target.read(LOCK_NAME))
        except (InputError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _is_dead(lock: dict[str, object]) -> bool:
    """Whether whoever wrote it is known, or by its age taken, to be gone."""
    written, pid = lock.get("time"), lock.get("pid")
    if not isinstance(written, int | float) or abs(time.time() - written) > STALE_S:
        return True
    if lock.get("host") != socket.gethostname() or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
