"""DeepLabV3+ (Chen et al. 2018, arXiv 1802.02611), figure 2, in Keras 3.

What differs between the implementations of that name, and what ours does: after the concatenation two separable 3×3
convolutions; bilinear upsampling on half-pixel centers (no aligned corners); one logit per pixel, no sigmoid.
"""

from __future__ import annotations

import keras
from keras import layers

from standout.errors import ConfigError
from standout.workshop.config import ModelOptions
from standout.workshop.model.backbones import Backbone, build_backbone
from standout.workshop.model.blocks import aspp, context, conv_norm_relu, separable_conv


def build_deeplab(config: ModelOptions, *, freeze: int = 0) -> keras.Model:
    """Builds the network: float RGB in [0, 1], (B, H, W, 3), to logits (B, H, W, 1).

    H and W may be any multiple of `input_multiple(config)`.

    Args:
        config: Encoder, stride and widths.
        freeze: The first so many stages of the encoder are not trained.

    Raises:
        ConfigError: The encoder is unknown.
    """
    stride = config.output_stride
    rates = tuple(rate * 16 // stride for rate in config.rates)

    # Encoder
    encoder = build_backbone(config)
    extra = []
    if config.context_channels:
        extra.append(context(encoder.features, config.context_channels, config.context_blocks, halve=stride == 16))
    x = aspp(encoder.features, config.aspp_channels, rates, extra=extra, dropout=config.dropout)

    # Decoder
    x = layers.UpSampling2D(stride // 4, interpolation="bilinear", name="decoder_upsample")(x)
    low = conv_norm_relu(encoder.taps[4], config.low_level_channels, name="decoder_low_level")
    x = layers.Concatenate(name="decoder_concat")([x, low])
    x = separable_conv(x, config.decoder_channels, name="decoder_1")
    x = separable_conv(x, config.decoder_channels, name="decoder_2")
    scale = 4
    if config.refine_channels:
        # One step further than the paper: edges are what users see first.
        x = conv_norm_relu(x, config.refine_channels, name="refine_reduce")
        x = layers.UpSampling2D(2, interpolation="bilinear", name="refine_upsample")(x)
        x = layers.Concatenate(name="refine_concat")([x, encoder.taps[2]])
        x = conv_norm_relu(x, config.refine_channels, 3, name="refine")
        scale = 2
    # In float32 under mixed precision too: a half float has no room for both a sure logit and a fine edge.
    x = layers.Conv2D(1, 1, dtype="float32", name="logits")(x)
    x = layers.UpSampling2D(scale, interpolation="bilinear", dtype="float32", name="upsample")(x)

    # Model
    model = keras.Model(encoder.inputs, x, name="deeplab_v3_plus")
    freeze_stages(model, encoder, freeze)
    return model


def input_multiple(config: ModelOptions) -> int:
    """What a picture's height and width must be multiples of: the coarsest stride in the graph."""
    return max(config.output_stride, 32) if config.context_channels else config.output_stride


def freeze_stages(model: keras.Model, encoder: Backbone, count: int) -> None:
    """Makes the first `count` stages of the encoder untrainable."""
    if count > len(encoder.stages):
        raise ConfigError(f"train.freeze must be at most {len(encoder.stages)} for this encoder; received {count}.")
    for stage in encoder.stages[:count]:
        for name in stage:
            model.get_layer(name).trainable = False


def encoder_layers(config: ModelOptions) -> frozenset[str]:
    """The names of the encoder's layers with weights: what learns at the encoder's own rate."""
    backbone = build_backbone(config)
    return frozenset(name for stage in backbone.stages for name in stage)
