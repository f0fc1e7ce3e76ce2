"""What ends a command: Ctrl-C, a service manager's SIGTERM, and the SIGHUP of a terminal that was closed."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from standout.cli.console import say

#: Those that the system has. What was ignored when we were started (`nohup`) stays ignored.
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def stopped_by_signals(words: str) -> Iterator[threading.Event]:
    """An event that is set by the first signal, after which `words` are said; a second one interrupts at once."""
    stop = threading.Event()

    def ask(number: int, _: Any) -> None:
        _leave_terminal(number)
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say(words)

    with _handled(ask, _ENDING):
        yield stop


@contextmanager
def like_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP do what Ctrl-C does meanwhile."""

    def press(number: int, _: Any) -> None:
        _leave_terminal(number)
        signal.raise_signal(signal.SIGINT)

    with _handled(press, _ENDING[1:]):
        yield


def _leave_terminal(number: int) -> None:
    """After a SIGHUP the terminal may be gone: what would be written to it goes nowhere, and ends nothing."""
    if number != getattr(signal, "SIGHUP", None):
        return
    for descriptor in (1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)


@contextmanager
def _handled(handler: Any, names: tuple[str, ...]) -> Iterator[None]:
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, signal.SIG_DFL if was is None else was)
