"""What isn't understood is never taken for "nobody": it is read rightly, or refused in words that name it: YOLO."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from standout.errors import DataError
from standout.workshop.data.check import check_pairs
from standout.workshop.data.labels import OpenPair, open_pair
from standout.workshop.data.pairs import find, find_pairs
from workshop.data.readers_kit import SIZE_HW, mask, write
from workshop.data.strange_kit import CENTER, POLYGON, SHARES, drawn, images, people_of, run_lengths


def yolo(root: Path, row: str, settings: str = "train: images\nnames: [person]\n", name: str = "data.yaml") -> Path:
    images(root)
    for i in range(3):
        write(root / "labels" / f"{i}.txt", row + "\n")
    if settings:
        write(root / name, settings)
    return root


ROW = "0 " + " ".join(f"{number:.5f}" for number in SHARES)
PERSON_IS_1 = "1" + ROW[1:]


@pytest.fixture
def yaml() -> None:
    pytest.importorskip("yaml")


@pytest.mark.parametrize("row", ["0 " + " ".join(map(str, POLYGON)), "0 20 26 20 36"])
def test_yolo_in_pixels_is_refused(yaml: None, row: str, tmp_path: Path) -> None:
    pairs, faults = find_pairs(yolo(tmp_path / "set", row))
    assert not pairs and len(faults) == 3
    assert "line 1" in faults[0].text and "are they pixels?" in faults[0].text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("coco8-seg.yaml", "train: images\nval: images\nnames:\n  0: dog\n  1: person\n"),
        ("classes.txt", "dog\nperson\n"), ("obj.names", "dog\nperson\n"), ("labels/classes.txt", "dog\nperson\n"),
    ],
)  # fmt: skip
def test_yolo_names_are_read_wherever_they_stand(yaml: None, name: str, text: str, tmp_path: Path) -> None:
    root = yolo(tmp_path / "set", PERSON_IS_1, text, name)
    write(root / "labels" / "0.txt", ROW)  # a dog
    assert people_of(root) == ["1", "2"]
    assert len(find_pairs(root)[0]) == 3, "a folder that two parts name is read once"


def test_yolo_without_names_says_what_was_taken_for_person(tmp_path: Path) -> None:
    root = yolo(tmp_path / "set", ROW, "")
    assert any("class 0 is taken for person" in note for note in find(root).notes)
    with pytest.raises(DataError, match="rows have the classes 1"):
        find_pairs(yolo(tmp_path / "other", PERSON_IS_1, ""))
    pairs, _ = find_pairs(tmp_path / "other", person="1")
    assert all(pair.has_person for pair in pairs)


def test_yolo_classes_without_a_name_are_named(yaml: None, tmp_path: Path) -> None:
    root = yolo(tmp_path / "set", ROW)
    write(root / "labels" / "1.txt", PERSON_IS_1)
    _, (fault,) = find_pairs(root)
    assert fault.pair.stem == "1" and "class 1 has no name" in fault.text


@pytest.mark.parametrize(("numbers", "said"), [(2, True), (3, True), (2, False)])
def test_yolo_poses_are_boxes(yaml: None, numbers: int, said: bool, tmp_path: Path) -> None:
    point = f" {20 / 64} {26 / 48}" + (" 2" if numbers == 3 else "")
    settings = "train: images\nnames: [person]\n" + (f"kpt_shape: [17, {numbers}]\n" if said else "")
    pairs, faults = find_pairs(yolo(tmp_path / "set", f"0 {CENTER}" + 17 * point, settings))
    assert not faults and all(pair.weak for pair in pairs)
    opened = open_pair(pairs[0])
    assert isinstance(opened, OpenPair) and np.array_equal(opened.label.unsure, mask("a"))
    assert "key points are no masks" in opened.label.rule


@pytest.mark.parametrize("packed", [False, True])
def test_yolo_run_lengths_are_masks(yaml: None, packed: bool, tmp_path: Path) -> None:
    coder = pytest.importorskip("pycocotools.mask")
    counts = run_lengths(mask("a"))
    words = " ".join(map(str, counts["counts"]))
    if packed:
        words = coder.frPyObjects(counts, *SIZE_HW)["counts"].decode()
    assert people_of(yolo(tmp_path / "set", f"0 rle 48 64 {words}")) == ["0", "1", "2"]


def test_yolo_parts_of_another_computer_are_found_and_missing_ones_are_said(yaml: None, tmp_path: Path) -> None:
    for part in ("train", "valid"):
        images(tmp_path / part, 1)
        write(tmp_path / part / "labels" / "0.txt", ROW)
    text = "train: /content/set/train/images\nval: ../valid/images\ntest: ../test/images\nnames: ['person']\n"
    write(tmp_path / "data.yaml", text)
    found = find(tmp_path)
    assert [pair.split for pair in found.pairs] == ["train", "val"] and not found.faults
    assert any("test: ../test/images" in note for note in found.notes)
    write(tmp_path / "data.yaml", "train: nowhere\nval: no\nnames: ['person']\n")
    with pytest.raises(DataError, match="nowhere"):
        find_pairs(tmp_path)


def test_yolo_photographs_whose_labels_are_elsewhere_are_not_nobody(yaml: None, tmp_path: Path) -> None:
    root = yolo(tmp_path / "none", ROW)
    for file in (root / "labels").iterdir():
        file.unlink()
    _, (fault,) = find_pairs(root)
    assert "3 photograph(s) have no label file" in fault.text
    root = yolo(tmp_path / "renamed", ROW)
    (root / "labels" / "1.txt").rename(root / "labels" / "first.txt")
    pairs, (fault,) = find_pairs(root)
    assert len(pairs) == 2 and "first.txt" in fault.text
    root = yolo(tmp_path / "some", ROW)
    (root / "labels" / "1.txt").unlink()
    assert any("1 photograph(s) have no label file" in note for note in find(root).notes)


def scene_on_edges(height: int = 120, width: int = 160) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    rough = Image.fromarray(rng.integers(90, 160, (6, 8, 3), np.uint8))
    frame = np.array(rough.resize((width, height), Image.Resampling.BICUBIC))
    where = np.zeros((height, width), bool)
    where[30:112, 20:60] = True
    where[14:40, 30:50] = True
    frame[where] = (230, 40, 30)
    return frame, where


@pytest.mark.parametrize("turned_with_it", [True, False])
def test_yolo_labels_of_photographs_that_exif_turns(yaml: None, turned_with_it: bool, tmp_path: Path) -> None:
    frame, where = scene_on_edges()
    exif = Image.Exif()
    exif[274] = 6  # lies on its side: what is seen is turned by 90 degrees
    (tmp_path / "images").mkdir()
    Image.fromarray(frame).save(tmp_path / "images" / "a.jpg", quality=95, exif=exif)
    corners = [(20, 30), (30, 30), (30, 14), (50, 14), (50, 30), (60, 30), (60, 112), (20, 112)]
    shares = [(x / 160, y / 120) for x, y in corners]
    if turned_with_it:
        shares = [(1 - y, x) for x, y in shares]
    write(tmp_path / "labels" / "a.txt", "0 " + " ".join(f"{x:.5f} {y:.5f}" for x, y in shares))
    checked = check_pairs(find_pairs(tmp_path)[0])
    if turned_with_it:
        (pair,) = checked.good
        assert (drawn(pair) > 127).sum() == where.sum()
        assert any("EXIF turns" in sentence for sentence in checked.rule_sentences())
    else:
        assert [fault.kind for fault in checked.faults] == ["mask not turned"]
