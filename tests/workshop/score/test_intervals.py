"""Intervals: what they hold, and that they stay the same."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from standout.workshop.score import intervals
from standout.workshop.score.intervals import mean_interval, median_ratio


def test_the_interval_of_a_mean_has_the_textbook_width() -> None:
    values = np.random.default_rng(1).normal(0.9, 0.1, 400)
    interval = mean_interval(values)
    assert interval is not None
    assert interval.value == pytest.approx(values.mean())
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert interval == mean_interval(values)


def test_none_has_no_mean_and_one_no_spread() -> None:
    assert mean_interval([]) is None
    alone = mean_interval([0.5])
    assert alone is not None and alone.low == alone.high == 0.5


def test_many_values_need_little_memory_and_give_the_figures_of_one_large_table() -> None:
    values = np.random.default_rng(3).random(20_000)
    tracemalloc.start()
    interval = mean_interval(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # 2000 × 20 000 indices alone would be 320 MB
    few = values[:500]
    draws = np.random.default_rng(intervals._SEED).integers(0, few.size, (intervals.ROUNDS, few.size))
    low, high = np.quantile(few[draws].mean(axis=1), [0.025, 0.975])
    found = mean_interval(few)
    assert interval is not None and found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


def test_a_slower_series_is_told_from_noise() -> None:
    rng = np.random.default_rng(2)
    before = rng.normal(100, 5, (5, 8))
    slower = median_ratio(before, rng.normal(120, 5, (5, 8)))
    assert slower.low > 1 and slower.value == pytest.approx(1.2, abs=0.05)
    same = median_ratio(before, rng.normal(100, 5, (5, 8)))
    assert same.low < 1 < same.high


def test_rounds_that_differ_among_themselves_hide_a_small_difference() -> None:
    restless = np.array([[80.0] * 8, [100.0] * 8, [120.0] * 8, [90.0] * 8, [110.0] * 8])
    ratio = median_ratio(restless, restless[::-1] * 1.04)
    assert ratio.low < 1 < ratio.high  # 40 single values would have sworn to it
