"""What isn't understood is never taken for "nobody": it is read rightly, or refused in words that name it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from standout.cli import run
from standout.errors import DataError
from standout.workshop.audit.audit import audit
from standout.workshop.data.check import check_pairs
from standout.workshop.data.pairs import find, find_pairs
from workshop.data.forms import FORMS, example, record
from workshop.data.readers_kit import SIZE_HW, encoded, mask, photo, write
from workshop.data.strange_kit import POLYGON, WHITE, drawn, images, people_of


@pytest.mark.parametrize("name", ["mask", "labels", "annotations", "gt", "Annotations", "matte"])
def test_masks_in_a_folder_of_another_usual_name_are_read(name: str, tmp_path: Path) -> None:
    images(tmp_path / "set")
    for i in range(3):
        write(tmp_path / "set" / name / f"{i}.png", encoded(WHITE))
    found = find(tmp_path / "set")
    assert people_of(tmp_path / "set") == ["0", "1", "2"]
    assert any(f"{name}/ is read as masks/" in note for note in found.notes)


def test_parts_within_images_and_masks_are_read_and_kept_apart(tmp_path: Path) -> None:
    for part in ("training", "validation"):
        images(tmp_path / "set", 2, f"images/{part}")
        for i in range(2):
            write(tmp_path / "set" / "annotations" / part / f"{i}.png", encoded(WHITE))
    pairs, faults = find_pairs(tmp_path / "set")
    assert not faults and [pair.split for pair in pairs] == ["train", "train", "val", "val"]
    assert len(people_of(tmp_path / "set")) == 4


BESIDE: dict[str, tuple[str, bytes]] = {
    "pictures of the same names": ("depth/0.png", encoded(WHITE)),
    "a folder of JSON": ("json/0.json", b'{"polygons": []}'),
    "a list": ("annotations.json", b"{}"),
    "a table": ("labels.csv", b"file,x,y"),
    "arrays": ("masks_npy/0.npy", b"numbers"),
    "a file beside each photograph": ("images/0.txt", b"person 1 2 3 4"),
    "an XML beside each photograph": ("images/0.xml", b"<annotation/>"),
    "a folder that nobody knows": ("other/notes.bin", b"?"),
}


@pytest.mark.parametrize("what", BESIDE)
def test_images_beside_anything_else_are_no_set_of_nobody(what: str, tmp_path: Path) -> None:
    images(tmp_path / "set")
    name, content = BESIDE[what]
    write(tmp_path / "set" / name, content)
    with pytest.raises(DataError) as caught:
        find_pairs(tmp_path / "set")
    assert name.partition("/")[0] in str(caught.value), "what was found is named"
    # Beside a good set it is left out, and named.
    FORMS["folders"].write(tmp_path)
    pairs, faults = find_pairs(tmp_path)
    assert {pair.set for pair in pairs} == {"people", "nobody"}
    assert [fault.kind for fault in faults] == ["not understood"]


def test_images_alone_say_that_nobody_is_there_and_every_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images(tmp_path / "rooms")
    write(tmp_path / "rooms" / "README.md", "Rooms of ours.")
    write(tmp_path / "rooms" / "LICENSE", "CC0")
    found = find(tmp_path / "rooms")
    assert [pair.mask for pair in found.pairs] == [None] * 3 and not found.faults
    assert found.notes == ["rooms: 3 of 3 photograph(s) show nobody, as the data set says."]
    assert run(["convert", str(tmp_path / "rooms"), str(tmp_path / "out")]) == 0
    assert "3 of 3 photograph(s) show nobody" in capsys.readouterr().err
    assert any("3 of 3 photograph(s) show nobody" in s.text for s in audit(tmp_path / "rooms").sentences)


def test_masks_in_a_folder_beside_the_set_are_noticed(tmp_path: Path) -> None:
    images(tmp_path / "all" / "people")
    for i in range(3):
        write(tmp_path / "all" / "people_masks" / f"{i}.png", encoded(WHITE))
    with pytest.raises(DataError, match="people_masks"):
        find_pairs(tmp_path / "all")


def test_unlabeled_photographs_are_not_trained_on_as_nobody(tmp_path: Path) -> None:
    FORMS["folders"].write(tmp_path)
    images(tmp_path / "unlabeled")
    found = find(tmp_path)
    assert "unlabeled" not in {pair.set for pair in found.pairs}
    assert any("unlabeled" in note for note in found.notes)


def test_opaque_pictures_are_no_cut_outs_and_show_no_nobody(tmp_path: Path) -> None:
    opaque = np.dstack([photo("a"), np.full(SIZE_HW, 255, np.uint8)])
    write(tmp_path / "set" / "a.png", encoded(opaque))
    (fault,) = check_pairs(find_pairs(tmp_path / "set")[0]).faults
    assert "opaque" in fault.text


def labelme(root: Path, folder: str) -> Path:
    images(root)
    for i in range(3):
        content = {
            "shapes": [{"label": "person", "shape_type": "polygon", "points": np.reshape(POLYGON, (-1, 2)).tolist()}],
            "imagePath": f"../images/{i}.jpg", "imageHeight": 48, "imageWidth": 64,
        }  # fmt: skip
        write(root / folder / f"{i}.json", json.dumps(content))
    return root


@pytest.mark.parametrize("folder", ["json", "images", "labels"])
def test_labelme_files_in_a_folder_of_their_own_are_read(folder: str, tmp_path: Path) -> None:
    root = labelme(tmp_path / "set", folder)
    assert people_of(root) == ["0", "1", "2"]
    (root / folder / "1.json").unlink()
    _, (fault,) = find_pairs(root)
    assert fault.kind == "no mask" and "1.jpg" in fault.text


@pytest.mark.parametrize("values", [(0, 1), (0, 255), (0, 7)])
def test_voc_without_class_15_is_asked_about(values: tuple[int, int], tmp_path: Path) -> None:
    images(tmp_path / "set", folder="JPEGImages")
    for i in range(3):
        write(
            tmp_path / "set" / "SegmentationClass" / f"{i}.png", encoded(np.choose(mask("a"), values).astype(np.uint8))
        )
    with pytest.raises(DataError, match=f"holds 15.*values 0, {values[1]}"):
        find_pairs(tmp_path / "set")
    (pair, *_) = find_pairs(tmp_path / "set", person=str(values[1]))[0]
    assert np.array_equal(drawn(pair) > 127, mask("a"))


def test_supervisely_classes_that_meta_does_not_list_are_named(tmp_path: Path) -> None:
    root = FORMS["supervisely"].write(tmp_path / "set")
    file = root / "ds1" / "ann" / "a.png.json"
    file.write_text(file.read_text().replace("person_poly", "Person 1"))
    _, (fault,) = find_pairs(root)
    assert fault.pair.stem == "a" and "Person 1" in fault.text


def test_metadata_without_masks_is_refused(tmp_path: Path) -> None:
    images(tmp_path / "set", folder=".")
    write(tmp_path / "set" / "metadata.csv", "file_name,text\n0.jpg,a man\n1.jpg,a woman\n")
    with pytest.raises(DataError, match="file_name, text"):
        find_pairs(tmp_path / "set")


def test_numbers_of_categories_are_asked_about_once_for_the_file(tmp_path: Path) -> None:
    images(tmp_path / "set", folder=".")
    rows = [{"file_name": f"{i}.jpg", "objects": {"bbox": [[10, 8, 20, 36]], "category": [i]}} for i in range(2)]
    write(tmp_path / "set" / "metadata.jsonl", "\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="person"):
        find_pairs(tmp_path / "set")
    first, second = find_pairs(tmp_path / "set", person="1")[0]
    assert first.mask is None and second.weak


def test_shards_without_masks_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(photo("a"), "JPEG"))
    (tmp_path / "a.txt").write_text("a man")
    (tmp_path / "set").mkdir()
    with tarfile.open(tmp_path / "set" / "x.tar", "w") as tar:
        for name in ("a.jpg", "a.txt"):
            tar.add(tmp_path / name, name)
    with pytest.raises(DataError, match="no sample has a mask.*jpg, txt"):
        find_pairs(tmp_path / "set")


def test_records_without_labels_are_refused(tmp_path: Path) -> None:
    body = example({"image/encoded": encoded(photo("a"), "JPEG"), "image/class/text": b"person"})
    write(tmp_path / "x.tfrecord", record(body))
    with pytest.raises(DataError, match="image/class/text"):
        find_pairs(tmp_path / "x.tfrecord")
