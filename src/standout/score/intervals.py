"""How sure a figure is: bootstrap intervals, and the comparison of two series of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Resamplings; the ends of a 95 % interval are then good to about a hundredth of its width.
ROUNDS = 2000
_SEED = 20260701  # the same figures give the same interval


@dataclass(frozen=True)
class Interval:
    """A figure and the ends of its 95 % bootstrap interval (percentile method, Efron 1979)."""

    value: float
    low: float
    high: float

    def rounded(self, digits: int = 4) -> list[float]:
        """[value, low, high], as the JSON reports hold it."""
        return [round(self.value, digits), round(self.low, digits), round(self.high, digits)]


def mean_interval(values: Sequence[float] | NDArray[np.floating]) -> Interval | None:
    """The mean of some figures with its interval; None of none. One alone has no spread: low = high = value."""
    array = np.asarray(values, np.float64)
    if array.size == 0:
        return None
    rng = np.random.default_rng(_SEED)
    means = array[rng.integers(0, array.size, (ROUNDS, array.size))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(array.mean()), float(low), float(high))


def median_ratio(before: Sequence[float], after: Sequence[float]) -> Interval:
    """How many times `before` `after` is, by their medians, with its interval.

    An interval that leaves out 1 shows a difference greater than the noise of the two series.
    """
    a, b = np.asarray(before, np.float64), np.asarray(after, np.float64)
    rng = np.random.default_rng(_SEED)
    ratios = _resampled_medians(b, rng) / _resampled_medians(a, rng)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Interval(float(np.median(b) / np.median(a)), float(low), float(high))


def _resampled_medians(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.median(values[rng.integers(0, values.size, (ROUNDS, values.size))], axis=1)
