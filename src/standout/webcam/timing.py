"""Time of a live picture: an injectable clock, a frame limiter, and a meter of rate, latency and CPU use."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

#: Frames over which the meter looks back.
_WINDOW = 90


class Clock(Protocol):
    """Seconds, as the loop sees them."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

    def cpu(self) -> float:
        """Seconds of processor that this process has used."""


class SystemClock:
    """The real one."""

    def now(self) -> float:
        """`time.monotonic`: the clock on which cameras stamp their frames."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)

    def cpu(self) -> float:
        """Seconds of processor, all threads together."""
        return time.process_time()


class RateLimiter:
    """Lets at most `fps` frames per second pass, evenly.

    A camera of just that rate isn't slowed down: a frame may come a quarter of a period early, as long as the mean
    is kept.
    """

    def __init__(self, fps: float, clock: Clock) -> None:
        self.period_s = 1 / fps
        self._clock = clock
        self._due = clock.now()

    def wait(self) -> None:
        """Returns when the next frame may be taken."""
        slack = 0.25 * self.period_s
        early = self._due - slack - self._clock.now()
        if early > 0:
            self._clock.sleep(early)
        # Time that was lost isn't made up for by a burst.
        self._due = max(self._due, self._clock.now() - slack) + self.period_s


@dataclass(frozen=True)
class Figures:
    """What the meter says of the last frames.

    Attributes:
        fps: Frames per second.
        latency_ms: From the camera to the output, median.
        latency_p95_ms: Likewise, 95th percentile.
        cpu_percent: Processor time in per cent of one core: 200 is two cores at work.
        stages_ms: Stage -> median milliseconds.
    """

    fps: float = 0.0
    latency_ms: float = 0.0
    latency_p95_ms: float = 0.0
    cpu_percent: float = 0.0
    stages_ms: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        machine = self.cpu_percent / (os.cpu_count() or 1)
        return (
            f"{self.fps:.1f} fps · {self.latency_ms:.0f} ms behind (p95 {self.latency_p95_ms:.0f}) · "
            f"CPU {machine:.0f} %"
        )


class Meter:
    """Collects times of the last frames."""

    def __init__(self, clock: Clock, window: int = _WINDOW) -> None:
        self._clock, self._window = clock, window
        self.reset()

    def reset(self) -> None:
        """Forgets everything, as after a pause."""
        self._done: deque[tuple[float, float, float]] = deque(maxlen=self._window)  # moment, latency, cpu
        self._stages: dict[str, deque[float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what happens inside."""
        begin = self._clock.now()
        yield
        times = self._stages.setdefault(name, deque(maxlen=self._window))
        times.append(self._clock.now() - begin)

    def done(self, taken_s: float) -> None:
        """A frame that was taken at `taken_s` has left."""
        now = self._clock.now()
        self._done.append((now, now - taken_s, self._clock.cpu()))

    def latencies_ms(self) -> list[float]:
        """Of each of the last frames: how old it was when it left."""
        return [1000 * latency for _, latency, _ in list(self._done)]

    def figures(self) -> Figures:
        """Of the last frames; zeros while there are fewer than two."""
        # Threads that look while a frame is added get a copy.
        done = list(self._done)
        if len(done) < 2 or done[-1][0] <= done[0][0]:
            return Figures()
        passed = done[-1][0] - done[0][0]
        return Figures(
            fps=(len(done) - 1) / passed,
            latency_ms=_quantile(self.latencies_ms(), 0.5),
            latency_p95_ms=_quantile(self.latencies_ms(), 0.95),
            cpu_percent=100 * (done[-1][2] - done[0][2]) / passed,
            stages_ms={name: 1000 * _quantile(list(times), 0.5) for name, times in list(self._stages.items()) if times},
        )


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
