"""A latest-value mailbox: a slow reader misses values, and nobody ever waits in a queue."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestValue(Generic[T]):
    """Holds the last thing that was put; safe between threads.

    Example:
        >>> place = LatestValue[str]()
        >>> place.put("old"), place.put("new")
        (None, None)
        >>> place.get(after=0)
        (2, 'new')
        >>> place.get(after=2, timeout_s=0.01) is None
        True
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._number = 0

    def put(self, item: T) -> None:
        """Replaces what was there."""
        with self._changed:
            self._item = item
            self._number += 1
            self._changed.notify_all()

    def get(self, after: int = 0, timeout_s: float | None = 0.0) -> tuple[int, T] | None:
        """The newest thing with its number (from 1), once it is newer than number `after`.

        Args:
            after: The number of the last thing that the caller saw.
            timeout_s: Seconds to wait for it; None waits for ever.

        Returns:
            None if nothing newer came.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._number > after, timeout_s)
            if self._number <= after or self._item is None:
                return None
            return self._number, self._item
