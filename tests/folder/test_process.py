"""A folder of photos becomes a folder of cut-outs, whatever happens on the way; the photos stay as they are."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import standout.folder.run
from fake_work import CopyWork, NoWork
from standout.errors import InputError, ModelFileError, OutputError, StandoutError
from standout.folder.options import FolderOptions
from standout.folder.photo_work import fingerprint_of
from standout.folder.process import run_folder
from standout.folder.report import FolderReport
from standout.folder.run import FolderRun
from standout.pipeline.options import CutOutOptions
from standout.work.journal import JOURNAL_NAME

#: Processes are started, photographs are worked on: seconds each.
pytestmark = pytest.mark.slow

PHOTOS = ("a.jpg", "a.png", "b.jpg", "c.jpg")
CUTOUTS = ("a-png.png", "a.png", "b.png", "c.png")


@pytest.fixture
def photos(tmp_path: Path) -> Iterator[Path]:
    """A folder of photos, which a test must leave as it was."""
    folder = tmp_path / "in"
    folder.mkdir()
    fill(folder, *PHOTOS)
    yield folder
    for path, digest in _filled.pop(folder).items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, f"{path} was touched"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def work(tmp_path: Path) -> CopyWork:
    return CopyWork(tmp_path / "log.txt")


_filled: dict[Path, dict[Path, str]] = {}


def fill(folder: Path, *names: str) -> None:
    """Writes files of different content, and keeps in mind what is in them."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{name} {time.time_ns()} ".encode() * 500)
        _filled.setdefault(folder, {})[path] = hashlib.sha256(path.read_bytes()).hexdigest()


def written(out: Path) -> list[str]:
    """Everything in a folder, hidden files too, but for the journal."""
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    return [name for name in files if name != JOURNAL_NAME]


def go(photos: Path, out: Path, work: CopyWork, **options: object) -> FolderReport:
    options = {"workers": 2} | options
    return run_folder(FolderRun(photos, out, FolderOptions(**options), work=work))  # type: ignore[arg-type]


def assert_complete(photos: Path, out: Path, report: FolderReport) -> None:
    """Every cut-out in the report is there and whole, and nothing else is."""
    results = [outcome for outcome in report.results.values() if outcome.cutout]
    assert written(out) == sorted(outcome.cutout for outcome in results)
    for outcome in results:
        assert (out / outcome.cutout).read_bytes() == (photos / outcome.photo).read_bytes()


# ---------------------------------------------------------------- the ordinary run


def test_every_photo_is_done_once_and_a_second_run_has_nothing_to_do(photos: Path, out: Path, work: CopyWork) -> None:
    fill(photos, "sub/a.jpg", "noted.jpg", "nobody.jpg")
    (photos / "readme.txt").touch()
    seen: list[tuple[str, int, int]] = []
    report = run_folder(
        FolderRun(photos, out, FolderOptions(workers=2, recursive=True), work=work),
        progress=lambda outcome, ended, total: seen.append((outcome.status, ended, total)),
    )  # fmt: skip
    assert seen == [("done", number, 7) for number in range(1, 8)]
    assert written(out) == sorted([*CUTOUTS, "sub/a.png", "noted.png", "nobody.png"])
    assert_complete(photos, out, report)
    assert report.skipped == {"other files": 1}
    assert report.results["noted.jpg"].notes == ("a note",) and report.results["nobody.jpg"].people == 0
    processes = {line.split()[1] for line in work.log.read_text().splitlines()}
    assert len(processes) <= 2

    work.log.unlink()
    again = go(photos, out, work, recursive=True)
    assert work.logged() == [] and again.count("unchanged") == 7
    assert {o.photo: o.cutout for o in again.results.values()} == {o.photo: o.cutout for o in report.results.values()}


def test_what_changed_is_done_again_and_nothing_else(photos: Path, out: Path, work: CopyWork) -> None:
    go(photos, out, work)
    work.log.unlink()
    fill(photos, "b.jpg", "new.jpg")  # one photo changed, one is new
    (out / "c.png").write_bytes(b"half")  # one cut-out was damaged, one is gone
    (out / "a.png").unlink()
    report = go(photos, out, work)
    assert work.logged() == ["a.jpg", "b.jpg", "c.jpg", "new.jpg"]
    assert report.count("unchanged") == 1
    assert_complete(photos, out, report)


