"""What a data set is good for, before any hour of training is spent on it.

    result = audit("data/")
    result.unfit, [s.text for s in result.sentences]

DATA is a set (images/ and masks/), a folder of sets, or a folder of such folders; a part of it that is called val,
valid, validation or test is held-out, and nothing of it may appear elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from standout.errors import DataError
from standout.hardware import hardware_threads
from standout.imaging.decode import SUFFIXES
from standout.workshop.audit.summary import Duplicate, find_duplicates, summarize
from standout.workshop.audit.survey import FAULTS, PairFacts, survey
from standout.workshop.audit.verdict import Finding, judge
from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.pairs import find, nested_name, reader_of
from standout.workshop.data.places import Member

#: Endings of pictures, and of annotations that may lie beside them.
_OURS = (*SUFFIXES, ".json", ".txt", ".csv", ".jsonl", ".parquet", ".toml", ".yaml", ".xml")


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
    found = find_everything(root, person)
    facts: list[PairFacts] = []
    with ThreadPoolExecutor(max_workers=hardware_threads()) as pool:  # OpenCV releases the interpreter's lock
        for done, fact in enumerate(pool.map(survey, found.pairs), 1):
            facts.append(fact)
            if progress:
                progress(done, len(found.pairs))
    for fact in facts:  # of each stem one picture is used
        twins = _same_stem(fact.pair)
        if len(twins) > 1:
            fact.faults["stem twice"] = f"{', '.join(sorted(twins))}: only {fact.pair.image.name} is used"
    duplicates = find_duplicates(facts)
    summary = summarize(facts, found, duplicates)
    return Audit(
        root, tuple(facts), tuple(found.faults), tuple(duplicates), tuple(_ignored(found.pairs)), summary,
        tuple(judge(summary)),
    )  # fmt: skip


def find_everything(root: Path, person: str = "") -> FoundPairs:
    """What `find` finds below `root`, unlabeled photographs too.

    A single set is called "./name": it is no held-out part of anything, even if it is called val.
    """
    found = find(root, person=person, unlabeled=True)
    if not found.pairs:
        raise DataError(f"No picture in {root} could be paired; {len(found.faults)} have no partner.")
    if not root.is_dir() or reader_of(root) is None:
        return found
    name = f"./{root.resolve().name}"
    pairs = [replace(pair, set=nested_name(name, pair.set)) for pair in found.pairs]
    faults = [replace(fault, pair=replace(fault.pair, set=nested_name(name, fault.pair.set))) for fault in found.faults]
    return replace(found, pairs=pairs, faults=faults)


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
