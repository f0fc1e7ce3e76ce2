"""A photo whose name is as long as the file system allows gets a shorter name for its cut-out, and the rest is done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from kits import saved
from standout.cli import run
from standout.imaging.arrays import Frame
from standout.imaging.files import fitting_name
from standout.work.output_names import OutputNames

#: Processes are started, photographs are worked on: seconds each.
pytestmark = pytest.mark.slow

#: 250 bytes; so many that ".standout.png" no longer fits.
LONG = "照" * 82 + ".jpg"


@pytest.fixture
def photos(tmp_path: Path, bright_person: Frame) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (LONG, "good.jpg"):
        try:
            (folder / name).write_bytes(saved(Image.fromarray(bright_person), "JPEG"))
        except OSError:
            pytest.skip("this file system takes no such names")
    return folder


def test_photo(photos: Path, model_file: Path) -> None:
    assert run(["photo", str(photos / LONG), str(photos / "good.jpg"), "--model", str(model_file)]) == 0
    written = sorted(path.name for path in photos.glob("*.png"))
    assert len(written) == 2
    assert "good.standout.png" in written
    assert all(len(os.fsencode(name)) <= 255 for name in written)


def test_folder(photos: Path, tmp_path: Path, model_file: Path) -> None:
    options = ["--model", str(model_file), "--workers", "1"]
    assert run(["folder", str(photos), str(tmp_path / "out"), *options]) == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_an_output_of_the_users_own_that_is_too_long_is_one_sentence(
    photos: Path, model_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = photos / ("x" * 260 + ".png")
    assert run(["photo", str(photos / "good.jpg"), "-o", str(target), "--model", str(model_file)]) == 2
    error = capsys.readouterr().err
    assert "can't be written" in error and "Traceback" not in error


def test_names_that_begin_alike_stay_two() -> None:
    one, other = fitting_name("é" * 200 + "a", ".png"), fitting_name("é" * 200 + "b", ".png")
    assert one != other
    assert max(len(os.fsencode(name)) for name in (one, other)) <= 255
    assert fitting_name("x" * 251, ".png") == "x" * 251 + ".png", "what fits stays"
    names = OutputNames(".png")
    long = "照" * 84
    given = [names.of("in", f"{long}.jpg"), names.of("in", f"{long}.webp"), names.of("in", f"sub/{long}.jpg")]
    assert len(set(given)) == 3
    assert all(len(os.fsencode(Path(name).name)) <= 255 for name in given)
