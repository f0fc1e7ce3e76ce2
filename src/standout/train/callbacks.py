"""What happens between two training steps: the schedule, the budget, validation, checkpoints, progress."""

from __future__ import annotations

import csv
import math
import signal
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from standout.config import Config
from standout.imaging.contact_sheet import mark_errors
from standout.imaging.encode import EncodeOptions, encode
from standout.imaging.files import atomic_write
from standout.plots import history_chart
from standout.score.counts import FALSE_SHARE, count, person_iou
from standout.score.solidity import solidity
from standout.train.checkpoint import save_state, save_weights
from standout.train.devices import keep_freed_memory
from standout.train.distributed import Replicas

#: Below any quality that there is: IoU 0, all lost, all haze.
WORST_QUALITY = -3.0


class TrainingClock:
    """How far the run is, over all its sittings. The chief's time is the team's: all must learn at one rate."""

    def __init__(self, config: Config, step: int = 0, seconds: float = 0.0, replicas: Replicas | None = None):
        self.config = config.train
        self.replicas = replicas or Replicas()
        self.step = step
        self._before = self._agreed = seconds
        self._start = time.monotonic()

    def tick(self, stop: bool) -> bool:
        """Counts a step; returns whether anybody in the team wants to stop."""
        self.step += 1
        self._agreed, stop = self.replicas.agree(self.seconds, stop)
        return stop

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._start

    @property
    def progress(self) -> float:
        """0 at the start, 1 where the budget of steps or of minutes is spent."""
        by_time = self._agreed / (60 * self.config.minutes) if self.config.minutes else 0.0
        return min(1.0, max(self.step / self.config.steps, by_time))

    @property
    def seconds_left(self) -> float:
        return self.seconds * (1 / self.progress - 1) if self.progress > 0 else math.inf

    def learning_rate(self) -> float:
        """Linear warm-up, then half a cosine down to a hundredth."""
        warm = min(1.0, (self.step + 1) / max(1, self.config.warmup))
        return self.config.lr * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.progress)))


class Averaged:
    """Within `with Averaged(model):` the model computes with the moving average of its weights."""

    def __init__(self, model: keras.Model):
        self.model = model

    def __enter__(self) -> None:
        self.raw = [np.asarray(v) for v in self.model.trainable_variables]
        for variable, average in zip(self.model.trainable_variables, self.model.optimizer.averages(), strict=False):
            variable.assign(average)

    def __exit__(self, *exc: object) -> None:
        for variable, raw in zip(self.model.trainable_variables, self.raw, strict=True):
            variable.assign(raw)


class Validation:
    """Scores the averaged weights on the validation pictures and draws a preview sheet."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, sets: list[str], batch: int):
        self.images, self.labels, self.sets, self.batch = images, labels, np.array(sets), batch
        # The preview shows pictures from all over the list, the same each time.
        self.shown = np.unique(np.linspace(0, len(images) - 1, 16).astype(int))

    def __call__(self, model: keras.Model) -> tuple[dict[str, float], np.ndarray]:
        """Returns the scores and the sheet, uint8 RGB.

        Scores: `iou`, mean person IoU over the pictures with people; `iou_<set>`; `lost` and `haze`, mean shares of
        their core that is see-through and of their far background that isn't clear (`score.solidity`); `quality`,
        IoU − lost − haze, by which the best weights are chosen: IoU alone is blind to holes; `false_people`, the share
        of photographs with nobody in which more than 0.5 % of the pixels became person.
        """
        alphas = self._alphas(model)
        masks = alphas >= 0.5
        target, sure = self.labels[..., 0] > 127, self.labels[..., 1] <= 127
        people = target.any((1, 2))
        iou = np.array([person_iou(count(t[s], m[s])) for t, m, s in zip(target, masks, sure, strict=True)])
        scores = {"iou": float(iou[people].mean()) if people.any() else 0.0}
        solid = [solidity(a, t & s, ~s) for a, t, s in zip(alphas, target, sure, strict=True) if (t & s).any()]
        for key in ("lost", "haze"):
            shares = [share for one in solid if (share := getattr(one, key)) is not None]
            scores[key] = float(np.mean(shares)) if shares else 0.0
        scores["quality"] = scores["iou"] - scores["lost"] - scores["haze"]
        for name in np.unique(self.sets[people]):
            scores[f"iou_{name}"] = float(iou[people & (self.sets == name)].mean())
        if (~people).any():
            scores["false_people"] = float(((masks & sure)[~people].mean((1, 2)) > FALSE_SHARE).mean())
        return scores, self._sheet(masks)

    def _alphas(self, model: keras.Model) -> np.ndarray:
        """float32 (N, size, size). Some pictures at a time: all as float32 would be five times the set's memory."""
        alone = model.distribute_strategy.num_replicas_in_sync == 1
        # `predict` would wait for the other processes, and the chief validates alone.
        forward = tf.function(lambda x: model(x, training=False), reduce_retracing=True)
        alphas = []
        step = self.batch * (16 if alone else 1)
        for first in range(0, len(self.images), step):
            images = self.images[first : first + step].astype(np.float32) / 255
            logits = model.predict(images, batch_size=self.batch, verbose=0) if alone else forward(images).numpy()
            alphas.append(1 / (1 + np.exp(-logits[..., 0].astype(np.float32))))
        return np.concatenate(alphas)

    def _sheet(self, masks: np.ndarray) -> np.ndarray:
        tiles = []
        for i in self.shown:
            image = cv2.resize(self.images[i], (160, 160), interpolation=cv2.INTER_AREA)
            mask = cv2.resize(masks[i].astype(np.uint8), (160, 160), interpolation=cv2.INTER_NEAREST).astype(bool)
            truth = cv2.resize(self.labels[i, ..., 0], (160, 160), interpolation=cv2.INTER_AREA) > 127
            tiles.append(np.vstack([image, mark_errors(image, truth, mask)]))
        while len(tiles) % 8:
            tiles.append(np.zeros_like(tiles[0]))
        return np.vstack([np.hstack(tiles[i : i + 8]) for i in range(0, len(tiles), 8)])


