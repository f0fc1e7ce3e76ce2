"""Commands from the terminal, by lines and by single keys."""

from __future__ import annotations

import io
import os
import sys
import time

import pytest

from standout.errors import ConfigError
from standout.webcam.terminal import TerminalKeys, listen_to_lines


def test_each_line_is_a_command_and_is_answered() -> None:
    said: list[str] = []

    def command(text: str) -> str:
        if text == "bad":
            raise ConfigError("not allowed")
        return f"did {text}"

    listen_to_lines(io.StringIO("next\n\n  bad \nquit"), command, said.append).join(10)
    assert said == ["did next", "not allowed", "did quit"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_keys_come_without_enter_and_the_terminal_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    told: list[str] = []
    with os.fdopen(theirs, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        before = termios.tcgetattr(terminal)
        with TerminalKeys(lambda command: told.append(command) or "", lambda _: None):
            os.write(ours, b"bxp")
            until = time.monotonic() + 10
            while len(told) < 2 and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.25)  # the thread has seen that there is no more
        assert termios.tcgetattr(terminal) == before
    os.close(ours)
    assert told == ["next", "pause"]


def test_without_a_terminal_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("q"))
    with TerminalKeys(lambda command: pytest.fail(command), lambda _: None):
        pass
