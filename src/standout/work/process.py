"""The parent's side of a worker process: starts it, asks it, ends it.

Processes are started as programs of their own, neither forked (a fork of a process with threads can hang) nor by
`multiprocessing` (which would import the caller's script anew, and refuses where the caller is a daemonic process, as
in Celery). They never import from the current folder, hear no Ctrl-C of their own, and end with their parent.
"""

from __future__ import annotations

import multiprocessing.spawn
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import connection
from pathlib import Path
from typing import Any

import standout
from standout.errors import StandoutError
from standout.work.worker import INTERRUPT

#: What a new process runs: the search path is the parent's, without the current folder.
_BEGIN = "import sys; sys.path[:] = sys.argv[1].split('\\n'); from standout.work.worker import main; main({handle})"


class WorkerDied(StandoutError):
    """The process that worked on an item ended without a word; `how` is the end of a sentence."""

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(f"The process that worked on it {how}; try fewer workers.")


class TookTooLong(StandoutError):
    """An item took longer than it may, and its worker was ended."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"It took longer than {seconds:g} seconds and was stopped.")


class WorkerProcess:
    """A worker process and the channel to it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._channel, theirs = connection.Pipe()
        self.never_asked = False
        handle = theirs.fileno()
        code = _BEGIN.format(handle=handle)
        try:
            options: dict[str, Any]
            if sys.platform == "win32":
                os.set_handle_inheritable(handle, True)
                startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
                options = {"startupinfo": startup, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            else:
                # A group of its own: a terminal's Ctrl-C and SIGHUP go to the parent, who decides.
                options = {"pass_fds": (handle,), "process_group": 0}
            self._process = subprocess.Popen(
                [*_python(), "-P", "-c", code, "\n".join(_search_path())],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=dict(environment), **options,
            )  # fmt: skip
        except BaseException:
            self._channel.close()
            raise
        finally:
            theirs.close()  # its end must be the only one, or its death would go unnoticed

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def how(self) -> str:
        """How it ended, as the end of a sentence."""
        code = self._process.wait()
        if code >= 0:
            return f"exited with code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"was killed ({name})" + (", perhaps for want of memory" if code == -9 else "")

    def ask(self, question: Any, timeout_s: float | None = None) -> Any:
        """Sends something and waits for the answer; None where the process has ended.

        Raises:
            TimeoutError: There was no answer in time.
        """
        try:
            self._channel.send(question)
        except OSError:
            self.never_asked = True
            return None
        try:
            if not self._channel.poll(timeout_s):
                raise TimeoutError
            return self._channel.recv()
        except TimeoutError:
            raise
        except (EOFError, OSError):
            return None

    def interrupt(self) -> None:
        if self._process.stdin is not None:
            with suppress(OSError, ValueError):
                self._process.stdin.write(INTERRUPT)
                self._process.stdin.flush()

    def kill(self) -> None:
        with suppress(OSError):
            self._process.kill()

    def end(self) -> None:
        """Closes the channel, on which an idle worker ends by itself, and waits for the end."""
        self._channel.close()
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def run_module(module: str, *arguments: str, timeout_s: float | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a module as a program of its own and returns what it printed, as text; `returncode` is not checked.

    Raises:
        subprocess.TimeoutExpired: It was ended after `timeout_s`.
    """
    command = [sys.executable, "-P", "-m", module, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_s)


def _python() -> list[str]:
    """This Python, with the options that it was called with."""
    program = os.fsdecode(multiprocessing.spawn.get_executable() or sys.executable)
    return [program, *subprocess._args_from_interpreter_flags()]  # type: ignore[attr-defined]


def _search_path() -> list[str]:
    """Where a worker looks for modules: where this process does, but for the current folder."""
    ours = str(Path(standout.__file__).parent.parent)
    path = [entry for entry in sys.path if entry]
    return path if ours in path else [*path, ours]
