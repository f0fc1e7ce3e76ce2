"""How fast something is, and whether something else is faster beyond the noise.

Every case is timed in several rounds, all cases in turn in each, so that a machine that grows slower or is
disturbed for a while slows all of them alike. The noise of a comparison is the spread between rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from standout.errors import InputError
from standout.imaging.arrays import Frame, resize
from standout.workshop.score.intervals import Interval, median_ratio, rank_z

#: A difference smaller than this is of no use to anyone, however sure it is.
LEAST_DIFFERENCE = 0.03
#: Of the Mann-Whitney test, two-sided at 1 %; five rounds against five reach 2.61 when they do not overlap.
SURE_Z = 2.576


@dataclass(frozen=True)
class Timing:
    """Milliseconds per image of one case: one list per round."""

    rounds: tuple[tuple[float, ...], ...]

    @property
    def all(self) -> list[float]:
        return [ms for block in self.rounds for ms in block]

    @property
    def median(self) -> float:
        return float(np.median(self.all))

    @property
    def p95(self) -> float:
        return float(np.quantile(self.all, 0.95))

    def as_json(self) -> dict[str, Any]:
        return {
            "median_ms": round(self.median, 3),
            "p95_ms": round(self.p95, 3),
            "rounds_ms": [[round(ms, 3) for ms in block] for block in self.rounds],
        }


def time_cases(
    cases: Mapping[str, Callable[[], Any]],
    *,
    rounds: int = 5,
    repeats: int = 8,
    images: Mapping[str, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Timing]:
    """Times each case `repeats` times in each of `rounds`, after one call that is not counted.

    Args:
        cases: Name -> what to call.
        images: Name -> pictures that one call handles (1 where absent); times are per picture.
    """
    for call in cases.values():
        call()
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in cases}
    for done in range(1, rounds + 1):
        for name, call in cases.items():
            share = 1000 / (images or {}).get(name, 1)
            found[name].append(tuple(_seconds(call) * share for _ in range(repeats)))
        if progress:
            progress(done, rounds)
    return {name: Timing(tuple(blocks)) for name, blocks in found.items()}


def _seconds(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def batch_call(predict: Callable[[Frame], Any], frames: list[Frame], pool: ThreadPoolExecutor) -> Callable[[], None]:
    """One call that hands over a batch: its pictures are predicted at once, each in a thread of its own.

    A model's graph takes one picture at a time, so this is what a batch can gain here.

    Args:
        predict: What is timed.
        frames: The batch.
        pool: The threads, as many as there are frames; the caller's, who ends them.
    """
    if len(frames) == 1:
        return lambda: predict(frames[0])

    def call() -> None:
        list(pool.map(predict, frames))

    return call


def sample_frame(height: int, width: int, *, seed: int = 0) -> Frame:
    """The bundled portrait at this size with a little noise, another for every seed; uint8 RGB (H, W, 3).

    A photo with a person costs more than an empty one, whose edges nobody follows.
    """
    from importlib.resources import as_file, files

    from standout.imaging.decode import read

    with as_file(files("standout") / "assets" / "astronaut.jpg") as portrait:
        frame = resize(read(str(portrait)).frame, (height, width))
    noise = np.random.default_rng(seed).normal(0, 6, (height, width, 1))
    return np.asarray(np.clip(frame + noise, 0, 255), np.uint8)


@dataclass(frozen=True)
class Difference:
    """One case in two results: `ratio` is after ÷ before by their medians."""

    case: str
    before_ms: float
    after_ms: float
    ratio: Interval
    z: float  # Mann-Whitney, of the rounds' medians
    largest_z: float  # what so few or many rounds can reach at all

    @property
    def verdict(self) -> str:
        """`faster`, `slower`, or `same`: no difference that is both beyond the noise and of any use.

        `unknown` where so few rounds could not have shown one: it takes five on each side.

        Two tests must agree, since a table has many cases and 1 in 20 would differ by chance: the interval of the
        ratio leaves out 1, and the rounds' medians are ranked apart at the 1 % level.
        """
        if self.largest_z < SURE_Z:
            return "unknown"
        if (
            abs(self.z) < SURE_Z
            or abs(self.ratio.value - 1) < LEAST_DIFFERENCE
            or self.ratio.low <= 1 <= self.ratio.high
        ):
            return "same"
        return "slower" if self.ratio.value > 1 else "faster"


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Compares the cases that two results of `standout benchmark` have in common.

    Raises:
        InputError: One is no such result, or they have no case in common.
    """
    first, second = _rounds_by_case(before), _rounds_by_case(after)
    common = [case for case in first if case in second]
    if not common:
        raise InputError(f"The results have no case in common: {', '.join(first)} and {', '.join(second)}.")
    return [
        Difference(
            case,
            _median(first[case]),
            _median(second[case]),
            median_ratio(first[case], second[case]),
            rank_z([float(np.median(r)) for r in first[case]], [float(np.median(r)) for r in second[case]]),
            rank_z([0.0] * len(first[case]), [1.0] * len(second[case])),
        )
        for case in common
    ]


def _rounds_by_case(result: object) -> dict[str, list[list[float]]]:
    runs = result.get("runs") if isinstance(result, Mapping) else None
    if not isinstance(runs, list):
        raise InputError("Only JSON results of `standout benchmark` can be compared; one has no list `runs`.")
    for run in runs:
        if (
            not isinstance(run, Mapping)
            or not isinstance(run.get("case"), str)
            or not _are_rounds(run.get("rounds_ms"))
        ):
            raise InputError(
                "Only JSON results of `standout benchmark` can be compared: each run has a `case` and `rounds_ms`, "
                f"lists of milliseconds; received {str(run)[:80]!r}."
            )
    return {run["case"]: run["rounds_ms"] for run in runs}


def _are_rounds(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(
        isinstance(block, list) and block != [] and all(
            isinstance(ms, int | float) and not isinstance(ms, bool) and 0 < ms < 1e12 for ms in block
        )
        for block in value
    )  # fmt: skip


def _median(rounds: list[list[float]]) -> float:
    return float(np.median([ms for block in rounds for ms in block]))
