"""Check pairs before they are used, remember what was checked, and put large sets off until they are drawn.

A set of up to `MOST_AT_ONCE` pairs is opened whole: every bad pair is named before anything begins. What was found is
remembered, so that the next start opens only what has changed. Of a larger set only what is remembered is named; its
pairs are checked as they are drawn, and a bad one is replaced by another draw (`data/samples.py`).
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from standout.caches import cache_folder
from standout.workshop.data.labels import label_fault, open_pair
from standout.workshop.data.painted import OwnTransparency, PaintedInstances, PaintedMask
from standout.workshop.data.pair import Fault, Pair
from standout.workshop.data.places import Member, Place, read_bytes

log = logging.getLogger(__name__)

#: Pairs that are opened before a start; at some 100 a second and core.
MOST_AT_ONCE = 5000
#: Another rule, another number: what was remembered under the old one is asked again.
_RULES = 2


@dataclass(frozen=True)
class CheckedPairs:
    """The outcome of `check_pairs`.

    Attributes:
        good: The pairs to use; of a large set all, for its bad ones are left out as they are drawn.
        faults: Bad pairs, named.
        data_hash: SHA-256 over names and contents of the good pairs; of a large set, over names and sizes.
        rules: Set -> how its label pictures were read -> how many.
        put_off: Whether the set is so large that its pairs are checked as they are drawn.
    """

    good: tuple[Pair, ...]
    faults: tuple[Fault, ...]
    data_hash: str
    rules: dict[str, Counter[str]] = field(default_factory=dict)
    put_off: bool = False

    def rule_sentences(self) -> list[str]:
        """What was found in the masks of each set, and how it was read; nothing of plain masks of 0 and 255."""
        return rules_in_words(self.rules)


def rules_in_words(rules: Mapping[str, Counter[str]]) -> list[str]:
    """How the labels of each set were read, in sentences; nothing of plain masks of 0 and 255."""
    return [sentence for name in sorted(rules) for sentence in rule_sentences(name, rules[name])]


def rule_sentences(name: str, rules: Counter[str]) -> list[str]:
    """The sentences on one set; two rules in one set are worth a look."""
    told = [f"{name}: {count} label(s): {rule}" for rule, count in rules.most_common() if rule not in _PLAIN]
    return told[:6] + ([f"{name}: {len(told) - 6} more such rules"] if len(told) > 6 else [])


_PLAIN = ("nobody", "gray: 255 is person", "transparency is the mask")


def check_pairs(
    pairs: Sequence[Pair],
    *,
    faults: Iterable[Fault] = (),
    progress: Callable[[int, int], None] | None = None,
    most_at_once: int | None = None,
) -> CheckedPairs:
    """Opens every pair, names each bad one, and hashes the good ones.

    Args:
        pairs: The pairs that `find_pairs` returned.
        faults: Faults found before, which are passed on.
        progress: Called with (done, all) now and then.
        most_at_once: A larger set is put off (see the module); None opens any set whole.
    """
    cache = Cache()
    # Asked of the file system once: of a hundred thousand pairs it takes seconds.
    stamps = [stamps_of(pair) for pair in pairs]
    known = cache.known(pairs, stamps)
    if most_at_once is not None and len(pairs) > most_at_once:
        bad = [Fault(pair, one.kind, one.text) for pair, one in zip(pairs, known, strict=True) if one and one.kind]
        return CheckedPairs(tuple(pairs), (*faults, *bad), _hash_of_sizes(pairs, stamps), put_off=True)
    good: list[Pair] = []
    bad = list(faults)
    rules: dict[str, Counter[str]] = defaultdict(Counter)
    digest = hashlib.sha256()
    fresh: list[tuple[Pair, Verdict]] = []
    with ThreadPoolExecutor() as pool:  # decoding releases the interpreter's lock
        asked = pool.map(lambda at: known[at] or check_pair(pairs[at]), range(len(pairs)))
        for done, (pair, verdict) in enumerate(zip(pairs, asked, strict=True), 1):
            if known[done - 1] is None:
                fresh.append((pair, verdict))
            if verdict.kind:
                bad.append(Fault(pair, verdict.kind, verdict.text))
            else:
                good.append(replace(pair, mask=None) if verdict.nobody else pair)
                digest.update(f"{pair.set}/{pair.image.name}\0".encode() + verdict.content)
                rules[pair.set][verdict.rule] += 1
            if progress:
                progress(done, len(pairs))
    cache.remember(fresh)
    return CheckedPairs(tuple(good), tuple(bad), digest.hexdigest(), dict(rules))


@dataclass(frozen=True)
class Verdict:
    """What was found out about a pair: its fault if it has one, else how its label was read, and a digest."""

    kind: str = ""
    text: str = ""
    rule: str = ""
    content: bytes = b""
    nobody: bool = False  # whether a label of several classes shows none of people


#: With more unsure pixels than this a label without people doesn't say that nobody is there.
_MOST_UNSURE = 0.1


def check_pair(pair: Pair) -> Verdict:
    """Opens a pair and judges it."""
    opened = open_pair(pair)
    if isinstance(opened, Fault):
        return Verdict(opened.kind, opened.text)
    kind, text = label_fault(opened.label)
    if kind:
        return Verdict(kind, f"{pair.image.name}: {text}")
    content = hashlib.sha256(read_bytes(pair.image))
    for place in label_places(pair):
        content.update(read_bytes(place))
    content.update(_drawn(pair))
    label = opened.label
    nobody = label.classes and not label.person.any() and bool(label.unsure.mean() <= _MOST_UNSURE)
    return Verdict("", "", label.rule, content.digest(), nobody and not pair.weak)


def label_places(pair: Pair) -> list[Place]:
    """The files, or members of shards, of a pair's label."""
    mask, places = pair.mask, []
    if isinstance(mask, Path | Member):
        places = [mask]
    elif isinstance(mask, PaintedMask | OwnTransparency):
        places = [mask.place]
    elif isinstance(mask, PaintedInstances):
        places = list(mask.places)
    return places + ([pair.unsure] if pair.unsure else [])