def test_other_options_or_another_model_do_everything_again(
    photos: Path, out: Path, work: CopyWork, model_file: Path, tmp_path: Path
) -> None:
    beach, model = tmp_path / "beach.png", tmp_path / "model.onnx"
    beach.write_bytes(b"1")
    model.write_bytes(model_file.read_bytes())

    def fingerprint(photo: CutOutOptions | None = None, file_format: str = "png") -> str:
        return fingerprint_of(FolderOptions(**vars(photo or CutOutOptions()), file_format=file_format, model=model))

    assert fingerprint() == fingerprint(CutOutOptions(max_pixels=10**7))  # a limit changes no finished picture
    different = [
        fingerprint(),
        fingerprint(file_format="webp"),
        fingerprint(CutOutOptions(quality=50)),
        fingerprint(CutOutOptions(keep=(1, 3))),
        fingerprint(CutOutOptions(background=beach)),
        fingerprint(CutOutOptions(background=np.zeros((2, 2, 3), np.uint8))),
        fingerprint(CutOutOptions(background=np.ones((2, 2, 3), np.uint8))),
    ]
    beach.write_bytes(b"2")
    different.append(fingerprint(CutOutOptions(background=beach)))
    model.write_bytes(model_file.read_bytes() + b"\0")
    different.append(fingerprint())
    assert len(set(different)) == len(different)

    go(photos, out, work)
    assert go(photos, out, work, quality=50).count("done") == 4
    assert len(work.logged()) == 8


def test_cards_with_the_same_names_go_into_one_folder(photos: Path, out: Path, work: CopyWork, tmp_path: Path) -> None:
    fill(tmp_path / "card", "a.jpg", "z.jpg")
    first = go(photos, out, work)
    second = go(tmp_path / "card", out, work)
    assert second.results["a.jpg"].cutout == "a-jpg.png" and second.results["z.jpg"].cutout == "z.png"
    for folder, report in ((photos, first), (tmp_path / "card", second)):
        for outcome in report.results.values():
            assert (out / outcome.cutout).read_bytes() == (folder / outcome.photo).read_bytes()
    (tmp_path / "card").rename(tmp_path / "moved")
    assert go(tmp_path / "moved", out, work).count("unchanged") == 2


def test_cores_are_shared(photos: Path, out: Path, work: CopyWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standout.folder.run, "usable_cores", lambda: 6)
    monkeypatch.setattr(standout.folder.run, "thread_count", lambda: 4)
    for workers, threads in ((1, 4), (2, 3), (32, 1)):
        work.log.unlink(missing_ok=True)
        fill(photos, *PHOTOS)
        go(photos, out, work, workers=workers)
        lines = [line.split() for line in work.log.read_text().splitlines()]
        assert {line[2] for line in lines} == {str(threads)}
        assert len({line[1] for line in lines}) <= workers
    assert standout.folder.run._default_workers(6) <= 6


# ---------------------------------------------------------------- what goes wrong


def test_failures_are_reported_and_the_rest_is_done(photos: Path, out: Path, work: CopyWork) -> None:
    fill(photos, "broken.jpg", "faulty.jpg", "killed.jpg", "killed-too.jpg", "sub/d.jpg")
    (photos / "gone.jpg").symlink_to(photos / "nowhere.jpg")
    report = go(photos, out, work, recursive=True)
    assert report.count("done") == 5 and written(out) == sorted([*CUTOUTS, "sub/d.png"])
    errors = {outcome.photo: outcome.error for outcome in report.failed}
    assert list(errors) == ["broken.jpg", "faulty.jpg", "gone.jpg", "killed-too.jpg", "killed.jpg"]
    assert errors["broken.jpg"] == f"`{photos.resolve() / 'broken.jpg'}` is broken."
    assert "ZeroDivisionError" in errors["faulty.jpg"] and "gone.jpg" in errors["gone.jpg"]
    assert "killed (SIGKILL), perhaps for want of memory" in errors["killed.jpg"]
    # They are tried again, and succeed when their cause is gone.
    (photos / "gone.jpg").unlink()
    fill(photos, "gone.jpg")
    assert {outcome.photo for outcome in go(photos, out, work, recursive=True).failed} == set(errors) - {"gone.jpg"}


