"""`standout evaluate` from the command line, with a stand-in model in which whoever is bright is a person."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fakes import tiny_model
from standout.cli import run


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    for name in ("people", "nobody"):
        (tmp_path / "val" / name / "images").mkdir(parents=True)
    (tmp_path / "val" / "people" / "masks").mkdir()
    for index in range(3):
        mask = np.zeros((64, 64), np.uint8)
        mask[10:50, 10 + index : 40] = 255
        cv2.imwrite(str(tmp_path / "val" / "people" / "masks" / f"p{index}.png"), mask)
        cv2.imwrite(str(tmp_path / "val" / "people" / "images" / f"p{index}.png"), mask)
        cv2.imwrite(str(tmp_path / "val" / "nobody" / "images" / f"n{index}.png"), mask * (index == 0))
    return tmp_path / "val"


def test_scores_are_printed_per_set_and_written(sets: Path, tmp_path: Path, capsys) -> None:
    model = str(tiny_model(tmp_path / "m.onnx"))
    files = {name: tmp_path / f"out.{name}" for name in ("json", "csv", "png")}
    words = ["--json", str(files["json"]), "--csv", str(files["csv"]), "--worst", str(files["png"]), "--calibrate"]
    assert run(["evaluate", str(sets), "--model", model, *words]) == 0
    out = capsys.readouterr().out
    assert "people" in out and "33.3%" in out and "threshold" in out
    body = json.loads(files["json"].read_text())
    assert body["sets"]["people"]["person_iou"][0] > 0.95
    assert body["sets"]["nobody"]["false_people"][0] == pytest.approx(1 / 3, abs=1e-4)
    assert len(list(csv.DictReader(files["csv"].read_text().splitlines()))) == 6
    assert cv2.imread(str(files["png"])) is not None


def test_a_bad_pair_is_named_and_the_command_exits_with_1(sets: Path, tmp_path: Path, capsys) -> None:
    cv2.imwrite(str(sets / "people" / "masks" / "p1.png"), np.zeros((32, 32), np.uint8))
    assert run(["evaluate", str(sets), "-m", str(tiny_model(tmp_path / "m.onnx"))]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "Left out, 1 bad" in out and "sizes differ: p1.png: the image is 64×64, its mask 32×32" in out


def test_a_missing_folder_is_one_sentence_and_nothing_is_written(tmp_path: Path, capsys) -> None:
    model = str(tiny_model(tmp_path / "m.onnx"))
    assert run(["evaluate", str(tmp_path / "none"), "-m", model, "--json", str(tmp_path / "o.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "o.json").exists()
