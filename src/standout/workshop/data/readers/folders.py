"""A set in our own form: images/, masks/ with the same stems, and where needed unsure/, boxes/ and groups.csv.

Without masks/ nobody is in the pictures, unless they are cut-outs, whose transparency is the mask, or boxes/ says where
people are: outside of all boxes is background, inside is unsure.
"""

from __future__ import annotations

from pathlib import Path

from standout.errors import DataError
from standout.workshop.data.drawings import Annotation, OwnTransparency
from standout.workshop.data.pair import Fault, Found, Pair, Split
from standout.workshop.data.readers import yolo
from standout.workshop.data.readers.parts import has_alpha, pictures_by_stem, read_table, split_named

NAME = "images/ and masks/"


def fits(root: Path) -> bool:
    # YOLO and others have folders in images/; ours has pictures there.
    return (root / "images").is_dir() and not yolo.fits(root)


def find(root: Path, person: str) -> Found:
    images = pictures_by_stem(root / "images")
    groups = _read_groups(root / "groups.csv")
    name, split = root.name, _split(root)
    if not (root / "masks").is_dir():
        return _without_masks(root, images, groups, split)
    masks = pictures_by_stem(root / "masks")
    unsure = pictures_by_stem(root / "unsure") if (root / "unsure").is_dir() else {}
    found = Found([], [])
    for stem, image in images.items():
        pair = Pair(image, masks.get(stem), name, groups.get(stem, stem), 1.0, unsure.get(stem), person, split)
        if pair.mask is None:
            found.faults.append(Fault(pair, "no mask", f"{image.name}: no file of this stem in masks/"))
        else:
            found.pairs.append(pair)
    for stem in sorted(masks.keys() - images.keys()):
        orphan = Pair(root / "images" / stem, masks[stem], name, stem)
        found.faults.append(Fault(orphan, "no image", f"{masks[stem].name}: no file of this stem in images/"))
    return found


def _split(root: Path) -> Split:
    """A folder that is called val is held out only beside others; who reads it alone wants all of it."""
    siblings = root.parent.iterdir() if root.parent != root else iter(())
    others = any(path != root and split_named(path.name) == "train" and path.is_dir() for path in siblings)
    return split_named(root.name) if others and split_named(root.name) in ("val", "test") else ""


def _without_masks(root: Path, images: dict[str, Path], groups: dict[str, str], split: Split) -> Found:
    found = Found([], [])
    boxes = (root / "boxes").is_dir()
    cut_outs = not boxes and bool(images) and all(has_alpha(image) for image in images.values())
    for stem, image in images.items():
        mask: Annotation | None = None
        group = groups.get(stem, stem)
        if boxes:
            file = root / "boxes" / f"{stem}.txt"
            if not file.is_file():
                lonely = Pair(image, None, root.name, group)
                found.faults.append(Fault(lonely, "no mask", f"{image.name}: no {file.name} in boxes/"))
                continue
            try:
                mask = yolo.read_boxes(file)
            except DataError as error:
                found.leave_out(Pair(image, None, root.name, group, split=split), error)
                continue
        elif cut_outs:
            mask = OwnTransparency(image)
        found.pairs.append(Pair(image, mask, root.name, group, split=split))
    return found


def _read_groups(file: Path) -> dict[str, str]:
    """`groups.csv` beside images/: stem,group (the same person, the same video), so that no group is split."""
    if not file.is_file():
        return {}
    columns, rows = read_table(file)
    if not {"stem", "group"} <= set(columns):
        raise DataError(f"{file} must have the columns stem,group; received {','.join(columns) or 'nothing'}.")
    return {row["stem"]: row["group"] for row in rows if row["stem"] and row["group"]}
