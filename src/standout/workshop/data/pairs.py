"""Find the pairs of a data set, whatever form it has, without opening a picture.

The forms are those of `data/readers`; the first that fits is it. A folder of folders is a set for each that fits one of
them, and an optional `sets.toml` gives each a weight and what stands for person in its masks:

    [street]
    weight = 0.5
    person = "15"
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from standout.errors import DataError, StandoutError
from standout.text_files import TextFileError, read_toml
from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.person_values import parse_person
from standout.workshop.data.places import Member, Place
from standout.workshop.data.readers import FIRST, Reader, folders, readers, table
from standout.workshop.data.readers._parts import is_weight, pictures_below, split_named
from standout.workshop.data.set_values import are_plain, holds, look_up

#: Folders between DATA and a set, at most.
_DEPTH = 3
#: A folder of photographs that nobody has labeled, as `standout label` takes them.
UNLABELED = ("unlabeled", "unlabelled")  # sic


def reader_of(root: Path) -> Reader | None:
    """The reader for a file or folder; None where none fits."""
    if not root.exists():
        return None
    ours = (root / "images").is_dir() and (root / "masks").is_dir()  # whatever else lies there …
    for reader in readers():
        if ours and reader.RANK >= FIRST:  # … but for what says more of the very same pictures
            return folders
        if reader.fits(root):
            return reader
    return None


def find_pairs(root: Path | str, *, person: str = "") -> tuple[list[Pair], list[Fault]]:
    """The pairs and the faults of `find`."""
    found = find(root, person=person)
    return found.pairs, found.faults


def find(root: Path | str, *, person: str = "", unlabeled: bool = False) -> FoundPairs:
    """Finds every pair of a data set, and opens no more pictures than it takes to see how its masks are to be read.

    Args:
        root: A file or folder of one of the forms, or a folder of such folders, `_DEPTH` deep at most.
        person: Names of categories (`person,rider`), or what stands for person in label pictures (`15`, `#c08080`,
            `any`); by default the category `person`, and what the label pictures' own rule says.
        unlabeled: Take folders called unlabeled too, as photographs without labels.

    Returns:
        The pairs, sorted by set and name, what is missing a partner, and what else is to be known. Sets are named by
        their path from `root`.

    Raises:
        DataError: There is nothing of an accepted form, or a file can't be understood.
    """
    root = Path(root)
    reader = reader_of(root)
    if reader is not None:
        found = _find(reader, root, person)
    elif root.is_dir():
        found = _folder_of_sets(root, person, unlabeled, _DEPTH)
    elif root.is_file():
        raise DataError(f"{root} is no data set of a form that is read: {_forms()}.")
    else:
        raise DataError(f"DATA must be a folder or a file of a data set; {root} is neither.")
    refused = [fault for fault in found.faults if fault.kind == "not understood"]
    if not found.pairs and refused:
        raise DataError(f"{refused[0].text}.")
    if not found.pairs and not found.faults:
        raise DataError(
            f"No pictures in {root} {_what_is(root)}: expected images/ (and masks/ with the same stems), a folder of "
            f"such folders, or one of {_forms()}."
        )
    _check_asked(found.pairs)
    people, nobody = Counter(pair.set for pair in found.pairs), Counter(p.set for p in found.pairs if p.mask is None)
    found.notes.extend(
        f"{name}: {count} of {people[name]} photograph(s) show nobody, as the data set says."
        for name, count in sorted(nobody.items())
        if not any(part.casefold() in UNLABELED for part in name.split("/"))
    )
    return found


def _check_asked(pairs: list[Pair]) -> None:
    """Refuses values of person that no mask of a set holds: it would be read as a set of nobody.

    Raises:
        DataError: Masks of other classes may well show nobody; plain ones, or a value that no set has, are a mistake.
    """
    asked: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for pair in pairs:
        if isinstance(pair.mask, Path | Member) and parse_person(pair.person) is not None:
            asked[pair.set, pair.person].append(pair.mask)
    held = {key: holds(places, key[1]) for key, places in asked.items()}
    for (name, person), places in asked.items():
        if not held[name, person] and (not any(held.values()) or are_plain(places)):
            raise DataError(
                f"{name}: no mask holds what `person={person}` asks for; where sets differ, sets.toml says it for each."
            )


def _read_alike(pairs: list[Pair], *, by_set: bool) -> list[Pair]:
    """The pairs of a data set with what its label pictures hold, so that none is read by itself alone.

    Args:
        pairs: Of one data set, its parts included.
        by_set: Whether its sets have nothing to do with each other.
    """
    masks: dict[str, list[Place]] = defaultdict(list)
    for pair in pairs:
        if isinstance(pair.mask, Path | Member) and parse_person(pair.person) is None:
            masks[pair.set if by_set else ""].append(pair.mask)
    others = {key: look_up(places) for key, places in masks.items()}
    return [replace(pair, others=others.get(pair.set if by_set else "")) if pair.mask else pair for pair in pairs]


def _what_is(root: Path) -> str:
    """What a folder that is of no form holds, in words."""
    kinds = Counter(path.suffix.lower() or "files without ending" for path in root.rglob("*") if path.is_file())
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
    return f"are labeled in a form that is read (it holds {told})" if kinds else "(it is empty)"


def _forms() -> str:
    return ", ".join(reader.NAME for reader in readers())


def _find(reader: Reader, root: Path, person: str) -> FoundPairs:
    """What the reader finds. It names what it knows to go wrong; a damaged file goes wrong in more ways than that."""
    try:
        found = reader.find(root, person)
        return replace(found, pairs=_read_alike(found.pairs, by_set=reader is table))
    except StandoutError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{root} can't be read as {reader.NAME}: a file of it is damaged or of another form "
            f"({type(error).__name__}: {reason})."
        ) from error


def _folder_of_sets(root: Path, person: str, unlabeled: bool, depth: int) -> FoundPairs:
    options = _set_options(root)
    found, strange = FoundPairs(), dict[Path, set[str]]()
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    parts = {folder: split_named(folder.name) for folder in folders}
    held_out = "train" in parts.values()  # a folder that is called val is held out only beside others
    for folder in folders:
        if folder.name.casefold() in UNLABELED and not unlabeled:
            found.notes.append(f"{folder.name}: nobody has labeled these photographs; left out.")
            continue
        weight, own_person = options.get(folder.name, (1.0, ""))
        inner, reader = FoundPairs(), reader_of(folder)
        if reader is not None:
            inner = _find(reader, folder, own_person or person)
        elif depth > 1:
            inner = _folder_of_sets(folder, own_person or person, unlabeled, depth - 1)
        if reader is None and not (inner.pairs or inner.faults):
            if stems := {picture.stem for picture in pictures_below(folder)}:
                strange[folder] = stems
            continue
        split = parts[folder] if held_out and parts[folder] != "train" else ""
        found.pairs.extend(
            replace(pair, set=_below(folder, pair), weight=pair.weight * weight, split=pair.split or split)
            for pair in inner.pairs
        )
        found.faults.extend(replace(one, pair=replace(one.pair, set=_below(folder, one.pair))) for one in inner.faults)
        found.notes.extend(inner.notes)
    return _without(found, strange) if found.pairs or found.faults else found


def _below(folder: Path, pair: Pair) -> str:
    return nested_name(folder.name, pair.set)


def _without(found: FoundPairs, strange: dict[Path, set[str]]) -> FoundPairs:
    """Says which folders beside the sets aren't understood. One with the names of a set of nobody may be its masks."""
    pairs = found.pairs
    for folder, stems in strange.items():
        text = f"{folder} holds {len(stems)} picture(s) and is of no form that is read"
        alike = {pair.set for pair in pairs if pair.mask is None and pair.stem in stems}
        if alike:
            text += f"; it has the names of {', '.join(sorted(alike))}: are these its masks?"
            pairs = [pair for pair in pairs if pair.set not in alike or pair.mask is not None]
            found.faults.append(Fault(Pair(folder, None, folder.name), "not understood", text))
        else:
            found.notes.append(f"{text}: left out.")
    return replace(found, pairs=pairs)


