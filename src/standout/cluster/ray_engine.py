"""Ray Data drives the step: paths go out in small blocks, rows come back, an actor pool grows and shrinks between.

Pictures never pass through Ray's object store: each worker reads and writes its photos itself. What a lost worker or
machine had at work, Ray gives to another.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from types import TracebackType
from typing import Any

from standout.cluster.engines import ClusterLost
from standout.cluster.manifest import schema
from standout.cluster.options import ClusterOptions
from standout.cluster.photo import Photo, Row
from standout.cluster.step import Step, pool_of, work_through
from standout.cluster.storage import arrow, redact
from standout.errors import ConfigError, MissingExtra, StandoutError
from standout.hardware import usable_cores

#: Photos in a block: what one task works on, and at most what is done again when a worker is lost.
MOST_PER_BLOCK = 32
#: Blocks per worker that a small job is cut into, so that no worker waits long for the last one.
_BLOCKS_PER_WORKER = 16
#: Of a local cluster, bytes: paths and rows only.
_OBJECT_STORE = 200 << 20
#: So long without any row, and Ray gives the round up, seconds.
_NO_PROGRESS_S = 900


class _Worker:
    """What Ray keeps in each worker process: a process of its own that does the step."""

    def __init__(self, packed: bytes) -> None:
        self._step: Step = pickle.loads(packed)
        self._pool = pool_of(packed, self._step, 1)
        self._pool.start()
        self._pool.wait_ready(_NO_PROGRESS_S)

    def __call__(self, table: Any) -> Any:
        photos = [Photo(**row) for row in table.to_pylist()]
        return arrow().Table.from_pylist(list(work_through(self._pool, self._step, photos)), schema=schema())


class RayEngine:
    """A connection to a Ray cluster, or a cluster of its own on this machine; a context manager.

    Raises:
        MissingExtra: Ray isn't installed.
        ConfigError: There is no cluster at the address, or no room for a worker in it.
    """

    def __init__(self, options: ClusterOptions) -> None:
        self._options = options
        self._ours = False

    def __enter__(self) -> RayEngine:
        os.environ.setdefault("RAY_DISABLE_FAILURE_SIGNAL_HANDLER", "1")  # takes a SIGTERM for a crash
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its C++ part writes to our stderr otherwise
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise MissingExtra("`--cluster`", "cluster") from error
        self._ray = ray
        for name in ("ray", "ray.data", "ray.util"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what concerns users is told in our words
        if not ray.is_initialized():
            self._connect()
        self._room = self._room_for_workers()
        if not self._room:
            need = f"{self._options.cpus_per_worker} CPUs"
            need += f" and {self._options.gpus_per_worker:g} GPUs" if self._options.gpus_per_worker else ""
            self.__exit__(None, None, None)
            raise ConfigError(f"No machine of the cluster has room for a worker with {need}; ask for fewer.")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._ours:
            self._ray.shutdown()
            self._ours = False

    def __call__(self, step: Step, photos: Sequence[Photo]) -> Iterator[list[Row]]:
        """Works on photos; yields rows as they come, in any order.

        Raises:
            ClusterLost: Ray gave up; photos without a row are to be tried again.
        """
        data = self._ray.data
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.execution_no_progress_timeout_s = _NO_PROGRESS_S
        # Ray reserves memory for blocks of 128 MB each; ours are of a few kilobytes.
        context.target_max_block_size = 1 << 20
        most = self._options.max_workers or (None if self._options.address else self._room)
        least = min(self._options.min_workers or (1 if self._options.address else self._room), most or 1 << 30)
        least = min(least, len(photos))
        most = None if most is None else max(least, min(most, len(photos)))
        per_block = max(1, min(MOST_PER_BLOCK, len(photos) // (_BLOCKS_PER_WORKER * (most or self._room))))
        rows = data.from_arrow(list(_blocks(photos, per_block))).map_batches(
            _Worker,
            fn_constructor_args=(self._pack(step),),
            batch_size=None,
            batch_format="pyarrow",
            compute=data.ActorPoolStrategy(min_size=least, max_size=most),
            num_cpus=self._options.cpus_per_worker,
            num_gpus=self._options.gpus_per_worker or None,
        )
        batches = iter(rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))
        try:
            for table in batches:
                yield table.to_pylist()
        except Exception as error:
            # Ray Data's own exceptions have another name in every other version.
            raise ClusterLost(_told(error)) from error
        finally:
            close = getattr(batches, "close", None)
            if close:
                close()

    def _connect(self) -> None:
        address = self._options.address
        # Ray takes SIGTERM for itself; who is called by a command has a handler of its own.
        main = threading.current_thread() is threading.main_thread()
        before = signal.getsignal(signal.SIGTERM) if main else None
        try:
            if address is None:
                self._ray.init(
                    # A cluster of its own, even where another one runs, ran, or is named by $RAY_ADDRESS.
                    address="local",
                    num_cpus=usable_cores(),
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    object_store_memory=_OBJECT_STORE,
                )
            else:
                self._ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:
            where = f"at `{redact(address)}`" if address else "on this machine"
            raise ConfigError(f"No Ray cluster can be used {where}: {_told(error)}.") from error
        finally:
            if before is not None:
                signal.signal(signal.SIGTERM, before)
        self._ours = True

    def _pack(self, step: Step) -> bytes:
        """The step, pickled so that what isn't installed on other machines travels by value."""
        from ray import cloudpickle

        packed: bytes = cloudpickle.dumps(step)  # type: ignore[no-untyped-call, unused-ignore]
        return packed

    def _room_for_workers(self) -> int:
        """How many workers fit into the cluster as it is now."""
        cpus, gpus = self._options.cpus_per_worker, self._options.gpus_per_worker
        room = 0
        nodes: list[dict[str, Any]] = self._ray.nodes()  # type: ignore[no-untyped-call, unused-ignore]
        for node in nodes:
            if node["Alive"]:
                has = node["Resources"]
                fits = int(has.get("CPU", 0) // cpus)
                room += min(fits, int(has.get("GPU", 0) / gpus)) if gpus else fits
        return room


def _blocks(photos: Sequence[Photo], size: int) -> Iterator[Any]:
    pa = arrow()
    types = {"int": pa.int64(), "str": pa.string()}
    table_schema = pa.schema([(field.name, types[str(field.type)]) for field in fields(Photo)])
    for start in range(0, len(photos), size):
        yield pa.Table.from_pylist([asdict(photo) for photo in photos[start : start + size]], schema=table_schema)


def _told(error: BaseException) -> str:
    """The first line of what Ray says, or of the error of ours that it wraps."""
    cause = getattr(error, "cause", None) or error.__cause__
    if isinstance(cause, StandoutError):
        return redact(str(cause)).rstrip(".")
    lines = [line for line in str(error).splitlines() if line.strip()]
    return redact((lines or [type(error).__name__])[0]).rstrip(".:")
