"""Faces: found with their points on real photographs, and nowhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import standout
from standout.errors import ModelFileError
from standout.id_photo import faces
from standout.id_photo.faces import Mtcnn
from standout.imaging.arrays import Frame

#: What tools/convert_mtcnn.py printed.
SHA256 = "94c8a0f6aa0cb32dc9ada6fd7ab4818a175e87a4a7de0fb6afe10cd91e58bd3b"
PHOTOS = Path(__file__).parents[1] / "photos"
#: The astronaut's eyes, nose and corners of the mouth, by eye: (x, y).
POINTS = [(203, 101), (247, 103), (224, 126), (201, 140), (245, 141)]


@pytest.fixture(scope="module")
def finder() -> Mtcnn:
    return Mtcnn()


@pytest.fixture(scope="module")
def astronaut() -> Frame:
    return np.asarray(Image.open(Path(standout.__file__).parent / "assets" / "astronaut.jpg"))


def test_the_astronaut_is_found_with_her_points(finder: Mtcnn, astronaut: Frame) -> None:
    (face,) = finder.find(astronaut)
    assert face.score > 0.95
    assert np.abs(face.points - np.array(POINTS)).max() < 4
    left, top, right, bottom = face.box
    assert left < 203 and right > 247 and top < 100 and bottom > 141 and 80 < face.side < 140


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_points_follow_the_size_of_the_photo(finder: Mtcnn, astronaut: Frame, factor: float) -> None:
    size = round(512 * factor)
    (face,) = finder.find(np.asarray(Image.fromarray(astronaut).resize((size, size), Image.Resampling.LANCZOS)))
    assert np.abs(face.points / factor - np.array(POINTS)).max() < 5


def test_two_people_are_two_faces_the_larger_first(finder: Mtcnn, astronaut: Frame) -> None:
    head = astronaut[0:260, 100:360]
    smaller = np.asarray(Image.fromarray(head).resize((130, 130), Image.Resampling.LANCZOS))
    both = np.full((260, 420, 3), 128, np.uint8)
    both[:, :260], both[60:190, 275:405] = head, smaller
    found = finder.find(both)
    assert len(found) == 2 and found[0].side > 1.5 * found[1].side
    assert found[0].points[2][0] < 260 < found[1].points[2][0]


@pytest.mark.parametrize("name", ["chelsea.jpg", "coffee.jpg"])
def test_a_cat_and_a_cup_have_no_human_face(finder: Mtcnn, name: str) -> None:
    assert finder.find(np.asarray(Image.open(PHOTOS / name).convert("RGB"))) == []


@pytest.mark.parametrize("size", [(1, 1), (5, 400), (40, 40)])
def test_any_size_of_picture_is_searched(finder: Mtcnn, size: tuple[int, int]) -> None:
    assert finder.find(np.full((*size, 3), 90, np.uint8)) == []


@pytest.mark.parametrize("content", [None, b"broken", b"PK\x03\x04cut off"])
def test_missing_or_broken_weights_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    (tmp_path / "assets").mkdir()
    if content is not None:
        (tmp_path / "assets" / "mtcnn.npz").write_bytes(content)
    faces._weights.cache_clear()
    monkeypatch.setattr(faces.importlib.resources, "files", lambda name: tmp_path)
    with pytest.raises(ModelFileError, match="face detector's weights .* can't be read"):
        Mtcnn()
    faces._weights.cache_clear()


def test_the_weights_are_those_that_were_converted_and_carry_their_license() -> None:
    assets = Path(standout.__file__).parent / "assets"
    assert hashlib.sha256((assets / "mtcnn.npz").read_bytes()).hexdigest() == SHA256
    assert "MIT License" in (assets / "mtcnn.LICENSE").read_text("utf-8")


def test_looking_for_faces_imports_no_other_framework() -> None:
    import subprocess
    import sys

    code = (
        "import sys, numpy as np; from standout.id_photo.faces import Mtcnn; "
        "Mtcnn().find(np.zeros((64, 64, 3), np.uint8)); "
        "print([m for m in ('mtcnn', 'joblib', 'tensorflow', 'torch') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
