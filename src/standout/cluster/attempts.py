"""A photo that kills its process must not kill the next one for ever.

Engines begin a batch anew when its process has died, and would do so without end. So each process keeps the name of
the photo it is at in a small file of its machine, which it holds locked: a file that nobody holds was a process that
died, and its photo is the suspect. At the second death the photo is given up. One death may have another reason: the
machine was switched off. A photo that takes too long ends its process on purpose, for a decoder that hangs can't be
stopped otherwise, and is given up at once.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

#: So many processes that died at a photo are its fault.
DEATHS = 2
#: Before the name of a photo that took too long: no path begins so.
_OVERDUE = "\0"


class Attempts:
    """The photo that this process is at, and those at which others of the same run on this machine have died.

    Args:
        run: Names the run.
        folder: Where the files lie; the machine's own folder for such things by default.
        limit_s: A photo that takes longer, seconds, ends this process and is given up; None: no limit.
    """

    def __init__(self, run: str, folder: Path | None = None, *, limit_s: float | None = None) -> None:
        self._folder = (folder or Path(tempfile.gettempdir())) / f"standout-run-{run}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._deaths = Counter(self._found_dead())
        self._file = os.open(self._folder / f"{os.getpid()}-{os.urandom(4).hex()}", os.O_RDWR | os.O_CREAT, 0o600)
        _try_lock(self._file)
        self._limit_s = limit_s
        self._timer: threading.Timer | None = None

    def at(self, photo: str) -> None:
        """Notes the photo that is begun now; "" for none."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._note(photo)
        if photo and self._limit_s:
            self._timer = threading.Timer(self._limit_s, self._give_up, (photo,))
            self._timer.daemon = True
            self._timer.start()

    def given_up(self, photo: str) -> str:
        """Why this photo isn't tried again: a sentence; "" if it is."""
        if self._deaths[_OVERDUE + photo]:
            return f"`{photo}` took longer than {self._limit_s:g} seconds and was given up."
        if self._deaths[photo] >= DEATHS:
            return f"`{photo}` ended the process that worked on it, twice, perhaps for want of memory."
        return ""

    def _give_up(self, photo: str) -> None:
        self._note(_OVERDUE + photo)
        os._exit(1)

    def _note(self, text: str) -> None:
        os.lseek(self._file, 0, os.SEEK_SET)
        os.ftruncate(self._file, 0)
        os.write(self._file, text.encode("utf-8", "surrogateescape"))

    def _found_dead(self) -> list[str]:
        if sys.platform == "win32":  # no locks of this kind, and no clusters
            return []
        photos = []
        for path in self._folder.iterdir():
            try:
                file = os.open(path, os.O_RDWR)
            except OSError:
                continue
            if _try_lock(file):
                photos.append(os.read(file, 1 << 16).decode("utf-8", "surrogateescape"))
            os.close(file)
        return [photo for photo in photos if photo]


def _try_lock(file: int) -> bool:
    """Locks an open file until it is closed; False if another holds it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
