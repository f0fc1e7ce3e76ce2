"""Scores any function from photo to alpha on sets of photographs with masks.

    report = evaluate(model.alpha, "val/")
    report.sets["portraits"].iou          # Interval(value=0.94, low=0.92, high=0.96)

A photograph with nobody in it (a set without masks, or an empty mask) has no person to overlap with: it counts for the
share of photos with false people and for MAE, and never for the mean of IoU, Dice and boundary F. Where a label says
that it doesn't know (128, void, crowds), nothing is scored.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from standout.data.check import rule_sentences
from standout.data.labels import label_fault, open_pair
from standout.data.pair import Fault, Pair
from standout.data.pairs import find_pairs
from standout.data.shapes import figures_name, read_shape, size_name
from standout.errors import ConfigError, DataError
from standout.imaging.arrays import Alpha, Frame, Mask, check_alpha
from standout.score.boundary import boundary_f
from standout.score.counts import THRESHOLD, Counts, count, dice, found_share, has_false_people, person_iou
from standout.score.intervals import Interval, mean_interval
from standout.score.loss import bce_dice

#: What is scored: a photo, uint8 RGB (H, W, 3), to its alpha, float32 (H, W) in [0, 1].
Predict = Callable[[Frame], Alpha]
#: Called with (photos done, photos in all).
Progress = Callable[[int, int], None]

#: The thresholds that `calibrate=True` tries.
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True)
class PhotoScore:
    """The scores of one photograph."""

    pair: Pair
    width: int
    height: int
    counts: Counts
    boundary_f: float
    mae: float
    loss: float  # BCE − Dice, as training minimises it
    figures: int
    ms: float
    by_threshold: tuple[Counts, ...] = ()  # at THRESHOLDS, when asked for

    @property
    def set(self) -> str:
        return self.pair.set

    @property
    def stem(self) -> str:
        return self.pair.stem

    @property
    def iou(self) -> float:
        return person_iou(self.counts)

    @property
    def dice(self) -> float:
        return dice(self.counts)

    @property
    def person_share(self) -> float:
        return (self.counts.tp + self.counts.fn) / self.counts.pixels

    @property
    def nobody(self) -> bool:
        """Whether the truth shows nobody."""
        return self.counts.tp + self.counts.fn == 0

    @property
    def badness(self) -> float:
        """What the worst photographs are sorted by: 1 − IoU; with nobody there, the share of pixels found wrongly."""
        return found_share(self.counts) if self.nobody else 1 - self.iou

    def row(self) -> dict[str, Any]:
        """The photograph's line in JSON and CSV."""
        c = self.counts
        return {
            "set": self.set, "stem": self.stem, "width": self.width, "height": self.height,
            "person_iou": round(self.iou, 5), "dice": round(self.dice, 5), "boundary_f": round(self.boundary_f, 5),
            "mae": round(self.mae, 6), "person_share": round(self.person_share, 5), "figures": self.figures,
            "false_people": has_false_people(c), "found_share": round(found_share(c), 5),
            "tp": c.tp, "fp": c.fp, "fn": c.fn, "tn": c.tn, "ms": round(self.ms, 2),
        }  # fmt: skip


@dataclass(frozen=True)
class SetScore:
    """The scores of a set: means over its photographs with their intervals; None where no photograph counts.

    Attributes:
        photos: In all.
        with_people: Of them, those that IoU, Dice and boundary F are means of.
        false_people: Share of the people-free photographs in which people were found.
        ms: Median time of one call, milliseconds.
    """

    photos: int
    with_people: int
    iou: Interval | None
    dice: Interval | None
    boundary_f: Interval | None
    mae: Interval | None
    false_people: Interval | None
    ms: float

    @property
    def nobody(self) -> int:
        """Photographs with nobody in them."""
        return self.photos - self.with_people

    def as_json(self) -> dict[str, Any]:
        """Figures are [mean, low, high]; what no photograph counts for is left out."""
        means = {
            "person_iou": self.iou, "dice": self.dice, "boundary_f": self.boundary_f, "mae": self.mae,
            "false_people": self.false_people,
        }  # fmt: skip
        numbers = {"photos": self.photos, "with_people": self.with_people, "ms": round(self.ms, 2)}
        return numbers | {name: value.rounded() for name, value in means.items() if value}


@dataclass(frozen=True)
class ThresholdScore:
    """What one threshold gives over all photographs: mean person IoU, and the share with false people."""

    threshold: float
    iou: Interval | None
    false_people: float | None


