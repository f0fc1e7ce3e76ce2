"""Scoring sets of photographs: what is averaged, what is left out, and that it is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from standout.errors import ConfigError, DataError, InputError
from standout.imaging.arrays import Alpha, Frame
from standout.workshop.score.evaluate import evaluate
from standout.workshop.score.worst import worst_sheet


def bright_is_person(frame: Frame) -> Alpha:
    """The model under test: alpha is the picture's brightness."""
    return np.asarray(frame.mean(axis=2) / 255, np.float32)


def write(folder: Path, stem: str, frame: np.ndarray, mask: np.ndarray | None) -> None:
    (folder / "images").mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / "images" / f"{stem}.png"), frame)
    if mask is not None:
        (folder / "masks").mkdir(exist_ok=True)
        cv2.imwrite(str(folder / "masks" / f"{stem}.png"), mask)


def person(top: int = 10, left: int = 10, height: int = 30, width: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """A bright rectangle on black, 64 × 64, and its mask."""
    frame, mask = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8)
    frame[top : top + height, left : left + width] = 255
    mask[top : top + height, left : left + width] = 255
    return frame, mask


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """`people` with a perfect and a half-found person, `nobody` with one quiet photo and one with false people."""
    write(tmp_path / "people", "whole", *person())
    frame, mask = person()
    frame[25:] = 0  # the lower half is dark: 15 of 30 rows found
    write(tmp_path / "people", "half", frame, mask)
    write(tmp_path / "nobody", "quiet", np.zeros((64, 64, 3), np.uint8), None)
    write(tmp_path / "nobody", "ghost", person(0, 0, 8, 8)[0], None)
    return tmp_path


def test_each_set_is_scored_by_itself_and_nobody_never_enters_the_mean_iou(sets: Path) -> None:
    report = evaluate(bright_is_person, sets)
    people, nobody = report.sets["people"], report.sets["nobody"]
    assert people.iou is not None and people.iou.value == pytest.approx(0.75)  # 1.0 and 0.5
    assert people.dice is not None and people.dice.value == pytest.approx((1 + 2 / 3) / 2)
    assert people.mae is not None and people.mae.value == pytest.approx(15 * 20 / 64 / 64 / 2)
    assert people.false_people is None
    assert nobody.iou is None and nobody.nobody == 2
    assert nobody.false_people is not None and nobody.false_people.value == 0.5


def test_a_single_set_and_a_csv_of_pairs_are_read_too(sets: Path) -> None:
    assert list(evaluate(bright_is_person, sets / "people").sets) == ["people"]
    (sets / "pairs.csv").write_text("image,mask\npeople/images/whole.png,people/masks/whole.png\n")
    assert [p.iou for p in evaluate(bright_is_person, sets / "pairs.csv").photos] == [1.0]


def test_bad_pairs_are_named_and_left_out(sets: Path) -> None:
    write(sets / "people", "small", person()[0], np.zeros((32, 32), np.uint8))
    write(sets / "people", "torn", *person())
    (sets / "people" / "images" / "torn.png").write_bytes(b"\x89PNG torn")
    (sets / "people" / "masks" / "half.png").unlink()
    report = evaluate(bright_is_person, sets)
    assert {(f.pair.stem, f.kind) for f in report.left_out} == {
        ("small", "sizes differ"), ("torn", "unreadable"), ("half", "no mask"),
    }  # fmt: skip
    assert report.sets["people"].photos == 1


def test_an_empty_mask_counts_as_nobody_and_is_said(sets: Path) -> None:
    write(sets / "people", "empty", np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8))
    report = evaluate(bright_is_person, sets)
    people = report.sets["people"]
    assert people.with_people == 2 and people.nobody == 1
    assert people.false_people is not None and people.false_people.value == 0.0
    assert any("people/empty" in note for note in report.notes)


def test_nothing_usable_is_an_error_that_names_the_first_fault(tmp_path: Path) -> None:
    write(tmp_path, "small", person()[0], np.zeros((32, 32), np.uint8))
    with pytest.raises(DataError, match=r"1 were left out.*64×64.*32×32"):
        evaluate(bright_is_person, tmp_path)


def test_what_is_no_alpha_of_the_photo_is_refused(sets: Path) -> None:
    with pytest.raises(InputError, match=r"half\.png"):
        evaluate(lambda frame: np.zeros((8, 8), np.float32), sets / "people")
    with pytest.raises(ConfigError, match="threshold"):
        evaluate(bright_is_person, sets, threshold=0)


