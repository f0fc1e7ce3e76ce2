"""What isn't understood is never taken for "nobody": it is read rightly, or refused in words that name it: COCO."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from standout.errors import DataError
from standout.workshop.data.check import check_pairs
from standout.workshop.data.labels import OpenPair, open_pair
from standout.workshop.data.pairs import find, find_pairs
from workshop.data.readers_kit import mask, write
from workshop.data.strange_kit import POLYGON, SHARES, images, people_of, run_lengths


def coco(
    root: Path, change: Callable[[dict[str, Any]], None] = lambda content: None, file: str = "instances_x"
) -> Path:
    """Three photographs, a polygon of a person on each."""
    images(root)
    content: dict[str, Any] = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "height": 48, "width": 64} for i in range(3)],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 1, "iscrowd": 0, "bbox": [10, 8, 20, 36], "segmentation": [POLYGON]}
            for i in range(3)
        ],
    }
    change(content)
    write(root / "annotations" / f"{file}.json", json.dumps(content))
    return root


def each(key: str, value: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    """Changes a key of every annotation."""

    def change(content: dict[str, Any]) -> None:
        for annotation in content["annotations"]:
            annotation[key] = value(annotation[key])

    return change


@pytest.mark.parametrize("key", ["image_id", "category_id"])
@pytest.mark.parametrize("kind", [str, float])
def test_coco_ids_compare_as_text(key: str, kind: type, tmp_path: Path) -> None:
    assert people_of(coco(tmp_path / "set", each(key, kind))) == ["0", "1", "2"]


def test_coco_key_points_alone_hold_the_same_outlines(tmp_path: Path) -> None:
    assert people_of(coco(tmp_path / "set", file="person_keypoints_val2017")) == ["0", "1", "2"]
    coco(tmp_path / "set", lambda content: content["annotations"].pop())  # beside the instances they aren't read
    pairs, _ = find_pairs(tmp_path / "set")
    assert {pair.set for pair in pairs} == {"x"}


def test_coco_annotations_of_unknown_images_and_categories_are_counted(tmp_path: Path) -> None:
    def strange(content: dict[str, Any]) -> None:
        content["annotations"][0]["image_id"] = 77
        content["annotations"][1]["category_id"] = 9

    found = find(coco(tmp_path / "some", strange))
    assert any("1 annotation(s) name images" in note and "77" in note for note in found.notes)
    (fault,) = found.faults
    assert "category 9" in fault.text and fault.pair.stem == "1"
    with pytest.raises(DataError, match="nobody is labeled"):
        find_pairs(coco(tmp_path / "all", each("image_id", lambda number: number + 100)))
    with pytest.raises(DataError, match="no annotation"):
        find_pairs(coco(tmp_path / "none", lambda content: content["annotations"].clear()))


@pytest.mark.parametrize("what", ["polygons", "boxes", "outside"])
def test_coco_figures_that_cover_no_pixel_are_a_fault(what: str, tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        for annotation in content["annotations"]:
            far = [number + 900 for number in POLYGON]
            annotation["segmentation"] = {"polygons": [SHARES], "boxes": [], "outside": [far]}[what]
            annotation["bbox"] = [0.15, 0.17, 0.31, 0.75]

    faults = check_pairs(find_pairs(coco(tmp_path / "set", change))[0]).faults
    assert len(faults) == 3
    assert all(("shares" in fault.text) == (what != "outside") for fault in faults)


def test_coco_exact_masks_that_say_crowd_are_masks(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")

    def crowds(content: dict[str, Any]) -> None:
        for annotation in content["annotations"]:
            annotation |= {"iscrowd": 1, "segmentation": run_lengths(mask("a"))}

    def one_of_cvat(content: dict[str, Any]) -> None:
        content["annotations"][0] |= {
            "iscrowd": 1, "segmentation": run_lengths(mask("a")), "attributes": {"occluded": False},
        }  # fmt: skip

    def real(content: dict[str, Any]) -> None:
        crowd = {"id": 9, "image_id": 0, "category_id": 1, "iscrowd": 1, "segmentation": run_lengths(mask("b"))}
        content["annotations"].append(crowd)

    for name, change in (("all", crowds), ("one", one_of_cvat)):
        assert people_of(coco(tmp_path / name, change)) == ["0", "1", "2"]
        sentences = check_pairs(find_pairs(tmp_path / name)[0]).rule_sentences()
        assert any("iscrowd" in sentence for sentence in sentences), "it is said"
    first = open_pair(find_pairs(coco(tmp_path / "real", real))[0][0])
    assert isinstance(first, OpenPair)
    assert np.array_equal(first.label.unsure, mask("b") & ~mask("a")), "a crowd beside people stays unsure"
