"""Unfinished files have one kind of name, and the sweep that removes them touches nothing else."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from standout.errors import OutputError
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


@pytest.mark.skipif(os.name == "nt", reason="needs modes and links")
def test_a_file_that_was_there_keeps_its_permissions_and_a_link_stays_a_link(tmp_path: Path) -> None:
    private, link = tmp_path / "elsewhere" / "private.json", tmp_path / "link.json"
    private.parent.mkdir()
    private.write_text("old")
    private.chmod(0o600)
    link.symlink_to(private)
    with atomic_write(link) as file:
        file.write(b"new")
    assert link.is_symlink() and private.read_text() == "new"
    assert private.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in private.parent.iterdir()] == ["private.json"]


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_a_link_that_leads_nowhere_or_to_itself(tmp_path: Path) -> None:
    nowhere, circle = tmp_path / "nowhere.json", tmp_path / "circle.json"
    nowhere.symlink_to(tmp_path / "target.json")
    circle.symlink_to(circle)
    with atomic_write(nowhere) as file:
        file.write(b"new")
    assert nowhere.is_symlink() and (tmp_path / "target.json").read_bytes() == b"new"
    with suppress(OutputError), atomic_write(circle) as file:
        file.write(b"new")
    assert {path.name for path in tmp_path.iterdir()} == {"nowhere.json", "target.json", "circle.json"}
