"""Hold out a part for validation, by group, so that adding files moves no other file across.

Each group's side follows from a hash of its name alone; scikit-learn's `PredefinedSplit` turns the sides into indices.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import PredefinedSplit

from standout.errors import DataError
from standout.workshop.data.pair import Pair


def split_pairs(pairs: Sequence[Pair], fraction: float, *, seed: int = 0) -> tuple[list[Pair], list[Pair]]:
    """Splits into training and validation pairs, about `fraction` of each set's groups in the second.

    A set of two groups or more gives at least one group to each side.

    Raises:
        DataError: Nothing would be left to train on or to validate on.
    """
    groups: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        groups[pair.set].add(pair.group)
    held: set[tuple[str, str]] = set()
    for name, members in groups.items():
        rank = {group: _hash01(f"{seed}/{name}/{group}") for group in members}
        chosen = {group for group in members if rank[group] < fraction}
        if not chosen and len(members) > 1:
            chosen = {min(members, key=lambda group: rank[group])}
        if chosen == members:
            chosen.discard(max(members, key=lambda group: rank[group]))
        held |= {(name, group) for group in chosen}
    folds = np.array([0 if (pair.set, pair.group) in held else -1 for pair in pairs])
    if not (folds == 0).any() or not (folds == -1).any():
        raise DataError(
            f"At least two groups are needed to hold one out for validation; received {len(pairs)} pair(s)."
        )
    train, val = next(PredefinedSplit(folds).split())
    return [pairs[i] for i in train], [pairs[i] for i in val]


def own_parts(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """What may be trained on, and what the data set itself holds out for validation; its test part is in neither.

    A data set that is a val part alone is one to train on: who names it by itself wants all of it.

    Raises:
        DataError: There is no person in what may be trained on.
    """
    train = [pair for pair in pairs if pair.split not in ("val", "test")]
    val = [pair for pair in pairs if pair.split == "val"]
    if not any(pair.has_person for pair in train):
        train, val = train + val, []
    if not any(pair.has_person for pair in train):
        raise DataError("Every usable pair belongs to the data set's own test part, which is never trained on.")
    return train, val


def some_of(pairs: Sequence[Pair], count: int) -> list[Pair]:
    """`count` of the pairs, the same each time, and as many of them as can be when others come in."""
    chosen = sorted(pairs, key=lambda pair: _hash01(f"{pair.set}/{pair.image.name}"))[:count]
    return sorted(chosen, key=lambda pair: (pair.set, pair.image.name))


def _hash01(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
