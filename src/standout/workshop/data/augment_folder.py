"""A folder of augmented pairs that `standout train` reads, written by processes, and gone on with after a kill."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2

from standout.errors import ConfigError, OutputError
from standout.imaging.files import atomic_write, sweep_temporary
from standout.text_files import TextFileError, read_json
from standout.workshop.data.augment_plan import Plan, write_sample
from standout.workshop.data.workers import work_in_order

#: The file by which a folder is known as ours.
RECORD = "augment.json"
#: Variations drawn of a photograph in a row, at most: it is decoded once for all of them.
_IN_A_ROW = 8
_CHUNK = 32  # samples of a task


def in_a_row(out: Path, count: int, pairs: int) -> int:
    """How many variations of a photograph to draw in a row.

    As many as let `count` samples show every one of the `pairs`; in a folder that was begun, what it was begun with.
    """
    before = _read_record(out / RECORD)
    return int(before["in_a_row"]) if before else max(1, min(_IN_A_ROW, count // max(1, pairs)))


def begin(plan: Plan, count: int, data_hash: str, sets_file: Path) -> list[int]:
    """Prepares the output folder for samples 0 … count − 1.

    Writes the record, and beside each set's images `groups.csv`: samples of one photograph must stay on one side of
    every split. Copies `sets_file`, the sets' weights, if there is one.

    Returns:
        The samples that are still to be written.

    Raises:
        OutputError: The folder holds something else, or can't be written.
        ConfigError: It was begun with other settings or other pictures.
    """
    record = {"count": count, "data_hash": data_hash, **asdict(plan.options)}
    if before := _read_record(plan.out / RECORD):
        _check_same(plan.out, before, record)
        record["count"] = max(count, int(before["count"]))
    elif plan.out.exists() and (not plan.out.is_dir() or any(plan.out.iterdir())):
        raise OutputError(
            f"{plan.out} holds what `standout augment` didn't write; give an empty folder, or one that isn't there."
        )
    try:
        done = _prepare_sets(plan, int(record["count"]))
        if sets_file.is_file():
            shutil.copyfile(sets_file, plan.out / sets_file.name)
        with atomic_write(plan.out / RECORD) as stream:
            stream.write(json.dumps(record, indent=1).encode())
    except OSError as error:
        raise OutputError(f"{plan.out} can't be written ({error.strerror}); give another folder.") from error
    return [index for index in range(count) if index not in done]


def _read_record(file: Path) -> dict[str, Any] | None:
    """The settings with which a folder was begun; None of one that is new."""
    if not file.exists():
        return None
    try:
        record = read_json(file)
    except TextFileError as error:
        raise OutputError(f"{file} can't be read ({error}); give another folder.") from error
    counts = [record.get(key) for key in ("count", "in_a_row")] if isinstance(record, dict) else [None]
    if not all(isinstance(number, int) and not isinstance(number, bool) and 0 < number < 10**9 for number in counts):
        raise OutputError(f"{file} is not a record of `standout augment`; give another folder.")
    return record  # type: ignore[no-any-return]


def _check_same(out: Path, before: dict[str, Any], record: dict[str, Any]) -> None:
    changed = [key for key, value in record.items() if key != "count" and before.get(key) != value]
    if "data_hash" in changed:
        raise ConfigError(f"{out} was started with other pictures than DATA holds now; give another folder.")
    if changed:
        told = ", ".join(f"{key} {before.get(key)!r}, now {record[key]!r}" for key in changed)
        raise ConfigError(f"{out} was started with other settings: {told}; rerun with those, or give another folder.")


def _prepare_sets(plan: Plan, count: int) -> set[int]:
    """Makes the sets' folders and groups.csv, clears what a kill left behind, and returns the samples that are done."""
    rows: dict[Path, list[tuple[str, str, str]]] = {}
    parts: dict[Path, set[str]] = {}
    for index in range(count):
        pair = plan.pair_of(index)
        folder = plan.folder_of(pair)
        rows.setdefault(folder, []).append((f"{index:07d}", pair.group or pair.stem, pair.image.name))
        parts.setdefault(folder, set()).update(plan.parts_of(pair))
    done: set[int] = set()
    for folder, lines in rows.items():
        for part in parts[folder]:
            (folder / part).mkdir(parents=True, exist_ok=True)
            sweep_temporary(folder / part)
        done |= _written(folder / "images")
        text = io.StringIO()
        csv.writer(text).writerows([("stem", "group", "photo"), *lines])
        with atomic_write(folder / "groups.csv") as stream:
            stream.write(text.getvalue().encode())
    return done


def _written(images: Path) -> set[int]:
    # A power cut can leave files without content; what isn't a number isn't ours.
    return {int(e.name[:7]) for e in os.scandir(images) if e.name[:7].isdecimal() and e.stat().st_size > 0}


def write_samples(plan: Plan, indices: Sequence[int], *, workers: int, progress: Callable[[int, int], None]) -> None:
    """Writes the samples; what is done when it fails stays.

    Args:
        plan: Begun with `begin`.
        indices: The samples.
        workers: Processes; 1 writes them in this process.
        progress: Called with (written, all) now and then.

    Raises:
        StandoutError: Whatever a worker raised.
        DataError: A worker was killed.
    """
    chunks = [indices[i : i + _CHUNK] for i in range(0, len(indices), _CHUNK)]
    done = 0
    for written in _in_processes(plan, chunks, workers) if workers > 1 else _here(plan, chunks):
        done += written
        progress(done, len(indices))


def _here(plan: Plan, chunks: Sequence[Sequence[int]]) -> Iterator[int]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # one worker is one core
    try:
        yield from (_write_chunk(plan, chunk) for chunk in chunks)
    finally:
        cv2.setNumThreads(threads)


def _in_processes(plan: Plan, chunks: Sequence[Sequence[int]], workers: int) -> Iterator[int]:
    return work_in_order(
        _worker_chunk, ((chunk,) for chunk in chunks), workers=workers, start=_start_worker, arguments=(plan,),
        advice="call again with fewer workers to go on",
    )  # fmt: skip


_plan: Plan | None = None  # a worker's own


def _start_worker(plan: Plan) -> None:
    global _plan
    _plan = plan


def _worker_chunk(indices: Sequence[int]) -> int:
    if _plan is None:
        raise RuntimeError("the worker was not started")
    return _write_chunk(_plan, indices)


def _write_chunk(plan: Plan, indices: Sequence[int]) -> int:
    for index in indices:
        write_sample(plan, index)
    return len(indices)