def test_scores_by_size_and_by_number_of_figures(tmp_path: Path) -> None:
    write(tmp_path, "large", *person(2, 2, 60, 60))
    write(tmp_path, "tiny", *person(10, 10, 6, 6))
    frame, mask = person(5, 5, 40, 10)
    frame[5:45, 40:50], mask[5:45, 40:50] = 255, 255
    write(tmp_path, "two", frame, mask)
    report = evaluate(bright_is_person, tmp_path)
    assert {name: score.photos for name, score in report.by_size().items()} == {
        "under 1 %": 1, "5-20 %": 1, "over 50 %": 1,
    }  # fmt: skip
    assert {name: score.photos for name, score in report.by_figures().items()} == {"1": 2, "2": 1}


def test_calibration_finds_the_better_threshold(tmp_path: Path) -> None:
    for index in range(6):
        frame, mask = person(10 + index, 10)
        frame[frame > 0] = 115  # alpha 0.45: nothing is found at 0.5
        write(tmp_path, f"dim{index}", frame, mask)
    report = evaluate(bright_is_person, tmp_path, calibrate=True)
    by_threshold = {row.threshold: row.iou.value for row in report.calibration() if row.iou}
    assert by_threshold[0.5] == 0.0 and by_threshold[0.3] == 1.0
    assert "beyond the noise" in report.calibration_verdict()
    assert evaluate(bright_is_person, tmp_path).calibration() == []


def test_json_and_csv_hold_every_photo(sets: Path) -> None:
    report = evaluate(bright_is_person, sets, calibrate=True)
    body = json.loads(report.to_json(model="bright"))
    assert body["sets"]["people"]["person_iou"][0] == 0.75
    assert [row["stem"] for row in body["photos"]] == ["ghost", "quiet", "half", "whole"]
    rows = list(csv.DictReader(report.to_csv().splitlines()))
    assert float(rows[2]["person_iou"]) == 0.5


def test_the_worst_come_first_and_fit_on_a_sheet(sets: Path) -> None:
    report = evaluate(bright_is_person, sets)
    assert [photo.stem for photo in report.worst(2)] == ["half", "ghost"]
    sheet = worst_sheet(report, bright_is_person, 2)
    missed = (sheet[..., 0] > 100) & (sheet[..., 2] < 80) & (sheet[..., 1] < 80)
    assert missed.sum() > 1000  # the half that was not found is red


def test_see_through_people_and_haze_are_told_where_iou_sees_nothing(tmp_path: Path) -> None:
    frame, mask = person(8, 8, 48, 40)
    frame[24:40, 20:36] = 150  # alpha 0.59: still person at 0.5
    frame[:, 62:] = 80  # alpha 0.31, far from anybody
    write(tmp_path / "people", "thin", frame, mask)
    report = evaluate(bright_is_person, tmp_path)
    score = report.sets["people"]
    assert score.iou is not None and score.iou.value == 1
    assert score.lost is not None and score.lost.value == pytest.approx(16 * 16 / (36 * 28), rel=0.05)
    assert score.holes is not None and score.holes.value == 1
    assert score.haze is not None and score.haze.value == 1
    row = report.photos[0].row()
    assert row["lost"] == pytest.approx(score.lost.value, abs=1e-4) and row["haze"] > 0.01
    assert json.loads(report.to_json())["sets"]["people"]["holes"][0] == 1


def test_what_users_get_is_scored_beside_what_the_network_says(tmp_path: Path) -> None:
    frame, mask = person(5, 5, 55, 45)
    write(tmp_path / "people", "a", frame, mask)

    def hazy(photo: Frame) -> Alpha:
        return np.where(bright_is_person(photo) > 0.5, 0.85, 0.15).astype(np.float32)

    (score,) = evaluate(hazy, tmp_path).photos
    assert score.solidity.lost == score.solidity.haze == 0 and score.mae < 0.02
    assert score.raw_solidity.lost == 1 and score.raw_solidity.haze == 1
    assert score.loss > 0.1 - 1, "the loss is the network's"
    (own,) = evaluate(hazy, tmp_path, clean=False).photos
    assert own.solidity.lost == 1 and own.mae == pytest.approx(0.15, abs=0.01)
    told = evaluate(hazy, tmp_path).sets["people"].as_json()
    assert told["lost"][0] == 0 and told["raw_lost"][0] == 1
