import io
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

keras = pytest.importorskip("keras")

from standout.errors import ConfigError, ModelFileError  # noqa: E402
from standout.model.backbones import efficientnet_lite0  # noqa: E402
from standout.model.weights import _fill, imagenet_arrays, load_imagenet, read_torch_file  # noqa: E402

PHOTOS = Path(__file__).parent / "photos"


@pytest.mark.slow
def test_imagenet_top_1_proves_the_port():
    from keras import layers

    backbone = efficientnet_lite0(width=1.0, output_stride=32, frozen_norm=True)
    x = layers.Conv2D(1280, 1, use_bias=False, name="head")(backbone.features)
    x = layers.ReLU(6.0)(layers.BatchNormalization(epsilon=1e-3, name="head_BN")(x))
    x = layers.Dense(1000, name="classifier")(layers.GlobalAveragePooling2D()(x))
    classifier = keras.Model(backbone.inputs, x)
    assert _fill(classifier, imagenet_arrays("efficientnet_lite0"), "wheel") == 99
    photos = np.stack([cv2.imread(str(PHOTOS / f"{name}.jpg"))[..., ::-1] for name in ("chelsea", "coffee")])
    top_1 = np.asarray(classifier(photos.astype(np.float32) / 255)).argmax(1).tolist()
    assert top_1 == [285, 967]  # Egyptian cat, espresso


def test_other_encoders_have_no_imagenet_wheel():
    with pytest.raises(ConfigError, match="efficientnet_lite0"):
        load_imagenet(keras.Sequential(), "mobilenet_v2")


def test_a_weights_file_can_run_no_code():
    class Evil:
        def __reduce__(self):
            return print, ("harm",)

    stream = io.BytesIO(pickle.dumps(Evil()))
    with pytest.raises(ModelFileError, match="not allowed"):
        read_torch_file(stream)
    with pytest.raises(ModelFileError, match="PyTorch"):
        read_torch_file(io.BytesIO(b""))
