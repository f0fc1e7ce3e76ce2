"""The chain that makes the bundled models runs as one piece."""

import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import standout
from kits import needs_tensorflow, write_nobody, write_pairs

pytestmark = needs_tensorflow

SCRIPT = Path(__file__).parents[2] / "recipes" / "bundled.py"


def load_script():
    spec = importlib.util.spec_from_file_location("bundled_recipe", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_grown_layer_keeps_what_it_knew_and_new_ones_stay():
    trained = {"a": np.full((1, 1, 3, 2), 4.0), "new": np.ones(2)}
    start = {"a": np.full((1, 1, 2, 2), 2.0)}
    mean = load_script().averaged(trained, start, 0.5)
    assert (mean["a"][..., :2, :] == 3).all() and (mean["a"][..., 2:, :] == 2).all()
    assert (mean["new"] == 1).all()


@pytest.mark.slow
def test_the_whole_chain_makes_both_models_and_their_scores(tmp_path):
    settings = tomllib.loads((SCRIPT.parent / "photo.toml").read_text("utf-8"))
    for name in settings["data"]["weights_by_set"]:
        write_pairs(tmp_path / "data" / name, 2)
    write_nobody(tmp_path / "data" / "nobody", 3)
    write_pairs(tmp_path / "val" / "people", 3)
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "data", tmp_path / "out", "--val", tmp_path / "val", "--tiny"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "logits × " in done.stdout
    for name in ("photo", "live"):
        model = standout.load(tmp_path / "out" / f"{name}.onnx")
        scores = json.loads((tmp_path / "out" / f"{name}-scores.json").read_text("utf-8"))
        assert model.card.name == name
        assert model.card.scores["people"] == scores["sets"]["people"]
    assert len(standout.load(tmp_path / "out" / "photo.onnx").card.scales) == 2


def test_the_temperature_changes_the_logits_alone():
    values = load_script().scaled({"logits/kernel": np.ones(2), "logits/bias": np.ones(1), "a/kernel": np.ones(2)}, 3.0)
    assert (values["logits/kernel"] == 3).all() and (values["logits/bias"] == 3).all()
    assert (values["a/kernel"] == 1).all()
