"""What goes into a step and what comes out of it: a photo, the work on it, and its row of the manifest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypedDict


@dataclass(frozen=True)
class Photo:
    """A photo that is to be worked on.

    Attributes:
        path: What it is called in the manifest: relative to the source, with forward slashes.
        output: The path of what it becomes, relative to the target; "" takes `path` with the work's ending.
        address: Where it lies if that isn't `path` in the source: a URL or an absolute path.
        size: The size of the photo's file, bytes, before it was read; -1 if unknown.
        changed: When its file was changed last, or its ETag, before it was read; "" if unknown.
    """

    path: str
    output: str = ""
    address: str = ""
    size: int = -1
    changed: str = ""


class Row(TypedDict):
    """Outcome of one photo: a row of the manifest.

    `width`, `height` and `sha256` are those of the file `output`; `found_person` is None where nobody has looked.
    """

    path: str
    status: str  # done, failed
    reason: str
    found_person: bool | None
    width: int
    height: int
    model: str
    sha256: str
    ms: float
    output: str
    notes: list[str]
    facts: str  # JSON: what the work has to say beyond this
    folder: str
    size: int
    changed: str
    output_size: int
    fingerprint: str


@dataclass(frozen=True)
class Product:
    """What a photo has become.

    Attributes:
        files: Path relative to the target -> content; the row names the photo's `output` if it is among them. Written
            in their order, so the last is there only if all are.
        found_person: Whether anybody is in it; None where that wasn't decided.
        size_hw: (height, width) of the picture.
        notes: What was left out, a sentence each.
        facts: JSON, what else is to be remembered.
        remove: Files that must not be there any more.
    """

    files: dict[str, bytes]
    found_person: bool | None
    size_hw: tuple[int, int]
    notes: tuple[str, ...] = ()
    facts: str = ""
    remove: tuple[str, ...] = ()


class Work(Protocol):
    """What is done with each photo; pickled on its way to the workers.

    Attributes:
        model: What the manifest calls the model.
        fingerprint: A hash of everything that every result depends on besides the photo.
        ending: The ending of the outputs' names: ".png".
        max_bytes: Size of a photo's file that is allowed.
    """

    @property
    def model(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def ending(self) -> str: ...
    @property
    def max_bytes(self) -> int: ...

    def fingerprint_of(self, path: str) -> str:
        """The fingerprint of one photo's result: where it changes, that photo is done again."""
        ...

    def named_after(self, path: str) -> str:
        """The path whose ending is changed to make the output's name: most often the photo's own."""
        ...

    def open(self, threads: int) -> Callable[[Photo, bytes], Product]:
        """Called once in every process; returns what is called for every photo. Both may raise StandoutError."""
        ...
