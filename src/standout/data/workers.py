"""Spawned worker processes: one thread each, deaf to Ctrl-C, and gone when their parent is gone.

Spawned, not forked: a fork of a process that has loaded TensorFlow can hang. The workers import no Keras.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import cv2


def worker_pool(workers: int, start: Callable[..., None], arguments: tuple[Any, ...]) -> ProcessPoolExecutor:
    """A pool whose processes each call `start(*arguments)` once, before their first task."""
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare,
        initargs=(start, arguments),
    )


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepare(start: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism
    # A terminal sends Ctrl-C to the whole group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    start(*arguments)


def _end_with_parent() -> None:
    """A killed parent closes no queue that its workers would notice: they would wait for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
