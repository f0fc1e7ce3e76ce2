"""What `standout.workshop.score.evaluate` found: scores of photographs, their means over sets, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from standout.workshop.data.pair import Fault, Pair
from standout.workshop.data.shapes import figures_name, size_name
from standout.workshop.score.counts import Counts, dice, found_share, has_false_people, person_iou
from standout.workshop.score.intervals import Interval, mean_interval
from standout.workshop.score.solidity import Solidity

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
    loss: float  # BCE − Dice of the network's own alpha, as training minimizes it
    figures: int
    ms: float
    solidity: Solidity
    raw_solidity: Solidity  # of the network's own alpha, before `clean_alpha`
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
            "lost": _rounded(self.solidity.lost), "haze": _rounded(self.solidity.haze),
            "raw_lost": _rounded(self.raw_solidity.lost), "raw_haze": _rounded(self.raw_solidity.haze),
            "tp": c.tp, "fp": c.fp, "fn": c.fn, "tn": c.tn, "ms": round(self.ms, 2),
        }  # fmt: skip


@dataclass(frozen=True)
class SetScore:
    """The scores of a set: means over its photographs with their intervals; None where no photograph counts.

    Attributes:
        photos: In all.
        with_people: How many of them have people: those that IoU, Dice and boundary F are means of.
        lost: Mean share of the person's core that is see-through (`score.solidity`).
        holes: Share of the photographs with people that lose more than 5 % of their core.
        haze: Share of the photographs with people where over 1 % of the far background keeps some alpha.
        raw_lost, raw_haze: `lost` and `haze` of the network's own alpha, before `clean_alpha`.
        false_people: Share of the people-free photographs in which people were found.
        ms: Median time of one call, milliseconds.
    """

    photos: int
    with_people: int
    iou: Interval | None
    dice: Interval | None
    boundary_f: Interval | None
    mae: Interval | None
    lost: Interval | None
    holes: Interval | None
    haze: Interval | None
    raw_lost: Interval | None
    raw_haze: Interval | None
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
            "lost": self.lost, "holes": self.holes, "haze": self.haze, "false_people": self.false_people,
            "raw_lost": self.raw_lost, "raw_haze": self.raw_haze,
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
        lost=mean_interval([p.solidity.lost for p in people if p.solidity.lost is not None]),
        holes=mean_interval([float(holes) for p in people if (holes := p.solidity.has_holes) is not None]),
        haze=mean_interval([float(haze) for p in people if (haze := p.solidity.has_haze) is not None]),
        raw_lost=mean_interval([p.raw_solidity.lost for p in people if p.raw_solidity.lost is not None]),
        raw_haze=mean_interval([float(haze) for p in people if (haze := p.raw_solidity.has_haze) is not None]),
        false_people=mean_interval([float(has_false_people(p.counts)) for p in nobody]),
        ms=float(np.median([p.ms for p in photos])) if photos else float("nan"),
    )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 5)


def _grouped(
    photos: list[PhotoScore], name: Callable[[PhotoScore], str], order: Callable[[PhotoScore], float]
) -> dict[str, SetScore]:
    names: Iterator[str] = (name(photo) for photo in sorted(photos, key=order))
    return {group: score_set([p for p in photos if name(p) == group]) for group in dict.fromkeys(names)}
