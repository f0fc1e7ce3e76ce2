"""The rows of YOLO's text files: polygons, run lengths, boxes, and boxes with key points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from standout.errors import DataError, InputError
from standout.workshop.data.drawings import Drawing, Shape, box, check_unit, polygon, run_lengths
from standout.workshop.data.readers._parts import read_text

#: Rows of COCO's 17 key points: a box, and x, y or x, y and visibility of each.
_POSE = {4 + 17 * 2: 2, 4 + 17 * 3: 3}


@dataclass
class Classes:
    """Which class numbers are person, and what else a set says of its rows.

    Attributes:
        people: Their numbers; None: every one.
        known: The numbers that have names; empty where nothing names them.
        key_points: (how many, numbers of each) where rows end in key points.
        seen: The numbers that rows had.
    """

    people: set[int] | None = None
    known: set[int] = field(default_factory=set)
    key_points: tuple[int, int] | None = None
    seen: set[int] = field(default_factory=set)


def read_boxes(file: Path) -> Drawing | None:
    """Boxes of people, whatever their class; None where there are none, and so nobody.

    Raises:
        DataError: A line can't be understood.
    """
    return read_rows(file, Classes())


def read_rows(file: Path, classes: Classes) -> Drawing | None:
    """The label of a file of rows; None where none is a person's.

    Raises:
        DataError: A line can't be understood.
    """
    shapes, notes = [], []
    for line, text in enumerate(read_text(file).splitlines(), 1):
        words = text.split()
        if not words:
            continue
        try:
            kind = int(float(words[0]))
            classes.seen.add(kind)
            if classes.known and kind not in classes.known:
                raise InputError(f"class {kind} has no name; there are {listing(classes.known)}")
            if classes.people is not None and kind not in classes.people:
                continue
            shape, note = _shape(words[1:], classes.key_points)
            shapes.append(shape)
            notes += [note] if note else []
        except (ValueError, OverflowError, InputError) as error:
            reason = str(error) if isinstance(error, InputError) else f"received {text[:60]!r}"
            raise DataError(
                f"{file}, line {line}: it must be a class and the x, y of a polygon's points, or of a box; {reason}."
            ) from error
    return Drawing(str(file), tuple(shapes), note=notes[0] if notes else "") if shapes else None


def _shape(words: list[str], key_points: tuple[int, int] | None) -> tuple[Shape, str]:
    """A row's figure, and what is to be said of it."""
    if words[:1] == ["rle"]:
        size_hw, counts = (int(words[1]), int(words[2])), words[3:]
        plain = all(word.isdecimal() for word in counts) and len(counts) != 1
        return run_lengths([int(word) for word in counts] if plain else "".join(counts), size_hw), ""
    numbers = [float(word) for word in words]
    if key_points is not None:
        wanted = 4 + key_points[0] * key_points[1]
        if len(numbers) not in (4, wanted):
            raise InputError(f"`kpt_shape` asks for a box and key points, {wanted} numbers; received {len(numbers)}")
    elif len(numbers) in _POSE and _in_box(numbers[:4], numbers[4:], _POSE[len(numbers)]):
        key_points = (17, _POSE[len(numbers)])
    if len(numbers) == 4 or key_points is not None:
        x, y, width, height = numbers[:4]
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        check_unit(corners, relative=True)
        note = "key points are no masks, their boxes are used" if len(numbers) > 4 else ""
        return box(*corners, "unsure", relative=True), note
    shape = polygon(numbers, relative=True)
    check_unit(numbers, relative=True)
    return shape, ""


def _in_box(corner: list[float], points: list[float], step: int) -> bool:
    """Whether all points lie in a box: what key points do, and the rest of an outline doesn't."""
    x, y, width, height = corner
    pairs = [(px, py) for px, py in zip(points[::step], points[1::step], strict=True) if px or py]
    return all(abs(px - x) <= width / 2 + 0.02 and abs(py - y) <= height / 2 + 0.02 for px, py in pairs)


def listing(numbers: Iterable[int]) -> str:
    shown = sorted(numbers)
    return ", ".join(map(str, shown[:12])) + (" …" if len(shown) > 12 else "")
