"""Engines that need no network; light, for workers import this module before they can answer."""

from __future__ import annotations

import os
import signal
import time

from standout.server.tasks import Answer, Ready, Refusal, Task


class FakeEngine:
    """Answers at once; the first bytes of a picture tell it to do something else: sleep, die, raise, hang."""

    def __init__(self) -> None:
        self.ready = Ready({"photo": {"name": "photo"}, "live": {"name": "live"}})

    def answer(self, task: Task) -> Answer | Refusal:
        order, _, number = task.image[:16].partition(b":")
        if order == b"sleep":
            time.sleep(float(number.rstrip(b"\0")))
        if order == b"die":
            os.kill(os.getpid(), signal.SIGKILL)
        if order == b"fault":
            raise RuntimeError("secret-of-the-picture")
        pid = str(os.getpid()).encode()
        return Answer(pid, "image/png", 1, 1, True, "photo", 100, {"model": 0.001})


def open_fake_engine(threads: int) -> FakeEngine:
    """What workers open."""
    return FakeEngine()


def open_nothing(threads: int) -> FakeEngine:
    """An engine that can't be opened."""
    from standout.errors import ModelFileError

    raise ModelFileError("There is no model file `nowhere.onnx`.")
