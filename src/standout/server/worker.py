"""A worker process: opens its engine once, then answers task after task until the channel closes.

This module is what a worker imports first; it stays light: a worker's start is the time that its replacement takes.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Protocol

from standout.errors import LimitExceeded, MissingExtra, OutputError, StandoutError
from standout.processes import end_with_parent
from standout.server.logs import place_of
from standout.server.tasks import Answer, Ready, Refusal, Task, Unusable


class Engine(Protocol):
    """What a worker works with."""

    @property
    def ready(self) -> Ready:
        """What it has."""
        ...

    def answer(self, task: Task) -> Answer | Refusal:
        """One picture; may raise StandoutError."""
        ...


#: Opens an engine inside the worker; is pickled on its way there.
OpenEngine = Callable[[], Engine]


def work(channel: Connection[Any, Any], open_engine: OpenEngine) -> None:
    """A worker's life."""
    # Ctrl-C and a service manager's SIGTERM go to all processes; the server alone decides, and closes the channel.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    # What decoders in C print about a damaged file is no news: the answer says it in a sentence.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        engine = open_engine()
    except Exception as error:  # noqa: BLE001 - the server says why no worker starts
        channel.send(Unusable(str(error) if isinstance(error, StandoutError) else f"{type(error).__name__}: {error}"))
        return
    channel.send(engine.ready)
    while True:
        try:
            task = channel.recv()
        except EOFError:
            return
        channel.send(_answer(engine, task))


def _answer(engine: Engine, task: Task) -> Answer | Refusal:
    try:
        return engine.answer(task)
    except StandoutError as error:
        # A client can't raise this server's limits.
        return Refusal(_code_of(error), str(error).replace(" or raise `max_pixels`", ""))
    except MemoryError:
        return Refusal("out_of_memory", "The picture needs more memory than there is; send a smaller one.")
    except Exception as error:  # noqa: BLE001 - a fault of ours costs one request
        # The text of a foreign error may hold what was sent; its type and place don't.
        return Refusal("fault", f"{type(error).__name__} at {place_of(error.__traceback__)}")


def _code_of(error: StandoutError) -> str:
    """The code for what the product raises, by who has to act."""
    if isinstance(error, LimitExceeded):
        return "picture_too_large"
    if isinstance(error, MissingExtra):
        return "missing_extra"
    if isinstance(error, OutputError):
        return "cannot_write"
    return {"ConfigError": "bad_option", "InputError": "bad_image"}.get(type(error).__name__, "fault")


def how_it_ended(code: int | None) -> str:
    """How a process ended, as the end of a sentence."""
    if code is None or code >= 0:
        return f"ended unexpectedly (exit code {code})"
    return f"was ended by signal {-code}" + (", perhaps for want of memory" if code == -9 else "")
