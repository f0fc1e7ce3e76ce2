"""From a frame of any size to its alpha."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from standout.errors import ConfigError, InputError, ModelFileError
from standout.imaging.arrays import Frame
from standout.inference.model import Model, load


@pytest.fixture(params=["fixed", "symbolic"])
def model(request: pytest.FixtureRequest, model_file: Path, dynamic_model_file: Path) -> Model:
    return load(model_file if request.param == "fixed" else dynamic_model_file)


def test_the_person_is_found_where_it_is(model: Model, bright_person: Frame) -> None:
    alpha = model.alpha(bright_person)
    assert alpha.shape == (72, 96) and alpha.dtype == np.float32
    assert alpha[20:52, 34:62].min() > 0.95
    inside = np.zeros((72, 96), bool)
    inside[16:56, 30:66] = True
    assert alpha[~inside].max() < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 2), (500, 20), (64, 64), (65, 63)])
def test_any_size(model: Model, shape: tuple[int, int]) -> None:
    for value, expected in ((255, 1.0), (0, 0.0)):
        alpha = model.alpha(np.full((*shape, 3), value, np.uint8))
        assert alpha.shape == shape
        np.testing.assert_allclose(alpha, expected, atol=0.01)


def test_arrays_that_are_not_contiguous(model: Model, bright_person: Frame) -> None:
    expected = model.alpha(bright_person[:, ::-1].copy())
    np.testing.assert_array_equal(model.alpha(bright_person[:, ::-1]), expected)
    bgr = np.ascontiguousarray(bright_person[..., ::-1])
    np.testing.assert_array_equal(model.alpha(bgr[..., ::-1]), model.alpha(bright_person))
    read_only = bright_person.copy()
    read_only.flags.writeable = False
    model.alpha(read_only)


def test_nothing_but_uint8_rgb(model: Model) -> None:
    for wrong in (np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), [[1]]):
        with pytest.raises(InputError, match="uint8 RGB"):
            model.alpha(wrong)  # type: ignore[arg-type]


def test_nothing_is_stretched_to_its_own_extremes(model: Model) -> None:
    # Gray 127 is alpha 0.48 everywhere; a min-max stretch would make 0 and 1 of its noise.
    frame = np.full((80, 100, 3), 127, np.uint8)
    frame[10, 10] = 129
    alpha = model.alpha(frame)
    assert 0.4 < alpha.min() and alpha.max() < 0.56


def test_a_picture_that_is_not_square_costs_less(dynamic_model_file: Path) -> None:
    model = load(dynamic_model_file)
    assert model.network_size(1000, 1000) == (64, 64)
    assert model.network_size(1000, 400) == (64, 32)
    assert model.network_size(300, 1200) == (16, 64)
    assert model.network_size(1, 5000) == (16, 64)
    assert model.coarse(np.zeros((1000, 400, 3), np.uint8)).shape == (64, 26)


def test_without_refinement(model: Model, bright_person: Frame) -> None:
    assert model.alpha(bright_person, refine=False).shape == (72, 96)


def test_load_by_name_and_path(tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(str(model_file)).name == "tiny.onnx"
    with pytest.raises(ModelFileError, match="bundled"):
        load("no-such-model")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_bytes(model_file.read_bytes())
    assert load("mine").card.name == "tiny"


def test_the_input_size_is_the_caller_s_and_the_card_stays_what_the_file_says(dynamic_model_file: Path) -> None:
    usual, larger = load(dynamic_model_file), load(dynamic_model_file, input_size=256)
    assert larger.card == usual.card
    assert max(larger.network_size(480, 640)) == 256 and max(usual.network_size(480, 640)) == max(usual.card.input_size)
    assert larger.alpha(np.zeros((48, 64, 3), np.uint8)).shape == (48, 64)
    for wrong in (0, 5000, "big", 64.5):
        with pytest.raises(ConfigError, match="`input_size` must be a whole number from 32 to 2048"):
            load(dynamic_model_file, input_size=wrong)  # type: ignore[arg-type]
