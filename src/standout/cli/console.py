"""What the workshop's commands share on the screen and on disk: a progress bar, and files that are whole or absent."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from standout.errors import OutputError
from standout.imaging.arrays import Frame


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, gone when done; yields the function that moves it to (done, all)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(text, total=None)

    def move(done: int, total: int) -> None:
        bar.start()  # not before there is something to show: an error before that stays one line
        bar.update(task, completed=done, total=total)

    try:
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
