"""What happens between two training steps: the learning rate, the budget, validation, checkpoints, progress."""

from __future__ import annotations

import csv
import io
import logging
import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from standout.imaging.encode import EncodeOptions, encode
from standout.imaging.files import atomic_write
from standout.workshop.config import Config
from standout.workshop.plots import history_chart
from standout.workshop.train.checkpoint import save_state, save_weights, told_when_full
from standout.workshop.train.devices import keep_freed_memory
from standout.workshop.train.schedule import TrainingClock
from standout.workshop.train.validation import Averaged, Validation

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingProgress:
    """How far a run is.

    Attributes:
        step: Steps done, over all sittings.
        done: The share of the budget that is spent, 0 … 1.
        images_per_second: Speed of the last minute.
        seconds_left: Estimated time to go; infinite at the start.
        loss: Mean loss since the last validation; NaN if unknown.
        iou: Person IoU at the last validation; NaN before the first.
    """

    step: int
    done: float
    images_per_second: float
    seconds_left: float
    loss: float
    iou: float


class Supervisor(keras.callbacks.Callback):
    """Runs the schedule, validates, saves, reports progress, and stops at the budget or at a signal."""

    def __init__(
        self, config: Config, run: Path, clock: TrainingClock, validation: Validation, best: float,
        on_scalars: Callable[[int, dict[str, float]], None], progress: Callable[[TrainingProgress], None] | None = None,
    ):  # fmt: skip
        super().__init__()
        self.config, self.run, self.clock, self.validation = config, run, clock, validation
        self.best = best
        self.on_scalars = on_scalars
        self.stopped_by = ""
        self.iou = math.nan
        self._since = (time.monotonic(), clock.step)
        self._progress = progress or (lambda _: None)

    # ------------------------------------------------------------ Keras' hooks

    def on_train_begin(self, logs=None):  # noqa: ARG002
        self._handlers = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_train_batch_begin(self, batch, logs=None):  # noqa: ARG002
        self.model.optimizer.learning_rate.assign(self.clock.learning_rate())

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            keep_freed_memory()  # again: starting the data set has undone it
        self.clock.tick()
        logs = logs or {}
        done = self.clock.progress >= 1
        if not math.isfinite(logs.get("loss", 0.0)):
            self.stopped_by = "a loss that is not a number"
            self.model.stop_training = True
            return
        if self.clock.step % self.config.train.validate_every == 0 or done:
            self._validate(logs)
            self.model.reset_metrics()
        if done or self.stopped_by:
            self.save()
            self.model.stop_training = True
        if self.clock.step % 5 == 0 or done:
            self._report(logs)

    def close(self) -> None:
        """Gives the signals back. Called also after an error, when Keras calls no hook."""
        for number, handler in getattr(self, "_handlers", {}).items():
            signal.signal(number, handler)
        self._handlers = {}

    # ------------------------------------------------------------ ours

    def _on_signal(self, number, frame):  # noqa: ARG002
        self.stopped_by = signal.Signals(number).name

    def _validate(self, logs: dict[str, float]) -> None:
        with told_when_full(self.run, self.model):
            self._score_and_save(logs)

    def _score_and_save(self, logs: dict[str, float]) -> None:
        with Averaged(self.model):
            scores, sheet = self.validation(self.model)
            self.iou = scores["iou"]
            if scores["quality"] > self.best:
                self.best = scores["quality"]
                save_weights(self.run / "best.weights.h5", self.model)
            save_weights(self.run / "last.weights.h5", self.model)
        name = f"{self.clock.step:06d}.jpg"
        with atomic_write(self.run / "previews" / name) as stream:
            stream.write(encode(sheet, EncodeOptions("jpg", 95)))
        row = {"step": self.clock.step, "seconds": round(self.clock.seconds, 1), "lr": self.clock.learning_rate()}
        row |= {"loss": logs.get("loss", math.nan), "train_person_iou": logs.get("person_iou", math.nan)} | scores
        self._record(row)
        with atomic_write(self.run / "history.png") as stream:
            stream.write(history_chart(self.run / "history.csv"))
        self.on_scalars(self.clock.step, row)
        others = ", ".join(f"{key} {value:.3f}" for key, value in scores.items() if key != "iou")
        log.info(
            "step %d: loss %.4f, IoU %.4f (best quality %.4f), %s",
            self.clock.step, row["loss"], self.iou, self.best, others,
        )  # fmt: skip
        self.save()

    def _record(self, row: dict[str, float]) -> None:
        file = self.run / "history.csv"
        before = file.read_text("utf-8") if file.exists() else ""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(row), lineterminator="\n")
        if not before:
            writer.writeheader()
        writer.writerow(row)
        with atomic_write(file) as stream:
            stream.write((before + text.getvalue()).encode())

    def save(self) -> None:
        """Saves what `--resume` needs."""
        counters = {"step": self.clock.step, "seconds": self.clock.seconds, "best": self.best}
        with told_when_full(self.run, self.model):
            save_state(self.run / "state.npz", self.model, counters)

    def _report(self, logs: dict[str, float]) -> None:
        now, since = time.monotonic(), self._since
        rate = (self.clock.step - since[1]) * self.config.train.batch / max(1e-9, now - since[0])
        if now - since[0] > 60:
            self._since = (now, self.clock.step)
        loss = logs.get("loss", math.nan)
        self._progress(
            TrainingProgress(self.clock.step, self.clock.progress, rate, self.clock.seconds_left, loss, self.iou)
        )
