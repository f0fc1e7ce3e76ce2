import numpy as np
import pytest

from kits import needs_tensorflow
from standout.errors import ConfigError, ModelFileError
from standout.model_card import ModelCard
from standout.workshop.config import ModelOptions

pytestmark = needs_tensorflow

SMALL = {"aspp_channels": 8, "decoder_channels": 8, "low_level_channels": 4}
KIT = [
    ModelOptions(encoder="mobilenet_v2", width=0.35, **SMALL),
    ModelOptions(encoder="mobilenet_v2", width=0.35, output_stride=8, refine_channels=4, dropout=0.1, **SMALL),
    ModelOptions(encoder="efficientnet_lite0", refine_channels=4, **SMALL),
    ModelOptions(width=0.35, refine_channels=4, context_channels=8, context_blocks=1, **SMALL),
    ModelOptions(width=0.35, output_stride=32, **SMALL),
]  # fmt: skip


def randomize_norms(model) -> None:
    """Batch-norm as training leaves it: an untouched one would let a wrong folding pass."""
    import keras

    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.gamma.shape
            layer.gamma.assign(rng.uniform(0.5, 1.5, channels))
            layer.beta.assign(rng.normal(0, 0.3, channels))
            layer.moving_mean.assign(rng.normal(0, 0.3, channels))
            layer.moving_variance.assign(rng.uniform(0.5, 2, channels))


@pytest.mark.parametrize("config", KIT, ids=lambda c: f"{c.encoder}-{c.output_stride}-{c.context_channels}")
@pytest.mark.slow
def test_every_network_passes_the_kit(config):
    from standout.workshop.export.onnx import to_onnx
    from standout.workshop.export.parity import check_parity
    from standout.workshop.model.backbones import BACKBONES
    from standout.workshop.model.deeplab import build_deeplab, encoder_layers, input_multiple

    assert config.encoder in BACKBONES
    model = build_deeplab(config, freeze=2)
    stride = max(16, input_multiple(config))
    for height, width in ((4 * stride, 4 * stride), (2 * stride, 5 * stride)):
        logits = model(np.zeros((1, height, width, 3), np.float32))
        assert logits.shape == (1, height, width, 1)
    names = {layer.name for layer in model.layers}
    assert encoder_layers(config) <= names
    assert not model.get_layer("Conv1").trainable and model.get_layer("block_15_project").trainable
    randomize_norms(model)
    proto = to_onnx(model, ModelCard("kit", (64, 64), output_stride=config.output_stride))
    assert check_parity(model, proto, (64, 96), stride) < 1e-4
    two = to_onnx(model, ModelCard("kit", (64, 64), multiple=2 * stride, scales=(1.0, 0.5)))
    assert check_parity(model, two, (128, 192), 2 * stride, two_scales=True) < 1e-4


