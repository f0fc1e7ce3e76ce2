"""Set up what computes: GPUs with a memory limit and mixed precision, otherwise all CPU cores."""

from __future__ import annotations

import logging

import keras
import tensorflow as tf

log = logging.getLogger(__name__)


def set_up_devices(*, memory_limit_mb: int, mixed_precision: bool) -> str:
    """Limits and grows GPU memory, chooses the precision, and says in words what will compute.

    Must run before TensorFlow touches a device. A downgrade (no GPU) is part of the answer.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            if memory_limit_mb:
                # A logical device of fixed size: TensorFlow refuses growth and a limit together.
                limit = tf.config.LogicalDeviceConfiguration(memory_limit=memory_limit_mb)
                tf.config.set_logical_device_configuration(gpu, [limit])
            else:
                tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            log.warning("GPU memory was not limited: TensorFlow had started already.")
    half = bool(gpus) and mixed_precision
    keras.mixed_precision.set_global_policy("mixed_float16" if half else "float32")
    if not gpus:
        return "CPU, all cores (no GPU is visible to TensorFlow), float32"
    memory = f"at most {memory_limit_mb} MB each" if memory_limit_mb else "memory grows as needed"
    return f"{len(gpus)} GPU(s), {memory}, {'mixed float16' if half else 'float32'}"
