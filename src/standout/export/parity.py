"""Keras against ONNX, numerically."""

from __future__ import annotations

import keras
import numpy as np
import onnx
import onnxruntime

from standout.errors import ModelFileError

#: The largest difference of alpha that an export may have.
TOLERANCE = 1e-4


def largest_difference(model: keras.Model, proto: onnx.ModelProto, frames: np.ndarray) -> float:
    """The largest absolute difference of alpha between the two, on uint8 RGB frames (N, H, W, 3)."""
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    alpha = session.run(None, {"frame": frames})[0]
    logits = np.asarray(model(frames.astype(np.float32) / 255, training=False))[..., 0]
    return float(np.abs(alpha - 1 / (1 + np.exp(-logits))).max())


def check_parity(model: keras.Model, proto: onnx.ModelProto, size: tuple[int, int], stride: int) -> float:
    """Compares on noise, on a smooth gradient, and at a second size, and returns the largest difference.

    Raises:
        ModelFileError: It is above `TOLERANCE`.
    """
    rng = np.random.default_rng(0)
    worst = 0.0
    for height, width in (size, (4 * stride, 6 * stride)):
        noise = rng.integers(0, 256, (1, height, width, 3), np.uint8)
        ramp = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8)[None, None, :, None], (1, height, width, 3))
        worst = max(worst, *(largest_difference(model, proto, np.ascontiguousarray(frame)) for frame in (noise, ramp)))
    if not worst <= TOLERANCE:
        raise ModelFileError(
            f"The exported graph must equal Keras within {TOLERANCE:g}; it differs by {worst:.2g}; nothing was written."
        )
    return worst
