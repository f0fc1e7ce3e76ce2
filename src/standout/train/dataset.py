"""From samples to what Keras eats: float32 [0, 1] pictures and labels."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from standout.config import Config
from standout.data.augment import fit
from standout.data.loader import batches
from standout.data.pairs import Pair, read_image
from standout.data.samples import Samples, read_label
from standout.train.distributed import Replicas


def training_dataset(
    pairs: Sequence[Pair],
    config: Config,
    start_step: int,
    teacher: keras.Model | None = None,
    replicas: Replicas | None = None,
) -> tf.data.Dataset:
    """An endless dataset of (pictures float32 (B, S, S, 3), labels float32 (B, S, S, C)), from step `start_step` on.

    The labels' channels are person and unsure, and with a teacher its alpha of the very picture that is shown.
    Within a team every process draws its part of each batch, and B is a replica's share of that.
    """
    replicas = replicas or Replicas()
    if replicas.strategy is None:
        return _local_dataset(pairs, config, start_step, teacher, replicas)
    return replicas.strategy.distribute_datasets_from_function(
        lambda _: _local_dataset(pairs, config, start_step, teacher, replicas)
    )


def _local_dataset(
    pairs: Sequence[Pair], config: Config, start_step: int, teacher: keras.Model | None, replicas: Replicas
) -> tf.data.Dataset:
    size, batch, share = config.data.size, config.train.batch, replicas.share(config.train.batch)
    samples = Samples(list(pairs), config.data, config.train.seed)
    per_epoch = max(1, len(pairs) // batch)

    def generate():
        parts = batches(
            samples, batch=batch, start=start_step, per_epoch=per_epoch, workers=config.data.workers,
            part=(replicas.worker, replicas.workers),
        )  # fmt: skip
        for images, labels in parts:
            for first in range(0, len(images), share):  # one after the other goes to each replica of this process
                yield images[first : first + share], labels[first : first + share]

    signature = (
        tf.TensorSpec((share, size, size, 3), tf.uint8),
        tf.TensorSpec((share, size, size, 2), tf.uint8),
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    dataset = dataset.map(lambda image, label: (_to_unit(image), _to_unit(label)))
    if teacher is not None:
        dataset = dataset.map(
            lambda image, label: (image, tf.concat([label, tf.sigmoid(teacher(image, training=False))], -1))
        )
    return dataset.prefetch(2)


def _to_unit(pixels):
    """uint8 to float32 [0, 1]: the model's contract."""
    return tf.cast(pixels, tf.float32) / 255.0


def validation_set(pairs: Sequence[Pair], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Every validation pair letterboxed: uint8 (N, size, size, 3) and (N, size, size, 2)."""
    images = np.empty((len(pairs), size, size, 3), np.uint8)
    labels = np.empty((len(pairs), size, size, 2), np.uint8)
    for i, pair in enumerate(pairs):
        image = read_image(pair.image)
        images[i], labels[i] = fit(image, read_label(pair, image.shape[:2]), size)
    return images, labels
