"""The standard streams as a command needs them: open, and able to hold every character."""

from __future__ import annotations

import glob
import io
import os
import sys
from collections.abc import Iterable

from standout.errors import OutputError


class _NoOutput(io.TextIOWrapper):
    """Stands for a standard output that is closed: tables go nowhere, a picture may not."""

    def __init__(self) -> None:
        super().__init__(open(os.devnull, "wb"), encoding="utf-8", errors="replace")

    @property
    def buffer(self) -> io.BufferedWriter:
        raise OutputError("Standard output is closed, so no picture can be written to it; give a file with `-o`.")


def open_streams() -> None:
    """Gives this process standard streams that can be written to, whatever it was started with.

    - A closed descriptor (`>&-`) is taken by the null device: else the next file that is opened gets its number, and
      what a library prints lands in it.
    - A character that the stream's encoding lacks (a file or a pipe on Windows, a Latin-1 locale) becomes `?` instead
      of an error: a table with `?` for one sign is worth more than none.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = _NoOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="replace")


def expand_wildcards(words: Iterable[str]) -> list[str]:
    """What a shell of Unix makes of the words and those of Windows don't: `*.jpg` the files, `~` the home folder.

    A name that exists as it stands goes first, and a pattern that fits nothing stays, for the message.
    """
    expanded: list[str] = []
    for word in words:
        pattern = os.path.expanduser(word)
        if os.path.lexists(pattern) or word.startswith("-") or not glob.has_magic(pattern):
            expanded.append(pattern)
        else:
            expanded += sorted(glob.glob(pattern, recursive=True)) or [word]
    return expanded
