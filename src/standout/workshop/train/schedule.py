"""How far a training run is, and the learning rate there: a linear warm-up, then half a cosine (arXiv 1608.03983)."""

from __future__ import annotations

import math
import time

from standout.workshop.config import Config


class TrainingClock:
    """How far the run is, over all its sittings."""

    def __init__(self, config: Config, step: int = 0, seconds: float = 0.0):
        self.config = config.train
        self.step = step
        self._before = seconds
        self._start = time.monotonic()

    def tick(self) -> None:
        """Counts a step."""
        self.step += 1

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._start

    @property
    def progress(self) -> float:
        """0 at the start, 1 where the budget of steps or of minutes is spent."""
        by_time = self.seconds / (60 * self.config.minutes) if self.config.minutes else 0.0
        return min(1.0, max(self.step / self.config.steps, by_time))

    @property
    def seconds_left(self) -> float:
        return self.seconds * (1 / self.progress - 1) if self.progress > 0 else math.inf

    def learning_rate(self) -> float:
        """Linear warm-up, then half a cosine down to a hundredth."""
        warm = min(1.0, (self.step + 1) / max(1, self.config.warmup))
        return self.config.lr * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.progress)))
