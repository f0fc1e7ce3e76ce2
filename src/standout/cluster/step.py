"""The step that every engine drives: a batch of paths to rows of the manifest. Free of any engine.

    step = cut_out_step("s3://bucket/photos", "s3://bucket/cutouts")
    rows = step(["a.jpg", "2026/b.jpg"])

A step is pickled on its way to the workers. Photos are worked on in a process beside the caller's, with what it needs,
the model above all, loaded once: a photo that kills it costs a row, and one that takes too long is given up. Whatever
happens to a photo is in its row.
"""

from __future__ import annotations

import hashlib
import pickle
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache

from standout.cluster.photo import Photo, Product, Row, Work
from standout.cluster.storage import Place, redact
from standout.errors import StandoutError
from standout.work.pool import TookTooLong, WorkerDied, WorkerPool

#: A photo at whose work a process died is tried so often: the reason may have been another one.
_TRIES = 2
#: A model may be compiled for a device when it is loaded first.
_OPENS_S = 900.0


@dataclass(frozen=True)
class Step:
    """A batch of photos to rows of the manifest; the outputs are written by then.

    Attributes:
        work: What is done with each photo.
        source: The folder or URL that the paths are relative to.
        target: The folder or URL that is written to.
        threads: How many threads each process may use.
        limit_s: A photo that takes longer, seconds, is given up; None: no limit.
        in_process: Works in the caller's own process, which a photo may then kill, and without a limit.
        run: Names the run; what is opened for it is kept in each process until another run comes.
    """

    work: Work
    source: str
    target: str
    threads: int = 1
    limit_s: float | None = None
    in_process: bool = False
    run: str = field(default_factory=lambda: secrets.token_hex(8))

    def open(self) -> None:
        """Loads what every photo needs, once per process, however many steps, batches or threads ask.

        Raises:
            StandoutError: Something can't work for any photo: the model, the background image, a missing extra.
        """
        if self.in_process:
            _opened(self)
        else:
            _pool(self)

    def __call__(self, photos: Iterable[Photo | str]) -> list[Row]:
        """Works on photos, one after the other, while the next one is fetched.

        Raises:
            StandoutError: Whatever `open` raises. Never for a photo.
        """
        batch = [_named(photo, self.work) for photo in photos]
        if self.in_process:
            do = _opened(self)
            return [do((photo, None)) for photo in batch]
        return list(work_through(_pool(self), self, batch))


@dataclass(frozen=True)
class StepWork:
    """A pickled step, as the work of a pool; an item is a photo, and the one that follows it."""

    step: bytes

    def open(self, threads: int) -> Callable[[Item], Row]:
        """Loads what every photo needs; called in the worker."""
        step = pickle.loads(self.step)
        return _Opened(replace(step, threads=threads))


Item = tuple[Photo, Photo | None]


def pool_of(packed: bytes, step: Step, workers: int) -> WorkerPool[Item, Row]:
    """A pool whose workers do a step.

    Args:
        packed: The step, pickled.
        step: The step.
        workers: Processes.
    """
    return WorkerPool(StepWork(packed), workers=workers, threads=step.threads, deadline_s=step.limit_s)


def work_through(pool: WorkerPool[Item, Row], step: Step, photos: Sequence[Photo]) -> Iterator[Row]:
    """The rows of photos, as they end.

    Raises:
        StandoutError: Something can't work for any photo.
    """
    for attempt in range(1, _TRIES + 1):
        following = [*photos[1:], None] if pool.workers == 1 else [None] * len(photos)
        died: list[Photo] = []
        for (photo, _), future in pool.each(zip(photos, following, strict=False)):
            error = future.exception()
            if error is None:
                yield future.result()
                continue
            if pool.error is not None:
                raise pool.error
            reason = f"`{photo.path}` can't be worked on: {redact(str(error))}"
            if isinstance(error, TookTooLong):
                reason = f"`{photo.path}` took longer than {error.seconds:g} seconds and was stopped."
            elif isinstance(error, WorkerDied):
                if attempt < _TRIES:
                    died.append(photo)
                    continue
                reason = f"`{photo.path}` ended the process that worked on it, twice: it {error.how}."
            row = _row(step, photo)
            row["reason"] = reason
            yield row
        photos = died


