"""`standout folder`, as people call it: with a model, from the command line."""

from __future__ import annotations

import csv
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import standout
from fake_work import SmallDiskWork
from standout.cli import run
from standout.errors import ConfigError, MissingExtra
from standout.folder.options import FolderOptions
from standout.folder.photo_work import PhotoWork
from standout.folder.process import process_folder, run_folder
from standout.folder.run import FolderRun
from standout.imaging.arrays import Frame
from standout.imaging.decode import read
from standout.work.journal import JOURNAL_NAME

#: Processes are started, photographs are worked on: seconds each.
pytestmark = pytest.mark.slow


@pytest.fixture
def photos(tmp_path: Path, bright_person: Frame) -> Path:
    """Two photos of one name, one without a person, one that is broken, and a text."""
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(bright_person).save(folder / "a.png")
    Image.fromarray(bright_person[:, ::-1]).save(folder / "a.bmp")
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(folder / "nobody.jpg")
    (folder / "cut off.jpg").write_bytes((folder / "nobody.jpg").read_bytes()[:200])
    (folder / "notes.txt").write_text("x")
    return folder


def test_the_whole_command(
    photos: Path, tmp_path: Path, model_file: Path, bright_person: Frame, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    command = ["folder", str(photos), str(out), "--model", str(model_file), "--workers", "2"]
    assert run([*command, "--report", str(report)]) == 1
    told = capsys.readouterr().err
    assert "cut off.jpg` can't be decoded" in told and "3 done, 1 failed" in told
    assert "other files: 1" in told and "No person was found in 1 of them" in told
    assert sorted(path.name for path in out.iterdir()) == [JOURNAL_NAME, "a-png.png", "a.png", "nobody.png"]
    expected = np.asarray(standout.cut_out(bright_person, model=model_file))
    np.testing.assert_array_equal(read(out / "a-png.png").color, expected[..., :3])
    np.testing.assert_array_equal(read(out / "a.png").color, expected[:, ::-1, :3])

    content = json.loads(report.read_text())
    assert content["counts"] == {"done": 3, "unchanged": 0, "failed": 1, "pending": 0}
    assert content["skipped"] == {"other files": 1}
    by_name = {photo["photo"]: photo for photo in content["photos"]}
    assert by_name["a.png"]["cutout"] == "a-png.png" and by_name["nobody.jpg"]["people"] == 0
    assert by_name["cut off.jpg"]["status"] == "failed" and by_name["cut off.jpg"]["error"] in told

    # The cause removed, the same command does what is missing, and is content.
    (photos / "cut off.jpg").unlink()
    assert run([*command, "--report", str(tmp_path / "report.csv")]) == 0
    assert "0 done, 3 unchanged" in capsys.readouterr().err
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["photo"], row["status"]) for row in rows] == [
        ("a.bmp", "unchanged"), ("a.png", "unchanged"), ("nobody.jpg", "unchanged"),
    ]  # fmt: skip


def test_the_options_of_photos_hold_for_folders(photos: Path, tmp_path: Path, model_file: Path) -> None:
    (photos / "cut off.jpg").unlink()
    Image.fromarray(np.full((10, 10, 3), (0, 0, 200), np.uint8)).save(tmp_path / "blue.png")
    out = tmp_path / "out"
    options = ["--background", str(tmp_path / "blue.png"), "--format", "jpg", "--quality", "95", "--crop"]
    assert run(["folder", str(photos), str(out), "--model", str(model_file), *options]) == 0
    picture = read(out / "a-png.jpg")
    assert picture.format == "JPEG" and picture.size[0] < 72 and picture.size[1] < 96
    assert abs(picture.frame[0, 0].astype(int) - (0, 0, 200)).max() < 30


