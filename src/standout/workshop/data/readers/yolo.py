"""YOLO: text files of polygons, run lengths or boxes; numbers are shares of the picture's width and height.

A folder with a .yaml that has `names:`, with images/ and labels/, or CVAT's obj_train_data/. A line is a class and the
x, y of a polygon's points, or center x, y, width and height of a box (with key points behind it where the .yaml has
`kpt_shape`), or `rle`, height, width and COCO's counts. A photograph with an empty file, or with none beside others
that have one, shows nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from standout.errors import DataError
from standout.workshop.data.pair import Fault, FoundPairs, Pair, Split
from standout.workshop.data.person_values import parse_person
from standout.workshop.data.readers._parts import (
    Categories,
    pictures_below,
    read_text,
    read_yaml,
    split_named,
    starts_like,
)
from standout.workshop.data.readers._yolo_rows import Classes, listing, read_rows

NAME = "YOLO"
RANK = 60

_PARTS = ("train", "val", "valid", "test")
_SPLITS: tuple[Split, ...] = ("train", "val", "test")


def fits(root: Path) -> bool:
    if root.is_file():
        return root.suffix.lower() in (".yaml", ".yml")
    if not root.is_dir():
        return False
    if _yamls(root) or (root / "obj_train_data").is_dir():
        return True
    return any(folder.is_dir() and _has_rows(folder) for folder in _label_folders(root))


def find(root: Path, person: str) -> FoundPairs:
    base = root if root.is_dir() else root.parent
    yamls = _yamls(root) if root.is_dir() else [root]
    if len(yamls) > 1:
        raise DataError(f"{root} has several files with `names:` ({', '.join(f.name for f in yamls)}); name one.")
    found = FoundPairs()
    settings = read_yaml(yamls[0], "YOLO's data.yaml") if yamls else {}
    folders = _listed(yamls[0], settings, found) if any(settings.get(part) for part in _SPLITS) else []
    folders = folders or [(folder, _part(folder, base)) for folder in _image_folders(base)]
    classes = _classes(yamls[0] if yamls else None, settings, base, person, found)
    used: set[Path] = set()
    for folder, split in folders:
        _read_folder(folder, split, split or base.name, classes, used, found)
    if not classes.known and classes.seen and classes.people and not classes.people & classes.seen:
        raise DataError(
            f"{base}: rows have the classes {listing(classes.seen)}, and no data.yaml, classes.txt or obj.names says "
            "which is person; say its number with `person` (`person=1`)."
        )
    return found


def _read_folder(folder: Path, split: Split, name: str, classes: Classes, used: set[Path], found: FoundPairs) -> None:
    """Adds the photographs of a folder, or of a text file that lists them."""
    images = [image for image in _pictures(folder) if image not in used]
    used.update(images)
    labels = {image: label_of(image) for image in images}
    lacking = [image for image, label in labels.items() if label is None]
    strangers = _strangers([label for label in labels.values() if label], images)
    if images and (len(lacking) == len(images) or (lacking and strangers)):
        first = images[0] if len(lacking) == len(images) else lacking[0]
        other = f", and {len(strangers)} label file(s) belong to none, such as {strangers[0].name}" if strangers else ""
        text = f"{folder}: {len(lacking)} photograph(s) have no label file, such as {first.name}{other}"
        found.faults.append(Fault(Pair(folder, None, name, split=split), "no mask", text))
    elif lacking:
        found.notes.append(f"{name}: {len(lacking)} photograph(s) have no label file: nobody, as YOLO has it.")
    for image, label in labels.items():
        if label is None and (len(lacking) == len(images) or strangers):
            continue
        try:
            mask = read_rows(label, classes) if label is not None else None
        except DataError as error:
            found.leave_out(Pair(image, None, name, image.stem, split=split), error)
            continue
        found.pairs.append(Pair(image, mask, name, image.stem, split=split))


def label_of(image: Path) -> Path | None:
    """The text file of a photograph: the last `images` of its path becomes `labels`; None if it isn't there."""
    parts = list(image.parts)
    places = [i for i, part in enumerate(parts[:-1]) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    file = Path(*parts).with_suffix(".txt")
    return file if file.is_file() else None


def _strangers(labels: list[Path], images: list[Path]) -> list[Path]:
    """Files in the label folders that belong to no photograph."""
    known = {label.stem for label in labels} | {image.stem for image in images} | {"classes", "train", "val", "test"}
    return sorted(
        file for folder in {label.parent for label in labels} for file in folder.glob("*.txt") if file.stem not in known
    )


# ---------------------------------------------------------------- layout


def _yamls(root: Path) -> list[Path]:
    """The data.yaml of a folder, else every .yaml that has `names:`."""
    files = [file for ending in ("*.yaml", "*.yml") for file in sorted(root.glob(ending)) if file.is_file()]
    usual = [file for file in files if file.stem in ("data", "dataset")]
    if usual:
        return usual[:1]
    labeled = any(folder.is_dir() for folder in _label_folders(root))
    return [file for file in files if starts_like(file, b"names:") and (labeled or starts_like(file, b"train:"))]


def _label_folders(root: Path) -> list[Path]:
    return [root / "labels", *(root / part / "labels" for part in _PARTS)]


def _image_folders(root: Path) -> list[Path]:
    if (root / "images").is_dir():
        inner = sorted(path for path in (root / "images").iterdir() if path.is_dir())
        return inner or [root / "images"]
    if (root / "obj_train_data").is_dir():
        return [root / "obj_train_data"]
    return [root / part / "images" for part in _PARTS if (root / part / "images").is_dir()]


def _part(folder: Path, base: Path) -> Split:
    """Of images/train and of train/images the part is train."""
    return split_named(folder.parent.name if folder.name == "images" and folder.parent != base else folder.name)


def _has_rows(labels: Path) -> bool:
    folders = (labels, *sorted(path for path in labels.iterdir() if path.is_dir()))
    return any(path.suffix == ".txt" for folder in folders for path in folder.iterdir())


def _pictures(folder: Path) -> list[Path]:
    """Of a folder, or of a text file that lists them."""
    if folder.is_dir():
        return pictures_below(folder)
    lines = [line.strip() for line in read_text(folder).splitlines() if line.strip()]
    paths = [_place(line, [folder.parent]) for line in lines]
    missing = next((number for number, path in enumerate(paths, 1) if path is None), None)
    if missing is not None:
        raise DataError(f"{folder}, line {missing}: there is no picture {lines[missing - 1]!r}.")
    return [path for path in paths if path is not None]


def _listed(file: Path, settings: dict[str, Any], found: FoundPairs) -> list[tuple[Path, Split]]:
    """The folders, or lists of pictures, that a data.yaml names; one that several parts name belongs to none."""
    path = str(settings.get("path") or "")
    bases = [file.parent / path, file.parent] if path else [file.parent]
    parts: dict[Path, list[Split]] = {}
    for split in _SPLITS:
        entry = settings.get(split) or []
        for name in entry if isinstance(entry, list) else [entry]:
            place = _place(str(name), bases)
            if place is None:
                found.notes.append(f"{file} names `{split}: {name}`, and there is no such folder: it is left out.")
            else:
                parts.setdefault(place.resolve(), []).append(split)
    if not any("test" not in splits for splits in parts.values()):
        named = ", ".join(f"{part}: {settings[part]}" for part in _SPLITS if settings.get(part))
        raise DataError(
            f"{file} names no pictures that are there ({named}); it needs `train:` or `val:` with a folder."
        )
    return [(place, splits[0] if len(splits) == 1 else "") for place, splits in parts.items()]


def _place(name: str, bases: list[Path]) -> Path | None:
    """What a path means here. Files that were written elsewhere name `../train/images` beside themselves, or
    `/content/set/train/images`: then the end of the path is looked for."""
    relative = Path(name.replace("\\", "/"))
    for base in bases:
        if (base / relative).exists():
            return base / relative
    words = [word for word in relative.parts if word not in ("..", ".", relative.anchor)]
    for first in range(len(words)):
        for base in bases:
            if (place := base.joinpath(*words[first:])).exists():
                return place
    return None


# ---------------------------------------------------------------- classes


def _classes(file: Path | None, settings: dict[str, Any], base: Path, person: str, found: FoundPairs) -> Classes:
    source, names = file, _numbered(settings.get("names")) if settings.get("names") is not None else None
    if names is None:
        source = _names_file(base)
        names = dict(enumerate(_lines(source))) if source else {}
    if source is None or not names:
        source = file or base
    asked = parse_person(person)
    key_points = settings.get("kpt_shape")
    shape = None
    if key_points is not None:
        try:
            count, each = (int(number) for number in key_points)
            shape = (count, each)
        except (TypeError, ValueError) as error:
            raise DataError(f"{file} must have `kpt_shape: [points, 2 or 3]`; received {key_points!r}.") from error
    if asked is not None and asked.numbers:
        return Classes(set(asked.numbers), set(names), shape)
    if asked is not None and asked.any:
        return Classes(None, set(names), shape)
    categories = Categories(person)
    if names:
        categories.check(names.values(), source)
        return Classes({number for number, name in names.items() if name in categories}, set(names), shape)
    if file is not None and "names" in settings:
        raise DataError(f"{file} must have `names:`, a list or numbers with names; received {settings['names']!r}.")
    if person and person.strip().casefold() != "person":
        raise DataError(f"{base} has no data.yaml, classes.txt or obj.names that names {person!r}; give its number.")
    found.notes.append(
        f"{base.name}: no data.yaml, classes.txt or obj.names says what the classes are: class 0 is taken for person."
    )
    return Classes({0}, set(), shape)


def _numbered(names: Any) -> dict[int, str] | None:
    """`names:` as number -> name; None where it is neither a list nor numbers with names."""
    items: Iterable[tuple[Any, Any]] = names.items() if isinstance(names, dict) else ()
    if isinstance(names, list):
        items = enumerate(names)
    try:
        return {int(number): str(name) for number, name in items} or None
    except (TypeError, ValueError):
        return None


def _names_file(base: Path) -> Path | None:
    """What names the classes beside labels of darknet (obj.names), labelImg and Label Studio (classes.txt)."""
    folders = [base, base / "labels", base / "images", base / "obj_train_data"]
    files = [folder / "classes.txt" for folder in folders]
    files += [file for folder in folders if folder.is_dir() for file in sorted(folder.glob("*.names"))]
    return next((file for file in files if file.is_file()), None)


def _lines(file: Path) -> list[str]:
    return [line.strip() for line in read_text(file).splitlines() if line.strip()]