class Supervisor(keras.callbacks.Callback):
    """Runs the schedule, validates, saves, shows progress, and stops at the budget or at a signal."""

    def __init__(
        self, config: Config, run: Path, clock: TrainingClock, validation: Validation, best: float,
        on_scalars: Callable[[int, dict[str, float]], None],
    ):  # fmt: skip
        super().__init__()
        self.config, self.run, self.clock, self.validation = config, run, clock, validation
        self.best = best
        self.on_scalars = on_scalars
        self.stopped_by = ""
        self.iou = math.nan
        self._since = (time.monotonic(), clock.step)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )  # fmt: skip

    # ------------------------------------------------------------ Keras' hooks

    def on_train_begin(self, logs=None):  # noqa: ARG002
        self._handlers = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        if self.clock.replicas.is_chief:
            self._progress.start()
        self._bar = self._progress.add_task("training", total=1.0, note="")

    def on_train_batch_begin(self, batch, logs=None):  # noqa: ARG002
        self.model.optimizer.learning_rate.assign(self.clock.learning_rate())

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            keep_freed_memory()  # again: starting the data set has undone it
        if self.clock.tick(bool(self.stopped_by)) and not self.stopped_by:
            self.stopped_by = "another worker"
        logs = logs or {}
        done = self.clock.progress >= 1
        if not math.isfinite(logs.get("loss", 0.0)):
            self.stopped_by = "a loss that is not a number"
            self.model.stop_training = True
            return
        if self.clock.step % self.config.train.validate_every == 0 or done:
            if self.clock.replicas.is_chief:
                self._validate(logs)
            self.model.reset_metrics()
        if done or self.stopped_by:
            self.save()
            self.model.stop_training = True
        if self.clock.replicas.is_chief and (self.clock.step % 5 == 0 or done):
            self._show(logs)

    def close(self) -> None:
        """Gives the signals and the terminal back. Called also after an error, when Keras calls no hook."""
        self._progress.stop()
        for number, handler in getattr(self, "_handlers", {}).items():
            signal.signal(number, handler)
        self._handlers = {}

    # ------------------------------------------------------------ ours

    def _on_signal(self, number, frame):  # noqa: ARG002
        self.stopped_by = signal.Signals(number).name

    def _validate(self, logs: dict[str, float]) -> None:
        with Averaged(self.model):
            scores, sheet = self.validation(self.model)
            self.iou = scores["iou"]
            if scores["quality"] > self.best:
                self.best = scores["quality"]
                save_weights(self.run / "best.weights.h5", self.model)
            save_weights(self.run / "last.weights.h5", self.model)
        name = f"{self.clock.step:06d}.jpg"
        with atomic_write(self.run / "previews" / name) as stream:
            stream.write(encode(sheet, EncodeOptions("JPEG", 95)))
        row = {"step": self.clock.step, "seconds": round(self.clock.seconds, 1), "lr": self.clock.learning_rate()}
        row |= {"loss": logs.get("loss", math.nan), "train_person_iou": logs.get("person_iou", math.nan)} | scores
        self._record(row)
        with atomic_write(self.run / "history.png") as stream:
            stream.write(history_chart(self.run / "history.csv"))
        self.on_scalars(self.clock.step, row)
        self._progress.console.print(
            f"step {self.clock.step}: loss {row['loss']:.4f}, IoU {self.iou:.4f} (best quality {self.best:.4f}), "
            + ", ".join(f"{key} {value:.3f}" for key, value in scores.items() if key != "iou"),
            highlight=False,
        )
        self.save()

    def _record(self, row: dict[str, float]) -> None:
        file = self.run / "history.csv"
        is_new = not file.exists()
        with file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def save(self) -> None:
        """Saves what `--resume` needs; the chief alone does."""
        if not self.clock.replicas.is_chief:
            return
        counters = {"step": self.clock.step, "seconds": self.clock.seconds, "best": self.best}
        save_state(self.run / "state.npz", self.model, counters)

    def _show(self, logs: dict[str, float]) -> None:
        now, since = time.monotonic(), self._since
        rate = (self.clock.step - since[1]) * self.config.train.batch / max(1e-9, now - since[0])
        if now - since[0] > 60:
            self._since = (now, self.clock.step)
        left = self.clock.seconds_left
        eta = f"{left / 60:.0f} min left" if math.isfinite(left) else ""
        loss = logs.get("loss", math.nan)
        note = f"step {self.clock.step}  {rate:.1f} images/s  {eta}  loss {loss:.4f}  IoU {self.iou:.4f}"
        self._progress.update(self._bar, completed=self.clock.progress, note=note)
        if not self._progress.console.is_terminal and self.clock.step % 50 == 0:  # a log file wants lines, not a bar
            self._progress.console.print(note, highlight=False)
