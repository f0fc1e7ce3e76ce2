"""One sentence where there is no memory left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from standout.errors import LimitExceeded, StandoutError


@contextmanager
def enough_memory() -> Iterator[None]:
    """Makes one sentence of every way in which NumPy, OpenCV and onnxruntime say that there is no memory left.

    Raises:
        LimitExceeded: There isn't enough.
    """
    try:
        yield
    except Exception as error:
        words = str(error).lower()
        no_room = isinstance(error, MemoryError) or "insufficient memory" in words or "bad_alloc" in words
        if isinstance(error, StandoutError) or not (no_room or "failed to allocate memory" in words):
            raise
        raise LimitExceeded("The picture needs more memory than there is; make it smaller.") from error
