"""What the workshop's commands share on the screen and on disk: a progress bar, and files that are whole or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from standout.errors import OutputError
from standout.pixels import Frame


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


def write_file(path: Path, content: str | Frame) -> None:
    """Writes text, or a picture as PNG or JPEG by the file's ending; the file appears whole or not at all.

    Raises:
        OutputError: The folder is missing or can't be written, or the ending is none of a picture.
    """
    data = content.encode() if isinstance(content, str) else _encode(path, content)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} can't be written ({error.strerror}); name a file in a folder that exists."
        ) from error


def _encode(path: Path, picture: Frame) -> bytes:
    import cv2

    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise OutputError(f"A contact sheet must be written as .png, .jpg or .webp; received {path.name!r}.")
    _, data = cv2.imencode(path.suffix.lower(), np.ascontiguousarray(picture[..., ::-1]))
    return data.tobytes()
