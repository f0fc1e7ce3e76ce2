"""A model for browsers: the same alpha, float arithmetic, a small file, no TensorFlow."""

from __future__ import annotations

import importlib.resources
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import standout
from standout.cli import run
from standout.errors import ConfigError, ModelFileError

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def bundled() -> bytes:
    return (importlib.resources.files("standout") / "assets" / "live.onnx").read_bytes()


def test_it_computes_in_float_and_stores_few_bits(bundled: bytes) -> None:
    from standout.workshop.export.web import to_web

    proto = to_web(bundled).proto
    kinds = {node.op_type for node in proto.graph.node}
    assert not kinds & {"QuantizeLinear", "DequantizeLinear"}
    large = [one for one in proto.graph.initializer if np.prod(one.dims) > 1000]
    assert large and {one.data_type for one in large} == {onnx.TensorProto.INT8}
    assert len(proto.SerializeToString()) < 1.1 * len(bundled)


@pytest.mark.slow
def test_its_alpha_is_that_of_the_model_it_was_made_of(bundled: bytes, tmp_path: Path) -> None:
    from standout.workshop.export.web import write_web

    output = tmp_path / "live.onnx"
    written = write_web("live", output)
    assert written.difference < 0.01
    rng = np.random.default_rng(0)
    frame = np.kron(rng.integers(0, 256, (8, 8, 3), np.uint8), np.ones((32, 32, 1), np.uint8))
    before, after = (standout.load(model).alpha(frame) for model in ("live", output))
    assert float(np.abs(before - after).mean()) < 0.01
    assert json.loads(output.with_suffix(".json").read_text("utf-8"))["input_size"] == list(
        standout.load("live").card.input_size
    )


def test_float_models_are_stored_in_the_bits_that_were_asked_for(model_file: Path, tmp_path: Path) -> None:
    from standout.workshop.export.web import to_web

    for storage in ("int8", "float16"):
        assert to_web(model_file, storage=storage).difference < 0.02
    with pytest.raises(ConfigError, match="int8, float16"):
        to_web(model_file, storage="int4")


def test_the_command_takes_a_bundled_name_and_imports_no_tensorflow(tmp_path: Path) -> None:
    before = "tensorflow" in sys.modules
    assert run(["export", "live", "--web", "--output", str(tmp_path / "web.onnx")]) == 0
    assert ("tensorflow" in sys.modules) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["web.json", "web.onnx"]


def test_what_is_no_model_is_one_sentence_and_writes_nothing(tmp_path: Path) -> None:
    from standout.workshop.export.web import write_web

    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\xff\x00no model")
    with pytest.raises(ModelFileError, match="standout export"):
        write_web(broken, tmp_path / "web.onnx")
    with pytest.raises(ModelFileError, match="bundled one"):
        write_web("lvie", tmp_path / "web.onnx")
    with pytest.raises(ConfigError, match=r"\.onnx"):
        write_web("live", tmp_path / "web.bin")
    assert [file.name for file in tmp_path.iterdir()] == ["broken.onnx"]


def test_the_committed_web_models_are_those_of_the_bundled_ones() -> None:
    """`make web-models` was run since the bundled models changed."""
    models = Path(__file__).parents[3] / "web" / "models"
    for name in ("photo", "live"):
        card = json.loads((models / f"{name}.json").read_text("utf-8"))
        del card["constants"]  # tests/workshop/export/test_browser_constants.py
        assert card == json.loads(standout.load(name).card.to_json()), f"run `make web-models`: {name} is another model"