@dataclass(frozen=True)
class Evaluation:
    """The outcome of `evaluate`."""

    threshold: float
    photos: tuple[PhotoScore, ...]
    left_out: tuple[Fault, ...]
    notes: tuple[str, ...]

    @property
    def sets(self) -> dict[str, SetScore]:
        """Each set by itself, in order of name."""
        return {name: score_set([p for p in self.photos if p.set == name]) for name in self.set_names}

    @property
    def set_names(self) -> list[str]:
        return sorted({photo.set for photo in self.photos})

    def by_size(self, set_name: str | None = None) -> dict[str, SetScore]:
        """Photographs with people, by the share of the picture that is person; small ones first."""
        return _grouped(self._people(set_name), lambda p: size_name(p.person_share), lambda p: p.person_share)

    def by_figures(self, set_name: str | None = None) -> dict[str, SetScore]:
        """Photographs with people, by the number of separate figures in the mask."""
        return _grouped(self._people(set_name), lambda p: figures_name(p.figures), lambda p: p.figures)

    def worst(self, count: int = 12) -> list[PhotoScore]:
        """The photographs with the lowest scores, worst first."""
        return sorted(self.photos, key=lambda p: (-p.badness, p.set, p.stem))[:count]

    def calibration(self) -> list[ThresholdScore]:
        """Mean person IoU and false people at every one of `THRESHOLDS`; empty unless `calibrate` was asked for."""
        scored = [p for p in self.photos if p.by_threshold]
        if not scored:
            return []
        people, nobody = [p for p in scored if not p.nobody], [p for p in scored if p.nobody]
        return [
            ThresholdScore(
                threshold,
                mean_interval([person_iou(p.by_threshold[i]) for p in people]),
                float(np.mean([has_false_people(p.by_threshold[i]) for p in nobody])) if nobody else None,
            )
            for i, threshold in enumerate(THRESHOLDS)
        ]

    def calibration_verdict(self) -> str:
        """Whether 0.5 is the best threshold, in a sentence; the gain is tested photo by photo."""
        people = [p for p in self.photos if p.by_threshold and not p.nobody]
        if not people:
            return "No photographs with people were scored at several thresholds."
        table = np.array([[person_iou(c) for c in p.by_threshold] for p in people])
        best, half = int(table.mean(axis=0).argmax()), THRESHOLDS.index(0.5)
        gain = mean_interval(table[:, best] - table[:, half])
        if gain is None or best == half:
            return f"Alpha 0.5 is the best threshold (mean person IoU {table[:, half].mean():.4f})."
        sure = "beyond the noise" if gain.low > 0 else "within the noise, so 0.5 is as good"
        return (
            f"The best threshold is {THRESHOLDS[best]:.2f}: mean person IoU {table[:, best].mean():.4f} against "
            f"{table[:, half].mean():.4f} at 0.5, a gain of {gain.value:.4f} [{gain.low:.4f}, {gain.high:.4f}], {sure}."
        )

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        body: dict[str, Any] = {
            "threshold": self.threshold,
            "sets": {name: score.as_json() for name, score in self.sets.items()},
            "by_size": {name: score.as_json() for name, score in self.by_size().items()},
            "by_figures": {name: score.as_json() for name, score in self.by_figures().items()},
            "photos": [photo.row() for photo in self.photos],
            "left_out": [
                {"set": f.pair.set, "stem": f.pair.stem, "kind": f.kind, "text": f.text} for f in self.left_out
            ],
            "notes": list(self.notes),
        }
        if calibration := self.calibration():
            body["calibration"] = [
                {"threshold": c.threshold, "person_iou": c.iou and c.iou.rounded(), "false_people": c.false_people}
                for c in calibration
            ]
            body["calibration_verdict"] = self.calibration_verdict()
        return body

    def to_json(self, *, model: str = "", data: str = "") -> str:
        """`as_json` as text, with the model's name and the data's path in front."""
        return json.dumps({"model": model, "data": data} | self.as_json(), ensure_ascii=False, indent=1)

    def to_csv(self) -> str:
        """One line per photograph."""
        stream = io.StringIO()
        rows = [photo.row() for photo in self.photos]
        writer = csv.DictWriter(stream, list(rows[0]) if rows else ["set", "stem"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return stream.getvalue()

    def _people(self, set_name: str | None) -> list[PhotoScore]:
        return [p for p in self.photos if not p.nobody and set_name in (None, p.set)]


def evaluate(
    predict: Predict,
    data: Path | str | Sequence[Pair],
    *,
    threshold: float = THRESHOLD,
    calibrate: bool = False,
    person: str = "",
    progress: Progress | None = None,
) -> Evaluation:
    """Scores `predict` on every usable photograph of `data`.

    Args:
        predict: Photo, uint8 RGB (H, W, 3), to alpha, float32 (H, W) in [0, 1].
        data: A data set of any form that `find_pairs` reads (docs/data.md), or the pairs themselves.
        threshold: A pixel counts as person where `alpha >= threshold`.
        calibrate: Count at every one of `THRESHOLDS` too.
        person: What is person in the data, as `find_pairs` takes it.

    Raises:
        DataError: There is no photograph that can be scored.
        InputError: `predict` returned something that is no alpha of the photo's size.
        ConfigError: The threshold is out of range.
    """
    if not 0 < threshold <= 1:
        raise ConfigError(f"`threshold` must lie in (0, 1]; received {threshold}.")
    pairs, faults = find_pairs(data, person=person) if isinstance(data, str | Path) else (list(data), [])
    photos, notes = [], []
    rules: dict[str, Counter[str]] = defaultdict(Counter)
    for done, pair in enumerate(pairs, 1):
        loaded = load_pair(pair)
        if isinstance(loaded, Fault):
            faults.append(loaded)
        else:
            photos.append(_score(predict, pair, loaded, threshold, calibrate))
            rules[pair.set][loaded.rule] += 1
            if pair.mask is not None and photos[-1].nobody and not loaded.classes:
                notes.append(f"{pair.set}/{pair.stem}: the mask is empty; counted as a photograph with nobody.")
        if progress:
            progress(done, len(pairs))
    if not photos:
        first = f" The first fault: {faults[0].text}." if faults else ""
        raise DataError(f"No photograph could be scored; {len(faults)} were left out.{first}")
    notes += [sentence for name in sorted(rules) for sentence in rule_sentences(name, rules[name])]
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
    # An empty mask is a photograph with nobody, for scoring; one that is grey or says "unsure" instead is no truth.
    if kind and (kind != "mask empty" or label.unsure.any()):
        return Fault(pair, kind, f"{pair.image.name}: {text}")
    if label.unsure.all():
        return Fault(pair, "mask empty", f"{pair.image.name}: no pixel of the label is sure")
    alpha = label.person.astype(np.float32) / np.float32(255)
    return Truth(opened.frame, alpha, ~label.unsure, label.rule, label.classes)


def true_mask(alpha: Alpha) -> Mask:
    """The truth as a mask: person where the true alpha is at least a half."""
    return alpha >= 0.5


def _score(predict: Predict, pair: Pair, truth: Truth, threshold: float, calibrate: bool) -> PhotoScore:
    frame, sure = truth.frame, truth.sure
    begin = time.perf_counter()
    raw = predict(frame)
    ms = (time.perf_counter() - begin) * 1000
    alpha = check_alpha(raw, like=frame, name=f"alpha of {pair.image.name}")
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
        loss=bce_dice(true_known, found_known),
        figures=read_shape(mask).figures,
        ms=ms,
        by_threshold=tuple(count(known, found_known, t) for t in THRESHOLDS) if calibrate else (),
    )


def score_set(photos: Sequence[PhotoScore]) -> SetScore:
    """The means of some photographs, which need not be a set on disk."""
    people, nobody = [p for p in photos if not p.nobody], [p for p in photos if p.nobody]
    return SetScore(
        photos=len(photos),
        with_people=len(people),
        iou=mean_interval([p.iou for p in people]),
        dice=mean_interval([p.dice for p in people]),
        boundary_f=mean_interval([p.boundary_f for p in people]),
        mae=mean_interval([p.mae for p in photos]),
        false_people=mean_interval([float(has_false_people(p.counts)) for p in nobody]),
        ms=float(np.median([p.ms for p in photos])) if photos else float("nan"),
    )


def _grouped(
    photos: list[PhotoScore], name: Callable[[PhotoScore], str], order: Callable[[PhotoScore], float]
) -> dict[str, SetScore]:
    names: Iterator[str] = (name(photo) for photo in sorted(photos, key=order))
    return {group: score_set([p for p in photos if name(p) == group]) for group in dict.fromkeys(names)}
