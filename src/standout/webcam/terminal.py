"""Commands from the terminal: single keys where somebody sits at it, lines where another program writes to us."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO

from standout.errors import StandoutError

#: Key -> command, in the terminal and in the window.
KEYS = {"b": "next", "p": "pause", " ": "pause", "m": "mirror", "q": "quit", "\x1b": "quit"}


def answer(command: Callable[[str], str], text: str, say: Callable[[str], None]) -> None:
    """Does one command and says what came of it, be it an error."""
    try:
        say(command(text))
    except StandoutError as error:
        say(str(error))


def listen_to_lines(stream: TextIO, command: Callable[[str], str], say: Callable[[str], None]) -> threading.Thread:
    """Takes a command from each line of `stream`, in a thread of its own, until it ends."""

    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # what isn't UTF-8 is no command, and no reason to stop listening

    def listen() -> None:
        for line in stream:
            if line.strip():
                answer(command, line.strip(), say)

    thread = threading.Thread(target=listen, daemon=True, name="control")
    thread.start()
    return thread


class TerminalKeys:
    """Takes hot keys from the terminal while the block runs; does nothing where there is no terminal."""

    def __init__(self, command: Callable[[str], str], say: Callable[[str], None]) -> None:
        self._command, self._say = command, say
        self._stop = threading.Event()
        self._before: Any = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> TerminalKeys:
        if sys.platform == "win32" or not sys.stdin.isatty():
            return self
        import termios
        import tty

        self._before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)  # keys come without Enter; Ctrl-C stays Ctrl-C
        self._thread = threading.Thread(target=self._listen, daemon=True, name="keys")
        self._thread.start()
        return self

    def _listen(self) -> None:
        import os
        import select

        terminal = sys.stdin.fileno()
        while not self._stop.is_set():
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            # Past Python's own buffer, in which `select` wouldn't see that a key waits.
            keys = os.read(terminal, 64)
            if not keys:
                return
            for key in keys.decode("utf-8", "replace").lower():
                if key in KEYS:
                    answer(self._command, KEYS[key], self._say)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            import termios

            self._thread.join()
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)
