"""Supervisely: meta.json, and in each data set img/ and ann/, where a.jpg has a.jpg.json.

Polygons with holes and bitmaps are person, rectangles unsure inside. The class `person_bmp` or `person_poly`, as
Supervisely's own people are called, is `person`; `neutral` is unsure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from standout.errors import DataError, InputError
from standout.workshop.data.drawings import Drawing, Meaning, Shape, bitmap, box, polygon
from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.readers._parts import Categories, pictures_by_stem, read_json, split_named

NAME = "Supervisely"
RANK = 20

_UNSURE = ("neutral",)


def fits(root: Path) -> bool:
    return root.is_dir() and (root / "meta.json").is_file() and bool(_sets(root))


def find(root: Path, person: str) -> FoundPairs:
    meta = root / "meta.json"
    content = read_json(meta)
    classes = content.get("classes") if isinstance(content, dict) else None
    if not isinstance(classes, list):
        raise DataError(f"{meta} must have a list `classes`, as Supervisely writes it.")
    wanted = Categories(person)
    titles = {str(entry.get("title", "")) for entry in classes if isinstance(entry, dict)}
    wanted.check(map(_plain, titles), meta)
    found = FoundPairs()
    for folder in _sets(root):
        images = pictures_by_stem(folder / "img")
        used: set[Path] = set()
        for image in images.values():
            files = [folder / "ann" / f"{name}.json" for name in (image.name, image.stem)]
            file = next((path for path in files if path.is_file()), None)
            pair = Pair(image, None, folder.name, image.stem, split=split_named(folder.name))
            if file is None:
                found.faults.append(Fault(pair, "no mask", f"{image.name}: no {files[0].name} in {folder.name}/ann/"))
                continue
            used.add(file)
            try:
                mask = _drawing(file, wanted, titles)
            except DataError as error:
                found.leave_out(pair, error)
                continue
            except (InputError, TypeError, ValueError, KeyError, AttributeError) as error:
                found.faults.append(Fault(pair, "unreadable", f"{file}: {error}"))
                continue
            found.pairs.append(Pair(image, mask, pair.set, pair.group, split=pair.split))
        for file in sorted(set((folder / "ann").glob("*.json")) - used):
            lonely = Pair(folder / "img" / file.stem, None, folder.name, split=split_named(folder.name))
            found.faults.append(Fault(lonely, "no image", f"{file}: there is no picture {file.stem!r} in img/"))
    return found


def _sets(root: Path) -> list[Path]:
    inner = sorted(path for path in root.iterdir() if (path / "img").is_dir() and (path / "ann").is_dir())
    return inner or ([root] if (root / "img").is_dir() and (root / "ann").is_dir() else [])


def _drawing(file: Path, wanted: Categories, titles: set[str]) -> Drawing | None:
    content = read_json(file)
    if strange := sorted({str(thing.get("classTitle", "")) for thing in content["objects"]} - titles):
        raise InputError(f"class {strange[0]!r} is not among those of meta.json")
    shapes = [shape for thing in content["objects"] for shape in _shapes(thing, wanted)]
    size = content.get("size") or {}
    size_hw = (int(size["height"]), int(size["width"])) if "height" in size and "width" in size else None
    return Drawing(str(file), tuple(shapes), size_hw) if shapes else None


def _shapes(thing: dict[str, Any], wanted: Categories) -> list[Shape]:
    title = str(thing.get("classTitle", ""))
    if title.casefold() in _UNSURE:
        meaning: Meaning = "unsure"
    elif title in wanted or _plain(title) in wanted:
        meaning = "person"
    else:
        return []
    kind = thing.get("geometryType") or ("bitmap" if thing.get("bitmap") else "polygon")
    where = f"object {thing.get('id', '')} ({title})"
    try:
        if kind == "bitmap":
            return [bitmap(thing["bitmap"]["data"], thing["bitmap"]["origin"], meaning, packed=True)]
        points = thing["points"]
        if kind == "polygon":
            holes = [polygon(hole, "background") for hole in points.get("interior") or []]
            return [polygon(points["exterior"], meaning), *holes]
        if kind == "rectangle":
            (x0, y0), (x1, y1) = points["exterior"]
            return [box(x0, y0, x1, y1, "unsure")]
    except (InputError, TypeError, ValueError, KeyError) as error:
        raise InputError(f"{where}: {error}") from error
    if kind in ("point", "line", "graph", "cuboid", "any"):
        return []
    raise InputError(f"{where} is a {kind!r}, which isn't an area")


def _plain(title: str) -> str:
    for ending in ("_bmp", "_poly"):
        title = title.removesuffix(ending)
    return title
