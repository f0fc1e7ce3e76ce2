"""Pascal VOC: JPEGImages/ with SegmentationClass/ (class 15 is person, 255 unsure), or with Annotations/ (boxes).

Of a folder that has both, the photographs with a segmentation are read. The classes of another set are named by
labelmap.txt, as CVAT writes it, or class_names.txt, as LabelMe's export does; without such a list one mask at least
must hold class 15.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from standout.errors import DataError, InputError
from standout.workshop.data.drawings import Drawing, Shape, box
from standout.workshop.data.label_pictures import VOC_PERSON
from standout.workshop.data.painted import PaintedMask
from standout.workshop.data.pair import Fault, FoundPairs, Pair, Split
from standout.workshop.data.person_values import parse_person
from standout.workshop.data.readers._parts import Categories, check_holds, pictures_by_stem, read_text, split_named

NAME = "Pascal VOC"
RANK = 30


def fits(root: Path) -> bool:
    return (root / "JPEGImages").is_dir() and any(
        (root / part).is_dir() for part in ("SegmentationClass", "SegmentationClassPNG", "Annotations")
    )


def find(root: Path, person: str) -> FoundPairs:
    images = pictures_by_stem(root / "JPEGImages")
    folders = (root / part for part in ("SegmentationClass", "SegmentationClassPNG"))
    masks = next((pictures_by_stem(folder) for folder in folders if folder.is_dir()), None)
    splits = _splits(root, "Segmentation" if masks is not None else "Main")
    found = FoundPairs()
    if masks is None:
        categories = Categories(person)
        for stem, image in images.items():
            file = root / "Annotations" / f"{stem}.xml"
            pair = Pair(image, None, root.name, stem, split=splits.get(stem, ""))
            if not file.is_file():
                found.faults.append(Fault(pair, "no mask", f"{image.name}: no {file.name} in Annotations/"))
                continue
            try:
                shapes = _boxes(file, categories)
            except DataError as error:
                found.leave_out(pair, error)
                continue
            mask = Drawing(str(file), shapes) if shapes else None
            found.pairs.append(Pair(image, mask, root.name, stem, split=pair.split))
        return found
    value = person if parse_person(person) is not None else _person_value(root, person, list(masks.values()))
    for stem, picture in masks.items():
        if stem not in images:
            lonely = Pair(root / "JPEGImages" / stem, picture, root.name, stem)
            found.faults.append(Fault(lonely, "no image", f"{picture.name}: no file of this stem in JPEGImages/"))
            continue
        mask_ = PaintedMask(picture, value)
        found.pairs.append(Pair(images[stem], mask_, root.name, stem, split=splits.get(stem, "")))
    return found


def _person_value(root: Path, person: str, masks: list[Path]) -> str:
    """Which number or color is person: by the set's own list of classes, else VOC's."""
    categories = Categories(person)
    colors = root / "labelmap.txt"
    if colors.is_file():  # CVAT: name:r,g,b:parts:actions
        entries = [line.split(":") for line in read_text(colors).splitlines() if line.strip() and line[0] != "#"]
        categories.check((entry[0] for entry in entries), colors)
        wanted = [entry[1] for entry in entries if entry[0] in categories and len(entry) > 1]
        try:
            return ",".join("#{:02x}{:02x}{:02x}".format(*map(int, color.split(","))) for color in wanted)
        except (ValueError, IndexError) as error:
            raise DataError(f"{colors} must have lines `name:r,g,b::`; received {wanted}.") from error
    names = root / "class_names.txt"
    if names.is_file():  # labelme2voc: a name per line, the first is number 0
        lines = [line.strip() for line in read_text(names).splitlines()]
        categories.check(lines, names)
        return ",".join(str(number) for number, name in enumerate(lines) if name in categories)
    if categories.asked.casefold() != "person":
        raise DataError(
            f"{root} has no labelmap.txt or class_names.txt that names {categories.asked!r}; give its number instead "
            "(`person=15`)."
        )
    check_holds(masks, str(VOC_PERSON), root)
    return str(VOC_PERSON)


def _boxes(file: Path, categories: Categories) -> tuple[Shape, ...]:
    text = read_text(file)
    if "<!ENTITY" in text:
        raise DataError(f"{file} declares entities, which no annotation needs; it isn't read.")
    try:
        tree = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise DataError(f"{file}, line {error.position[0]}: this isn't XML ({error}).") from error
    shapes = []
    for number, thing in enumerate(tree.iter("object")):
        if (thing.findtext("name") or "") not in categories:
            continue
        corners = [thing.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
        try:
            left, top, right, bottom = (float(corner or "") for corner in corners)
            shapes.append(box(left - 1, top - 1, right, bottom, "unsure"))  # VOC counts pixels from 1
        except (ValueError, InputError) as error:
            raise DataError(
                f"{file}: object {number} must have a bndbox of four numbers; received {corners}."
            ) from error
    return tuple(shapes)


def _splits(root: Path, part: str) -> dict[str, Split]:
    splits: dict[str, Split] = {}
    for name in ("train", "val", "test"):
        file = root / "ImageSets" / part / f"{name}.txt"
        if file.is_file():
            splits |= {line.split()[0]: split_named(name) for line in read_text(file).splitlines() if line.split()}
    return splits
