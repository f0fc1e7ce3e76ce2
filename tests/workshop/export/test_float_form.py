"""`standout export --float`: an int8 model as a float32 file that is a Standout model like any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from standout.cli.export import export
from standout.errors import ConfigError, ModelFileError
from standout.inference.dequantize import is_quantized
from standout.inference.model import load
from standout.workshop.export.float_form import write_float


def test_a_bundled_model_becomes_a_float_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "live-float.onnx"
    export(Path("live"), target, as_float=True)
    assert "million weights in float32" in capsys.readouterr().out
    assert not is_quantized(target.read_bytes())
    before, after = load("live", device="cpu"), load(target, device="cpu")
    assert after.card.precision == "float32" and after.card.limits == before.card.limits
    frame = np.full((64, 64, 3), 120, np.uint8)
    assert np.abs(before.coarse(frame) - after.coarse(frame)).mean() < 0.05


def test_what_is_no_model_is_one_sentence_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    for source in ("none", str(tmp_path / "text.onnx"), str(tmp_path / "absent.onnx")):
        with pytest.raises(ModelFileError):
            write_float(source, tmp_path / "out.onnx")
    with pytest.raises(ConfigError, match=r"\.onnx"):
        write_float("live", tmp_path / "out.txt")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["text.onnx"]


def test_it_excludes_int8_and_web(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--float and --web exclude each other"):
        export(Path("live"), tmp_path / "out.onnx", as_float=True, web=True)
