"""Of all who want a place, one has it; who died is forgotten, who was taken for dead notices it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from standout.errors import OutputError, StandoutError
from standout.work import lease
from standout.work.journal import Journal
from standout.work.lease import LEASE_FOLDER, FolderStore, Lease


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("RENEW_S", 0.05), ("STALE_S", 0.6), ("CONFIRM_S", 0.5)):
        monkeypatch.setattr(lease, name, seconds)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def leave(folder: Path, number: int, **lock: object) -> Path:
    """A lock file as another run has left it."""
    (folder / LEASE_FOLDER).mkdir(exist_ok=True)
    path = folder / LEASE_FOLDER / f"{number:06d}.json"
    path.write_text(
        json.dumps({"token": "x", "host": "elsewhere", "machine": "m", "pid": 1, "time": time.time()} | lock)
    )
    return path


def wait_for(event: threading.Event) -> None:
    assert event.wait(10)


def test_two_runs_are_refused_and_nothing_is_left(store: FolderStore, tmp_path: Path) -> None:
    with Lease(store, "out"), pytest.raises(OutputError, match="Another run of Standout is at work in `out`"):
        Lease(store, "out").__enter__()
    assert list(tmp_path.iterdir()) == []


def test_of_many_who_begin_at_once_at_most_one_holds_it(store: FolderStore, tmp_path: Path) -> None:
    for with_dead in (False, True):
        if with_dead:
            leave(tmp_path, 7, time=1.0)
        holders, most, guard = [0], [0], threading.Lock()

        def begin(holders: list[int] = holders, most: list[int] = most, guard: threading.Lock = guard) -> None:
            try:
                with Lease(store, "out"):
                    with guard:
                        holders[0] += 1
                        most[0] = max(most[0], holders[0])
                    time.sleep(0.3)
                    with guard:
                        holders[0] -= 1
            except StandoutError:
                pass

        runs = [threading.Thread(target=begin) for _ in range(8)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        assert most[0] <= 1
        with Lease(store, "out"):
            pass  # whatever became of them, nothing is in the way of the next


def test_a_dead_run_is_forgotten_and_a_living_one_is_not_taken_for_dead(store: FolderStore, tmp_path: Path) -> None:
    dead = leave(tmp_path, 3, time=1.0)
    with Lease(store, "out"):
        assert not dead.exists()
    # One whose clock is wrong is seen to renew its file.
    path, over = leave(tmp_path, 3, time=1.0), threading.Event()

    def renew() -> None:
        for number in range(1000):
            if over.wait(0.05):
                return
            leave(tmp_path, 3, time=2.0 + number)

    renewing = threading.Thread(target=renew)
    renewing.start()
    with pytest.raises(OutputError, match="on elsewhere"):
        Lease(store, "out").__enter__()
    over.set()
    renewing.join()
    path.unlink()
    # Of a run on this machine it is known whether it lives.
    leave(tmp_path, 3, machine=lease._machine(), pid=2**22 + 1)
    with Lease(store, "out"):
        pass
    leave(tmp_path, 3, machine=lease._machine(), pid=os.getpid(), time=1.0)
    with pytest.raises(OutputError, match="at work"):
        Lease(store, "out").__enter__()


def test_a_run_that_was_taken_over_notices_and_takes_nothing_back(store: FolderStore, tmp_path: Path) -> None:
    with Lease(store, "out") as mine:
        mine.check()
        (path,) = (tmp_path / LEASE_FOLDER).iterdir()
        path.unlink()
        other = leave(tmp_path, 5)
        wait_for(mine._lost)
        with pytest.raises(OutputError, match="another run has taken it over"):
            mine.check()
        time.sleep(0.2)
        assert list((tmp_path / LEASE_FOLDER).iterdir()) == [other]
    assert other.exists()


def test_a_run_that_cant_renew_its_lease_stops_before_another_may_begin(store: FolderStore) -> None:
    with Lease(store, "out") as mine:
        mine.check()

        def fail(*_: object) -> None:
            raise OutputError("The network is away.")

        store.write = fail  # type: ignore[method-assign]
        began = time.monotonic()
        wait_for(mine._lost)
        assert time.monotonic() - began < lease.STALE_S + 1
        with pytest.raises(OutputError, match="couldn't be reached"):
            mine.check()


@pytest.fixture
def _no_locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    return


@pytest.mark.usefixtures("_no_locks")
def test_a_folder_on_a_drive_without_locks_has_one_run_at_a_time(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(OutputError, match="Another run of Standout is at work"):
        Journal(tmp_path)
    with Journal(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".standout-journal.jsonl"]
