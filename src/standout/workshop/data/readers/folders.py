"""Our own form: a folder with images/ and masks/, the same stems; images/ alone says that nobody is in its photographs.

masks/ may have another of its usual names (labels/, annotations/, gt/ …). Where anything else lies beside images/, it
isn't known to be a set of nobody, and is refused. boxes/ instead of masks/ holds YOLO's lines; PNGs and WebPs with
transparency are cut-outs; unsure/ holds pictures that are white where a mask is not to be trusted.
"""

from __future__ import annotations

from pathlib import Path

from standout.errors import DataError
from standout.workshop.data.drawings import Annotation
from standout.workshop.data.painted import OwnTransparency
from standout.workshop.data.pair import Fault, FoundPairs, Pair, Split
from standout.workshop.data.readers import yolo
from standout.workshop.data.readers._parts import (
    has_alpha,
    is_picture,
    pictures_below,
    pictures_by_stem,
    read_table,
    split_named,
)
from standout.workshop.data.readers._yolo_rows import read_boxes

NAME = "images/ and masks/"
RANK = 70

#: What a folder of masks is called elsewhere.
_MASKS = (
    "mask", "labels", "label", "annotations", "annotation", "gt", "ground_truth", "groundtruth", "segmentation",
    "segmentations", "seg", "segmaps", "alpha", "alphas", "matte", "mattes",
)  # fmt: skip
#: What may lie beside images/ without being a label; and endings of texts.
_NO_LABELS = ("groups.csv", "sets.toml", "convert.json", "thumbs.db", "desktop.ini")
_TEXTS = (
    "readme", "license", "copying", "notice", "changelog", "credits", "sources", "attribution",
    "licence",  # sic
)  # fmt: skip
_TEXT_ENDINGS = (".md", ".rst", ".html", ".pdf")


def fits(root: Path) -> bool:
    # YOLO and others have folders in images/; ours has pictures there.
    return (root / "images").is_dir() and ((root / "masks").is_dir() or not yolo.fits(root))


def find(root: Path, person: str) -> FoundPairs:
    images = _pictures(root / "images")
    groups = _read_groups(root / "groups.csv")
    found = FoundPairs()
    masks = root / "masks" if (root / "masks").is_dir() else _masks_called_otherwise(root, images, found)
    if masks is None:
        return found if found.faults else _without_masks(root, images, groups)
    labels = _pictures(masks)
    unsure = pictures_by_stem(root / "unsure") if (root / "unsure").is_dir() else {}
    name, split = root.name, _split(root)
    for key, image in images.items():
        part = split or (split_named(Path(key).parts[0]) if "/" in key else "")
        group = groups.get(image.stem, key)
        pair = Pair(image, labels.get(key), name, group, 1.0, unsure.get(key), person, part)
        if pair.mask is None:
            text = f"{image.name}: no file of this stem in {masks.name}/"
            found.faults.append(Fault(pair, "no mask", text))
        else:
            found.pairs.append(pair)
    for key in sorted(labels.keys() - images.keys()):
        orphan = Pair(root / "images" / key, labels[key], name, key)
        found.faults.append(Fault(orphan, "no image", f"{labels[key].name}: no file of this stem in images/"))
    return found


def _pictures(folder: Path) -> dict[str, Path]:
    """Stem -> picture; where they lie in folders of their own (train/, val/), with the path to it: `train/a`."""
    return pictures_by_stem(folder) or {
        path.relative_to(folder).with_suffix("").as_posix(): path for path in pictures_below(folder)
    }


def _masks_called_otherwise(root: Path, images: dict[str, Path], found: FoundPairs) -> Path | None:
    """The one folder beside images/ that holds pictures of the same names and is called as masks are elsewhere."""
    alike = [
        path for path in sorted(root.iterdir())
        if path.is_dir() and path.name not in ("images", "boxes") and images.keys() & _pictures(path).keys()
    ]  # fmt: skip
    usual = [path for path in alike if path.name.casefold() in _MASKS]
    if len(usual) == 1:
        found.notes.append(f"{root.name}: {usual[0].name}/ is read as masks/.")
        return usual[0]
    if alike:
        names = " and ".join(f"{path.name}/" for path in usual or alike)
        text = f"{root}: {names} hold(s) pictures of the same names as images/: masks? Call the right one masks/"
        found.faults.append(Fault(Pair(root / "images", None, root.name), "not understood", text))
    return None


def _split(root: Path) -> Split:
    """A folder that is called val is held out only beside others; who reads it alone wants all of it."""
    siblings = root.parent.iterdir() if root.parent != root else iter(())
    others = any(path != root and split_named(path.name) == "train" and path.is_dir() for path in siblings)
    return split_named(root.name) if others and split_named(root.name) in ("val", "test") else ""


def _without_masks(root: Path, images: dict[str, Path], groups: dict[str, str]) -> FoundPairs:
    found, split = FoundPairs(), _split(root)
    boxes = (root / "boxes").is_dir()
    cut_outs = not boxes and bool(images) and all(has_alpha(image) for image in images.values())
    if images and not boxes and not cut_outs and (strange := _strange(root, images)):
        text = (
            f"{root}: images/ holds {len(images)} photograph(s), and what lies beside is not understood as labels "
            f"({', '.join(strange[:4])}{', …' if len(strange) > 4 else ''}); images/ alone would say that nobody is "
            "in them (docs/data.md has the forms)"
        )
        found.faults.append(Fault(Pair(root / "images", None, root.name, split=split), "not understood", text))
        return found
    for stem, image in images.items():
        mask: Annotation | None = OwnTransparency(image) if cut_outs else None
        group = groups.get(image.stem, stem)
        if boxes:
            file = root / "boxes" / f"{stem}.txt"
            if not file.is_file():
                lonely = Pair(image, None, root.name, group)
                found.faults.append(Fault(lonely, "no mask", f"{image.name}: no {file.name} in boxes/"))
                continue
            try:
                mask = read_boxes(file)
            except DataError as error:
                found.leave_out(Pair(image, None, root.name, group, split=split), error)
                continue
        found.pairs.append(Pair(image, mask, root.name, group, split=split))
    return found


def _strange(root: Path, images: dict[str, Path]) -> list[str]:
    """What lies beside images/, or beside its pictures, and could hold labels."""
    beside = [
        f"{path.name}/" if path.is_dir() else path.name for path in sorted(root.iterdir())
        if path.name != "images" and not path.name.startswith(".") and not (path.is_file() and _is_text(path))
    ]  # fmt: skip
    stems = {Path(key).name for key in images}
    within = [
        f"images/{path.name}" for path in sorted((root / "images").rglob("*"))
        if path.is_file() and path.stem in stems and not is_picture(path) and not path.name.startswith(".")
    ]  # fmt: skip
    return beside + within


def _is_text(path: Path) -> bool:
    name = path.name.casefold()
    return name in _NO_LABELS or name.startswith(_TEXTS) or path.suffix.casefold() in _TEXT_ENDINGS


def _read_groups(file: Path) -> dict[str, str]:
    """`groups.csv` beside images/: stem,group (the same person, the same video), so that no group is split."""
    if not file.is_file():
        return {}
    columns, rows = read_table(file)
    if not {"stem", "group"} <= set(columns):
        raise DataError(f"{file} must have the columns stem,group; received {','.join(columns) or 'nothing'}.")
    return {row["stem"]: row["group"] for row in rows if row["stem"] and row["group"]}
