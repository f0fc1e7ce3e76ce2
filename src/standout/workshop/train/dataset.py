"""From samples to what Keras eats: float32 [0, 1] pictures and labels."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import tensorflow as tf

from standout.workshop.config import Config
from standout.workshop.data.augment import fit
from standout.workshop.data.labels import label_fault, open_pair
from standout.workshop.data.loader import batches
from standout.workshop.data.pair import Fault, Pair
from standout.workshop.data.samples import Samples

log = logging.getLogger(__name__)


def training_dataset(
    pairs: Sequence[Pair],
    config: Config,
    start_step: int,
    teacher: keras.Model | None = None,
    *,
    unchecked: bool = False,
) -> tf.data.Dataset:
    """An endless dataset of (pictures float32 (B, S, S, 3), labels float32 (B, S, S, C)), from step `start_step` on.

    The labels' channels are person and unsure, and with a teacher its alpha of the very picture that is shown.
    `unchecked` pairs were not opened before: bad ones are left out as they are drawn.
    """
    size, batch = config.data.size, config.train.batch
    samples = Samples(list(pairs), config.data, config.train.seed, unchecked)
    per_epoch = max(1, len(pairs) // batch)
    signature = (
        tf.TensorSpec((batch, size, size, 3), tf.uint8),
        tf.TensorSpec((batch, size, size, 2), tf.uint8),
    )
    dataset = tf.data.Dataset.from_generator(
        lambda: batches(samples, batch=batch, start=start_step, per_epoch=per_epoch, workers=config.data.workers),
        output_signature=signature,
    )
    dataset = dataset.map(lambda image, label: (_to_unit(image), _to_unit(label)))
    if teacher is not None:
        dataset = dataset.map(
            lambda image, label: (image, tf.concat([label, tf.sigmoid(teacher(image, training=False))], -1))
        )
    return dataset.prefetch(2)


def _to_unit(pixels):
    """uint8 to float32 [0, 1]: the model's contract."""
    return tf.cast(pixels, tf.float32) / 255.0


def validation_set(pairs: Sequence[Pair], size: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The validation pairs that can be used: uint8 (N, size, size, 3), labels (N, size, size, 2), and their sets."""
    images = np.empty((len(pairs), size, size, 3), np.uint8)
    labels = np.empty((len(pairs), size, size, 2), np.uint8)
    sets: list[str] = []
    with ThreadPoolExecutor() as pool:  # decoding releases the interpreter's lock
        for pair, fitted in zip(pairs, pool.map(lambda pair: _fitted(pair, size), pairs), strict=True):
            if fitted is not None:
                images[len(sets)], labels[len(sets)] = fitted
                sets.append(pair.set)
    return images[: len(sets)], labels[: len(sets)], sets


def _fitted(pair: Pair, size: int) -> tuple[np.ndarray, np.ndarray] | None:
    opened = open_pair(pair)
    if isinstance(opened, Fault):
        log.warning("left out (%s): %s", opened.kind, opened.text)
        return None
    kind, text = label_fault(opened.label)
    if kind:
        log.warning("left out (%s): %s: %s", kind, pair.image.name, text)
        return None
    return fit(opened.frame, opened.channels, size)
