"""Training on several GPUs or several machines: tf.distribute, every replica on its share of one batch.

A process alone with one device is a team of one, and nothing here touches TensorFlow's strategies. Otherwise

* several GPUs in one machine: MirroredStrategy;
* several processes, named by the environment variable TF_CONFIG as TensorFlow documents it:
  MultiWorkerMirroredStrategy. The first of them is the chief, who alone validates and writes.

Gradients, the head's batch statistics and the loss are those of the whole batch, so the number of replicas changes
speed and memory, not the result.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from standout.errors import ConfigError, DeviceError

#: What a collective operation raises where another process has gone.
_LOST = (
    tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError, tf.errors.DeadlineExceededError,
    tf.errors.CancelledError, tf.errors.FailedPreconditionError,
)  # fmt: skip


class Replicas:
    """The replicas that train together, seen from one of their processes.

    Args:
        strategy: The strategy of tf.distribute; None for one device.
        worker: This process' place, from 0.
        workers: Processes.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None = None, worker: int = 0, workers: int = 1):
        self.strategy, self.worker, self.workers = strategy, worker, workers
        self.replicas = strategy.num_replicas_in_sync if strategy else 1
        self._mean = tf.function(self._mean_over_replicas)

    @property
    def is_chief(self) -> bool:
        """Whether this process validates, writes and tells."""
        return self.worker == 0

    def scope(self) -> Any:
        """Variables made within are shared by the team."""
        return self.strategy.scope() if self.strategy else contextlib.nullcontext()

    def share(self, batch: int) -> int:
        """How many samples of every batch a replica gets.

        Raises:
            ConfigError: The batch can't be shared out evenly.
        """
        if batch % self.replicas:
            raise ConfigError(
                f"train.batch is the batch of all replicas together and must be a multiple of their number, "
                f"{self.replicas}; received {batch}."
            )
        return batch // self.replicas

    def agree(self, seconds: float, stop: bool) -> tuple[float, bool]:
        """What all go by: the chief's time, and whether anybody wants to stop. Every process must ask at every step."""
        if self.workers == 1 or self.strategy is None:
            return seconds, stop
        mine = tf.constant([seconds * self.workers if self.is_chief else 0.0, float(stop)])
        agreed = self._mean(mine).numpy()
        return float(agreed[0]), bool(agreed[1] > 0)

    def _mean_over_replicas(self, values):
        if self.strategy is None:
            return values
        # tf.identity puts the values on the replicas' devices, from where they can be reduced.
        return self.strategy.reduce(
            tf.distribute.ReduceOp.MEAN, self.strategy.run(tf.identity, args=(values,)), axis=None
        )

    def __str__(self) -> str:
        if self.workers > 1:
            return f"worker {self.worker} of {self.workers}, {self.replicas} replicas"
        return f"{self.replicas} replicas"


def set_up_replicas() -> Replicas:
    """The team that this process belongs to, by TF_CONFIG and the GPUs that TensorFlow sees.

    Must run before TensorFlow touches a device.

    Raises:
        ConfigError: TF_CONFIG can't be understood.
    """
    workers = _workers()
    if len(workers) > 1:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        resolver = strategy.cluster_resolver
        return Replicas(strategy, workers.index((resolver.task_type, resolver.task_id)), len(workers))
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return Replicas(tf.distribute.MirroredStrategy())
    return Replicas()


def _workers() -> list[tuple[str, int]]:
    """The processes of TF_CONFIG, the chief first; empty without it."""
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return []
    try:
        config = json.loads(text)
        cluster = config.get("cluster", {})
        workers = [(role, i) for role in ("chief", "worker") for i in range(len(cluster.get(role, [])))]
        task = (config["task"]["type"], int(config["task"]["index"])) if cluster else None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ConfigError(
            "The environment variable TF_CONFIG must be JSON as "
            '{"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", "index": 0}}; '
            f"received {text!r} ({error!r})."
        ) from error
    if task is not None and task not in workers:
        raise ConfigError(f"TF_CONFIG must name a task of its cluster, one of {workers}; received {task}.")
    return workers


def fit_on_replicas(
    replicas: Replicas, model: keras.Model, feed: Iterable[Any], steps: int, callback: keras.callbacks.Callback
) -> None:
    """What `model.fit` does for one device: `steps` training steps with one callback.

    Keras 3's own loop can't be used: it reduces scalar logs along an axis, which several workers don't survive.

    Args:
        team: Several replicas.
        model: Built and compiled within `replicas.scope()`.
        feed: What `replicas.strategy.distribute_datasets_from_function` returned.

    Raises:
        DeviceError: Another process of the team went away.
    """
    strategy = replicas.strategy or tf.distribute.get_strategy()

    @tf.function(reduce_retracing=True)
    def step(data):
        logs = strategy.run(model.train_step, args=(data,))
        return {name: strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None) for name, value in logs.items()}

    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    try:
        for number, data in zip(range(steps), feed, strict=False):
            callback.on_train_batch_begin(number)
            callback.on_train_batch_end(number, {name: float(value) for name, value in step(data).items()})
            if model.stop_training:
                return
    except _LOST as error:
        raise DeviceError(
            "Another process of this training went away; start all of them again with --resume. "
            f"TensorFlow says: {str(error).splitlines()[0]}"
        ) from error
