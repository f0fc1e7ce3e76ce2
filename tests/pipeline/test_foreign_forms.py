"""What users of other tools pass is taken, or one sentence says why not."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import standout
from standout.errors import StandoutError
from standout.imaging.arrays import Frame


def test_a_model_is_loaded_from_its_bytes_and_from_an_open_file(model_file: Path, bright_person: Frame) -> None:
    expected = standout.load(model_file).alpha(bright_person)
    for source in (model_file.read_bytes(), bytearray(model_file.read_bytes()), io.BytesIO(model_file.read_bytes())):
        assert np.array_equal(standout.load(source).alpha(bright_person), expected)  # type: ignore[arg-type]
    with model_file.open("rb") as stream:
        assert standout.load(stream).name == model_file.name


def test_a_model_can_be_pickled(model_file: Path, bright_person: Frame, tmp_path: Path) -> None:
    moved = tmp_path / "moved.onnx"
    moved.write_bytes(model_file.read_bytes())
    model = standout.load(moved, threads=1)
    data = pickle.dumps(model)
    moved.unlink()  # it arrives whole where the file is not
    again = pickle.loads(data)
    assert again.name == "moved.onnx" and again.card == model.card
    assert np.array_equal(again.alpha(bright_person), model.alpha(bright_person))


DEVICES = [
    "CPUExecutionProvider", ["CPUExecutionProvider"], ("CPUExecutionProvider",), [("CPUExecutionProvider", {})],
    ["NoSuchExecutionProvider", "CPUExecutionProvider"][1:], ["CUDAExecutionProvider", "CPUExecutionProvider"],
    [("CUDAExecutionProvider", {"device_id": 0}), "CPUExecutionProvider"], None,
]  # fmt: skip


@pytest.mark.parametrize("device", DEVICES, ids=repr)
def test_the_forms_of_onnxruntime_name_a_device(device: Any, model_file: Path) -> None:
    assert standout.load(model_file, device=device).device in ("cpu", "cuda")


WRONG = [
    lambda file: standout.load(b"x" * 1_000_000),
    lambda file: standout.load(""),
    lambda file: standout.load(None),  # type: ignore[arg-type]
    lambda file: standout.load(io.StringIO("text")),  # type: ignore[arg-type]
    lambda file: standout.load(file, device=("CPUExecutionProvider", {"arena": 1})),
    lambda file: standout.load(file, device=[]),
    lambda file: standout.load(file, device=3),  # type: ignore[arg-type]
    lambda file: standout.cut_out(io.StringIO("text"), model=file),  # type: ignore[call-overload]
    lambda file: standout.cut_out(np.full((8, 8, 3), 200.0), model=file),
    lambda file: standout.cut_out(np.full((8, 8, 3), np.nan), model=file),
    lambda file: standout.cut_out(np.zeros((8, 8, 2), np.uint8), model=file),
    lambda file: standout.cut_out(np.zeros((8, 8, 3), np.uint8), model=file, background=(256, 0, 0)),
    lambda file: standout.cut_out(np.zeros((8, 8, 3), np.uint8), model=file, background=(1.0, 0, 0)),  # type: ignore[arg-type]
    lambda file: standout.cut_out(np.zeros((8, 8, 3), np.uint8), model=file, background=(1, 2)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("call", WRONG)
def test_what_cannot_be_meant_is_one_short_sentence(call: Any, model_file: Path) -> None:
    with pytest.raises(StandoutError) as caught:
        call(model_file)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_kept_with_16_bits(dtype: type, model_file: Path, bright_person: Frame) -> None:
    result = standout.cut_out((bright_person / 255).astype(dtype), model=model_file)
    plain = standout.cut_out(bright_person, model=model_file)
    assert result.pixels.dtype == np.uint16 and result.pixels.shape == plain.pixels.shape
    assert np.abs(result.pixels / 65535 - plain.pixels / 255).max() < 0.01


def test_gray_with_a_channel_of_its_own(model_file: Path, bright_person: Frame) -> None:
    gray = bright_person[..., 1]
    assert np.array_equal(standout.cut_out(gray[..., None], model=model_file), standout.cut_out(gray, model=model_file))


@pytest.mark.parametrize("color", [(255, 0, 0), [255, 0, 0], (np.uint8(255), np.int64(0), 0)])
def test_a_background_of_three_numbers(color: Any, model_file: Path, bright_person: Frame) -> None:
    expected = standout.cut_out(bright_person, model=model_file, background="#ff0000")
    assert np.array_equal(standout.cut_out(bright_person, model=model_file, background=color), expected)
