"""int8 from a network that knows something: the bundled `photo`, whose Keras weights the repository holds."""

import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import standout
from kits import needs_tensorflow
from standout.errors import DataError, ModelFileError
from standout.imaging.decode import read
from standout.imaging.encode import encode
from standout.model_card import ModelCard
from standout.workshop.config import load_config

pytestmark = needs_tensorflow

ROOT = Path(__file__).parents[3]
SIZE = (256, 256)


@pytest.fixture(scope="module")
def astronaut():
    return read(str(files("standout") / "assets" / "astronaut.jpg")).frame


@pytest.fixture(scope="module")
def photos(tmp_path_factory, astronaut):
    """A folder of pairs: the astronaut, and nobody."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("people/images", "people/masks", "nobody/images"):
        (folder / name).mkdir(parents=True)
    (folder / "people/images/a.png").write_bytes(encode(astronaut))
    (folder / "people/masks/a.png").write_bytes(encode(np.full(astronaut.shape[:2], 255, np.uint8)))
    for name in ("chelsea", "coffee"):
        shutil.copy(ROOT / "tests" / "photos" / f"{name}.jpg", folder / "nobody/images")
    return folder


@pytest.fixture(scope="module")
def proto():
    from standout.workshop.export.onnx import to_onnx
    from standout.workshop.model.deeplab import build_deeplab

    model = build_deeplab(load_config(ROOT / "recipes" / "photo.toml").model)
    model.load_weights(ROOT / "weights" / "photo.weights.h5")
    return to_onnx(model, ModelCard(name="small", input_size=SIZE, multiple=32, precision="int8"))


def test_int8_is_small_and_says_almost_the_same(proto, photos, astronaut, tmp_path):
    from standout.workshop.export import quantize as q
    from standout.workshop.export.onnx import save_onnx

    result, changed = q.quantize(proto, photos, SIZE)
    assert 0 < changed < q.TOLERANCE
    save_onnx(proto, tmp_path / "float.onnx")
    save_onnx(result, tmp_path / "int8.onnx")
    assert (tmp_path / "int8.onnx").stat().st_size < 0.5 * (tmp_path / "float.onnx").stat().st_size
    before, after = standout.load(tmp_path / "float.onnx"), standout.load(tmp_path / "int8.onnx")
    assert after.card == before.card
    wide = np.ascontiguousarray(astronaut[:300])  # another size than the calibration's
    for frame in (astronaut, wide):
        assert np.abs(after.alpha(frame) - before.alpha(frame)).mean() < 0.02


def test_logits_stay_float(proto, photos):
    from standout.workshop.export import quantize as q

    result, _ = q.quantize(proto, photos, SIZE)
    (logits,) = [node for node in result.graph.node if node.name == "logits"]
    kernels = {tensor.name: tensor.data_type for tensor in result.graph.initializer}
    assert kernels[logits.input[1]] == 1  # FLOAT


def test_a_model_that_int8_changes_is_refused(proto, photos, monkeypatch):
    from standout.workshop.export import quantize as q

    monkeypatch.setattr(q, "TOLERANCE", 0.0)
    with pytest.raises(ModelFileError, match="without --int8"):
        q.quantize(proto, photos, SIZE)


def test_it_needs_photographs(proto, tmp_path):
    from standout.workshop.export import quantize as q

    with pytest.raises(DataError):
        q.quantize(proto, tmp_path, SIZE)
