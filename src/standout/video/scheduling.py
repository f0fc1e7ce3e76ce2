"""Encoders leave the process's scheduling as it was."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def keep_scheduling() -> Iterator[None]:
    """Takes back the priorities that libraries give threads while an encoder is opened.

    SVT-AV1 makes its threads, and the one that opens it, real-time threads of the highest priority wherever it may, as
    root may in a container. While it encodes, nothing else on the machine would run then, and every process started
    afterwards would inherit that. Linux only; elsewhere it does nothing.
    """
    if not hasattr(os, "sched_getscheduler") or not os.path.isdir("/proc/self/task"):
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    before = set(os.listdir("/proc/self/task"))
    try:
        yield
    finally:
        for thread in {*set(os.listdir("/proc/self/task")) - before, str(threading.get_native_id())}:
            with contextlib.suppress(OSError):  # ended meanwhile
                if os.sched_getscheduler(int(thread)) != policy:
                    os.sched_setscheduler(int(thread), policy, priority)
