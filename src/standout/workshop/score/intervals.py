"""How sure a figure is: bootstrap intervals, and the comparison of two series of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Resamplings; the ends of a 95 % interval are then good to about a hundredth of its width.
ROUNDS = 2000
_DRAWN_AT_ONCE = 1 << 20
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
    # So many resamplings at a time that memory doesn't grow with their number times that of the values.
    rows = max(1, _DRAWN_AT_ONCE // array.size)
    means = np.concatenate(
        [
            array[rng.integers(0, array.size, (min(rows, ROUNDS - done), array.size))].mean(axis=1)
            for done in range(0, ROUNDS, rows)
        ]
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(array.mean()), float(low), float(high))


def median_ratio(before: Sequence[Sequence[float]], after: Sequence[Sequence[float]]) -> Interval:
    """How many times `before` `after` is, by their medians, with its interval.

    Each is measured in rounds, and whole rounds are drawn: neighbors in time are alike, so single measurements
    would make the noise look too small. An interval that leaves out 1 shows a difference greater than the noise.
    """
    rng = np.random.default_rng(_SEED)
    ratios = _resampled_medians(after, rng) / _resampled_medians(before, rng)
    low, high = np.quantile(ratios, [0.025, 0.975])
    value = np.median([v for block in after for v in block]) / np.median([v for block in before for v in block])
    return Interval(float(value), float(low), float(high))


def rank_z(before: Sequence[float], after: Sequence[float]) -> float:
    """Mann & Whitney's z (1947, ties counted half): above 0 where `after` is larger; |z| > 2.58 is sure at 1 %."""
    a, b = np.asarray(before, np.float64)[:, None], np.asarray(after, np.float64)[None]
    u = float((b > a).sum() + 0.5 * (b == a).sum())
    pairs, total = a.size * b.size, a.size + b.size
    return (u - pairs / 2) / float(np.sqrt(pairs * (total + 1) / 12))


def _resampled_medians(rounds: Sequence[Sequence[float]], rng: np.random.Generator) -> NDArray[np.float64]:
    blocks = [np.asarray(block, np.float64) for block in rounds]
    draws = rng.integers(0, len(blocks), (ROUNDS, len(blocks)))
    return np.array([np.median(np.concatenate([blocks[i] for i in draw])) for draw in draws])
