"""The building blocks of DeepLabV3+: conv-norm-relu, separable convolution, context, ASPP.

Every function takes and returns a Keras tensor of shape (batch, height, width, channels).
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import layers, ops

#: Momentum of the head's batch-norm. Keras' default of 0.99 needs some 500 steps before its
#: running mean is worth anything, and every validation before then reads zero.
NORM_MOMENTUM = 0.95
NORM_EPSILON = 1e-3


def _norm(x, name: str):
    """Batch-norm; over several replicas it is that of the whole batch, of which each sees only a few pictures."""
    return BatchNormalization(
        momentum=NORM_MOMENTUM, epsilon=NORM_EPSILON, synchronized=tf.distribute.has_strategy(), name=name
    )(x)


def conv_norm_relu(x, channels: int, kernel: int = 1, *, dilation: int = 1, stride: int = 1, name: str):
    """A convolution without bias, batch-norm, ReLU."""
    x = layers.Conv2D(
        channels, kernel, strides=stride, dilation_rate=dilation, padding="same", use_bias=False,
        kernel_initializer="he_normal", name=f"{name}_conv",
    )(x)  # fmt: skip
    x = _norm(x, f"{name}_norm")
    return layers.ReLU(name=f"{name}_relu")(x)


def separable_conv(x, channels: int, *, dilation: int = 1, name: str):
    """3×3 depthwise convolution (the dilated one), then 1×1, each with batch-norm and ReLU.

    This is the "atrous separable convolution" of arXiv 1802.02611, figure 3.
    """
    x = layers.DepthwiseConv2D(3, dilation_rate=dilation, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = _norm(x, f"{name}_depthwise_norm")
    x = layers.ReLU(name=f"{name}_depthwise_relu")(x)
    return conv_norm_relu(x, channels, 1, name=f"{name}_pointwise")


@keras.saving.register_keras_serializable(package="standout")
class BroadcastLike(layers.Layer):
    """Repeats a (batch, 1, 1, C) tensor over the height and width of a second tensor."""

    def call(self, inputs):
        pooled, like = inputs
        # A sum with zeros broadcasts to a size that is known only when the graph runs.
        return pooled + ops.zeros_like(like[..., :1])

    def compute_output_shape(self, input_shape):
        pooled, like = input_shape
        return (*like[:3], pooled[3])


@keras.saving.register_keras_serializable(package="standout")
class BatchNormalization(layers.BatchNormalization):
    """Keras' batch-norm over the channels, in TensorFlow's one fused kernel.

    Keras composes it of element-wise passes, which were a third of a training step on a CPU (docs/training-log.md).
    It has Keras' name because weight files address a layer by its class: files of either can be loaded into the other.
    """

    def call(self, inputs, training=None, mask=None):
        # Several replicas need Keras' sum over them.
        if self.synchronized:
            return super().call(inputs, training=training, mask=mask)
        from_batch = bool(training) and self.trainable
        if from_batch:
            mean = variance = tf.zeros(0)  # the kernel takes them from the batch
        else:
            mean, variance = tf.convert_to_tensor(self.moving_mean), tf.convert_to_tensor(self.moving_variance)
        result = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=tf.convert_to_tensor(self.gamma), offset=tf.convert_to_tensor(self.beta), mean=mean,
            variance=variance, epsilon=self.epsilon, is_training=from_batch,
        )  # fmt: skip
        if from_batch:
            for average, value in (
                (self.moving_mean, result.batch_mean),
                (self.moving_variance, result.batch_variance),
            ):
                average.assign(average * self.momentum + value * (1.0 - self.momentum))
        return result.y


@keras.saving.register_keras_serializable(package="standout")
class FrozenNorm(BatchNormalization):
    """Batch-norm that always uses its stored statistics; scale and offset still learn.

    Passing `training=False` when the graph is built isn't enough: Keras overrides it when the model is trained.
    """

    def call(self, inputs, training=None, mask=None):  # noqa: ARG002
        return super().call(inputs, training=False, mask=mask)


def context(x, channels: int, blocks: int, *, halve: bool, name: str = "context"):
    """Inverted residual blocks (arXiv 1801.04381) with 5×5 kernels at a coarse stride: what the whole picture shows.

    A torso in a plain hoodie looks like a wall to any window that doesn't see the head above it. At stride 32 a few
    such blocks see the whole picture for a few per cent of the network's time; dilated convolutions see single points.

    Args:
        x: The encoder's features.
        channels: Width of the blocks; inside they are four times as wide.
        blocks: How many blocks.
        halve: Whether to work at half of x's resolution; the result has x's either way.
        name: Prefix of the layers' names.
    """
    if halve:
        x = layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False, name=f"{name}_down_depthwise")(x)
        x = _norm(x, f"{name}_down_depthwise_norm")
        x = layers.ReLU(name=f"{name}_down_depthwise_relu")(x)
    x = conv_norm_relu(x, channels, 1, name=f"{name}_reduce")
    for block in range(blocks):
        prefix = f"{name}_{block}"
        y = conv_norm_relu(x, channels * 4, 1, name=f"{prefix}_expand")
        y = layers.DepthwiseConv2D(5, padding="same", use_bias=False, name=f"{prefix}_depthwise")(y)
        y = _norm(y, f"{prefix}_depthwise_norm")
        y = layers.ReLU(name=f"{prefix}_depthwise_relu")(y)
        y = layers.Conv2D(channels, 1, use_bias=False, name=f"{prefix}_project_conv")(y)
        y = _norm(y, f"{prefix}_project_norm")
        x = layers.Add(name=f"{prefix}_add")([x, y])
    return layers.UpSampling2D(2, interpolation="bilinear", name=f"{name}_upsample")(x) if halve else x


def aspp(x, channels: int, rates: tuple[int, ...], *, extra: Sequence = (), dropout: float = 0.0, name: str = "aspp"):
    """Atrous spatial pyramid pooling with the image-level feature (arXiv 1706.05587, section 3.3).

    The image-level branch has no batch-norm: its statistics would come from one value per picture.
    `extra` holds further branches of x's height and width that join the concatenation.
    """
    branches = [conv_norm_relu(x, channels, 1, name=f"{name}_1x1")]
    branches += [separable_conv(x, channels, dilation=rate, name=f"{name}_rate{rate}") for rate in rates]
    pooled = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    pooled = layers.Conv2D(channels, 1, activation="relu", name=f"{name}_pool_conv")(pooled)
    branches.append(BroadcastLike(name=f"{name}_pool_upsample")([pooled, x]))
    branches += extra
    x = layers.Concatenate(name=f"{name}_concat")(branches)
    x = conv_norm_relu(x, channels, 1, name=f"{name}_project")
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x
