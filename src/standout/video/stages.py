"""`run_stream`: stages that work at the same time, with bounded queues between them, and errors that end the run."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

#: A stage takes what comes before it as an iterator and yields what goes on; it may hold back, drop or add.
Stage = Callable[[Iterator[Any]], Iterable[Any]]

_END = object()


class _Stopped(Exception):
    """Somebody else has ended the run; the thread just leaves."""


class _Run:
    """What the threads of one run share: whether it goes on, and the first error."""

    def __init__(self, stop: threading.Event | None) -> None:
        self._asked, self._ended = stop or threading.Event(), threading.Event()
        self.error: BaseException | None = None
        self._lock = threading.Lock()

    @property
    def stopped(self) -> bool:
        """Whether the run has ended, or its caller wants it to."""
        return self._ended.is_set() or self._asked.is_set()

    def end(self) -> None:
        self._ended.set()

    def fail(self, error: BaseException) -> None:
        with self._lock:
            if self.error is None:
                self.error = error
        self.end()


class _Channel:
    """A queue of at most `depth` items that stops waiting when the run stops."""

    def __init__(self, depth: int, run: _Run) -> None:
        self._items: deque[Any] = deque()
        self._depth, self._run = depth, run
        self._changed = threading.Condition()

    def put(self, item: Any) -> None:
        with self._changed:
            while len(self._items) >= self._depth:
                self._wait()
            self._items.append(item)
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Any]:
        while True:
            with self._changed:
                while not self._items:
                    self._wait()
                item = self._items.popleft()
                self._changed.notify_all()
            if item is _END:
                return
            yield item

    def _wait(self) -> None:
        if self._run.stopped:
            raise _Stopped
        # The stop may be set from outside, without a notification: look again soon.
        self._changed.wait(0.05)


def _pump(items: Iterable[Any], target: _Channel, run: _Run) -> None:
    """One thread's work: everything from `items` into `target`."""
    try:
        for item in items:
            target.put(item)
            if run.stopped:
                return
        target.put(_END)
    except _Stopped:
        pass
    except BaseException as error:  # noqa: BLE001 - carried to the caller, whatever it is
        run.fail(error)


def run_stream(
    source: Iterable[Any],
    stages: Sequence[Stage],
    sink: Callable[[Any], None],
    *,
    depth: int = 4,
    stop: threading.Event | None = None,
    cancel: Callable[[], None] | None = None,
) -> None:
    """Runs source, stages and sink at the same time; the sink in the caller's thread, so that Ctrl-C arrives there.

    Args:
        source: What goes in; iterated in a thread of its own.
        stages: Iterator → iterable, each in a thread of its own.
        sink: Called with each item that leaves the last stage.
        depth: Items that may wait between two stages; bounds the memory.
        stop: Set it from outside to end the run early, without an error; never set from here.
        cancel: Called when the run ends, before the threads are waited for: ends a source that waits for data.

    Raises:
        Whatever the first failing part raised, at once; the others are ended before.
    """
    run = _Run(stop)
    channels = [_Channel(depth, run) for _ in range(len(stages) + 1)]

    works = [(source, channels[0])]
    works += [
        (stage(iter(before)), after) for stage, before, after in zip(stages, channels, channels[1:], strict=False)
    ]
    threads = [threading.Thread(target=_pump, args=(*work, run), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        for item in channels[-1]:
            sink(item)
            if run.stopped:  # what still waits in the queue is left out
                break
    except _Stopped:
        pass
    finally:
        run.end()
        if cancel is not None:
            cancel()
        for thread in threads:
            thread.join()
    if run.error is not None:
        raise run.error
