"""`Pipe`: standard input or a named pipe as a file that FFmpeg reads, whose waiting can be ended."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standout.errors import InputError

#: How often a pipe that says nothing is asked whether anybody still waits, seconds.
_PATIENCE_S = 0.1


class Pipe:
    """What can be read only once and may say nothing for long.

    A read that blocks in the system can't be interrupted from another thread, so it is begun when there is something.

    Args:
        path: "-" for standard input, or a named pipe.

    Raises:
        InputError: It can't be opened.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self._descriptor = sys.stdin.fileno() if str(path) == "-" else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise InputError(f"`{path}` can't be read: {error}.") from error
        self._ours, self._cancelled = str(path) != "-", False
        self._interrupted = False

    def read(self, size: int) -> bytes:
        """At most `size` bytes; b"" at the end, after `cancel`, and after Ctrl-C, which `told_of_ctrl_c` raises."""
        try:
            # On Windows only sockets can be waited for.
            while os.name != "nt" and not self._cancelled:
                if select.select([self._descriptor], [], [], _PATIENCE_S)[0]:
                    break
        except KeyboardInterrupt:  # FFmpeg calls us: it would take the exception for a file that is broken
            self._cancelled = self._interrupted = True
        return b"" if self._cancelled else os.read(self._descriptor, size)

    @contextmanager
    def told_of_ctrl_c(self) -> Iterator[None]:
        """Raises the KeyboardInterrupt that came while FFmpeg read within, whatever else FFmpeg makes of it."""
        try:
            yield
        finally:
            if self._interrupted:
                raise KeyboardInterrupt

    def cancel(self) -> None:
        """Ends the waiting; nothing is read any more."""
        self._cancelled = True

    def close(self) -> None:
        """Closes a named pipe."""
        self.cancel()
        if self._ours:
            os.close(self._descriptor)
            self._ours = False


def is_pipe(path: str | Path) -> bool:
    """Whether a path is standard input or a named pipe: it can be read only once."""
    try:
        return str(path) == "-" or stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False
