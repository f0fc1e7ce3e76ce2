"""What is to be worked on is found, and the rest is counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from standout.errors import InputError
from standout.imaging.decode import SUFFIXES
from standout.work.find import find_files
from standout.work.journal import JOURNAL_NAME


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_photos_are_found_and_the_rest_is_counted(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg", "a.HEIC", "notes.txt", ".hidden.jpg", ".thumbs/c.jpg", "sub/d.webp", "cut/e.png")
    touch(tmp_path, f"cut/{JOURNAL_NAME}")
    flat = find_files(tmp_path, SUFFIXES)
    assert flat.files == ["a.HEIC", "b.jpg"]
    assert flat.skipped == {"other files": 1, "hidden": 2, "folders (--recursive looks into them)": 2}
    deep = find_files(tmp_path, SUFFIXES, recursive=True)
    assert deep.files == ["a.HEIC", "b.jpg", "sub/d.webp"]
    assert deep.skipped == {"other files": 1, "hidden": 2, "folders of results": 1}


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
def test_links_and_pipes(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "in" / "out"
    touch(folder, "real.jpg", "out/cut.png", "sub/deep.jpg")
    touch(tmp_path, "elsewhere.jpg")
    (folder / "link.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (folder / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (folder / "circle").symlink_to(folder)
    (folder / "own.png").symlink_to(out / "cut.png")
    os.mkfifo(folder / "pipe.jpg")
    found = find_files(folder, SUFFIXES, recursive=True, leave_out=out)
    assert found.files == ["gone.jpg", "link.jpg", "real.jpg", "sub/deep.jpg"]
    assert found.skipped == {"linked folders": 1, "links to results": 1, "other files": 1}


def test_folders_that_cant_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", "secret/b.jpg")
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = find_files(tmp_path, SUFFIXES, recursive=True)
    assert found.files == ["a.jpg"] and found.unreadable == {"secret": "Permission denied"}
    with pytest.raises(InputError, match="Permission denied"):
        find_files(tmp_path / "secret", SUFFIXES)


def test_a_link_to_itself_is_a_photo_that_cant_be_read_and_the_others_are_found(tmp_path: Path) -> None:
    photos = tmp_path / "in"
    photos.mkdir()
    (photos / "good.jpg").touch()
    for name, target in (("self.jpg", "self.jpg"), ("one.jpg", "two.jpg"), ("two.jpg", "one.jpg"), ("loop", "loop")):
        (photos / name).symlink_to(target)
    for recursive in (False, True):
        found = find_files(photos, SUFFIXES, recursive=recursive, leave_out=photos / "out")
        assert found.files == ["good.jpg", "one.jpg", "self.jpg", "two.jpg"]
        assert found.skipped == {"other files": 1}


def test_every_ending_of_a_jpeg_is_one_and_foreign_pictures_are_named(tmp_path: Path) -> None:
    photos = ["a.jfif", "b.JPE", "c.pjpeg", "d.jif", "e.apng", "f.gif", "g.hif", "h.jpg"]
    for name in (*photos, "raw.NEF", "raw2.nef", "drawing.svg", "notes.txt"):
        (tmp_path / name).touch()
    found = find_files(tmp_path, SUFFIXES)
    assert found.files == photos
    assert found.skipped == {".nef files, which are not read": 2, ".svg files, which are not read": 1, "other files": 1}
