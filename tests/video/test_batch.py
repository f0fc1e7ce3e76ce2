"""Several films: each its own result, the journal knows what is done, one that fails doesn't end the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clips import make_clip
from standout.cli import run
from standout.errors import ConfigError, InputError
from standout.video.batch import find_films, process_videos
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
    assert (
        sorted(film.target.name for film in made) == ["one.mkv.mp4", "one.mp4"]
        or len({film.target for film in made}) == 2
    )
    assert all(film.frames == 3 and film.target.is_file() for film in made)


def test_a_second_run_does_what_is_new_or_changed(films: Path, tmp_path: Path, model_file: Path) -> None:
    settings: dict[str, Any] = {"background": "white", "model": model_file}
    process_videos([films], tmp_path / "out", **settings)
    assert all(film.skipped for film in process_videos([films], tmp_path / "out", **settings))
    make_clip(films / "one.mp4", 4)
    again = process_videos([films], tmp_path / "out", **settings)
    assert {film.source.name: film.skipped for film in again} == {"one.mp4": False, "one.mkv": True}
    other = process_videos([films], tmp_path / "out", background="red", model=model_file)
    assert not any(film.skipped for film in other)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_one_that_fails_doesn_t_end_the_others(films: Path, tmp_path: Path, model_file: Path, workers: int) -> None:
    (films / "broken.mp4").write_bytes(b"no film at all")
    made = process_videos([films], tmp_path / "out", background="white", model=model_file, workers=workers)
    assert [bool(film.error) for film in made].count(True) == 1
    assert sum(film.frames for film in made) == 6
    assert not (tmp_path / "out" / "broken.mp4").exists()


def test_what_can_t_be_is_said(films: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="workers"):
        process_videos([films], tmp_path / "out", workers=0)
    with pytest.raises(ConfigError, match="suffix"):
        process_videos([films], tmp_path / "out", suffix=".avi")
    with pytest.raises(ConfigError, match="suffix"):
        process_videos([films], tmp_path / "out", options=VideoOptions(frames=True))
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
    (films / "broken.mp4").unlink()
    assert run(command) == 0
    assert "unchanged" in capsys.readouterr().err


def test_two_films_of_one_name_keep_their_endings(tmp_path: Path, model_file: Path) -> None:
    clips = [make_clip(tmp_path / f"one{ending}", 2) for ending in (".mp4", ".mkv")]
    made = process_videos(clips, tmp_path / "out", background="white", model=model_file)
    assert [film.target.name for film in made] == ["one.mp4", "one.mkv.mp4"]
