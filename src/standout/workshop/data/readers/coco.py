"""COCO: instances_*.json with polygons and run-length masks.

Every person's figure is person, a crowd (`iscrowd`) is unsure, what has a box and no figure is unsure within it. A
photograph without annotations of the category shows nobody.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from standout.errors import DataError, InputError
from standout.workshop.data.drawings import Drawing, Shape, box, polygon, run_lengths
from standout.workshop.data.pair import Fault, Found, Pair
from standout.workshop.data.readers.parts import Categories, PictureIndex, read_json, split_named, starts_like

NAME = "COCO"


def fits(root: Path) -> bool:
    return bool(_files(root))


def find(root: Path, person: str) -> Found:
    found = Found([], [])
    for file in _files(root):
        _read(file, root if root.is_dir() else file.parent, person, found)
    return found


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if root.suffix.lower() == ".json" and _is_coco(root) else []
    places = [root, root / "annotations", *(root / part for part in ("train", "val", "valid", "test"))]
    files = [file for place in places if place.is_dir() for file in sorted(place.glob("*.json"))]
    return [file for file in files if _is_coco(file)]


def _is_coco(file: Path) -> bool:
    if file.name.startswith(("captions_", "person_keypoints_", "stuff_", "panoptic_", "image_info_")):
        return False  # COCO's own other files, which lie beside the instances
    if starts_like(file, b'"images"') or file.name.startswith("instances_") or file.name.endswith(".coco.json"):
        return True
    # The order of keys is free: a large file may begin with its annotations.
    return starts_like(file, b'"annotations"') and starts_like(file, b'"image_id"')


def _read(file: Path, root: Path, person: str, found: Found) -> None:
    content = read_json(file)
    images, annotations, categories = (_list(content, key, file) for key in ("images", "annotations", "categories"))
    wanted = Categories(person)
    wanted.check((category.get("name", "") for category in categories), file)
    people = {category.get("id") for category in categories if category.get("name", "") in wanted}
    shapes: dict[Any, list[Shape]] = defaultdict(list)
    broken: dict[Any, str] = {}
    for number, annotation in enumerate(annotations):
        if annotation.get("category_id") not in people:
            continue
        image = annotation.get("image_id")
        try:
            shapes[image] += _shapes(annotation)
        except (InputError, TypeError, ValueError, KeyError) as error:
            broken[image] = f"{file}, annotation {annotation.get('id', number)}: {error}"
    split = split_named(file.stem) or split_named(file.parent.name)
    name = file.stem.removeprefix("instances_") if file.stem.startswith("instances_") else split or root.name
    beside = [file.parent, file.parent.parent, root]
    folders = [place / part for place in beside for part in (name, "images", f"images/{name}")]
    index = PictureIndex([*folders, *beside])
    for entry in images:
        key, title = entry.get("id"), str(entry.get("file_name", ""))
        path = index.find(title) if title else None
        if path is None:
            lonely = Pair(root / (title or f"image {key}"), None, name, split=split)
            found.faults.append(Fault(lonely, "no image", f"{file}: there is no picture {title!r} (image {key})"))
            continue
        size = _size(entry)
        drawn = tuple(shapes.get(key, ()))
        mask = Drawing(f"{file}, image {key}", drawn, size) if drawn else None
        pair = Pair(path, mask, name, path.stem, split=split)
        if key in broken:
            found.faults.append(Fault(pair, "unreadable", broken[key]))
        else:
            found.pairs.append(pair)


def _shapes(annotation: dict[str, Any]) -> list[Shape]:
    figure = annotation.get("segmentation")
    crowd = bool(annotation.get("iscrowd"))
    if isinstance(figure, dict):
        return [run_lengths(figure["counts"], figure["size"], "unsure" if crowd else "person")]
    if figure:
        return [polygon(points, "unsure" if crowd else "person") for points in figure]
    if len(corner := annotation.get("bbox") or []) == 4:
        left, top, width, height = (float(number) for number in corner)
        return [box(left, top, left + width, top + height, "unsure")]
    raise InputError("it has neither `segmentation` nor `bbox`")


def _size(entry: dict[str, Any]) -> tuple[int, int] | None:
    try:
        return int(entry["height"]), int(entry["width"])
    except (KeyError, TypeError, ValueError):
        return None


def _list(content: Any, key: str, file: Path) -> list[dict[str, Any]]:
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise DataError(f"{file} must have a list `{key}`, as COCO's instances have.")
    return value
