"""Every photo gets a name of its own, the same each time."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from standout.errors import InputError
from standout.folder.find import find_photos
from standout.folder.journal import JOURNAL_NAME
from standout.folder.output_names import OutputNames

# ---------------------------------------------------------------- names


def test_no_two_photos_share_a_name_on_any_system() -> None:
    photos = [
        "a.jpg",
        "a.png",
        "a.PNG",
        "A.jpg",
        "a-png.jpg",
        "a-png.png",
        "b/a.jpg",
        "B/a.jpg",
        "straße.jpg",
        "STRASSE.jpg",
    ]
    photos += [unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD")]
    names = OutputNames(".png")
    given = [names.of("in", photo) for photo in photos]
    assert given[0] == "a.png" and given[6] == "b/a.png"
    as_others_see_them = {unicodedata.normalize("NFC", name).casefold() for name in given}
    assert len(as_others_see_them) == len(photos)
    assert [names.of("in", photo) for photo in photos] == given
    again = OutputNames(".png")
    assert [again.of("in", photo) for photo in photos] == given


def test_a_name_that_was_given_stays_with_its_photo() -> None:
    held = [(("in", "a.png"), "a.png"), (("other card", "b.jpg"), "b.png")]
    names = OutputNames(".png", held)
    assert names.of("in", "a.jpg") == "a-jpg.png"  # would have been first
    assert names.of("in", "a.png") == "a.png"
    assert names.of("in", "b.jpg") == "b-jpg.png"
    # Of another format, everything is named anew.
    assert OutputNames(".webp", held).of("in", "a.png") == "a.webp"


def test_a_photo_doesnt_take_the_name_of_a_folder() -> None:
    names = OutputNames(".png")
    names.reserve_folders(["a.png/b.jpg", "a.jpg"])
    assert names.of("in", "a.jpg") == "a-jpg.png"
    assert names.of("in", "a.png/b.jpg") == "a.png/b.png"


# ---------------------------------------------------------------- find


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_photos_are_found_and_the_rest_is_counted(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg", "a.HEIC", "notes.txt", ".hidden.jpg", ".thumbs/c.jpg", "sub/d.webp", "cut/e.png")
    touch(tmp_path, f"cut/{JOURNAL_NAME}")
    flat = find_photos(tmp_path)
    assert flat.photos == ["a.HEIC", "b.jpg"]
    assert flat.skipped == {"other files": 1, "hidden": 2, "folders (--recursive looks into them)": 2}
    deep = find_photos(tmp_path, recursive=True)
    assert deep.photos == ["a.HEIC", "b.jpg", "sub/d.webp"]
    assert deep.skipped == {"other files": 1, "hidden": 2, "folders of cut-outs": 1}


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
    found = find_photos(folder, recursive=True, leave_out=out)
    assert found.photos == ["gone.jpg", "link.jpg", "real.jpg", "sub/deep.jpg"]
    assert found.skipped == {"linked folders": 1, "links to cut-outs": 1, "other files": 1}


def test_folders_that_cant_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", "secret/b.jpg")
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = find_photos(tmp_path, recursive=True)
    assert found.photos == ["a.jpg"] and found.unreadable == {"secret": "Permission denied"}
    with pytest.raises(InputError, match="Permission denied"):
        find_photos(tmp_path / "secret")


def test_a_link_to_itself_is_a_photo_that_cant_be_read_and_the_others_are_found(tmp_path: Path) -> None:
    photos = tmp_path / "in"
    photos.mkdir()
    (photos / "good.jpg").touch()
    for name, target in (("self.jpg", "self.jpg"), ("one.jpg", "two.jpg"), ("two.jpg", "one.jpg"), ("loop", "loop")):
        (photos / name).symlink_to(target)
    for recursive in (False, True):
        found = find_photos(photos, recursive=recursive, leave_out=photos / "out")
        assert found.photos == ["good.jpg", "one.jpg", "self.jpg", "two.jpg"]
        assert found.skipped == {"other files": 1}
