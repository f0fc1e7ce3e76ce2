"""The figures of a data set: what it shows, how its pictures look, how varied they are, which are there twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from standout.workshop.audit.backgrounds import PLAIN_EDGES, effective_number
from standout.workshop.audit.duplicates import near_pairs
from standout.workshop.audit.survey import PairFacts
from standout.workshop.data.check import rules_in_words
from standout.workshop.data.pair import FoundPairs, Pair
from standout.workshop.data.pairs import UNLABELED
from standout.workshop.data.readers._parts import split_named
from standout.workshop.data.shapes import FRAMINGS, SIZES, figures_name, size_name


@dataclass(frozen=True)
class Duplicate:
    """Two pictures that are the same or nearly; `leak` where one is held out and the other is not."""

    first: Pair
    second: Pair
    exact: bool
    alike: float
    leak: bool


def is_held_out(pair: Pair) -> bool:
    """Whether its data set holds it out, or it lies below a folder that is called so."""
    # A single set ("./name") is a part of nothing.
    names = [] if pair.set.startswith("./") else pair.set.split("/")
    return any(part in ("val", "test") for part in (pair.split, *map(split_named, names)))


def is_unlabeled(pair: Pair) -> bool:
    """Whether it lies below a folder called unlabeled, and has no label."""
    return not pair.has_person and any(part.lower() in UNLABELED for part in pair.set.split("/"))


def find_duplicates(facts: list[PairFacts]) -> list[Duplicate]:
    """Pictures that are the same or nearly, by their pixels."""
    read = [fact for fact in facts if fact.bits is not None and fact.thumb is not None]
    hashes, thumbs = [f.bits for f in read if f.bits is not None], [f.thumb for f in read if f.thumb is not None]
    found: dict[tuple[int, int], tuple[bool, float]] = {
        (a, b): (read[a].content == read[b].content, alike) for a, b, alike in near_pairs(hashes, thumbs)
    }
    same: dict[str, list[int]] = defaultdict(list)
    for index, fact in enumerate(read):
        same[fact.content].append(index)
    for indices in same.values():  # flat pictures have no hash, but can still be equal
        for later in indices[1:]:
            found.setdefault((indices[0], later), (True, 1.0))
    result = []
    for (a, b), (exact, alike) in sorted(found.items()):
        first, second = read[a].pair, read[b].pair
        leak = is_held_out(first) != is_held_out(second) and not (is_unlabeled(first) and is_unlabeled(second))
        result.append(Duplicate(first, second, exact, alike, leak))
    return result


def summarize(facts: list[PairFacts], found: FoundPairs, duplicates: list[Duplicate]) -> dict[str, Any]:
    """The figures that the verdict goes by, ready for JSON.

    Args:
        facts: What was seen of each pair.
        found: What was found of the data set: faults, notes.
        duplicates: Of its pictures.
    """
    names = sorted({fact.pair.set for fact in facts})
    kinds = Counter(fault.kind for fault in found.faults)
    kinds.update(kind for fact in facts for kind in fact.faults)
    training = [f for f in facts if not is_held_out(f.pair) and not is_unlabeled(f.pair)]
    held = [f for f in facts if is_held_out(f.pair)]
    leaked = {like.first if is_held_out(like.first) else like.second for like in duplicates if like.leak}
    doubles = {like.second for like in duplicates if not like.leak and not is_unlabeled(like.second)}
    return {
        "kinds": dict(kinds),
        "pairs_without_partner": len(found.faults),
        "training": _describe(training),
        "held_out": _describe(held) if held else None,
        "unlabeled": sum(is_unlabeled(f.pair) for f in facts),
        "sets": {name: _describe([f for f in facts if f.pair.set == name]) for name in names},
        "duplicates": len(doubles),
        "position": _position(training),
        "mask_rules": _rules(facts),
        "notes": found.notes,
        "leaks": {"pairs": sum(like.leak for like in duplicates), "held_out_photos": len(leaked)},
    }


def _rules(facts: list[PairFacts]) -> list[str]:
    """How the label pictures of each set were read, with the values that were found, where they aren't 0 and 255."""
    by_set: dict[str, Counter[str]] = defaultdict(Counter)
    for fact in facts:
        if fact.rule:
            by_set[fact.pair.set][fact.rule] += 1
    return rules_in_words(by_set)


def _position(facts: list[PairFacts]) -> list[list[float]]:
    """How often each place of the picture is person, 32 × 32, 0 … 1."""
    maps = [f.heat for f in facts if f.heat is not None]
    return [[round(float(v), 3) for v in row] for row in np.mean(maps, axis=0)] if maps else []


def _describe(facts: list[PairFacts]) -> dict[str, Any]:
    """The figures of some pairs: what they show, how they look, how varied their backgrounds are."""
    shapes = [f.shape for f in facts if f.shape]
    nobody = [f for f in facts if f.pair.mask is None and not is_unlabeled(f.pair)]
    people = [f for f in facts if f.shape and f.usable]
    weak = [f for f in facts if f.pair.weak and f.usable and not is_unlabeled(f.pair)]
    ground = [f.background for f in people if f.background]
    return {
        "photos": len(facts),
        "usable": sum(f.usable for f in facts),
        "with_people": len(people),
        "nobody": sum(f.usable for f in nobody),
        "boxes_alone": len(weak),
        "unlabeled": sum(is_unlabeled(f.pair) for f in facts),
        "faulty": {kind: sum(kind in f.faults for f in facts) for kind in sorted({k for f in facts for k in f.faults})},
        "formats": dict(Counter(f.format for f in facts if f.format)),
        "width": _quartiles([f.size_hw[1] for f in facts if f.format]),
        "height": _quartiles([f.size_hw[0] for f in facts if f.format]),
        "person_share": _quartiles([s.share for s in shapes]),
        "sizes": _counted((size_name(s.share) for s in shapes), [name for _, name in SIZES]),
        "figures": _counted((figures_name(s.figures) for s in shapes), ["1", "2", "3 and more"]),
        "framing": _counted((s.framing for s in shapes), list(FRAMINGS[:-1])),
        "cut_by": _counted((side for s in shapes for side in s.touches), ["top", "bottom", "left", "right"]),
        "not_cut": sum(not s.touches for s in shapes),
        "edge_agreement": _quartiles([f.agreement for f in facts if f.agreement is not None]),
        "raggedness": _quartiles([f.raggedness for f in facts if f.raggedness is not None]),
        "brightness": _quartiles([f.brightness for f in facts if f.format]),
        "sharpness": _quartiles([f.sharpness for f in facts if f.format]),
        "color": _quartiles([f.color for f in facts if f.format]),
        "dark": sum(f.brightness < 0.2 for f in facts if f.format),
        "plain_backgrounds": sum(share < PLAIN_EDGES for _, share in ground),
        "backgrounds_seen": len(ground),
        "different_backgrounds": round(effective_number([vector for vector, _ in ground]), 1),
    }


def _quartiles(values: Iterable[float]) -> list[float]:
    """[5 %, 25 %, median, 75 %, 95 %], or nothing of nothing."""
    array = np.array(list(values), np.float64)
    return [round(float(v), 4) for v in np.quantile(array, [0.05, 0.25, 0.5, 0.75, 0.95])] if array.size else []


def _counted(names: Iterable[str], order: list[str]) -> dict[str, int]:
    counts = Counter(names)
    return {name: counts[name] for name in order}
