"""Only our models are run, and whatever else is given gets one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fakes import tiny_card, tiny_model
from standout.errors import ConfigError, ModelFileError
from standout.inference.session import Session, thread_count
from standout.model_card import METADATA_KEY


def foreign(path: Path, *, card: bool = True, kind: int = TensorProto.UINT8, shape: tuple[int, ...] = (1, 64, 64, 3)):
    graph = helper.make_graph(
        [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)],
        "foreign",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    if card:
        helper.set_model_props(model, {METADATA_KEY: tiny_card().to_json()})
    onnx.save(model, str(path))
    return path


def test_a_model_says_what_it_is(model_file: Path) -> None:
    session = Session(model_file)
    assert session.card == tiny_card() and session.size_hw == (64, 64)
    assert session.providers == ("CPUExecutionProvider",)
    alpha = session.run(np.full((1, 64, 64, 3), 255, np.uint8))
    assert alpha.shape == (1, 64, 64) and alpha.dtype == np.float32 and alpha.min() > 0.999


def test_symbolic_sizes(dynamic_model_file: Path) -> None:
    session = Session(dynamic_model_file)
    assert session.size_hw is None and session.run(np.zeros((1, 32, 48, 3), np.uint8)).shape == (1, 32, 48)


def test_files_that_are_none(tmp_path: Path, model_file: Path) -> None:
    (tmp_path / "text.onnx").write_text("not a model")
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "half.onnx").write_bytes(model_file.read_bytes()[:200])
    for path, words in {
        tmp_path / "none.onnx": "no model file",
        tmp_path: "folder",
        tmp_path / "text.onnx": "not an ONNX file",
        tmp_path / "empty.onnx": "not an ONNX file",
        tmp_path / "half.onnx": "not an ONNX file",
        foreign(tmp_path / "a.onnx", card=False): "no model card",
        foreign(tmp_path / "b.onnx", kind=TensorProto.FLOAT): "its input is",
        foreign(tmp_path / "c.onnx", shape=(1, 3, 64, 64)): "its input is",
        foreign(tmp_path / "d.onnx"): "its output is",
    }.items():
        with pytest.raises(ModelFileError, match=words) as caught:
            Session(path)
        assert "\n" not in str(caught.value)


def test_what_a_file_lacks_is_said(tmp_path: Path, model_file: Path) -> None:
    (tmp_path / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 4000000\n")
    newer = onnx.load(str(model_file))
    newer.ir_version = 99
    onnx.save(newer, str(tmp_path / "ir.onnx"))
    newer.ir_version = 8
    newer.opset_import[0].version = 99
    onnx.save(newer, str(tmp_path / "opset.onnx"))
    apart = onnx.load(str(foreign(tmp_path / "whole.onnx")))
    apart.graph.node[0].output[0] = "cast"
    apart.graph.node.append(helper.make_node("Mul", ["cast", "w"], ["y"]))
    apart.graph.initializer.append(numpy_helper.from_array(np.ones((64, 64, 3), np.float32), "w"))
    where = tmp_path / "apart.onnx"
    onnx.save(apart, str(where), save_as_external_data=True, size_threshold=0, location="weights.bin")
    newer_than = "newer than the onnxruntime"
    for name, words in {
        "pointer": "git lfs pull",
        "ir": newer_than,
        "opset": newer_than,
        "apart": "weights in another file",
    }.items():
        with pytest.raises(ModelFileError, match=words) as caught:
            Session(tmp_path / f"{name}.onnx")
        assert "\n" not in str(caught.value)


def test_a_card_that_contradicts_its_graph(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "m.onnx", (32, 32))
    model = onnx.load(str(path))
    helper.set_model_props(model, {METADATA_KEY: tiny_card((64, 64)).to_json()})
    onnx.save(model, str(path))
    with pytest.raises(ModelFileError, match="card says"):
        Session(path)


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STANDOUT_THREADS", raising=False)
    assert 1 <= thread_count() <= 4 and thread_count(7) == 7
    monkeypatch.setenv("STANDOUT_THREADS", "3")
    assert thread_count() == 3 and thread_count(1) == 1
    monkeypatch.setenv("STANDOUT_THREADS", "many")
    with pytest.raises(ConfigError, match="STANDOUT_THREADS"):
        thread_count()
    with pytest.raises(ConfigError, match="`threads`"):
        thread_count(0)
