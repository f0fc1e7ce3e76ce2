"""Work for the step without a network: copies photos, and misbehaves when a photo's name says so. Imports little."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from standout.cluster.photo import Photo, Product
from standout.errors import InputError, ModelFileError


@dataclass(frozen=True)
class CopyWork:
    """Copies photos. Names with a meaning: `broken` is no picture, `faulty` meets a fault of ours, `killed` kills its
    process, `nobody` has nobody in it, `noted` has a note.

    Args:
        log: A file that each photo's path is appended to when its work begins.
        seconds: That each takes.
        fingerprint: As in `Work`.
        unusable: Nothing can be opened.
    """

    log: str = ""
    seconds: float = 0.0
    fingerprint: str = "copy"
    unusable: bool = False
    model: str = "none"
    ending: str = ".png"
    max_bytes: int = 1 << 20

    def open(self, threads: int) -> Callable[[Photo, bytes], Product]:
        if self.unusable:
            raise ModelFileError("The model is broken.")
        return self._do

    def fingerprint_of(self, path: str) -> str:
        return self.fingerprint

    def named_after(self, path: str) -> str:
        return path

    def _do(self, photo: Photo, data: bytes) -> Product:
        if self.log:
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(f"{photo.path}\n")
        time.sleep(self.seconds)
        if "broken" in photo.path:
            raise InputError("The input is broken.")
        if "faulty" in photo.path:
            raise ZeroDivisionError("a fault")
        if "hangs" in photo.path:
            time.sleep(1000)
        if "killed" in photo.path:
            os.kill(os.getpid(), signal.SIGKILL)
        notes = ("a note",) if "noted" in photo.path else ()
        return Product({photo.output: data}, "nobody" not in photo.path, (2, 3), notes)
