"""Set up what computes: GPUs with a memory limit and mixed precision, otherwise all CPU cores."""

from __future__ import annotations

import ctypes
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from standout.errors import ConfigError

log = logging.getLogger(__name__)


def set_up_devices(*, memory_limit_mb: int, mixed_precision: bool) -> tuple[str, str]:
    """Limits and grows GPU memory, says in words what will compute, and names Keras' dtype policy for it.

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
    policy = "float32"
    if mixed_precision and gpus:
        policy = "mixed_float16"
    elif mixed_precision and _cpu_has_bfloat16():
        policy = "mixed_bfloat16"
    precision = policy.replace("_", " ")
    if not gpus:
        return f"CPU, all cores (no GPU is visible to TensorFlow), {precision}", policy
    memory = f"at most {memory_limit_mb} MB each" if memory_limit_mb else "memory grows as needed"
    return f"{len(gpus)} GPU(s), {memory}, {precision}", policy


def all_gpus(batch: int) -> AbstractContextManager[Any]:
    """Where a network must be built so that every GPU of this machine trains on its share of each batch.

    It is TensorFlow's MirroredStrategy, which Keras' `fit` knows; with one device nothing at all.

    Raises:
        ConfigError: The batch can't be shared out evenly.
    """
    gpus = len(tf.config.list_logical_devices("GPU"))
    if gpus < 2:
        return nullcontext()
    if batch % gpus:
        raise ConfigError(f"train.batch must be a multiple of the {gpus} GPUs that share it; received {batch}.")
    scope: AbstractContextManager[Any] = tf.distribute.MirroredStrategy().scope()
    return scope


@contextmanager
def building_in(policy: str) -> Iterator[None]:
    """Networks that are built within compute by this dtype policy of Keras, for good; others are left alone."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)


def _cpu_has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the CPU multiplies bfloat16 (AVX-512 BF16 or AMX); without, it would be slower than float32.

    Where there is no cpuinfo (macOS, Windows) nothing is known, and the answer is no.
    """
    try:
        text = cpuinfo.read_text("utf-8")
    except OSError:
        return False
    return bool(re.search(r"\b(avx512_bf16|amx_bf16)\b", text))


def keep_freed_memory() -> None:
    """Lets glibc keep the memory that a training step frees for the next step, instead of handing it to the kernel.

    A step on a CPU allocates and frees gigabytes. By default each large block is mapped anew and every page of it
    faults in: measured on two cores, 2.1 images/s under TensorFlow's generator data set (which lowers the trim
    threshold to 128 kB), 4.1 without, 5.8 with this. Elsewhere than on Linux with glibc it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return
    m_trim_threshold, m_top_pad, m_mmap_max, m_arena_max = -1, -2, -4, -8
    mallopt(m_mmap_max, 0)
    mallopt(m_trim_threshold, 2**31 - 1)
    mallopt(m_top_pad, 256 << 20)
    mallopt(m_arena_max, 1)
