"""The meter tells the truth, and lost time isn't made up for by a burst."""

from __future__ import annotations

import pytest

from standout.webcam.timing import Meter, RateLimiter
from webcam_fakes import FakeClock


def test_the_meter_counts_rate_latency_and_processor() -> None:
    clock = FakeClock(load=2.0)
    meter = Meter(clock)
    assert meter.figures().fps == 0
    for number in range(50):
        taken = clock.now()
        with meter.stage("mask"):
            clock.work(0.04 if number % 10 == 9 else 0.02)
        meter.done(taken)
        clock.sleep(0.06 if number % 10 == 9 else 0.08)
    figures = meter.figures()
    assert figures.fps == pytest.approx(10, rel=0.01)
    assert figures.latency_ms == pytest.approx(20) and figures.latency_p95_ms == pytest.approx(40)
    assert figures.cpu_percent == pytest.approx(44, abs=1)
    assert figures.stages_ms == {"mask": pytest.approx(20)}
    meter.reset()
    assert meter.figures().fps == 0


def test_a_long_delay_is_followed_by_the_ordinary_pace() -> None:
    clock = FakeClock()
    limiter = RateLimiter(10, clock)
    times = []
    for number in range(10):
        limiter.wait()
        times.append(clock.now())
        clock.sleep(1.0 if number == 3 else 0.0)
    after = times[4:]
    assert after[-1] - after[0] >= 0.1 * (len(after) - 1) - 0.05 - 1e-6
    assert min(b - a for a, b in zip(after, after[1:], strict=False)) >= 0.05 - 1e-6