def test_a_worker_that_is_killed_takes_one_photo_with_it(photos: Path, out: Path, tmp_path: Path) -> None:
    fill(photos, *(f"{number}.jpg" for number in range(8)))
    work = CopyWork(tmp_path / "log.txt", seconds=0.3)
    victims: set[str] = set()

    def kill_one(*_: object) -> None:
        if not victims:
            victims.add(work.log.read_text().split()[1])
            os.kill(int(next(iter(victims))), signal.SIGKILL)

    report = run_folder(FolderRun(photos, out, FolderOptions(workers=2), work=work), progress=kill_one)
    assert len(report.failed) <= 1 and report.count("done") + len(report.failed) == 12
    assert_complete(photos, out, report)
    assert go(photos, out, work).failed == []


def test_workers_that_cant_start_are_told_from_photos_that_fail(photos: Path, out: Path) -> None:
    with pytest.raises(ModelFileError, match="the model is broken"):
        run_folder(FolderRun(photos, out, FolderOptions(workers=2), work=NoWork()))
    with pytest.raises(StandoutError, match="No worker process can be started"):
        run_folder(FolderRun(photos, out, FolderOptions(workers=2), work=NoWork(silent=True)))
    with pytest.raises(StandoutError, match="RuntimeError: libfoo.so.1: cannot open") as caught:
        run_folder(FolderRun(photos, out, FolderOptions(workers=2), work=NoWork(lacks="libfoo.so.1")))
    assert "fewer workers" not in str(caught.value)
    assert written(out) == []


def test_a_photo_that_hangs_its_decoder_is_given_up_and_the_others_are_done(
    photos: Path, out: Path, work: CopyWork
) -> None:
    fill(photos, "hangs.jpg", "z.jpg")
    report = run_folder(FolderRun(photos, out, FolderOptions(workers=1, limit_s=0.5), work=work))
    assert {outcome.photo: outcome.error for outcome in report.failed} == {
        "hangs.jpg": "It took longer than 0.5 seconds and was stopped."
    }
    assert report.count("done") == len(PHOTOS) + 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_fails_in_the_middle_of_a_file(photos: Path, out: Path, work: CopyWork, code: int) -> None:
    go(photos, out, work)
    fill(photos, "a.jpg", "b.jpg")
    before = (out / "b.png").read_bytes()
    failing = CopyWork(work.log, error=code, error_for="b.jpg")
    report = go(photos, out, failing)
    assert [outcome.photo for outcome in report.failed] == ["b.jpg"]
    assert os.strerror(code) in report.failed[0].error and "b.png" in report.failed[0].error
    assert (out / "b.png").read_bytes() == before  # what was there is still there, whole
    assert written(out) == sorted(CUTOUTS)
    report = go(photos, out, work)
    assert_complete(photos, out, report)


def test_a_full_disk_for_the_journal_is_told_and_costs_no_picture(
    photos: Path, out: Path, work: CopyWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(standout.folder.run.Journal, "add", full)
        report = go(photos, out, work)
    assert report.count("done") == 4 and report.failed == []
    assert "the journal can't be written (No space left on device)" in report.results["a.jpg"].notes[0]
    assert_complete(photos, out, go(photos, out, work))


def test_a_photo_that_changes_while_it_is_read_is_done_again(photos: Path, out: Path, work: CopyWork) -> None:
    report = go(photos, out, CopyWork(work.log, changes="c.jpg"))
    assert "changed while it was read" in report.results["c.jpg"].notes[0]
    _filled[photos][photos / "c.jpg"] = hashlib.sha256(b"changed").hexdigest()
    report = go(photos, out, work)
    assert report.count("done") == 1 and report.results["c.jpg"].status == "done"
    assert_complete(photos, out, report)


# ---------------------------------------------------------------- killed, stopped, two at once

SCRIPT = """
import sys
from pathlib import Path
from fake_work import CopyWork
from standout.folder.process import process_folder, run_folder
from standout.folder.run import FolderRun
from standout.folder.options import FolderOptions
if __name__ == "__main__":
    log, photos, out = map(Path, sys.argv[1:])
    run_folder(FolderRun(photos, out, FolderOptions(workers=2), work=CopyWork(log, seconds=0.4)))
"""


def test_killed_in_the_middle_and_taken_up_again(photos: Path, out: Path, work: CopyWork, tmp_path: Path) -> None:
    fill(photos, *(f"{number:02}.jpg" for number in range(12)))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, script, work.log, photos, out], env=os.environ | {"PYTHONPATH": path}, cwd=tmp_path
    )
    while not (journal := out / JOURNAL_NAME).exists() or journal.read_bytes().count(b"\n") < 4:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    time.sleep(0.7)  # workers without a parent don't go on
    at_kill = set(work.logged())
    names = written(out)
    assert 4 <= len(at_kill) < 16
    assert any(name.endswith(".part") for name in names), "the kill came between two files; the test proves nothing"
    for name in names:  # what has a picture's name is whole
        if not name.endswith((".part", ".lock")):
            assert len((out / name).read_bytes()) in {path.stat().st_size for path in photos.iterdir()}

    whole = {name for name in names if not name.endswith((".part", ".lock"))}
    report = go(photos, out, work)
    assert report.count("unchanged") + report.count("done") == 16
    assert report.count("unchanged") >= 4 and report.count("unchanged") >= len(whole) - 2
    assert_complete(photos, out, report)


