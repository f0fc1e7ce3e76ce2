"""A worker process: opens its work once, then does item after item until its channel closes.

Started by `pool.py`. This module is what a worker imports first; it stays light, for the number of threads must be set
before NumPy is loaded, and a worker's start is the time that its replacement takes.
"""

from __future__ import annotations

import _thread
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection
from typing import Any, NamedTuple

from standout.errors import StandoutError

#: What the parent writes into a worker's standard input to have the item at work end early.
INTERRUPT = b"i"


class Hello(NamedTuple):
    """A worker's first word: it can work; `ready_info` is the `hello` of what it opened."""

    ready_info: Any


class Unusable(NamedTuple):
    """A worker's first and last word: it can't work at all."""

    error: StandoutError


class Outcome(NamedTuple):
    """What an item became, or why nothing."""

    value: Any = None
    error: StandoutError | None = None


class Stopped(StandoutError):
    """The item was at work when the pool was interrupted."""


def main(handle: int) -> None:
    """Runs in the new process; `handle` is its end of the channel."""
    # The parent alone decides: a service manager's SIGTERM goes to every process of a service.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_obey_parent, daemon=True).start()
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("500")  # where memory runs out, a worker costs one item, the parent all of them
    channel = _channel(handle)
    try:
        threads, quiet, work = channel.recv()
        if quiet:
            # What decoders in C print about a damaged file is no news: the item's error says it in a sentence.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        do = pickle.loads(work).open(threads)
    except EOFError:
        return
    except StandoutError as error:
        channel.send(Unusable(error))
        return
    except Exception as error:  # noqa: BLE001 - a library that can't be loaded, work that can't be unpickled, …
        words = f"The worker processes can't begin: {type(error).__name__}: {error}; "
        channel.send(Unusable(StandoutError(words + "mend this, or ask for help with the output of `standout info`.")))
        return
    channel.send(Hello(getattr(do, "hello", None)))
    while True:
        try:
            item = channel.recv()
        except (EOFError, OSError):
            return
        outcome = _interruptible(do, item)
        del item  # a picture isn't kept until the next one comes
        try:
            channel.send(outcome)
        except (pickle.PicklingError, AttributeError, TypeError, ValueError) as error:
            channel.send(Outcome(error=_internal(error)))
        del outcome


def _interruptible(do: Callable[[Any], Any], item: Any) -> Outcome:
    """Does an item, during which `INTERRUPT` is what Ctrl-C is elsewhere."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return _outcome(do, item)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        return Outcome(error=Stopped("It was stopped before it was done."))


def _outcome(do: Callable[[Any], Any], item: Any) -> Outcome:
    try:
        return Outcome(do(item))
    except StandoutError as error:
        return Outcome(error=error)
    except MemoryError:
        return Outcome(error=StandoutError("It needs more memory than there is; try fewer workers."))
    except OSError as error:
        where = f"`{error.filename}`" if error.filename else "A file"
        return Outcome(error=StandoutError(f"{where} can't be read or written: {error.strerror or error}."))
    except Exception as error:  # noqa: BLE001 - a fault of ours costs one item
        return Outcome(error=_internal(error))


def _internal(error: Exception) -> StandoutError:
    return StandoutError(f"Internal error: {type(error).__name__}: {error}; please report it.")


def _obey_parent() -> None:
    """Ends with the parent, at once: a worker that stayed would write a file that a later run writes, too."""
    while word := os.read(0, 1):
        if word != INTERRUPT:
            continue
        if sys.platform == "win32":
            _thread.interrupt_main()
        else:  # wakes what waits in a system call, too
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    os._exit(1)


def _channel(handle: int) -> connection.Connection[Any, Any]:
    if sys.platform == "win32":
        return connection.PipeConnection(handle)
    return connection.Connection(handle)
