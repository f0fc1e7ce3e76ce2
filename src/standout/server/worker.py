"""What the server's workers do: they open an engine, and turn whatever goes wrong with a picture into a refusal.

This module is what a worker imports first; it stays light: a worker's start is the time that its replacement takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from standout.errors import LimitExceeded, MissingExtra, OutputError, StandoutError
from standout.server.logs import place_of
from standout.server.tasks import Answer, Ready, Refusal, Task

if TYPE_CHECKING:
    from standout.server.engine import PhotoEngine


class Engine(Protocol):
    """What a worker works with."""

    @property
    def ready(self) -> Ready:
        """What it has."""
        ...

    def answer(self, task: Task) -> Answer | Refusal:
        """One picture; may raise StandoutError."""
        ...


#: Opens an engine inside the worker, for so many threads; is pickled on its way there.
OpenEngine = Callable[[int], Engine]


@dataclass(frozen=True)
class OpenPhotoEngine:
    """Opens a `PhotoEngine`: light, for the server itself needs neither networks nor arrays.

    Attributes:
        model: The default one, a bundled name or a file.
        device: The device to compute on, as `standout.load` takes it.
        max_pixels: The most pixels a picture may have.
        matting: Whether `matting` may be asked for.
    """

    model: str
    device: str | None
    max_pixels: int
    matting: bool = False

    def __call__(self, threads: int) -> PhotoEngine:
        """In the worker."""
        from standout.server.engine import PhotoEngine

        return PhotoEngine(
            self.model, device=self.device, threads=threads, max_pixels=self.max_pixels, matting=self.matting
        )


@dataclass(frozen=True)
class EngineWork:
    """The work of a pool: `work.pool.Work`."""

    open_engine: OpenEngine

    def open(self, threads: int) -> _Answering:
        """In the worker."""
        return _Answering(self.open_engine(threads))


class _Answering:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.hello = engine.ready

    def __call__(self, task: Task) -> Answer | Refusal:
        try:
            return self._engine.answer(task)
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
