"""Keras against ONNX, numerically."""

from __future__ import annotations

import keras
import numpy as np
import onnx
import onnxruntime

from standout.errors import ModelFileError
from standout.workshop.export.onnx import FILL_CAP, FILL_FROM, FILL_SLOPE

#: The largest difference of alpha that an export may have.
TOLERANCE = 1e-4


def keras_logits(model: keras.Model, frames: np.ndarray, *, two_scales: bool) -> np.ndarray:
    """Keras' logits (N, H, W) of uint8 RGB frames (N, H, W, 3); both scales together if there are two."""
    pixels = keras.ops.convert_to_tensor(frames.astype(np.float32) / 255)
    logits = model(pixels, training=False)
    if two_scales:
        half = model(keras.ops.average_pool(pixels, 2, 2), training=False)
        half = keras.layers.UpSampling2D(2, interpolation="bilinear")(half)
        gain = keras.ops.relu(keras.ops.minimum(half, FILL_CAP) - logits)
        logits = logits + gain * keras.ops.sigmoid(FILL_SLOPE * (half - FILL_FROM))
    return np.asarray(logits)[..., 0]


def largest_difference(
    model: keras.Model, proto: onnx.ModelProto, frames: np.ndarray, *, two_scales: bool = False
) -> float:
    """The largest absolute difference of alpha between the two, on uint8 RGB frames (N, H, W, 3)."""
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    alpha = session.run(None, {"frame": frames})[0]
    logits = keras_logits(model, frames, two_scales=two_scales)
    return float(np.abs(alpha - 1 / (1 + np.exp(-logits))).max())


def check_parity(
    model: keras.Model, proto: onnx.ModelProto, size_hw: tuple[int, int], stride: int, *, two_scales: bool = False
) -> float:
    """Compares on noise, on a smooth gradient, and at a second size, and returns the largest difference.

    Raises:
        ModelFileError: It is above `TOLERANCE`.
    """
    rng = np.random.default_rng(0)
    worst = 0.0
    for height, width in (size_hw, (4 * stride, 6 * stride)):
        noise = rng.integers(0, 256, (1, height, width, 3), np.uint8)
        ramp = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8)[None, None, :, None], (1, height, width, 3))
        worst = max(
            worst,
            *(
                largest_difference(model, proto, np.ascontiguousarray(frame), two_scales=two_scales)
                for frame in (noise, ramp)
            ),
        )
    if not worst <= TOLERANCE:
        raise ModelFileError(
            f"The exported graph must equal Keras within {TOLERANCE:g}; it differs by {worst:.2g}; nothing was written."
        )
    return worst