def nested_name(folder: str, name: str) -> str:
    """What a set within a folder is called: `coco/val2017`, and `street` where it is the folder's only one."""
    return folder if name in (folder, folder.rpartition("/")[2]) else f"{folder}/{name}"


def _set_options(root: Path) -> dict[str, tuple[float, str]]:
    """Set -> (weight, person)."""
    file = root / "sets.toml"
    if not file.is_file():
        return {}
    try:
        sets = read_toml(file)
    except TextFileError as error:
        raise DataError(f"{file} can't be read: {error}.") from error
    for name, entry in sets.items():
        known = isinstance(entry, dict) and not entry.keys() - {"weight", "person"}
        if not known or not is_weight(entry.get("weight", 1)):
            raise DataError(
                f'{file} must hold `[set]` tables with `weight = number`, 0 or more, and `person = "values"`; '
                f"received {name} = {entry!r}."
            )
    return {name: (float(entry.get("weight", 1)), str(entry.get("person", ""))) for name, entry in sets.items()}


def with_weights(pairs: Iterable[Pair], weights: dict[str, float]) -> list[Pair]:
    """The pairs with the weights of the sets that `weights` names.

    Raises:
        DataError: It names a set that isn't there.
    """
    pairs = list(pairs)
    sets = {pair.set for pair in pairs}
    unknown = sorted(weights.keys() - sets)
    if unknown:
        raise DataError(f"weights_by_set names {unknown}, but the sets are {sorted(sets)}.")
    return [replace(pair, weight=weights.get(pair.set, pair.weight)) for pair in pairs]
