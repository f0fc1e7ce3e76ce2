"""Encoders: name -> builder, tap layers, and input scaling. Their pretrained weights are read by weights.py.

All take float RGB in [0, 1]; the scaling that each network was trained with is its first layer. Both are chains of
inverted residual blocks (arXiv 1801.04381) and differ in their tables only, so one builder serves both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import layers

from standout.errors import ConfigError
from standout.workshop.config import ModelOptions
from standout.workshop.model.blocks import FrozenNorm


@dataclass(frozen=True)
class Backbone:
    """An encoder's graph and the features that the decoder taps.

    Attributes:
        inputs: The model's input, float RGB in [0, 1], (batch, H, W, 3).
        features: The last features, at the output stride.
        taps: Features by stride (2, 4 and 8).
        stages: Layer names of each stage, first to last: what `freeze=N` freezes.
    """

    inputs: keras.KerasTensor
    features: keras.KerasTensor
    taps: dict[int, keras.KerasTensor]
    stages: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Stage:
    """A row of the papers' tables: blocks of one width; the first of them has the stride."""

    expansion: int
    channels: int
    repeats: int
    stride: int
    kernel: int = 3


#: arXiv 1801.04381, table 2.
MOBILENET_V2 = (
    Stage(1, 16, 1, 1), Stage(6, 24, 2, 2), Stage(6, 32, 3, 2), Stage(6, 64, 4, 2), Stage(6, 96, 3, 1),
    Stage(6, 160, 3, 2), Stage(6, 320, 1, 1),
)  # fmt: skip

#: arXiv 1905.11946, table 1, without squeeze-and-excitation and with ReLU6: the "Lite" variant.
EFFICIENTNET_LITE0 = (
    Stage(1, 16, 1, 1), Stage(6, 24, 2, 2), Stage(6, 40, 2, 2, 5), Stage(6, 80, 3, 2), Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5), Stage(6, 320, 1, 1),
)  # fmt: skip


def divisible_by_8(channels: float) -> int:
    """MobileNet's rule for scaled widths: the nearest multiple of 8, never below 90 %."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def block_name(block: int) -> str:
    """The prefix of a block's layers, as Keras Applications' MobileNetV2 has it."""
    return f"block_{block}_" if block else "expanded_conv_"


def build_backbone(config: ModelOptions) -> Backbone:
    """The encoder that the settings name.

    Raises:
        ConfigError: There is none of that name.
    """
    if config.encoder not in BACKBONES:
        raise ConfigError(f"model.encoder must be one of {sorted(BACKBONES)}; received {config.encoder!r}.")
    return BACKBONES[config.encoder](width=config.width, output_stride=config.output_stride)


def mobilenet_v2(*, width: float, output_stride: int) -> Backbone:
    """MobileNetV2 under the layer names of Keras Applications, so that its public weights fit; input x·2 − 1."""
    table = tuple(Stage(s.expansion, divisible_by_8(s.channels * width), s.repeats, s.stride) for s in MOBILENET_V2)
    scaling = layers.Rescaling(2.0, offset=-1.0, name="scale_input")
    return _Encoder(output_stride).build(scaling, divisible_by_8(32 * width), table)


def efficientnet_lite0(*, width: float, output_stride: int) -> Backbone:
    """EfficientNet-Lite0 under the same layer names; input (255·x − 127) / 128."""
    if width != 1:
        raise ConfigError(f"model.width must be 1 for efficientnet_lite0; received {width}.")
    scaling = layers.Rescaling(255 / 128, offset=-127 / 128, name="scale_input")
    return _Encoder(output_stride).build(scaling, 32, EFFICIENTNET_LITE0)


#: name -> builder(width=…, output_stride=…)
BACKBONES: dict[str, Callable[..., Backbone]] = {
    "mobilenet_v2": mobilenet_v2,
    "efficientnet_lite0": efficientnet_lite0,
}


class _Encoder:
    """Builds the chain of blocks, dilated from the output stride on.

    Padding is "same", which for a stride of 2 equals Keras Applications' explicit `correct_pad`.
    """

    def __init__(self, output_stride: int):
        self.output_stride = output_stride
        self.stages: list[list[str]] = [[]]

    def build(self, scaling: layers.Layer, stem: int, table: tuple[Stage, ...]) -> Backbone:
        inputs = keras.Input((None, None, 3), name="image")
        x = self._conv(scaling(inputs), layers.Conv2D(stem, 3, strides=2, padding="same", use_bias=False, name="Conv1"))
        x = self._relu6(self._norm(x, "bn_Conv1"), "Conv1_relu")
        taps: dict[int, keras.KerasTensor] = {}
        stride, dilation, block = 2, 1, 0
        for stage in table:
            step, first_dilation = 1, dilation
            if stage.stride == 2:
                taps.setdefault(stride, x)
                self.stages.append([])
                # Past the output stride a stage no longer shrinks; the blocks after its first are dilated instead.
                if stride < self.output_stride:
                    step, stride = 2, stride * 2
                else:
                    dilation *= 2
            for repeat in range(stage.repeats):
                first = repeat == 0
                x = self._block(
                    x, stage, block, step if first else 1, first_dilation if first else dilation, add=not first
                )
                block += 1
        return Backbone(inputs, x, taps, tuple(tuple(stage) for stage in self.stages))

    def _block(self, x, stage: Stage, block: int, step: int, dilation: int, *, add: bool):
        name, y = block_name(block), x
        if stage.expansion != 1:
            y = self._conv(y, layers.Conv2D(x.shape[-1] * stage.expansion, 1, use_bias=False, name=f"{name}expand"))
            y = self._relu6(self._norm(y, f"{name}expand_BN"), f"{name}expand_relu")
        y = self._conv(y, layers.DepthwiseConv2D(
            stage.kernel, strides=step, dilation_rate=dilation, padding="same", use_bias=False, name=f"{name}depthwise",
        ))  # fmt: skip
        y = self._relu6(self._norm(y, f"{name}depthwise_BN"), f"{name}depthwise_relu")
        y = self._conv(y, layers.Conv2D(stage.channels, 1, use_bias=False, name=f"{name}project"))
        y = self._norm(y, f"{name}project_BN")
        return layers.Add(name=f"{name}add")([x, y]) if add else y

    def _conv(self, x, layer: layers.Layer):
        self.stages[-1].append(layer.name)
        return layer(x)

    def _norm(self, x, name: str):
        self.stages[-1].append(name)
        return FrozenNorm(momentum=0.99, epsilon=1e-3, name=name)(x)

    @staticmethod
    def _relu6(x, name: str):
        return layers.ReLU(6.0, name=name)(x)
