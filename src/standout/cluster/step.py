"""The step that every engine drives: a batch of paths to rows of the manifest. Free of any engine.

    step = cut_out_step("s3://bucket/photos", "s3://bucket/cutouts")
    rows = step(["a.jpg", "2026/b.jpg"])

A step is pickled on its way to the workers; what it needs to work, the model above all, is loaded once per process.
Nothing that a photo does ends a batch: whatever happens to it is in its row.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Protocol, TypedDict

from standout.cluster.attempts import Attempts
from standout.cluster.storage import Place, redact
from standout.errors import StandoutError


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


@dataclass(frozen=True)
class Step:
    """A batch of photos to rows of the manifest; the outputs are written by then.

    Attributes:
        work: What is done with each photo.
        source: The folder or URL that the paths are relative to.
        target: The folder or URL that is written to.
        threads: How many threads each process may use.
        limit_s: A photo that takes longer, seconds, is given up, and its process ends: leave it out (None) where the
            process is your own. Engines begin the batch anew in another one.
        run: Names the run; photos that kill their process are known by it.
    """

    work: Work
    source: str
    target: str
    threads: int = 1
    limit_s: float | None = None
    run: str = field(default_factory=lambda: hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:16])

    def open(self) -> None:
        """Loads what every photo needs, once per process.

        Raises:
            StandoutError: Something can't work for any photo: the model, the background image, a missing extra.
        """
        _opened(self)

    def __call__(self, photos: Iterable[Photo | str]) -> list[Row]:
        """Works on photos, one after the other, while the next one is fetched.

        Raises:
            StandoutError: Whatever `open` raises. Never for a photo.
        """
        do, attempts = _opened(self)
        target = _place(self.target)
        batch = [self._named(photo) for photo in photos]
        rows = []
        try:
            for photo, data in _fetched(batch, self._fetch, ahead=_place(self.source or self.target).folder is None):
                rows.append(self._row(photo, data, do, target, attempts))
        finally:
            attempts.at("")
        return rows

    def _named(self, photo: Photo | str) -> Photo:
        photo = Photo(photo) if isinstance(photo, str) else photo
        if photo.output:
            return photo
        name = PurePosixPath(self.work.named_after(photo.path))
        return replace(photo, output=str(name.with_suffix(self.work.ending)))

    def _fetch(self, photo: Photo) -> bytes | StandoutError:
        try:
            if not photo.address:
                return _place(self.source).read(photo.path, max_bytes=self.work.max_bytes)
            folder, _, name = photo.address.rpartition("/")
            return _place(folder or "/").read(name, max_bytes=self.work.max_bytes)
        except StandoutError as error:
            return error

    def _row(
        self,
        photo: Photo,
        data: bytes | StandoutError,
        do: Callable[[Photo, bytes], Product],
        target: Place,
        attempts: Attempts,
    ) -> Row:
        started = time.perf_counter()
        row = Row(
            path=photo.path, status="failed", reason="", found_person=None, width=0, height=0, model=self.work.model,
            sha256="", ms=0.0, output="", notes=[], facts="", folder=redact(self.source), size=photo.size,
            changed=photo.changed, output_size=0, fingerprint=self.work.fingerprint_of(photo.path),
        )  # fmt: skip
        row["reason"] = attempts.given_up(photo.path)
        if row["reason"]:
            return row
        attempts.at(photo.path)
        try:
            if isinstance(data, StandoutError):
                raise data
            if photo.size < 0:
                row["size"] = len(data)
            product = do(photo, data)
            for name, content in product.files.items():
                target.write(name, content)
            for name in product.remove:
                target.remove(name)
        except StandoutError as error:
            row["reason"] = redact(str(error)).replace("The input", f"`{photo.path}`", 1)
        except Exception as error:  # noqa: BLE001  # a fault of ours must cost one photo, not the job
            row["reason"] = redact(f"`{photo.path}` met a fault of Standout's: {type(error).__name__}: {error}.")
        else:
            main = product.files.get(photo.output, b"")
            height, width = product.size_hw
            row["status"], row["found_person"] = "done", product.found_person
            row["width"], row["height"] = width, height
            row["notes"], row["facts"] = [*product.notes], product.facts
            row["sha256"] = hashlib.sha256(main).hexdigest() if main else ""
            row["output"], row["output_size"] = photo.output if main else "", len(main)
        row["ms"] = round(1000 * (time.perf_counter() - started), 1)
        return row


_lock = threading.Lock()
_open_works: dict[tuple[str, str], tuple[Callable[[Photo, bytes], Product], Attempts]] = {}


def _opened(step: Step) -> tuple[Callable[[Photo, bytes], Product], Attempts]:
    """The work of this step, opened once in this process, however many steps, batches or threads ask."""
    key = (step.work.fingerprint, step.run)
    with _lock:
        if key not in _open_works:
            _open_works.clear()  # an engine that keeps its processes for the next job must not keep its model too
            _open_works[key] = (step.work.open(step.threads), Attempts(step.run, limit_s=step.limit_s))
        return _open_works[key]


@lru_cache(maxsize=64)
def _place(address: str) -> Place:
    return Place(address)


def _fetched(
    photos: Sequence[Photo], fetch: Callable[[Photo], bytes | StandoutError], *, ahead: bool
) -> Iterator[tuple[Photo, bytes | StandoutError]]:
    """Each photo with its content; with `ahead` the next one is on its way meanwhile."""
    if not ahead:
        for photo in photos:
            yield photo, fetch(photo)
        return
    with ThreadPoolExecutor(1, "standout-fetch") as pool:
        coming = [pool.submit(fetch, photo) for photo in photos[:1]]
        for photo, following in zip(photos, [*photos[1:], None], strict=True):
            data = coming.pop().result()
            if following is not None:
                coming.append(pool.submit(fetch, following))
            yield photo, data
