"""Write a data set of any form as pairs: images/ and masks/ with the same stems, 255 person, 0 background, 128 unsure.

A photograph's file is copied as it is. Photographs with nobody go into a set of their own without masks/, those with
boxes alone into one with boxes/. What the source says of groups, and its parts, stay.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import OutputError
from standout.imaging.decode import SUFFIXES
from standout.imaging.encode import EncodeOptions, encode
from standout.imaging.files import atomic_write
from standout.workshop.data.label_pictures import UNSURE, PersonLabel
from standout.workshop.data.labels import OpenPair, label_fault, open_pair
from standout.workshop.data.painted import OwnTransparency
from standout.workshop.data.pair import Fault, Pair
from standout.workshop.data.places import read_bytes

#: The file by which a folder is known as written here.
RECORD = "convert.json"
_ENDINGS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"RIFF": ".webp", b"BM": ".bmp"}


@dataclass(frozen=True)
class Converted:
    """The outcome of `write_pairs`.

    Attributes:
        counts: Set as written -> photographs in it.
        faults: What was left out, and why.
        rules: Set -> how its labels were read -> how many.
    """

    counts: dict[str, int]
    faults: tuple[Fault, ...]
    rules: dict[str, Counter[str]]


def write_pairs(
    pairs: Sequence[Pair],
    out: Path,
    *,
    source: str = "",
    faults: Iterable[Fault] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Converted:
    """Writes pairs into a folder; called again after it was stopped, it goes on.

    Args:
        pairs: The pairs that `find_pairs` returned.
        out: A folder that is new, empty, or was begun with the same source.
        source: What the record calls it.
        faults: Found before, passed on.
        progress: Called with (done, all) now and then.

    Raises:
        OutputError: The folder holds something else, or can't be written.
    """
    _begin(out, source)
    names = _Names(pairs)
    targets = [(pair, names.of(pair)) for pair in pairs]
    bad, counts = list(faults), dict[str, int]()
    rules: dict[str, Counter[str]] = defaultdict(Counter)
    groups: dict[str, list[tuple[str, str]]] = {}
    weights: dict[str, float] = {}
    with ThreadPoolExecutor() as pool:  # decoding and writing release the interpreter's lock
        for done, result in enumerate(pool.map(lambda item: _write(item[0], item[1], out), targets), 1):
            pair, (_, stem) = targets[done - 1]
            if isinstance(result, Fault):
                bad.append(result)
            else:
                name, rule = result
                counts[name] = counts.get(name, 0) + 1
                rules[pair.set][rule] += 1
                if pair.weight != 1:
                    weights[name] = pair.weight
                if pair.group and pair.group != pair.stem:
                    groups.setdefault(name, []).append((stem, pair.group))
            if progress:
                progress(done, len(pairs))
    for name, rows in groups.items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("stem", "group"), *rows])
        _put(out / name / "groups.csv", text.getvalue().encode())
    _write_weights(out, weights)
    return Converted(dict(sorted(counts.items())), tuple(bad), dict(rules))


class _Names:
    """Set and stem of every pair, no two alike, whatever the case of letters."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._taken: set[tuple[str, str]] = set()
        self._parts: dict[str, set[str]] = defaultdict(set)
        for pair in pairs:
            self._parts[pair.set].add(pair.split)

    def of(self, pair: Pair) -> tuple[str, str]:
        # Parts that stand in a list within the set (VOC's ImageSets) are told by the sets' names afterwards.
        part = f"-{pair.split}" if pair.split and len(self._parts[pair.set]) > 1 else ""
        name = (pair.set + part).replace("/", "-").replace("\\", "-").strip(".") or "pairs"
        stem, number = pair.stem, 1
        while (name.casefold(), stem.casefold()) in self._taken:
            number += 1
            stem = f"{pair.stem}-{number}"
        self._taken.add((name.casefold(), stem.casefold()))
        return name, stem


def _begin(out: Path, source: str) -> None:
    record = out / RECORD
    try:
        if record.is_file():
            before = json.loads(record.read_text("utf-8")).get("source")
            if before != source:
                raise OutputError(f"{out} was begun with {before}; give another folder.")
            return
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise OutputError(f"{out} holds something already; give a new or an empty folder.")
        out.mkdir(parents=True, exist_ok=True)
        _put(record, json.dumps({"source": source}, ensure_ascii=False).encode())
    except (OSError, ValueError, AttributeError) as error:
        raise OutputError(f"{out} can't be written ({error}); give another folder.") from error


def _write(pair: Pair, name: tuple[str, str], out: Path) -> tuple[str, str] | Fault:
    """Writes a pair's files, the photograph last: what has one is done. Returns the set's name and the label's rule."""
    opened = open_pair(pair)
    if isinstance(opened, Fault):
        return opened
    label = opened.label
    kind, text = label_fault(label)
    if kind and not pair.weak:
        return Fault(pair, kind, f"{pair.image.name}: {text}")
    set_name, stem = name
    if not label.person.any() and label.classes:
        set_name += "-boxes" if label.unsure.any() else "-nobody"
    data, ending = _photograph(pair, opened)
    target = out / set_name / "images" / f"{stem}{ending}"
    if target.is_file() and target.stat().st_size == len(data):
        return set_name, label.rule
    if set_name.endswith("-boxes"):
        _put(out / set_name / "boxes" / f"{stem}.txt", _boxes(label).encode())
    elif label.person.any():
        _put(out / set_name / "masks" / f"{stem}.png", encode(_mask(label), EncodeOptions("png")))
    _put(target, data)
    return set_name, label.rule


def _photograph(pair: Pair, opened: OpenPair) -> tuple[bytes, str]:
    """The file as it is, but for cut-outs, whose transparency has become the mask."""
    if isinstance(pair.mask, OwnTransparency):
        return encode(opened.frame, EncodeOptions("png")), ".png"
    data = read_bytes(pair.image)
    by_content = next((ending for magic, ending in _ENDINGS.items() if data.startswith(magic)), "")
    ending = pair.image.suffix.lower()
    return data, ending if ending in SUFFIXES else by_content or ".jpg"


def _mask(label: PersonLabel) -> NDArray[np.uint8]:
    # A soft edge of exactly 128 would be taken for unsure.
    soft = np.where(label.person == UNSURE, UNSURE - 1, label.person)
    return np.where(label.unsure, UNSURE, soft).astype(np.uint8)


def _boxes(label: PersonLabel) -> str:
    """The unsure pieces as YOLO's boxes: shares of center, width and height."""
    height, width = label.unsure.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(label.unsure.astype(np.uint8), connectivity=8)
    lines = [
        f"0 {(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f} {w / width:.6f} {h / height:.6f}"
        for x, y, w, h, _ in stats[1:].tolist()
    ]
    return "\n".join(lines) + "\n"


def _write_weights(out: Path, weights: dict[str, float]) -> None:
    if weights:
        lines = [f"[{json.dumps(name)}]\nweight = {weight!r}\n" for name, weight in sorted(weights.items())]
        _put(out / "sets.toml", "".join(lines).encode())


def _put(target: Path, data: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{target.parent} can't be made ({error.strerror}); give another folder.") from error
    with atomic_write(target) as stream:
        stream.write(data)