def _drawn(pair: Pair) -> bytes:
    """A drawn label as bytes; nothing of a painted one, whose file says it all."""
    mask = pair.mask
    if mask is None or label_places(pair):
        return b""
    return repr((getattr(mask, "shapes", ()), getattr(mask, "size_hw", None))).encode()


#: (bytes, time of the last change in ns) of the photograph and of each file of its label.
Stamps = list[tuple[int, int]]


def stamps_of(pair: Pair) -> Stamps:
    """What says whether a pair's files are those that were checked."""
    return [_stamp(place) for place in (pair.image, *label_places(pair))]


def _hash_of_sizes(pairs: Sequence[Pair], stamps: Sequence[Stamps]) -> str:
    digest = hashlib.sha256(b"names and sizes")
    for pair, own in zip(pairs, stamps, strict=True):
        sizes = [size for size, _ in own]
        digest.update(f"{pair.set}/{pair.image.name}\0{sizes}".encode() + _drawn(pair))
    return digest.hexdigest()


def _stamp(place: Place) -> tuple[int, int]:
    """(bytes, time of the last change in ns) of a file; of a member its own size, its shard's time."""
    try:
        state = os.stat(place.shard if isinstance(place, Member) else place)
    except OSError:
        return -1, -1
    return (place.size if isinstance(place, Member) else state.st_size), state.st_mtime_ns


# ---------------------------------------------------------------- what was checked before


class Cache:
    """Verdicts of earlier runs, by names, sizes and times of change. Without a place to write there is none."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or cache_folder() / "checked.sqlite"

    def known(self, pairs: Sequence[Pair], stamps: Sequence[Stamps] | None = None) -> list[Verdict | None]:
        """What is remembered of each pair; `stamps` where they are known."""
        if not self._file.is_file():
            return [None] * len(pairs)
        own = stamps if stamps is not None else [stamps_of(pair) for pair in pairs]
        keys = [_key(pair, stamp) for pair, stamp in zip(pairs, own, strict=True)]
        found: dict[bytes, Verdict] = {}
        try:
            with closing(sqlite3.connect(self._file, timeout=5)) as connection:
                for first in range(0, len(keys), 500):
                    part = keys[first : first + 500]
                    marks = ",".join("?" * len(part))
                    rows = connection.execute(f"SELECT * FROM checked WHERE key IN ({marks})", part)
                    found |= {
                        key: Verdict(kind, text, rule, content, bool(none))
                        for key, kind, text, rule, content, none in rows
                    }
        except sqlite3.Error as error:
            log.info("what was checked before can't be read (%s); everything is checked again", error)
        return [found.get(key) for key in keys]

    def remember(self, verdicts: Iterable[tuple[Pair, Verdict]]) -> None:
        """Keeps verdicts for the next run; that it can't is worth a line, no error."""
        rows = [(_key(pair, stamps_of(pair)), v.kind, v.text, v.rule, v.content, int(v.nobody)) for pair, v in verdicts]
        if not rows:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._file, timeout=5)) as connection, connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS checked "
                    "(key BLOB PRIMARY KEY, kind TEXT, text TEXT, rule TEXT, content BLOB, nobody INT) WITHOUT ROWID"
                )
                connection.executemany("INSERT OR REPLACE INTO checked VALUES (?, ?, ?, ?, ?, ?)", rows)
        except (OSError, sqlite3.Error) as error:
            log.info("what was checked can't be remembered in %s (%s)", self._file, error)


def _others(pair: Pair) -> str:
    return f"{sorted(pair.others.people)}{pair.others.void}" if pair.others else ""


def _key(pair: Pair, stamps: Stamps) -> bytes:
    places = (pair.image, *label_places(pair))
    parts = [(os.path.abspath(str(place)), stamp) for place, stamp in zip(places, stamps, strict=True)]
    text = f"{_RULES}{parts}{type(pair.mask).__name__}{getattr(pair.mask, 'person', pair.person)}{_others(pair)}"
    return hashlib.blake2b(text.encode() + _drawn(pair), digest_size=16).digest()
