"""What a data set is good for, before any hour of training is spent on it.

    result = audit("data/")
    result.wasted, [s.text for s in result.sentences]

DATA is a set (images/ and masks/), a folder of sets, or a folder of such folders; a part of it that is called val,
valid, validation or test is held-out, and nothing of it may appear elsewhere. Photographs without masks/ count as
photographs with nobody, except below a folder called unlabelled.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from standout.errors import DataError
from standout.hardware import hardware_threads
from standout.imaging.decode import SUFFIXES
from standout.workshop.audit.backgrounds import PLAIN_EDGES, effective_number
from standout.workshop.audit.duplicates import near_pairs
from standout.workshop.audit.survey import FAULTS, PairFacts, survey
from standout.workshop.audit.verdict import Finding, judge
from standout.workshop.data.check import rules_in_words
from standout.workshop.data.pair import Fault, Found, Pair
from standout.workshop.data.pairs import UNLABELLED, find, nested_name, reader_of
from standout.workshop.data.places import Member
from standout.workshop.data.shapes import FRAMINGS, SIZES, figures_name, size_name

HELD_OUT = ("val", "valid", "validation", "test")
#: Endings of pictures, and of annotations that may lie beside them.
_OURS = (*SUFFIXES, ".json", ".txt", ".csv", ".jsonl", ".parquet", ".toml", ".yaml", ".xml")
_DEPTH = 3  # folders between DATA and a set


@dataclass(frozen=True)
class Duplicate:
    """Two pictures that are the same or nearly; `leak` where one is held out and the other is not."""

    first: Pair
    second: Pair
    exact: bool
    alike: float
    leak: bool


@dataclass(frozen=True)
class Audit:
    """The outcome of `audit`."""

    root: Path
    facts: tuple[PairFacts, ...]
    unpaired: tuple[Fault, ...]
    duplicates: tuple[Duplicate, ...]
    ignored: tuple[str, ...]
    summary: dict[str, Any]
    sentences: tuple[Finding, ...]

    @property
    def unfit(self) -> bool:
        """Whether training on this would be wasted."""
        return any(sentence.level == "stop" for sentence in self.sentences)

    def findings(self) -> list[dict[str, Any]]:
        """Every faulty file: its set, stem, kind of fault, and what it is; faults before flaws."""
        rows = [_finding(f.pair, f.kind, f.text) for f in self.unpaired]
        rows += [_finding(f.pair, kind, text) for f in self.facts for kind, text in f.faults.items()]
        for like in self.duplicates:
            kind = ("exact" if like.exact else "near") + (" leak" if like.leak else " duplicate")
            row = _finding(like.second, kind, f"the same picture as {like.first.set}/{like.first.stem}")
            rows.append(
                row | {"other_set": like.first.set, "other_stem": like.first.stem, "alike": round(like.alike, 4)}
            )
        return sorted(rows, key=lambda row: (not row["fault"], row["kind"], row["set"], row["stem"]))

    def as_json(self) -> dict[str, Any]:
        """Everything but the pictures, ready for `json.dumps`; `by_kind` gives the stems of each fault."""
        findings = self.findings()
        by_kind: dict[str, list[str]] = defaultdict(list)
        for row in findings:
            by_kind[row["kind"]].append(row["stem"])
        return {
            "data": str(self.root),
            "training_would_be_wasted": self.unfit,
            "verdict": [{"level": s.level, "text": s.text, "advice": s.advice} for s in self.sentences],
            "by_kind": dict(by_kind),
            "findings": findings,
            "ignored_files": list(self.ignored),
            "summary": self.summary,
            "photos": [_row(fact) for fact in self.facts],
        }


def _finding(pair: Pair, kind: str, text: str) -> dict[str, Any]:
    serious = kind in FAULTS or kind.endswith("leak")
    return {"set": pair.set, "stem": pair.stem, "kind": kind, "fault": serious, "text": text}


def _row(fact: PairFacts) -> dict[str, Any]:
    """The figures of one picture."""
    row: dict[str, Any] = {
        "set": fact.pair.set, "stem": fact.pair.stem, "width": fact.size_hw[1], "height": fact.size_hw[0],
        "brightness": round(fact.brightness, 3), "sharpness": round(fact.sharpness, 1), "color": round(fact.color, 1),
    }  # fmt: skip
    if fact.shape:
        row |= {
            "person_share": round(fact.shape.share, 4),
            "figures": fact.shape.figures,
            "framing": fact.shape.framing,
        }
    if fact.agreement is not None:
        row["edge_agreement"] = round(fact.agreement, 3)
    return row


def audit(root: Path | str, *, person: str = "", progress: Callable[[int, int], None] | None = None) -> Audit:
    """Looks at every picture below `root` and judges the whole.

    Args:
        root: A data set of any form that `find_pairs` reads, or a folder of them.
        person: Which values of the masks are person, as `find_pairs` takes it.
        progress: Called with (done, all) now and then.

    Raises:
        DataError: There is no set of pictures.
    """
    root = Path(root)
    everything = find_everything(root, person)
    pairs, unpaired = everything.pairs, everything.faults
    facts: list[PairFacts] = []
    with ThreadPoolExecutor(max_workers=hardware_threads()) as pool:  # OpenCV releases the interpreter's lock
        for done, fact in enumerate(pool.map(survey, pairs), 1):
            facts.append(fact)
            if progress:
                progress(done, len(pairs))
    for fact in facts:  # find_pairs keeps one picture of each stem
        twins = _same_stem(fact.pair)
        if len(twins) > 1:
            fact.faults["stem twice"] = f"{', '.join(sorted(twins))}: only {fact.pair.image.name} is used"
    duplicates = _duplicates(facts)
    summary = _summary(facts, unpaired, duplicates) | {"notes": everything.notes}
    return Audit(
        root, tuple(facts), tuple(unpaired), tuple(duplicates), tuple(_ignored(pairs)), summary,
        tuple(judge(summary)),
    )  # fmt: skip


def find_everything(root: Path, person: str = "") -> Found:
    """What `find` finds in every set below `root`; the sets are named by their path from it."""
    if root.is_file():
        return find(root, person=person)
    folders = _set_folders(root, _DEPTH)
    if not folders:
        raise DataError(
            f"No set of pictures below {root}: expected folders with images/ and, with people, masks/, or another form "
            "of data set (docs/data.md)."
        )
    everything = Found()
    for folder in folders:
        # A single set is no held-out part of anything, even if it is called val.
        name = folder.relative_to(root).as_posix() if folder != root else f"./{root.resolve().name}"
        try:
            found = find(folder, person=person)
        except DataError:
            if not _is_empty(folder):
                raise
            continue  # an empty images/ beside others
        everything.pairs.extend(replace(pair, set=nested_name(name, pair.set)) for pair in found.pairs)
        everything.faults.extend(
            replace(fault, pair=replace(fault.pair, set=nested_name(name, fault.pair.set))) for fault in found.faults
        )
        if not any(part.casefold() in UNLABELLED for part in folder.parts):
            everything.notes.extend(found.notes)
    if not everything.pairs:
        raise DataError(f"No picture in {root} could be paired; {len(everything.faults)} have no partner.")
    return everything


def _set_folders(folder: Path, depth: int) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"DATA must be a folder or a CSV file; {folder} is neither.")
    if (folder / "images").is_dir() or reader_of(folder) is not None:
        return [folder]
    if depth == 0:
        return []
    children = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return [found for child in children for found in _set_folders(child, depth - 1)]


def _is_empty(folder: Path) -> bool:
    return (folder / "images").is_dir() and not any((folder / "images").iterdir())


def _same_stem(pair: Pair) -> list[str]:
    if isinstance(pair.image, Member):
        return []
    names = (pair.image.with_suffix(end) for suffix in SUFFIXES for end in (suffix, suffix.upper()))
    return list({name.name for name in names if name.is_file()})


def _ignored(pairs: Iterable[Pair]) -> list[str]:
    """Files beside the pictures that are of no accepted kind."""
    places = [pair.image for pair in pairs] + [pair.mask for pair in pairs if isinstance(pair.mask, Path)]
    folders = {place.parent for place in places if isinstance(place, Path)}
    return sorted(
        f"{folder.parent.name}/{folder.name}/{file.name}"
        for folder in folders
        for file in folder.iterdir()
        if file.is_file() and file.suffix.lower() not in _OURS and not file.name.startswith(".")
    )


def is_held_out(pair: Pair) -> bool:
    return (
        pair.split in ("val", "test")
        or not pair.set.startswith("./")
        and any(part.lower() in HELD_OUT for part in pair.set.split("/"))
    )


def is_unlabelled(pair: Pair) -> bool:
    return not pair.has_person and any(part.lower() in UNLABELLED for part in pair.set.split("/"))


def _duplicates(facts: list[PairFacts]) -> list[Duplicate]:
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
        leak = is_held_out(first) != is_held_out(second) and not (is_unlabelled(first) and is_unlabelled(second))
        result.append(Duplicate(first, second, exact, alike, leak))
    return result


def _summary(facts: list[PairFacts], unpaired: list[Fault], duplicates: list[Duplicate]) -> dict[str, Any]:
    names = sorted({fact.pair.set for fact in facts})
    kinds = Counter(fault.kind for fault in unpaired)
    kinds.update(kind for fact in facts for kind in fact.faults)
    training = [f for f in facts if not is_held_out(f.pair) and not is_unlabelled(f.pair)]
    held = [f for f in facts if is_held_out(f.pair)]
    leaked = {like.first if is_held_out(like.first) else like.second for like in duplicates if like.leak}
    doubles = {like.second for like in duplicates if not like.leak and not is_unlabelled(like.second)}
    return {
        "kinds": dict(kinds),
        "pairs_without_partner": len(unpaired),
        "training": _describe(training),
        "held_out": _describe(held) if held else None,
        "unlabelled": sum(is_unlabelled(f.pair) for f in facts),
        "sets": {name: _describe([f for f in facts if f.pair.set == name]) for name in names},
        "duplicates": len(doubles),
        "position": _position(training),
        "mask_rules": _rules(facts),
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
    nobody = [f for f in facts if f.pair.mask is None and not is_unlabelled(f.pair)]
    people = [f for f in facts if f.shape and f.usable]
    weak = [f for f in facts if f.pair.weak and f.usable and not is_unlabelled(f.pair)]
    ground = [f.background for f in people if f.background]
    return {
        "photos": len(facts),
        "usable": sum(f.usable for f in facts),
        "with_people": len(people),
        "nobody": sum(f.usable for f in nobody),
        "boxes_alone": len(weak),
        "unlabelled": sum(is_unlabelled(f.pair) for f in facts),
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