@pytest.mark.parametrize("stride", [8, 16])
def test_the_last_stage_is_dilated_not_strided(stride):
    from standout.workshop.model.deeplab import build_deeplab

    model = build_deeplab(ModelOptions(width=0.35, output_stride=stride, **SMALL))
    assert model.get_layer("block_13_depthwise").strides == (1, 1)
    assert model.get_layer("block_14_depthwise").dilation_rate == ((2, 2) if stride == 16 else (4, 4))
    assert model.get_layer("block_7_depthwise").dilation_rate == ((1, 1) if stride == 16 else (2, 2))
    rates = [
        layer.dilation_rate[0]
        for layer in model.layers
        if layer.name.startswith("aspp_rate") and layer.name.endswith("_depthwise")
    ]
    assert rates == [6 * 16 // stride, 12 * 16 // stride, 18 * 16 // stride]


@pytest.mark.slow
def test_the_names_and_shapes_are_those_of_keras_applications():
    import keras

    from standout.workshop.model.deeplab import build_deeplab

    theirs = keras.applications.MobileNetV2(alpha=0.35, include_top=False, weights=None, input_shape=(96, 96, 3))
    ours = build_deeplab(ModelOptions(width=0.35, **SMALL))
    for layer in theirs.layers:
        if layer.weights and layer.name not in ("Conv_1", "Conv_1_bn"):
            shapes = [tuple(w.shape) for w in layer.weights]
            assert [tuple(w.shape) for w in ours.get_layer(layer.name).weights] == shapes, layer.name


def test_the_encoder_computes_what_keras_applications_computes():
    # At output stride 32 nothing is dilated, so the two must agree to the last bits.
    import keras

    from standout.workshop.model.backbones import mobilenet_v2

    theirs = keras.applications.MobileNetV2(alpha=0.35, include_top=False, weights=None, input_shape=(64, 64, 3))
    randomize_norms(theirs)
    backbone = mobilenet_v2(width=0.35, output_stride=32)
    ours = keras.Model(backbone.inputs, backbone.features)
    for layer in ours.layers:
        if layer.weights:
            layer.set_weights(theirs.get_layer(layer.name).get_weights())
    x = np.random.default_rng(0).random((1, 64, 64, 3)).astype(np.float32)
    last = keras.Model(theirs.input, theirs.get_layer("block_16_project_BN").output)
    np.testing.assert_allclose(ours(x), last(x * 2 - 1), atol=1e-4)


def test_frozen_norm_keeps_its_statistics_in_training():
    from standout.workshop.model.deeplab import build_deeplab

    model = build_deeplab(ModelOptions(width=0.35, **SMALL))
    before = np.asarray(model.get_layer("bn_Conv1").moving_mean)
    model(np.random.default_rng(0).random((2, 64, 64, 3)).astype(np.float32), training=True)
    assert (np.asarray(model.get_layer("bn_Conv1").moving_mean) == before).all()
    assert np.asarray(model.get_layer("decoder_1_pointwise_norm").moving_mean).any()


@pytest.mark.parametrize("training", [True, False])
def test_the_fused_batch_norm_computes_what_keras_does(training):
    """Output, gradients and running averages; a network trained with either goes on with the other."""
    import keras
    import tensorflow as tf

    from standout.workshop.model.blocks import BatchNormalization

    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(1, 2, (4, 32, 32, 3)), tf.float32)
    results = []
    for kind in (keras.layers.BatchNormalization, BatchNormalization):
        layer = kind(momentum=0.9, epsilon=1e-3)
        layer.build(x.shape)
        layer.set_weights([np.array(values, np.float32) for values in ([1, 2, 3], [0, 1, 2], [1, 1, 0], [2, 3, 4])])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            loss = tf.reduce_sum(y**3)
        gradients = tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])
        results.append([y, *gradients, *layer.get_weights()])
    for theirs, ours in zip(*results, strict=True):
        # TensorFlow's running variance is the unbiased one: 1 / 4096 larger here.
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-3)


def test_half_floats_leave_the_network_as_float32():
    import keras

    from standout.workshop.model.deeplab import build_deeplab
    from standout.workshop.train.devices import building_in

    with building_in("mixed_bfloat16"):
        model = build_deeplab(ModelOptions(width=0.35, refine_channels=4, **SMALL))
    logits = model(np.random.default_rng(0).random((1, 64, 64, 3)).astype(np.float32), training=True)
    assert logits.dtype == "float32" and np.isfinite(logits).all()
    assert {layer.compute_dtype for layer in model.layers} == {"bfloat16", "float32"}
    assert keras.mixed_precision.dtype_policy().name == "float32"  # what is built next is not touched


def test_weights_fit_or_are_refused(tmp_path):
    from standout.workshop.model.deeplab import build_deeplab
    from standout.workshop.model.weights import load_npz

    model = build_deeplab(ModelOptions(width=0.35, **SMALL))
    kernel = np.asarray(model.get_layer("Conv1").kernel)
    np.savez(tmp_path / "good.npz", **{"Conv1/kernel": kernel + 1})
    assert "1 layers" in load_npz(model, tmp_path / "good.npz")
    np.testing.assert_allclose(model.get_layer("Conv1").kernel, kernel + 1)
    np.savez(tmp_path / "shape.npz", **{"Conv1/kernel": kernel[..., :3]})
    np.savez(tmp_path / "foreign.npz", **{"dense/kernel": kernel})
    (tmp_path / "text.npz").write_text("no")
    for name, says in (("shape", "must have shape"), ("foreign", "no layer"), ("text", "not an .npz")):
        with pytest.raises(ModelFileError, match=says):
            load_npz(model, tmp_path / f"{name}.npz")


def test_unknown_encoder():
    from standout.workshop.model.deeplab import build_deeplab

    with pytest.raises(ConfigError, match="efficientnet_lite0"):
        build_deeplab(ModelOptions(encoder="resnet"))
