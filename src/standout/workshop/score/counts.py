"""Count once, score many: true and false pixels of one picture, and the scores that are functions of them.

The one rule for empty masks, used everywhere in Standout: where there is nothing to find and nothing was found, a score
of overlap is 1.0; where there is nothing to find and something was found, or the reverse, it is 0.0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from standout.errors import InputError
from standout.imaging.arrays import Alpha, Mask

#: The alpha from which a pixel counts as person.
THRESHOLD = 0.5
#: A people-free photo has false people when more than this share of its pixels counts as person.
FALSE_SHARE = 0.005


@dataclass(frozen=True)
class Counts:
    """Pixels of one picture: person found, found wrongly, missed, and background left alone."""

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: Counts) -> Counts:
        """The counts of two pictures together, as a whole set is counted for a pixel-wise score."""
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def pixels(self) -> int:
        return self.tp + self.fp + self.fn + self.tn


def count(mask: Mask, alpha: Alpha | Mask, threshold: float = THRESHOLD) -> Counts:
    """Counts one picture.

    Args:
        mask: The truth, bool (H, W).
        alpha: What a model says, float32 (H, W) in [0, 1]; or its mask, bool (H, W).
        threshold: A pixel counts as person where `alpha >= threshold`.

    Raises:
        InputError: The two differ in height or width.
    """
    if mask.shape != alpha.shape:
        raise InputError(f"`alpha` must have the mask's size {mask.shape}; received {alpha.shape}.")
    truth = mask.astype(bool, copy=False)
    found = alpha if alpha.dtype == np.bool_ else alpha >= threshold
    tp = int(np.count_nonzero(truth & found))
    positives, hits = int(np.count_nonzero(truth)), int(np.count_nonzero(found))
    return Counts(tp=tp, fp=hits - tp, fn=positives - tp, tn=truth.size - positives - hits + tp)


def person_iou(counts: Counts) -> float:
    """Intersection over union of the person class alone; background never enters. Nothing to find, nothing found: 1."""
    union = counts.tp + counts.fp + counts.fn
    return counts.tp / union if union else 1.0


def dice(counts: Counts) -> float:
    """Dice coefficient (F1) of the person class, `2·tp / (2·tp + fp + fn)`. Nothing to find, nothing found: 1."""
    both = 2 * counts.tp + counts.fp + counts.fn
    return 2 * counts.tp / both if both else 1.0


def precision(counts: Counts) -> float:
    """Share of the found pixels that are person. Nothing found: 1 where nothing was to be found, else 0."""
    found = counts.tp + counts.fp
    return counts.tp / found if found else float(counts.fn == 0)


def recall(counts: Counts) -> float:
    """Share of the person's pixels that were found. Nothing to find: 1 where nothing was found, else 0."""
    person = counts.tp + counts.fn
    return counts.tp / person if person else float(counts.fp == 0)


def accuracy(counts: Counts) -> float:
    """Share of the pixels on the right side of the threshold."""
    return (counts.tp + counts.tn) / counts.pixels


def person_share(counts: Counts) -> float:
    """Share of the picture that is person, by its mask."""
    return (counts.tp + counts.fn) / counts.pixels


def found_share(counts: Counts) -> float:
    """Share of the picture that the model takes for person."""
    return (counts.tp + counts.fp) / counts.pixels


def has_false_people(counts: Counts) -> bool:
    """Whether a photo without people shows some: more than `FALSE_SHARE` of its pixels counts as person."""
    return counts.tp + counts.fn == 0 and found_share(counts) > FALSE_SHARE
