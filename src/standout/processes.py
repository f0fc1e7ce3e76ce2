"""Other processes of this Python, none of which ever imports from the current folder.

`python -c` and `python -m` put the current folder first on the search path, and so do the processes that
`multiprocessing` spawns (it starts them, and its resource tracker, by `-c`). A `numpy.py` that lies beside
somebody's photos would run. `-P`, or PYTHONSAFEPATH in the environment (Python 3.11), prevents it.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import process, resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.popen_spawn_posix import Popen

_SAFE_PATH = "PYTHONSAFEPATH"
_environment_lock = threading.Lock()


def run_module(module: str, *arguments: str, timeout_s: float | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a module as a program of its own and returns what it printed, as text; `returncode` is not checked.

    Raises:
        subprocess.TimeoutExpired: It was ended after `timeout_s`.
    """
    command = [sys.executable, "-P", "-m", module, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_s)


def spawn_context() -> SpawnContext:
    """The context to take instead of `multiprocessing.get_context("spawn")`; for executors too."""
    if sys.platform != "win32":
        with _safe_path():
            resource_tracker.ensure_running()
    return _SafeSpawnContext()


def end_with_parent() -> None:
    """Waits for the parent process to end, then ends this one at once; to be run in a thread.

    A killed parent closes no pipe that its workers would notice: they would wait for ever, or write a file that a later
    run writes too.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _SafeSpawnProcess(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: process.BaseProcess) -> Popen:
        with _safe_path():
            return SpawnProcess._Popen(process_obj)


class _SafeSpawnContext(SpawnContext):
    Process = _SafeSpawnProcess


@contextmanager
def _safe_path() -> Iterator[None]:
    """Lets processes that are started meanwhile leave the current folder out of their search path."""
    with _environment_lock:
        before = os.environ.get(_SAFE_PATH)
        os.environ[_SAFE_PATH] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[_SAFE_PATH]
            else:
                os.environ[_SAFE_PATH] = before