class _Opened:
    """A step whose work is opened: photos to rows."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._do = step.work.open(step.threads)
        self._target = _place(step.target)
        self._fetcher = ThreadPoolExecutor(1, "standout-fetch")
        self._coming: tuple[Photo, Future[bytes | StandoutError]] | None = None
        self._ahead = _place(step.source or step.target).folder is None

    def __call__(self, item: Item) -> Row:
        photo, following = item
        coming, self._coming = self._coming, None
        data = coming[1].result() if coming is not None and coming[0] == photo else self._fetch(photo)
        if following is not None and self._ahead:
            self._coming = following, self._fetcher.submit(self._fetch, following)
        started, row = time.perf_counter(), _row(self._step, photo)
        try:
            if isinstance(data, StandoutError):
                raise data
            if photo.size < 0:
                row["size"] = len(data)
            product = self._do(photo, data)
            for name, content in product.files.items():
                self._target.write(name, content)
            for name in product.remove:
                self._target.remove(name)
        except StandoutError as error:
            row["reason"] = redact(str(error)).replace("The input", f"`{photo.path}`", 1)
        except Exception as error:  # noqa: BLE001  # a fault of ours must cost one photo, not the job
            row["reason"] = redact(
                f"`{photo.path}`: internal error: {type(error).__name__}: {error}; please report it."
            )
        else:
            _fill(row, photo, product)
        row["ms"] = round(1000 * (time.perf_counter() - started), 1)
        return row

    def _fetch(self, photo: Photo) -> bytes | StandoutError:
        limit = self._step.work.max_bytes
        try:
            if not photo.address:
                return _place(self._step.source).read(photo.path, max_bytes=limit)
            folder, _, name = photo.address.rpartition("/")
            return _place(folder or "/").read(name, max_bytes=limit)
        except StandoutError as error:
            return error


def _named(photo: Photo | str, work: Work) -> Photo:
    """With a name for its output that no other photo can have: what the photo is called, and the ending."""
    photo = Photo(photo) if isinstance(photo, str) else photo
    return photo if photo.output else replace(photo, output=work.named_after(photo.path) + work.ending)


def _row(step: Step, photo: Photo) -> Row:
    """The row of a photo that has become nothing yet."""
    return Row(
        path=photo.path, status="failed", reason="", found_person=None, width=0, height=0, model=step.work.model,
        sha256="", ms=0.0, output="", notes=[], facts="", folder=redact(step.source), size=photo.size,
        changed=photo.changed, output_size=0, fingerprint=step.work.fingerprint_of(photo.path),
    )  # fmt: skip


def _fill(row: Row, photo: Photo, product: Product) -> None:
    main = product.files.get(photo.output, b"")
    row["status"], row["found_person"] = "done", product.found_person
    row["height"], row["width"] = product.size_hw
    row["notes"], row["facts"] = [*product.notes], product.facts
    row["sha256"] = hashlib.sha256(main).hexdigest() if main else ""
    row["output"], row["output_size"] = photo.output if main else "", len(main)


_lock = threading.Lock()
_here: dict[str, _Opened] = {}
_pools: dict[str, WorkerPool[Item, Row]] = {}


def _opened(step: Step) -> _Opened:
    with _lock:
        if step.run not in _here:
            _here.clear()  # an engine that keeps its processes for the next job must not keep its model too
            _here[step.run] = _Opened(step)
        return _here[step.run]


def _pool(step: Step) -> WorkerPool[Item, Row]:
    """The one process beside this one that does the step."""
    with _lock:
        if step.run not in _pools:
            for pool in _pools.values():
                pool.close()
            _pools.clear()
            pool = pool_of(pickle.dumps(step), step, 1)
            pool.start()
            try:
                pool.wait_ready(_OPENS_S)
            except StandoutError:
                pool.close()
                raise
            _pools[step.run] = pool
        return _pools[step.run]


@lru_cache(maxsize=64)
def _place(address: str) -> Place:
    return Place(address)
