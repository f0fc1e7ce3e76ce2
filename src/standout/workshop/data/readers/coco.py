"""COCO: instances_*.json with polygons and run-length masks.

Every person's figure is person, a crowd (`iscrowd`) is unsure, what has a box and no figure is unsure within it. Some
tools write every mask as a crowd: where a file has no other figures of people, or says that a tool made it, it is a
mask. A photograph without annotations of the category shows nobody, if others have some.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from standout.errors import DataError, InputError
from standout.workshop.data.drawings import Drawing, Shape, box, polygon, run_lengths
from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.readers._parts import Categories, PictureIndex, read_json, split_named, starts_like

NAME = "COCO"
RANK = 40

#: COCO's own other files, which lie beside the instances.
_OTHERS = ("captions_", "stuff_", "panoptic_", "image_info_")


def fits(root: Path) -> bool:
    return bool(_files(root))


def find(root: Path, person: str) -> FoundPairs:
    found = FoundPairs()
    for file in _files(root):
        _read(file, root if root.is_dir() else file.parent, person, found)
    return found


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if root.suffix.lower() == ".json" and _is_coco(root) else []
    places = [root, root / "annotations", *(root / part for part in ("train", "val", "valid", "test"))]
    files = [file for place in places if place.is_dir() for file in sorted(place.glob("*.json")) if _is_coco(file)]
    # The key points' files hold the same outlines: they are read where there are no instances.
    own = [file for file in files if not file.name.startswith("person_keypoints_")]
    return own or files


def _is_coco(file: Path) -> bool:
    if file.name.startswith(_OTHERS):
        return False
    if starts_like(file, b'"images"') or file.name.startswith("instances_") or file.name.endswith(".coco.json"):
        return True
    # The order of keys is free: a large file may begin with its annotations.
    return starts_like(file, b'"annotations"') and starts_like(file, b'"image_id"')


def _read(file: Path, root: Path, person: str, found: FoundPairs) -> None:
    content = read_json(file)
    images, annotations, categories = (_list(content, key, file) for key in ("images", "annotations", "categories"))
    wanted = Categories(person)
    wanted.check((category.get("name", "") for category in categories), file)
    people = {_id(category.get("id")) for category in categories if category.get("name", "") in wanted}
    known = {_id(category.get("id")) for category in categories}
    listed = {_id(image.get("id")) for image in images}
    _check_images(file, [_id(annotation.get("image_id")) for annotation in annotations], listed, found)
    of_people = [annotation for annotation in annotations if _id(annotation.get("category_id")) in people]
    crowds_alone = all(annotation.get("iscrowd") for annotation in of_people if _has_figure(annotation))
    shapes: dict[str, list[Shape]] = defaultdict(list)
    notes: dict[str, str] = {}
    broken: dict[str, str] = {}
    for number, annotation in enumerate(annotations):
        image, kind = _id(annotation.get("image_id")), _id(annotation.get("category_id"))
        if kind in known - people:
            continue
        try:
            if kind not in people:
                raise InputError(f"category {annotation.get('category_id')!r} is not in the file's list")
            exact = crowds_alone or isinstance(annotation.get("attributes"), dict)  # CVAT's and Datumaro's
            shapes[image] += _shapes(annotation, crowd=bool(annotation.get("iscrowd")) and not exact)
            if annotation.get("iscrowd") and exact and isinstance(annotation.get("segmentation"), dict):
                notes[image] = "`iscrowd` 1 on masks of single people is taken for a tool's habit"
        except (InputError, TypeError, ValueError, KeyError) as error:
            broken[image] = f"{file}, annotation {annotation.get('id', number)}: {error}"
    split = split_named(file.stem) or split_named(file.parent.name)
    title = file.stem.removeprefix("person_keypoints_")
    name = title.removeprefix("instances_") if title.startswith("instances_") or title != file.stem else ""
    name = name or split or root.name
    beside = [file.parent, file.parent.parent, root]
    folders = [place / part for place in beside for part in (name, "images", f"images/{name}")]
    index = PictureIndex([*folders, *beside])
    for entry in images:
        key, title = _id(entry.get("id")), str(entry.get("file_name", ""))
        path = index.find(title) if title else None
        if path is None:
            lonely = Pair(root / (title or f"image {key}"), None, name, split=split)
            found.faults.append(Fault(lonely, "no image", f"{file}: there is no picture {title!r} (image {key})"))
            continue
        drawn = tuple(shapes.get(key, ()))
        mask = Drawing(f"{file}, image {key}", drawn, _size(entry), notes.get(key, "")) if drawn else None
        pair = Pair(path, mask, name, path.stem, split=split)
        if key in broken:
            found.faults.append(Fault(pair, "unreadable", broken[key]))
        else:
            found.pairs.append(pair)


def _check_images(file: Path, named: list[str], listed: set[str], found: FoundPairs) -> None:
    """Says which annotations belong to no photograph of the list; refuses a file in which none belongs to one.

    Raises:
        DataError: Nothing is labeled, as far as can be told.
    """
    strange = [image for image in named if image not in listed]
    if listed and len(strange) == len(named):
        lost = f"its {len(named)} annotations name images such as {strange[0]!r}" if named else "it has no annotation"
        raise DataError(
            f"{file} lists {len(listed)} image(s), such as {min(listed)!r}, and {lost}: nobody is labeled. "
            "Photographs with nobody belong into a folder of their own with images/ alone."
        )
    if strange:
        found.notes.append(
            f"{file}: {len(strange)} annotation(s) name images that aren't in its list, such as {strange[0]!r}: unused."
        )


def _id(value: Any) -> str:
    """An id as text: some tools write it as a number in one list and as text in the other."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _has_figure(annotation: dict[str, Any]) -> bool:
    return bool(annotation.get("segmentation"))


def _shapes(annotation: dict[str, Any], *, crowd: bool) -> list[Shape]:
    figure = annotation.get("segmentation")
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
