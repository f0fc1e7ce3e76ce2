"""YOLO: text files of polygons (segmentation) or boxes (detection), in shares of the picture's width and height.

A folder with data.yaml, or with images/ and labels/. A line is a class and either x, y, x, y … of a polygon, or centre
x, centre y, width, height of a box. A photograph without a file, or with an empty one, shows nobody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from standout.errors import DataError, InputError, MissingExtra
from standout.workshop.data.drawings import Drawing, Shape, box, polygon
from standout.workshop.data.pair import Found, Pair, Split
from standout.workshop.data.readers.parts import Categories, pictures_below, read_text, split_named

NAME = "YOLO"

#: Class 0 of COCO, whose names most files without data.yaml follow.
_PERSON_CLASS = 0
_SPLITS: tuple[Split, ...] = ("train", "val", "test")


def fits(root: Path) -> bool:
    if root.is_file():
        return root.suffix.lower() in (".yaml", ".yml")
    if _yaml_of(root) is not None:
        return True
    return any(labels.is_dir() and _has_text(labels) for labels in _label_folders(root))


def find(root: Path, person: str) -> Found:
    file = root if root.is_file() else _yaml_of(root)
    base = root.parent if root.is_file() else root
    if file is None:
        folders: list[tuple[Path, Split]] = [(folder, "") for folder in _image_folders(base)]
        classes = {_PERSON_CLASS}
    else:
        settings = _read_yaml(file)
        folders = _listed(file, settings)
        classes = _person_classes(file, settings, person)
    found = Found([], [])
    for folder, split in folders:
        for image in _pictures(folder):
            label = label_of(image)
            name = split or (split_named(folder.name) if file is None else "") or base.name
            part = split or split_named(folder.name)
            try:
                shapes = _read(label, classes) if label is not None else ()
            except DataError as error:
                found.leave_out(Pair(image, None, name, image.stem, split=part), error)
                continue
            mask = Drawing(str(label), shapes) if shapes else None
            found.pairs.append(Pair(image, mask, name, image.stem, split=part))
    return found


def read_boxes(file: Path, classes: frozenset[int] | None = None) -> Drawing | None:
    """Boxes of people, whatever their class if none is asked for; None where there are none, and so nobody.

    Raises:
        DataError: A line can't be understood.
    """
    shapes = _read(file, classes)
    return Drawing(str(file), shapes) if shapes else None


def label_of(image: Path) -> Path | None:
    """The text file of a photograph: the last `images` of its path becomes `labels`; None if it isn't there."""
    parts = list(image.parts)
    places = [i for i, part in enumerate(parts[:-1]) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    file = Path(*parts).with_suffix(".txt")
    return file if file.is_file() else None


def _read(file: Path, classes: frozenset[int] | set[int] | None) -> tuple[Shape, ...]:
    shapes = []
    for line, text in enumerate(read_text(file).splitlines(), 1):
        words = text.split()
        if not words:
            continue
        try:
            kind, *numbers = int(float(words[0])), *(float(word) for word in words[1:])
            if classes is not None and kind not in classes:
                continue
            shapes.append(_shape(numbers))
        except (ValueError, InputError) as error:
            reason = str(error) if isinstance(error, InputError) else f"received {text[:60]!r}"
            raise DataError(
                f"{file}, line {line}: it must be a class and the x, y of a polygon's points, or of a box; {reason}."
            ) from error
    return tuple(shapes)


def _shape(numbers: list[float]) -> Shape:
    if len(numbers) == 4:
        x, y, width, height = numbers
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        return box(*corners, "unsure", relative=True)
    return polygon(numbers, relative=True)


# ---------------------------------------------------------------- layout


def _yaml_of(root: Path) -> Path | None:
    files = [root / name for name in ("data.yaml", "data.yml", "dataset.yaml")] if root.is_dir() else []
    return next((file for file in files if file.is_file()), None)


def _label_folders(root: Path) -> list[Path]:
    return [root / "labels", *(root / part / "labels" for part in ("train", "val", "valid", "test"))]


def _image_folders(root: Path) -> list[Path]:
    if (root / "images").is_dir():
        inner = sorted(path for path in (root / "images").iterdir() if path.is_dir())
        return inner or [root / "images"]
    return [root / part / "images" for part in ("train", "val", "valid", "test") if (root / part / "images").is_dir()]


def _has_text(labels: Path) -> bool:
    files = (
        path for folder in (labels, *sorted(p for p in labels.iterdir() if p.is_dir())) for path in folder.iterdir()
    )
    return any(path.suffix == ".txt" for path in files)


def _pictures(folder: Path) -> list[Path]:
    """Of a folder, or of a text file that lists them."""
    if folder.is_dir():
        return pictures_below(folder)
    lines = [line.strip() for line in read_text(folder).splitlines() if line.strip()]
    paths = [Path(line) if Path(line).is_absolute() else folder.parent / line for line in lines]
    missing = next((number for number, path in enumerate(paths, 1) if not path.is_file()), None)
    if missing is not None:
        raise DataError(f"{folder}, line {missing}: there is no picture {lines[missing - 1]!r}.")
    return paths


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtra("Reading YOLO's data.yaml", "data") from error
    try:
        settings = yaml.safe_load(read_text(file))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise DataError(f"{file}{where}: this isn't YAML ({getattr(error, 'problem', error)}).") from error
    if not isinstance(settings, dict):
        raise DataError(f"{file} must have `train:`, `val:` and `names:`; received {type(settings).__name__}.")
    return settings


def _listed(file: Path, settings: dict[str, Any]) -> list[tuple[Path, Split]]:
    folders: list[tuple[Path, Split]] = []
    path = str(settings.get("path") or "")
    bases = [file.parent, file.parent / path, Path(path)] if path else [file.parent]
    for split in _SPLITS:
        entry = settings.get(split) or []
        for name in entry if isinstance(entry, list) else [entry]:
            # Files that were written elsewhere name `../train/images` beside themselves.
            options = [base / str(name) for base in bases] + [file.parent / str(name).removeprefix("../")]
            place = next((option for option in options if option.exists()), None)
            if place is None:
                raise DataError(f"{file} names `{split}: {name}`, and there is no such folder.")
            folders.append((place, split))
    if not folders:
        raise DataError(f"{file} names no pictures; it needs `train:` or `val:` with a folder.")
    return folders


def _person_classes(file: Path, settings: dict[str, Any], person: str) -> set[int]:
    names = settings.get("names")
    if not isinstance(names, dict | list):
        raise DataError(f"{file} must have `names:`, a list or numbers with names; received {type(names).__name__}.")
    numbered = {
        int(number): str(name) for number, name in (names.items() if isinstance(names, dict) else enumerate(names))
    }
    categories = Categories(person)
    categories.check(numbered.values(), file)
    return {number for number, name in numbered.items() if name in categories}
