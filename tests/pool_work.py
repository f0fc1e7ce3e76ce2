"""Work for the pool that misbehaves when an item says so. Imports little."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from standout.errors import InputError, MissingExtra, ModelFileError


@dataclass(frozen=True)
class WordWork:
    """Items are words: `die`, `hang`, `fail`, `crash`, `extra`, `odd`, `slow`, …; others come back in capitals.

    Args:
        unusable: Can't be opened.
        dies: Ends before it is open.
        slow_to_open: Seconds.
    """

    unusable: bool = False
    dies: bool = False
    slow_to_open: float = 0.0

    def open(self, threads: int) -> Callable[[str], Any]:
        time.sleep(self.slow_to_open)
        if self.unusable:
            raise ModelFileError("The model is broken.")
        if self.dies:
            os._exit(3)
        return Words(threads)


class Words:
    def __init__(self, threads: int) -> None:
        self.hello = {"threads": threads, "env": os.environ.get("OMP_NUM_THREADS", "")}

    def __call__(self, word: str) -> Any:
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "hang":
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            time.sleep(1000)
        if word == "slow":
            time.sleep(1000)
        if word == "fail":
            raise InputError("The word is broken.")
        if word == "extra":
            raise MissingExtra("This", "other")
        if word == "crash":
            raise ZeroDivisionError("a fault")
        if word == "odd":
            return lambda: None
        group = os.getpgid(0) if hasattr(os, "getpgid") else 0
        return {"pid": os.getpid(), "path": list(sys.path), "group": group}.get(word, word.upper())
