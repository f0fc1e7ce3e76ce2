"""Unfinished files have one kind of name, and the sweep that removes them touches nothing else."""

from __future__ import annotations

from pathlib import Path

from standout.imaging.files import atomic_write, is_temporary, sweep_temporary, temporary_path


def test_what_a_killed_writer_leaves_is_swept_and_nothing_else(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.png") as file:
        (leftover,) = (path.name for path in tmp_path.iterdir())
        file.write(b"whole")
    film = temporary_path(tmp_path / "film.mp4", suffix=".part.mp4")
    for name in (leftover, film.name):
        assert is_temporary(name)
        (tmp_path / name).write_bytes(b"half")
    kept = {"a.png", "photo.standout.png", ".standout-notes.txt", "film.mp4.part"}
    for name in kept - {"a.png"}:
        (tmp_path / name).write_bytes(b"a user's")
    sweep_temporary(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert (tmp_path / "a.png").read_bytes() == b"whole"


def test_sweeping_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    sweep_temporary(tmp_path / "gone")
