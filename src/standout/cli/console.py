"""What the commands share: one way to say something, one progress bar, where tables go, files that are whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console

    from standout.imaging.arrays import Frame
    from standout.workshop.data.pair import Fault

#: Writes a line above what is shown at the terminal's foot meanwhile, a bar or a line of status; None: nothing is.
_above: Callable[[str], None] | None = None


def say(sentence: str) -> None:
    """Tells the user one sentence on stderr; results go to stdout and have no prefix."""
    write = _above or sys.stderr.write
    write(f"standout: {sentence}\n")


def say_faults(faults: Iterable[Fault]) -> None:
    """Says of each pair that was left out why."""
    for fault in faults:
        say(f"Left out ({fault.kind}): {fault.text}")


@contextmanager
def said_above(write: Callable[[str], None]) -> Iterator[None]:
    """What is said in the meantime goes through `write`, which keeps the line at the terminal's foot whole."""
    global _above
    before, _above = _above, write
    try:
        yield
    finally:
        _above = before


def results() -> Console:
    """Where tables and scores are printed: stdout, with numbers and paths as they are."""
    from rich.console import Console

    return Console(highlight=False)


class Move(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """Shows that `done` of `total` are done, and behind the bar the note; without one, the speed."""


@contextmanager
def progress_bar(text: str, *, unit: str = "", at_once: bool = False) -> Iterator[Move]:
    """A bar on a terminal's stderr, gone when done; what is said meanwhile stands above it.

    Args:
        text: What is being done.
        unit: Shows how many a second: "images/s".
        at_once: Shows the bar before anything has moved; else an error before that stays one line.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False), TimeRemainingColumn(),
    )  # fmt: skip
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(text, total=None, note="")

    def move(done: int, total: int | None, note: str = "") -> None:
        bar.start()
        bar.update(task, completed=done, total=total)
        speed = bar.tasks[0].speed
        bar.update(task, note=note or (f"{speed:.1f} {unit}" if unit and speed else ""))

    def write_above(line: str) -> None:
        if bar.live.is_started:
            console.print(line, end="", markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(line)

    if at_once:
        bar.start()
    try:
        with said_above(write_above):
            yield move
    finally:
        if bar.live.is_started:
            bar.stop()


@contextmanager
def silent_libraries() -> Iterator[None]:
    """Keeps what libpng, libjpeg and OpenCV print about a damaged file off the terminal; ours is one sentence.

    They write to file descriptor 2, so that leads nowhere meanwhile, and Python's stderr goes to where it led before.
    """
    stream = sys.stderr
    try:
        is_descriptor_2, before = stream.fileno() == 2, os.dup(2)
    except (OSError, ValueError, AttributeError):  # closed, or no real file: a test, a notebook
        yield
        return
    own = os.fdopen(os.dup(before), "w", buffering=1, encoding=stream.encoding, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        if is_descriptor_2:
            sys.stderr = own
        yield
    finally:
        sys.stderr = stream
        own.close()
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def check_outputs(*files: Path | None) -> None:
    """Told before long work and not after it: a result that would have nowhere to go.

    Raises:
        OutputError: The folder of one of the files isn't there.
    """
    from standout.errors import OutputError

    for file in files:
        if file and not file.parent.is_dir():
            raise OutputError(f"The output `{file}` can't be written: there is no folder `{file.parent}`; create it.")


def write_file(path: Path, content: str | Frame) -> None:
    """Writes text, or a picture in the format of the file's ending; the file appears whole or not at all.

    Raises:
        OutputError: The folder is missing or can't be written, or the ending is none of a picture.
    """
    from standout.imaging.encode import EncodeOptions, encode, format_of
    from standout.imaging.files import atomic_write

    data = content.encode() if isinstance(content, str) else encode(content, EncodeOptions(format_of(path)))
    with atomic_write(path) as stream:
        stream.write(data)