def test_stopped_and_taken_up_again(photos: Path, out: Path, work: CopyWork) -> None:
    stop = threading.Event()
    report = run_folder(
        FolderRun(photos, out, FolderOptions(workers=1), work=work), stop=stop, progress=lambda *_: stop.set()
    )
    assert (report.count("done"), report.count("pending")) == (1, 3)
    assert go(photos, out, work).count("done") == 3
    assert len(work.logged()) == 4


def test_an_interrupt_leaves_no_process_and_no_half_file(photos: Path, out: Path, work: CopyWork) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_folder(FolderRun(photos, out, FolderOptions(workers=2), work=work), progress=interrupt)
    for line in work.log.read_text().splitlines():
        with pytest.raises(ProcessLookupError):
            os.kill(int(line.split()[1]), 0)
    assert not [name for name in written(out) if name.endswith((".part", ".lock"))]
    assert_complete(photos, out, go(photos, out, work))


# ---------------------------------------------------------------- where the output may lie


def test_the_output_may_lie_among_the_photos_and_isnt_eaten(photos: Path, work: CopyWork) -> None:
    for _ in range(2):
        report = go(photos, photos / "cut", work, recursive=True)
        assert sorted(report.results) == sorted(PHOTOS) and report.skipped == {}
    assert work.logged() == sorted(PHOTOS) and written(photos / "cut") == sorted(CUTOUTS)
    # Nor is it by a run into another folder.
    assert sorted(go(photos, photos / "cut2", work, recursive=True).results) == sorted(PHOTOS)


def test_a_photo_is_never_written_over(photos: Path, work: CopyWork) -> None:
    # The output holds the photos' folder, and a photo's name leads back into it.
    fill(photos, "in/a.jpg", "in/b.png")
    fill(photos / "in", "a.png")
    report = go(photos, photos.parent, work, recursive=True)
    assert {outcome.photo for outcome in report.failed} == {"in/a.jpg", "in/a.png", "in/b.png"}
    assert "would lie among the photos" in report.failed[0].error
    # A link in the output leads back to them.
    out = photos.parent / "linked"
    out.mkdir()
    (out / "in").symlink_to(photos)
    assert len(go(photos, out, work, recursive=True).failed) == 3
    del _filled[photos / "in"]


def test_folders_that_cant_be_used(photos: Path, out: Path, work: CopyWork) -> None:
    with pytest.raises(InputError, match="it doesn't exist"):
        go(photos / "none", out, work)
    with pytest.raises(InputError, match="it is a file"):
        go(photos / "a.jpg", out, work)
    with pytest.raises(OutputError, match="need a folder of their own"):
        go(photos, photos / "." / "../in", work)
    with pytest.raises(OutputError, match="which is a file"):
        go(photos, photos / "a.jpg", work)
    with pytest.raises(ModelFileError, match="nonesuch"):
        go(photos, out, work, model="nonesuch")
    assert not out.exists()


def test_a_read_only_target(photos: Path, out: Path, work: CopyWork, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", read_only)
        with pytest.raises(OutputError, match="can't be created: Read-only file system"):
            go(photos, out, work)
    out.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", read_only)
        with pytest.raises(OutputError, match="can't be written to: Read-only file system"):
            go(photos, out, work)
    assert written(out) == [] and work.logged() == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_target_without_permission(photos: Path, out: Path, work: CopyWork) -> None:
    out.mkdir(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        go(photos, out, work)
    out.chmod(0o700)
