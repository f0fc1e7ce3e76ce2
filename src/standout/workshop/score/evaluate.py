"""Scores any function from photo to alpha on sets of photographs with masks.

    report = evaluate(model.alpha, "val/")
    report.sets["portraits"].iou          # Interval(value=0.94, low=0.92, high=0.96)

What is scored is what users get: the network's alpha after `clean_alpha`. What only the network's own alpha shows
stands beside it (`raw_lost`, `raw_haze`), and its loss is of that.

A photograph with nobody in it (a set without masks, or an empty mask) has no person to overlap with: it counts for the
share of photos with false people and for MAE, and never for the mean of IoU, Dice, boundary F and solidity. Where a
label says that it doesn't know (128, void, crowds), nothing is scored.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from standout.errors import ConfigError, DataError
from standout.imaging.arrays import Alpha, Frame, Mask, check_alpha
from standout.inference.clean_alpha import clean_alpha
from standout.workshop.data.check import rules_in_words
from standout.workshop.data.labels import label_fault, open_pair
from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.pairs import find
from standout.workshop.data.shapes import read_shape
from standout.workshop.score.boundary import boundary_f
from standout.workshop.score.counts import THRESHOLD, count
from standout.workshop.score.loss import bce_dice
from standout.workshop.score.report import THRESHOLDS, Evaluation, PhotoScore
from standout.workshop.score.solidity import solidity

#: What is scored: a photo, uint8 RGB (H, W, 3), to its alpha, float32 (H, W) in [0, 1].
Predict = Callable[[Frame], Alpha]
#: Called with (photos done, photos in all).
Progress = Callable[[int, int], None]


def evaluate(
    predict: Predict,
    data: Path | str | Sequence[Pair],
    *,
    threshold: float = THRESHOLD,
    calibrate: bool = False,
    clean: bool = True,
    person: str = "",
    progress: Progress | None = None,
) -> Evaluation:
    """Scores `predict` on every usable photograph of `data`.

        import standout

        report = standout.evaluate(standout.load().alpha, "data/val")
        print(report.to_json())

    Args:
        predict: Photo, uint8 RGB (H, W, 3), to alpha, float32 (H, W) in [0, 1].
        data: A data set of any form that `find` reads (docs/data.md), or the pairs themselves.
        threshold: A pixel counts as person where `alpha >= threshold`.
        calibrate: Count at every one of `THRESHOLDS` too.
        clean: Score the alpha after `clean_alpha`, as every product shows it; False for an alpha that is final.
        person: What is person in the data, as `find` takes it.

    Raises:
        DataError: There is no photograph that can be scored.
        InputError: `predict` returned something that is no alpha of the photo's size.
        ConfigError: The threshold is out of range.
    """
    if not 0 < threshold <= 1:
        raise ConfigError(f"`threshold` must lie in (0, 1]; received {threshold}.")
    found = find(data, person=person) if isinstance(data, str | Path) else FoundPairs(list(data))
    pairs, faults, notes = found.pairs, found.faults, found.notes
    photos: list[PhotoScore] = []
    rules: dict[str, Counter[str]] = defaultdict(Counter)
    for done, pair in enumerate(pairs, 1):
        loaded = load_pair(pair)
        if isinstance(loaded, Fault):
            faults.append(loaded)
        else:
            photos.append(_score(predict, pair, loaded, threshold, calibrate=calibrate, clean=clean))
            rules[pair.set][loaded.rule] += 1
            if pair.mask is not None and photos[-1].nobody and not loaded.classes:
                notes.append(f"{pair.set}/{pair.stem}: the mask is empty; counted as a photograph with nobody.")
        if progress:
            progress(done, len(pairs))
    if not photos:
        first = f" The first fault: {faults[0].text}." if faults else ""
        raise DataError(f"No photograph could be scored; {len(faults)} were left out.{first}")
    notes += rules_in_words(rules)
    return Evaluation(threshold, tuple(photos), tuple(faults), tuple(notes))


@dataclass(frozen=True, eq=False)
class Truth:
    """What a prediction is compared with.

    Attributes:
        frame: The photo, uint8 RGB (H, W, 3).
        alpha: float32 (H, W) in [0, 1]; zeros where nobody is.
        sure: bool (H, W): where the truth is known; the rest is left out of every score.
        rule: How the label was read.
        classes: Whether the label could say that nobody is there.
    """

    frame: Frame
    alpha: Alpha
    sure: Mask
    rule: str = ""
    classes: bool = False


def load_pair(pair: Pair) -> Truth | Fault:
    """Reads a photo and its true alpha, or says what is wrong with the pair."""
    opened = open_pair(pair)
    if isinstance(opened, Fault):
        return opened
    label = opened.label
    kind, text = label_fault(label)
    # An empty mask is a photograph with nobody, for scoring; one that is gray or says "unsure" instead is no truth.
    if kind and (kind != "mask empty" or label.unsure.any()):
        return Fault(pair, kind, f"{pair.image.name}: {text}")
    if label.unsure.all():
        return Fault(pair, "mask empty", f"{pair.image.name}: no pixel of the label is sure")
    alpha = label.person.astype(np.float32) / np.float32(255)
    return Truth(opened.frame, alpha, ~label.unsure, label.rule, label.classes)


def true_mask(alpha: Alpha) -> Mask:
    """The truth as a mask: person where the true alpha is at least a half."""
    return alpha >= 0.5


def _score(predict: Predict, pair: Pair, truth: Truth, threshold: float, *, calibrate: bool, clean: bool) -> PhotoScore:
    frame, sure = truth.frame, truth.sure
    begin = time.perf_counter()
    raw = predict(frame)
    ms = (time.perf_counter() - begin) * 1000
    raw = check_alpha(raw, like=frame, name=f"alpha of {pair.image.name}")
    alpha = clean_alpha(raw.copy()) if clean else raw
    mask = true_mask(truth.alpha)
    # One row of the pixels that are known: what isn't known counts for nothing.
    known, true_known, found_known = mask[sure], truth.alpha[sure], alpha[sure]
    return PhotoScore(
        pair=pair,
        width=frame.shape[1],
        height=frame.shape[0],
        counts=count(known, found_known, threshold),
        boundary_f=boundary_f(mask, alpha >= threshold, sure=sure),
        mae=float(np.abs(found_known - true_known).mean()),
        loss=bce_dice(true_known, raw[sure]),
        figures=read_shape(mask).figures,
        ms=ms,
        solidity=solidity(alpha, mask, ~sure),
        raw_solidity=solidity(raw, mask, ~sure),
        by_threshold=tuple(count(known, found_known, t) for t in THRESHOLDS) if calibrate else (),
    )
