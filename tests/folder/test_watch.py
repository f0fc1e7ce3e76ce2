"""A watched folder: what arrives is cut out once it is complete."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import standout.folder.watch
from fake_work import CopyWork
from standout.errors import InputError
from standout.folder.options import FolderOptions
from standout.folder.report import FolderReport, PhotoResult
from standout.folder.run import FolderRun
from standout.folder.watch import run_watch, watch_folder

#: Processes are started, photographs are worked on: seconds each.
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standout.folder.watch, "SETTLE_S", 1.0)


class Watched:
    """A watch that runs beside the test."""

    def __init__(self, folder: Path, out: Path, work: CopyWork, recursive: bool) -> None:
        self.folder, self.out, self.work = folder, out, work
        self.events: list[PhotoResult] = []
        self.report: FolderReport | None = None
        self.stop = threading.Event()
        options = FolderOptions(workers=2, recursive=recursive)

        def run() -> None:
            self.report = run_watch(
                FolderRun(folder, out, options, work=work),
                stop=self.stop,
                progress=lambda *event: self.events.append(event[0]),
            )

        self.thread = threading.Thread(target=run)

    def until(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert self.thread.is_alive() and time.monotonic() < end, [str(event) for event in self.events]
            time.sleep(0.02)

    def seen(self, photo: str, status: str = "done", times: int = 1) -> Callable[[], bool]:
        return lambda: sum(e.photo == photo and e.status == status for e in self.events) >= times


@contextmanager
def watching(tmp_path: Path, *, recursive: bool = False, inside: bool = False) -> Iterator[Watched]:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    watched = Watched(folder, folder / "out" if inside else tmp_path / "out", CopyWork(tmp_path / "log"), recursive)
    watched.thread.start()
    try:
        yield watched
    finally:
        watched.stop.set()
        watched.thread.join(30)
    assert not watched.thread.is_alive()


def test_what_was_there_what_arrives_and_what_changes(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/there.jpg").write_bytes(b"there")
    with watching(tmp_path, recursive=True, inside=True) as watched:
        watched.until(watched.seen("there.jpg"))
        (watched.folder / "new.jpg").write_bytes(b"new")
        (watched.folder / "day 2").mkdir()
        (watched.folder / "day 2/there.jpg").write_bytes(b"deeper")
        (tmp_path / "moved.jpg").write_bytes(b"moved")
        (watched.folder / "moved.jpg.part").write_bytes(b"mov")
        (tmp_path / "moved.jpg").rename(watched.folder / "moved.jpg")
        for photo in ("new.jpg", "day 2/there.jpg", "moved.jpg"):
            watched.until(watched.seen(photo))
        (watched.folder / "new.jpg").write_bytes(b"changed")
        watched.until(watched.seen("new.jpg", times=2))
    assert watched.report is not None
    assert {o.photo: o.status for o in watched.report.results.values()} == dict.fromkeys(
        ("there.jpg", "new.jpg", "day 2/there.jpg", "moved.jpg"), "done"
    )
    # Nothing was done twice without need, least of all the cut-outs in the folder.
    assert watched.work.logged() == ["moved.jpg", "new.jpg", "new.jpg", "there.jpg", "there.jpg"]
    assert (watched.out / "new.png").read_bytes() == b"changed"
    assert (watched.out / "day 2/there.png").read_bytes() == b"deeper"


def test_a_file_is_left_alone_until_it_is_complete(tmp_path: Path) -> None:
    with watching(tmp_path) as watched, (watched.folder / "slow.jpg").open("wb", buffering=0) as file:
        for _ in range(15):
            file.write(b"part ")
            time.sleep(0.1)
        assert watched.work.logged() == []
        file.write(b"last")
        watched.until(watched.seen("slow.jpg"))
    assert (watched.out / "slow.png").read_bytes() == b"part " * 15 + b"last"
    assert watched.work.logged() == ["slow.jpg"]


def test_a_copy_that_pauses_is_not_called_broken(tmp_path: Path) -> None:
    with watching(tmp_path) as watched:
        (watched.folder / "half.jpg").write_bytes(b"start ")
        watched.until(watched.work.begun.exists)  # it is tried, and is broken so far
        time.sleep(0.5)
        with (watched.folder / "half.jpg").open("ab") as file:
            file.write(b"end")
        watched.until(watched.seen("half.jpg"))
    assert [(event.photo, event.status) for event in watched.events] == [("half.jpg", "done")]


def test_a_photo_that_stays_broken_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standout.folder.watch, "PATIENCE_S", 1.0)
    with watching(tmp_path) as watched:
        (watched.folder / "broken.jpg").write_bytes(b"x")
        watched.until(watched.seen("broken.jpg", "failed"))
        (watched.folder / "fine.jpg").write_bytes(b"x")
        watched.until(watched.seen("fine.jpg"))
    assert watched.report is not None and [o.photo for o in watched.report.failed] == ["broken.jpg"]
    assert [event.photo for event in watched.events] == ["broken.jpg", "fine.jpg"]


def test_the_photos_at_work_are_finished_and_the_rest_is_pending(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(4):
        (tmp_path / f"in/{number}.jpg").write_bytes(b"x")
    with watching(tmp_path) as watched:
        watched.until(watched.seen("0.jpg"))
    assert watched.report is not None
    assert watched.report.count("done") + watched.report.count("pending") == 4
    assert not list(watched.out.glob(".standout-*.part"))


def test_a_folder_that_isnt_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="doesn't exist"):
        watch_folder(tmp_path / "none", tmp_path / "out", stop=threading.Event())
