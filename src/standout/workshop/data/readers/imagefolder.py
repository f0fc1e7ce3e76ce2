"""Hugging Face `imagefolder`: pictures, and a metadata.csv, metadata.jsonl or metadata.parquet beside them.

`file_name` is the photograph. The mask is another column: `mask_file_name`, `mask`, `label_file_name` and the like; an
empty one means nobody. A column `objects` with `bbox` (left, top, width, height) and perhaps `category` weakens the
label to boxes. Sub-folders called train, validation and test are the parts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from standout.errors import DataError, InputError, MissingExtra
from standout.workshop.data.drawings import Annotation, Drawing, box
from standout.workshop.data.painted import OwnTransparency
from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.person_values import parse_person
from standout.workshop.data.places import Place
from standout.workshop.data.readers._parts import Categories, has_alpha, read_table, read_text, split_named

NAME = "Hugging Face imagefolder"
RANK = 50

_FILES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_IMAGES = ("file_name", "image_file_name", "image", "image_path")
_MASKS = (
    "mask_file_name", "mask", "mask_path", "label_file_name", "segmentation_file_name", "segmentation",
    "annotation_file_name", "alpha_file_name", "matte_file_name",
)  # fmt: skip


def fits(root: Path) -> bool:
    return bool(_metadata(root))


def find(root: Path, person: str) -> FoundPairs:
    found = FoundPairs()
    for file in _metadata(root):
        split = split_named(file.parent.name) if file.parent != root else ""
        name = split or (root.name if file.parent == root else file.parent.name)
        rows = list(_rows(file))
        _check_numbers(file, [row["objects"] for _, row in rows if "objects" in row], person)
        for where, row in rows:
            title = next((str(row[key]) for key in _IMAGES if row.get(key)), "")
            if not title:
                raise DataError(f"{file}, {where}: it must have a column `file_name`; it has {', '.join(row)}.")
            image = _inside(file, title, where)
            pair = Pair(image, None, name, str(row.get("group") or image.stem), split=split)
            if not image.is_file():
                found.faults.append(Fault(pair, "no image", f"{file}, {where}: there is no picture {title!r}"))
                continue
            mask, missing = _mask(file, where, row, image, person)
            if missing:
                found.faults.append(Fault(pair, "no mask", missing))
            else:
                found.pairs.append(Pair(image, mask, name, pair.group, person=person, split=split))
    return found


def _metadata(root: Path) -> list[Path]:
    if not root.is_dir():
        return [root] if root.name in _FILES else []
    folders = [root, *sorted(path for path in root.iterdir() if path.is_dir())]
    return [file for folder in folders for name in _FILES if (file := folder / name).is_file()]


def _mask(
    file: Path, where: str, row: dict[str, Any], image: Path, person: str
) -> tuple[Place | Annotation | None, str]:
    """The label, and what is missing of it."""
    column = next((key for key in _MASKS if key in row), None)
    if column is not None:
        if not row[column]:
            return None, ""
        path = _inside(file, str(row[column]), where)
        return (path, "") if path.is_file() else (None, f"{file}, {where}: there is no {path.name}")
    if "objects" in row:
        return _boxes(file, where, row["objects"], person), ""
    if has_alpha(image):
        return OwnTransparency(image), ""
    raise DataError(
        f"{file}, {where}: no column says where people are; it has {', '.join(row)}, and needs `mask` (empty where "
        "nobody is) or `objects`."
    )


def _check_numbers(file: Path, objects: list[Any], person: str) -> None:
    """Categories as numbers without names: one alone is person, of several the user must say which.

    Raises:
        DataError: They don't.
    """
    found: set[int] = set()
    for one in objects:
        try:
            one = json.loads(one) if isinstance(one, str) else one
            found |= {name for name in one.get("category") or one.get("categories") or [] if isinstance(name, int)}
        except (ValueError, AttributeError, TypeError):
            continue  # told with its row
    if len(found) > 1 and parse_person(person) is None:
        raise DataError(f"{file}: the categories are numbers, {sorted(found)}; say with `person` which is person.")


def _boxes(file: Path, where: str, objects: Any, person: str) -> Drawing | None:
    wanted, asked = Categories(person), parse_person(person)
    numbers = asked.numbers if asked is not None else None
    try:
        objects = json.loads(objects) if isinstance(objects, str) else objects
        names = objects.get("category") or objects.get("categories") or [None] * len(objects["bbox"])
        corners = [
            [float(number) for number in bbox]
            for bbox, name in zip(objects["bbox"], names, strict=True)
            # Numbers of categories have no name here.
            if name is None or (isinstance(name, int) and (numbers is None or name in numbers)) or str(name) in wanted
        ]
        shapes = tuple(box(x, y, x + width, y + height, "unsure") for x, y, width, height in corners)
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise DataError(
            f"{file}, {where}: `objects` must have `bbox` of left, top, width, height ({error})."
        ) from error
    return Drawing(f"{file}, {where}", shapes) if shapes else None


def _inside(file: Path, name: str, where: str) -> Path:
    relative = Path(name.replace("\\", "/"))
    if relative.is_absolute() or ".." in relative.parts or "\0" in name:
        raise DataError(f"{file}, {where}: {name!r} must be a path within {file.parent}.")
    return file.parent / relative


def _rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a row is, in words, and the row."""
    if file.suffix == ".csv":
        for number, row in enumerate(read_table(file)[1], 1):
            yield f"row {number}", dict(row)
    elif file.suffix == ".jsonl":
        for number, line in enumerate(read_text(file).splitlines(), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DataError(f"{file}, line {number}: this isn't JSON ({error}).") from error
            if not isinstance(row, dict):
                raise DataError(f"{file}, line {number}: it must be an object; received {type(row).__name__}.")
            yield f"line {number}", row
    else:
        yield from _parquet_rows(file)


def _parquet_rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        from pyarrow import ArrowException, parquet
    except ModuleNotFoundError as error:
        raise MissingExtra("Reading metadata.parquet", "data") from error
    try:
        rows = parquet.read_table(file).to_pylist()
    except (ArrowException, OSError, ValueError) as error:
        raise DataError(f"{file} can't be read as Parquet ({error}).") from error
    for number, row in enumerate(rows, 1):
        yield f"row {number}", row
