"""ImageNet's weights: read from the file that was looked at and from no other, and right in our encoder."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import pickle
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PHOTOS = Path(__file__).parents[1] / "photos"


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("imagenet", Path(__file__).parents[2] / "recipes/imagenet.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_imagenet_top_1_proves_the_port(recipe: ModuleType) -> None:
    keras = pytest.importorskip("keras")
    cv2 = pytest.importorskip("cv2")
    try:
        importlib.metadata.version(recipe.WHEEL)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{recipe.WHEEL} is not installed")
    from standout.workshop.model.backbones import efficientnet_lite0
    from standout.workshop.model.weights import _fill

    backbone = efficientnet_lite0(width=1.0, output_stride=32)
    x = keras.layers.Conv2D(1280, 1, use_bias=False, name="head")(backbone.features)
    x = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization(epsilon=1e-3, name="head_BN")(x))
    x = keras.layers.Dense(1000, name="classifier")(keras.layers.GlobalAveragePooling2D()(x))
    classifier = keras.Model(backbone.inputs, x)
    assert _fill(classifier, recipe.imagenet_arrays(recipe.wheel_file().read_bytes()), "wheel") == 99
    photos = np.stack([cv2.imread(str(PHOTOS / f"{name}.jpg"))[..., ::-1] for name in ("chelsea", "coffee")])
    top_1 = np.asarray(classifier(photos.astype(np.float32) / 255)).argmax(1).tolist()
    assert top_1 == [285, 967]  # Egyptian cat, espresso


def test_only_the_file_that_was_looked_at_is_unpickled(recipe: ModuleType) -> None:
    with pytest.raises(ValueError, match="SHA-256 differs"):
        recipe.imagenet_arrays(b"another file")


def test_a_pickle_can_call_nothing(recipe: ModuleType) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return print, ("harm",)

    with pytest.raises(pickle.UnpicklingError, match="not allowed"):
        recipe.read_tensors(io.BytesIO(pickle.dumps(Evil())))


def test_a_tensor_reaches_no_further_than_its_storage(recipe: ModuleType) -> None:
    storage = np.zeros(4, np.float32)
    with pytest.raises((ValueError, TypeError)):
        recipe._Tensor(("storage", "<f4", "0"), 0, (1 << 22,), (1,)).array(storage)


def test_the_package_reads_no_pickle_of_a_file() -> None:
    # Pickles travel between a pool and its own workers, and from a cluster's driver to its nodes; none lies in a file.
    source = Path(__file__).parents[2] / "src/standout"
    texts = {file: file.read_text("utf-8") for file in source.rglob("*.py")}
    assert {file.parent.name for file, text in texts.items() if "import pickle" in text} == {"work", "cluster"}
    assert not any("pickle.load(" in text for text in texts.values())