def test_nothing_to_do(tmp_path: Path, model_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "in/sub/a.jpg").touch()
    assert run(["folder", str(tmp_path / "in"), str(tmp_path / "out"), "--model", str(model_file)]) == 0
    told = capsys.readouterr().err
    assert "There are no photos" in told and "folders (--recursive looks into them): 1" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "out"], "must be a folder"),
        (["in", "in"], "a folder of their own"),
        (["in", "in/a.png"], "which is a file"),
        (["in"], "Missing argument"),
        (["in", "out", "--workers", "0"], "workers"),
        (["in", "out", "--report", "report.txt"], "must end in .json or .csv"),
        (["in", "out", "--report", "none/report.csv"], "no folder"),
        (["in", "out", "--format", "gif"], "`--format` must be one of png"),
        (["in", "out", "--format", "jpg"], "A JPEG can't hold transparency"),
        (["in", "out", "--background", "withe"], "did you mean `white`"),
        (["in", "out", "--keep", "2nd"], "keep"),
        (["in", "out", "--model", "nonesuch"], "nonesuch"),
        (["in", "out", "--nonesuch"], "No such option"),
    ],
)
def test_bad_input_is_told_before_any_work(
    photos: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(photos.parent)
    before = sorted(photos.parent.rglob("*"))
    assert run(["folder", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert sorted(photos.parent.rglob("*")) == before


def test_a_broken_model_or_background_is_told_once(
    photos: Path, tmp_path: Path, model_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.onnx").write_bytes(model_file.read_bytes()[:500])
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    command = ["folder", str(photos), str(tmp_path / "out"), "--model"]
    assert run([*command, str(tmp_path / "broken.onnx")]) == 2
    assert run([*command, str(model_file), "--background", str(tmp_path / "broken.png")]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2 and "broken.onnx" in told[0] and "broken.png" in told[1]


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="workers"):
        FolderOptions(workers=0)


@pytest.fixture
def threads_put_back() -> Iterator[None]:
    """What `PhotoWork.open` sets for its process is put back."""
    yield
    cv2.setNumThreads(-1)


@pytest.mark.usefixtures("threads_put_back")
def test_a_missing_extra_is_told_before_the_first_photo(
    photos: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pymatting", "pymatting.alpha", "pymatting.alpha.estimate_alpha_cf"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match="matting"):
        PhotoWork(FolderOptions(matting="closed-form", model=model_file)).open(1)


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
def test_a_disk_that_is_too_small_for_some(photos: Path, tmp_path: Path, model_file: Path) -> None:
    noise = np.random.default_rng(0).integers(200, 255, (300, 300, 3), np.uint8)
    Image.fromarray(noise).save(photos / "large.png")
    (photos / "cut off.jpg").unlink()
    options, out = FolderOptions(model=model_file, workers=1), tmp_path / "out"
    report = run_folder(FolderRun(photos, out, options, work=SmallDiskWork(PhotoWork(options), 50_000)))
    assert [outcome.photo for outcome in report.failed] == ["large.png"]
    assert "File too large" in report.failed[0].error and report.count("done") == 3
    assert sorted(path.name for path in out.iterdir()) == [JOURNAL_NAME, "a-png.png", "a.png", "nobody.png"]
    report = process_folder(photos, out, options=options)
    assert report.count("unchanged") == 3 and report.count("done") == 1
    np.testing.assert_array_equal(read(out / "large.png").color, noise)


def _docstring_example() -> str:
    lines = (process_folder.__doc__ or "").split("import standout\n")[1].split("Args:")[0].splitlines()
    return "import standout\n" + "\n".join(line.removeprefix(" " * 8) for line in lines)


def _page_example() -> str:
    page = (Path(__file__).parents[2] / "docs/folders.md").read_text("utf-8")
    return page.split("```python\n")[1].split("```")[0]


@pytest.mark.parametrize(("example", "told"), [(_docstring_example, "3 ["), (_page_example, "3 done 0 from earlier")])
def test_the_examples_for_python(example: Callable[[], str], told: str, photos: Path, tmp_path: Path) -> None:
    """As a user would save and run them; with the bundled model."""
    photos.rename(tmp_path / "photos")
    (tmp_path / "script.py").write_text(example())
    result = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True, env=_environment()
    )
    assert result.stdout.startswith(told) and "cut off.jpg" in result.stdout


# ---------------------------------------------------------------- stopped from outside


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(standout.__file__).parents[1])}


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "standout", "folder", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=_environment(), start_new_session=True)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_ctrl_c_finishes_what_is_at_work_and_says_how_to_go_on(tmp_path: Path, model_file: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(100, 255, (900, 900, 3), np.uint8)
    for number in range(40):
        Image.fromarray(noise).save(folder / f"{number}.bmp")
    process = start(folder, out, "--model", model_file, "--workers", "1")
    wait_for(lambda: (out / JOURNAL_NAME).exists() and (out / JOURNAL_NAME).stat().st_size > 0, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "not started; rerun the same command to resume." in told and "Traceback" not in told
    done = len((out / JOURNAL_NAME).read_bytes().splitlines())
    assert f"{done} done in" in told and len(list(out.glob("*.png"))) == done
    assert not list(out.glob(".standout-*.part"))


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", 1)])
def test_a_watch_ends_with_a_summary(photos: Path, tmp_path: Path, model_file: Path, number: signal.Signals) -> None:
    (photos / "cut off.jpg").unlink()
    out, report = tmp_path / "out", tmp_path / "report.csv"
    process = start(photos, out, "--watch", "--model", model_file, "--report", report)
    wait_for(lambda: len(list(out.glob("*.png"))) == 3, process)
    os.kill(process.pid, number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "3 done in" in told and "Traceback" not in told
    assert report.read_text().count(",done,") == 3


@pytest.mark.skipif(os.name == "nt", reason="needs terminals")
def test_a_terminal_that_is_closed_ends_a_watch_as_ctrl_c_does(photos: Path, tmp_path: Path, model_file: Path) -> None:
    import pty

    (photos / "cut off.jpg").unlink()
    out, report = tmp_path / "out", tmp_path / "report.csv"
    words = ["folder", photos, out, "--watch", "--model", model_file, "--report", report]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
         "from standout.cli import main; main(sys.argv[1:])", *map(str, words)],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=_environment(),
    )  # fmt: skip
    os.close(theirs)
    end = time.monotonic() + 60
    while len(list(out.glob("*.png"))) < 3:
        assert process.poll() is None and time.monotonic() < end
        if select.select([ours], [], [], 0.02)[0]:
            os.read(ours, 10_000)
    os.close(ours)
    assert process.wait(60) == 0
    assert report.read_text().count(",done,") == 3
