"""LabelMe: a JSON beside each photograph, or all of them in a folder beside images/.

Polygons, circles and masks of the label are person, in the order of the file. Rectangles, which are nobody's outline,
are unsure inside, and so is `__ignore__`. Everything else is background.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from standout.errors import DataError, InputError
from standout.workshop.data.drawings import Drawing, Meaning, Shape, bitmap, box, polygon
from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.readers._parts import Categories, is_picture, read_json, split_named, starts_like

NAME = "LabelMe"
RANK = 65

_IGNORED = ("__ignore__", "_ignore_", "ignore")


def fits(root: Path) -> bool:
    files = _files(root)
    return any(starts_like(file, b'"shapes"') for file in files[:20])


def find(root: Path, person: str) -> FoundPairs:
    found, labels, wanted = FoundPairs(), set(), Categories(person)
    used: set[Path] = set()
    files = _files(root)
    base = root if root.is_dir() else root.parent
    for file in files:
        if not starts_like(file, b'"shapes"'):
            continue
        try:
            content, shapes = _read(file)
        except DataError as error:
            photo = _image_of(file, {}) or file.with_suffix(".jpg")
            lost = Pair(photo, None, base.name, file.stem, split=split_named(file.parent.name))
            found.leave_out(lost, error)
            used.add(photo.resolve())
            continue
        image = _image_of(file, content)
        pair = Pair(image or file.with_suffix(".jpg"), None, base.name, file.stem, split=split_named(file.parent.name))
        if image is None:
            name = content.get("imagePath", "")
            found.faults.append(Fault(pair, "no image", f"{file}: there is no picture {name!r} beside it"))
            continue
        used.add(image.resolve())
        labels |= {str(shape.get("label", "")) for shape in shapes if isinstance(shape, dict)}
        try:
            drawn = tuple(figure for number, shape in enumerate(shapes) for figure in _shape(shape, wanted, number))
        except (InputError, TypeError, ValueError, KeyError) as error:
            found.faults.append(Fault(pair, "unreadable", f"{file}: {error}"))
            continue
        size = _size(content)
        found.pairs.append(
            Pair(image, Drawing(str(file), drawn, size) if drawn else None, pair.set, pair.group, split=pair.split)
        )
    if labels:
        wanted.check(labels, base)
    for folder in {base, base / "images"} if root.is_dir() else ():
        for photo in sorted(folder.iterdir()) if folder.is_dir() else ():
            if is_picture(photo) and photo.resolve() not in used:
                lonely = Pair(photo, None, base.name, photo.stem)
                found.faults.append(Fault(lonely, "no mask", f"{photo.name}: no {photo.stem}.json labels it"))
    return found


def _read(file: Path) -> tuple[dict[str, Any], list[Any]]:
    content = read_json(file)
    shapes = content.get("shapes") if isinstance(content, dict) else None
    if not isinstance(shapes, list):
        raise DataError(f"{file} must have a list `shapes`, as LabelMe writes it.")
    return content, shapes


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if root.suffix.lower() == ".json" else []
    own = _jsons(root)
    if own or not (root / "images").is_dir():
        return own
    # `labelme --output`: the JSONs in a folder of their own.
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    return [file for folder in folders for file in _jsons(folder)]


def _jsons(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json" and path.is_file())


def _image_of(file: Path, content: dict[str, Any]) -> Path | None:
    named = Path(str(content.get("imagePath") or "").replace("\\", "/"))
    folders = [file.parent, file.parent.parent / "images"]
    beside = [file.parent / named, *(folder / named.name for folder in folders)] if named.name else []
    for folder in folders:
        beside += [path for path in sorted(folder.glob(f"{_escaped(file.stem)}.*")) if is_picture(path)]
    return next((path for path in beside if path.is_file()), None)


def _escaped(stem: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in stem)


def _size(content: dict[str, Any]) -> tuple[int, int] | None:
    height, width = content.get("imageHeight"), content.get("imageWidth")
    return (int(height), int(width)) if isinstance(height, int) and isinstance(width, int) else None


def _shape(shape: dict[str, Any], wanted: Categories, number: int) -> list[Shape]:
    label = str(shape.get("label", ""))
    ignored = label.casefold() in _IGNORED
    if label not in wanted and not ignored:
        return []
    meaning: Meaning = "unsure" if ignored else "person"
    kind, points = shape.get("shape_type") or "polygon", shape.get("points") or []
    try:
        if kind == "polygon":
            return [polygon(points, meaning)]
        if kind == "rectangle":
            (x0, y0), (x1, y1) = points
            return [box(x0, y0, x1, y1, "unsure")]
        if kind == "circle":
            (x, y), (edge_x, edge_y) = points
            radius = math.hypot(edge_x - x, edge_y - y)
            turns = [2 * math.pi * i / 72 for i in range(72)]
            ring = [c for t in turns for c in (x + radius * math.cos(t), y + radius * math.sin(t))]
            return [polygon(ring, meaning)]
        if kind == "mask":
            return [bitmap(shape["mask"], points[0], meaning)]
    except (InputError, TypeError, ValueError, KeyError) as error:
        raise InputError(f"shape {number} ({label}): {error}") from error
    if kind in ("point", "line", "linestrip", "points"):
        return []
    raise InputError(f"shape {number} ({label}) is a {kind!r}, which isn't an area")
