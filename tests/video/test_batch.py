"""Several films: each its own result, the journal knows what is done, one that fails doesn't end the others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest

from clips import make_clip
from standout.cli import run
from standout.errors import ConfigError, InputError, OutputError, StandoutError
from standout.video.batch import FilmWork, _Due, _results, find_films, process_videos
from standout.video.options import VideoOptions


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "more").mkdir(parents=True)
    make_clip(folder / "one.mp4", 3)
    make_clip(folder / "more" / "one.mkv", 3)
    (folder / "notes.txt").write_text("no film", "utf-8")
    (folder / ".hidden.mp4").write_bytes(b"")
    return folder


def test_films_of_one_name_don_t_overwrite_each_other(films: Path, tmp_path: Path, model_file: Path) -> None:
    made = process_videos([films], tmp_path / "out", background="white", model=model_file)
    assert [film.target for film in made] == [tmp_path / "out" / "more" / "one.mp4", tmp_path / "out" / "one.mp4"]
    assert all(film.frames == 3 and film.target.is_file() and film.status == "done" for film in made)


def test_a_second_run_does_what_is_new_or_changed(films: Path, tmp_path: Path, model_file: Path) -> None:
    settings: dict[str, Any] = {"background": "white", "model": model_file}
    process_videos([films], tmp_path / "out", **settings)
    again = process_videos([films], tmp_path / "out", **settings)
    assert all(film.status == "unchanged" and film.complete for film in again)
    make_clip(films / "one.mp4", 4)
    again = process_videos([films], tmp_path / "out", **settings)
    assert {film.source.name: film.status for film in again} == {"one.mp4": "done", "one.mkv": "unchanged"}
    other = process_videos([films], tmp_path / "out", background="red", model=model_file)
    assert all(film.status == "done" for film in other)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_one_that_fails_doesn_t_end_the_others(films: Path, tmp_path: Path, model_file: Path, workers: int) -> None:
    (films / "broken.mp4").write_bytes(b"no film at all")
    made = process_videos([films], tmp_path / "out", background="white", model=model_file, workers=workers)
    assert [bool(film.error) for film in made].count(True) == 1
    assert sum(film.frames for film in made) == 6
    assert [film.complete for film in made if film.error] == [False]
    assert not (tmp_path / "out" / "broken.mp4").exists()


def test_what_can_t_be_is_said(films: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="workers"):
        process_videos([films], tmp_path / "out", workers=0)
    with pytest.raises(ConfigError, match="suffix"):
        process_videos([films], tmp_path / "out", suffix=".avi")
    with pytest.raises(ConfigError, match="suffix"):
        process_videos([films], tmp_path / "out", options=VideoOptions(frames=True))
    with pytest.raises(ConfigError, match="must be one of auto, cuda"):
        process_videos([films], tmp_path / "out", device="nonsense")
    for source in (films, films / "one.mp4"):
        with pytest.raises(OutputError, match="need a folder of their own"):
            process_videos([source], films, background="white")
    with pytest.raises(InputError, match="No films"):
        (tmp_path / "empty").mkdir()
        find_films([tmp_path / "empty"])


def test_the_command_takes_films_and_folders_and_tells_what_failed(
    films: Path, tmp_path: Path, model_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (films / "broken.mp4").write_bytes(b"no film at all")
    command = ["video", str(films), "-o", str(tmp_path / "out"), "-b", "white", "-m", str(model_file)]
    assert run(command) == 1
    told = capsys.readouterr().err
    assert "broken.mp4" in told and "2 of 3" in told
    assert run([*command, "--device", "nonsense"]) == 2
    assert "must be one of auto, cuda" in capsys.readouterr().err
    (films / "broken.mp4").unlink()
    assert run(command) == 0
    assert "unchanged" in capsys.readouterr().err


def test_two_films_of_one_name_keep_their_endings(tmp_path: Path, model_file: Path) -> None:
    clips = [make_clip(tmp_path / f"one{ending}", 2) for ending in (".mp4", ".mkv")]
    made = process_videos(clips, tmp_path / "out", background="white", model=model_file)
    assert [film.target.name for film in made] == ["one.mp4", "one-mkv.mp4"]


def test_a_results_name_stays_its_films_and_no_other_file_is_replaced(tmp_path: Path, model_file: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "y.mp4").write_bytes(b"somebody's film")
    for number, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        make_clip(tmp_path / folder / "x.mp4", 2 + number)
        make_clip(tmp_path / folder / "y.mp4", 2)

    def go(folder: str, **more: Any) -> list[str]:
        made = process_videos([tmp_path / folder], out, model=model_file, **{"background": "white"} | more)
        return [f"{film.target.name} {film.status}" for film in made]

    assert go("a") == ["x.mp4 done", "y-mp4.mp4 done"]
    first = (out / "x.mp4").read_bytes()
    assert go("b") == ["x-mp4.mp4 done", "y-mp4-2.mp4 done"]
    assert (out / "x.mp4").read_bytes() == first and (out / "y.mp4").read_bytes() == b"somebody's film"
    assert go("a") == ["x.mp4 unchanged", "y-mp4.mp4 unchanged"]
    assert go("b", background="red") == ["x-mp4.mp4 done", "y-mp4-2.mp4 done"]


def test_another_background_model_or_standout_is_another_film(
    tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, model, beach = make_clip(tmp_path / "x.mp4", 2), tmp_path / "m.onnx", tmp_path / "beach.png"
    model.write_bytes(model_file.read_bytes())
    cv2.imwrite(str(beach), np.full((8, 8, 3), 200, np.uint8))

    def go(**more: Any) -> str:
        settings: dict[str, Any] = {"background": beach, "model": model} | more
        return process_videos([clip], tmp_path / "out", **settings)[0].status

    assert [go(), go(), go(options=VideoOptions(keep_partial=True))] == ["done", "unchanged", "unchanged"]
    cv2.imwrite(str(beach), np.full((8, 8, 3), 100, np.uint8))
    assert [go(), go()] == ["done", "unchanged"]
    onnx_model = onnx.load(model)
    onnx_model.doc_string = "trained on"
    onnx.save(onnx_model, model)
    assert [go(), go()] == ["done", "unchanged"]
    assert go(options=VideoOptions(smoothing="off")) == "done"
    monkeypatch.setattr("standout.__version__", "99.0", raising=False)
    assert go(options=VideoOptions(smoothing="off")) == "done"


def test_results_are_never_taken_for_sources(films: Path, model_file: Path) -> None:
    settings: dict[str, Any] = {"background": "white", "model": model_file}
    for _ in range(2):
        assert len(process_videos([films], films / "out", **settings)) == 2
    assert len(process_videos([films], films / "other", **settings)) == 2
    assert not list(films.rglob("out/**/out")) and not list((films / "other").rglob("out"))


@pytest.mark.slow
def test_one_dead_worker_costs_one_film(tmp_path: Path, model_file: Path) -> None:
    clips = [make_clip(tmp_path / f"{number}.mp4", 2) for number in range(5)]
    work = DyingWork(FilmWork("white", model_file, "cpu", VideoOptions()), "1.mp4")
    ended = dict(_results([_Due(clip, (0, 0), tmp_path / "out" / clip.name) for clip in clips], work, 2))
    failed = {film.source.name: str(result) for film, result in ended.items() if isinstance(result, StandoutError)}
    assert list(failed) == ["1.mp4"] and "was killed (SIGKILL)" in failed["1.mp4"]
    assert len(list((tmp_path / "out").iterdir())) == 4


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.parametrize(
    ("number", "workers", "keep"),
    [(signal.SIGTERM, 1, True), (getattr(signal, "SIGHUP", 1), 2, True), (signal.SIGINT, 2, False)],
)
def test_a_signal_ends_the_run_and_the_same_command_goes_on(
    tmp_path: Path, model_file: Path, number: int, workers: int, keep: bool
) -> None:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "a.mp4", 2)
    long = make_clip(tmp_path / "long.mp4", 2000)
    for name in "bcd":
        shutil.copy(long, tmp_path / "in" / f"{name}.mp4")
    words = ["video", "in", "-o", "out", "-b", "white", "-m", model_file, "--workers", str(workers)]
    command = [sys.executable, "-m", "standout", *words, *(["--keep-partial"] if keep else [])]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 60
        out = tmp_path / "out"
        while not ((out / "a.mp4").exists() and any(out.glob(".standout-*.part.mp4"))):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        time.sleep(0.7)
        process.send_signal(number)
        told = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "interrupted; 1 video is done" in told, told
    names = {path.name for path in out.iterdir() if not path.name.startswith(".standout-journal")}
    assert "a.mp4" in names and (len(names) == (1 + workers if keep else 1)), (names, told)
    # What was kept is known to be a part: it is made again under its own name.
    for name in "bcd":
        make_clip(tmp_path / "in" / f"{name}.mp4", 2)
    done = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False, timeout=100)
    assert done.returncode == 0 and "4 of 4 videos" in done.stderr and "1 of them unchanged" in done.stderr
    assert {path.name for path in out.glob("*.mp4")} == {"a.mp4", "b.mp4", "c.mp4", "d.mp4"}


@dataclass(frozen=True)
class DyingWork:
    """As the work that it holds, but for the film `name`, at which its process is killed."""

    work: FilmWork
    name: str

    @property
    def options(self) -> VideoOptions:
        return self.work.options

    def open(self, threads: int) -> Callable[[Any], Any]:
        make = self.work.open(threads)

        def do(film: Any) -> Any:
            if film.source.name == self.name:
                os.kill(os.getpid(), signal.SIGKILL)
            return make(film)

        return do
