"""Find the pairs of a data set, whatever form it has, without opening a picture.

The forms are those of `data/readers`; the first that fits is it. A folder of folders is a set for each that fits one of
them, and an optional `sets.toml` gives each a weight and what stands for person in its masks:

    [street]
    weight = 0.5
    person = "15"
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from standout.errors import DataError, StandoutError
from standout.text_files import TextFileError, read_toml
from standout.workshop.data.pair import Fault, Found, Pair
from standout.workshop.data.readers import (
    Reader,
    coco,
    cutouts,
    folders,
    imagefolder,
    labelme,
    supervisely,
    table,
    tfrecord,
    voc,
    webdataset,
    yolo,
)
from standout.workshop.data.readers.parts import is_weight

#: In the order in which they are asked: what is sure by a file's name or content goes first.
READERS: tuple[Reader, ...] = (
    table, supervisely, voc, coco, imagefolder, yolo, folders, labelme, webdataset, tfrecord, cutouts,
)  # fmt: skip


def reader_of(root: Path) -> Reader | None:
    """The reader for a file or folder; None where none fits."""
    if not root.exists():
        return None
    if (root / "images").is_dir() and (root / "masks").is_dir():
        return folders  # whatever else lies there
    return next((reader for reader in READERS if reader.fits(root)), None)


def find_pairs(root: Path | str, *, person: str = "") -> tuple[list[Pair], list[Fault]]:
    """Finds every pair of a data set without opening a picture.

    Args:
        root: A file or folder of one of the forms, or a folder of such folders.
        person: Names of categories (`person,rider`), or what stands for person in label pictures (`15`, `#c08080`,
            `any`); by default the category `person`, and what the label pictures' own rule says.

    Returns:
        The pairs, sorted by set and name, and what is missing a partner.

    Raises:
        DataError: There is nothing of an accepted form, or a file can't be understood.
    """
    root = Path(root)
    reader = reader_of(root)
    if reader is not None:
        found = _find(reader, root, person)
    elif root.is_dir():
        found = _folder_of_sets(root, person)
    elif root.is_file():
        raise DataError(f"{root} is no data set of a form that is read: {_forms()}.")
    else:
        raise DataError(f"DATA must be a folder or a file of a data set; {root} is neither.")
    if not found.pairs and not found.faults:
        raise DataError(
            f"No pictures in {root}: expected images/ (and masks/ with the same stems), a folder of such folders, or "
            f"one of {_forms()}."
        )
    return found.pairs, found.faults


def _forms() -> str:
    return ", ".join(reader.NAME for reader in READERS)


def _find(reader: Reader, root: Path, person: str) -> Found:
    """What the reader finds. It names what it knows to go wrong; a damaged file goes wrong in more ways than that."""
    try:
        return reader.find(root, person)
    except StandoutError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{root} can't be read as {reader.NAME}: a file of it is damaged or of another form "
            f"({type(error).__name__}: {reason})."
        ) from error


def _folder_of_sets(root: Path, person: str) -> Found:
    options = _set_options(root)
    found = Found([], [])
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        reader = reader_of(folder)
        if reader is None:
            continue
        weight, own_person = options.get(folder.name, (1.0, ""))
        inner = _find(reader, folder, own_person or person)
        found.pairs.extend(
            replace(p, set=nested_name(folder.name, p.set), weight=p.weight * weight) for p in inner.pairs
        )
        found.faults.extend(inner.faults)
    return found


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
