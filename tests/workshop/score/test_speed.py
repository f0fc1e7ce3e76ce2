"""Timing, and a comparison that is not fooled by noise."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fakes import tiny_model
from kits import write_pairs
from standout.cli import run
from standout.cli.info import _score_line
from standout.errors import InputError
from standout.workshop.score.speed import batch_call, compare, sample_frame, time_cases


def _result(scale: float, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    rounds = [(scale * (100 + rng.normal(0, 3) + rng.gamma(1, 3, 8))).tolist() for _ in range(5)]
    return {"runs": [{"case": "512×512", "rounds_ms": rounds}]}


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "verdict"), [(1.0, "same"), (1.01, "same"), (1.3, "slower"), (0.7, "faster")])
def test_the_verdict_takes_the_noise_into_account(scale: float, verdict: str) -> None:
    (difference,) = compare(_result(1.0, 1), _result(scale, 2))
    assert difference.verdict == verdict
    assert difference.ratio.value == pytest.approx(scale, abs=0.06)


@pytest.mark.slow
def test_the_same_machine_measured_again_is_hardly_ever_called_different() -> None:
    verdicts = [compare(_result(1.0, seed), _result(1.0, seed + 1000))[0].verdict for seed in range(60)]
    assert verdicts.count("same") >= 58


def test_too_few_rounds_are_no_proof_that_nothing_differs() -> None:
    before, after = _result(1.0, 1), _result(7.0, 2)
    after["runs"][0]["rounds_ms"] = after["runs"][0]["rounds_ms"][:3]
    assert compare(before, after)[0].verdict == "unknown"


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(InputError, match="runs"):
        compare({}, _result(1, 1))
    with pytest.raises(InputError, match="no case in common"):
        compare(_result(1, 1), {"runs": [{"case": "other", "rounds_ms": [[1.0]]}]})


def test_times_are_milliseconds_per_picture_in_rounds() -> None:
    timing = time_cases({"nap": lambda: time.sleep(0.004)}, rounds=3, repeats=2, images={"nap": 2})["nap"]
    assert [len(block) for block in timing.rounds] == [2, 2, 2]
    assert 2.0 <= timing.median <= timing.p95 < 50


def test_a_batch_predicts_each_of_its_pictures() -> None:
    seen: list[int] = []
    frames = [sample_frame(20, 30), sample_frame(24, 30)]
    with ThreadPoolExecutor(2) as pool:
        batch_call(lambda frame: seen.append(frame.shape[0]), frames, pool)()
    assert sorted(seen) == [20, 24]


@pytest.mark.slow
def test_the_command_measures_writes_and_compares(tmp_path: Path, capsys) -> None:
    model, first = str(tiny_model(tmp_path / "m.onnx")), tmp_path / "a.json"
    few = ["--size", "64x48", "--threads", "1", "--rounds", "5", "--repeats", "2", "--batch", "1", "--batch", "2"]
    assert run(["benchmark", "-m", model, *few, "--json", str(first), "--plot", str(tmp_path / "a.png")]) == 0
    result = json.loads(first.read_text())
    assert [r["batch"] for r in result["runs"]] == [1, 1, 2]
    assert all(0 < r["median_ms"] <= r["p95_ms"] for r in result["runs"])
    assert result["start"]["load_ms"] > 0 and result["start"]["peak_mb"] > 20
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert run(["benchmark", "--compare", str(first), str(first)]) == 0
    assert "same in 3" in capsys.readouterr().out
    slower = result | {"standout": "0.0.9", "runs": [r | {"rounds_ms": [[9 * t for t in b] for b in r["rounds_ms"]]}
                                                     for r in result["runs"]]}  # fmt: skip
    (tmp_path / "b.json").write_text(json.dumps(slower))
    files = ["--json", str(tmp_path / "c.json"), "--plot", str(tmp_path / "c.png")]
    assert run(["benchmark", "--compare", str(first), str(tmp_path / "b.json"), *files]) == 0
    compared = json.loads((tmp_path / "c.json").read_text())
    assert [case["ratio"][0] for case in compared["cases"]] == pytest.approx([9, 9, 9], rel=0.01)
    assert compared["also_differs"] == [f"standout: {result['standout']}, now 0.0.9"]
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert run(["benchmark", "-m", model, "--size", "64"]) == 2
    assert "WIDTHxHEIGHT" in capsys.readouterr().err


def test_what_would_fail_at_the_end_is_told_before_anything_is_measured(tmp_path: Path, capsys) -> None:
    model = str(tiny_model(tmp_path / "m.onnx"))
    for wrong in (["--json", "no/folder/a.json"], ["--plot", "a.gif"], ["--data", str(tmp_path / "none")]):
        assert run(["benchmark", "-m", model, "--rounds", "1000000", *wrong]) == 2
        assert wrong[1].split("/")[0] in capsys.readouterr().err


def test_quality_on_a_data_set_is_part_of_the_result(tmp_path: Path, capsys) -> None:
    write_pairs(tmp_path / "people", 4)
    model = str(tiny_model(tmp_path / "m.onnx"))
    few = ["--size", "64x64", "--threads", "1", "--rounds", "2", "--repeats", "1"]
    wanted = ["--data", str(tmp_path / "people"), "--json", str(tmp_path / "a.json")]
    assert run(["benchmark", "-m", model, *few, *wanted]) == 0
    quality = json.loads((tmp_path / "a.json").read_text())["data"]
    # The stand-in finds whoever is bright, and these people are.
    assert quality["photos"] == 4 and quality["binary_iou"] > 0.9 and -1 <= quality["bce_dice"] < -0.8
    assert "BinaryIoU" in capsys.readouterr().out


@pytest.mark.slow
def test_info_tells_the_card_the_providers_and_what_the_extras_miss(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("standout.cli.info._training_devices", lambda: (None, ""))  # seconds of TensorFlow
    model = str(tiny_model(tmp_path / "m.onnx"))
    assert run(["info", "-m", model, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["models"][model]["card"]["encoder"] == "brightness"
    assert facts["models"][model]["providers"] == ["CPUExecutionProvider"]
    assert "train" in facts["missing_for_extra"]
    assert run(["info", "-m", model]) == 0
    text = capsys.readouterr().out
    assert "[train]" in text and "TensorFlow is not installed" in text


def test_scores_are_told_with_their_interval_and_the_number_of_photographs() -> None:
    scores = {"ms": 12.0, "person_iou": [0.7361, 0.6869, 0.7807], "boundary_f": None, "photos": 90}
    assert _score_line(scores) == "person IoU 0.736 (0.687 … 0.781), 90 photographs"
    assert _score_line({"person_iou": 0.8351}) == "person IoU 0.835"
