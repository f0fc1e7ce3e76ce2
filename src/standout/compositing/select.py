"""Which person: `--keep largest`, `--keep 1,3`, `--at x,y`, by connected people.

People who touch in the mask are one: telling them apart takes another network.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import InputError
from standout.imaging.arrays import Alpha, shrink
from standout.imaging.parse import Point

#: Long side at which people are counted, pixels.
WORK_SIDE = 1024
#: A patch below this share of the picture, or of the largest patch, is a part of the nearest person (a hand, hair).
LEAST_SHARE, LEAST_OF_LARGEST = 0.0005, 0.03
#: A point beside a person by up to this share of the longer side still means that person.
NEAR = 0.02


@dataclass(frozen=True)
class Person:
    """One connected person.

    Attributes:
        number: Counted from the left, from 1.
        box: (left, top, right, bottom), pixels; right and bottom are the first pixels outside.
        area: Pixels.
    """

    number: int
    box: tuple[int, int, int, int]
    area: int


def find_people(alpha: Alpha, *, threshold: float = 0.5) -> list[Person]:
    """Counts the connected people in an alpha (H, W), from left to right; an empty list when there is nobody.

    Example:
        >>> alpha = np.zeros((60, 100), np.float32)
        >>> alpha[10:50, 10:30] = alpha[20:50, 60:90] = 1
        >>> [person.box for person in find_people(alpha)]
        [(10, 10, 30, 50), (60, 20, 90, 50)]
    """
    return _label(alpha, threshold)[1]


def keep_people(
    alpha: Alpha, *, keep: str | tuple[int, ...] = "all", at: Point | None = None, threshold: float = 0.5
) -> Alpha:
    """Keeps the chosen people of an alpha (H, W) and sets the others to 0.

    Args:
        alpha: float32 in [0, 1].
        keep: `all`, `largest`, `center`, or numbers counted from the left.
        at: Keeps the person at this point. Goes before `keep`.
        threshold: From which alpha a pixel counts as person.

    Raises:
        InputError: There is no person of that number or at that point.

    Example:
        >>> alpha = np.zeros((60, 100), np.float32)
        >>> alpha[10:50, 10:30] = alpha[20:50, 60:90] = 1
        >>> [person.box for person in find_people(keep_people(alpha, keep="largest"))]
        [(60, 20, 90, 50)]
    """
    if keep == "all" and at is None:
        return alpha
    labels, people = _label(alpha, threshold)
    if not people:
        return alpha
    if at is not None:
        chosen = {_person_at(at, labels, people, alpha.shape)}
    elif keep == "largest":
        chosen = {max(people, key=lambda person: person.area).number}
    elif keep == "center":
        chosen = {_nearest_number(labels, labels.shape[1] / 2, labels.shape[0] / 2)[0]}
    else:
        chosen = _by_number(keep, people)
    if len(chosen) == len(people):
        return alpha
    return _mask_others(alpha, labels, chosen)


def _label(alpha: Alpha, threshold: float) -> tuple[NDArray[np.int32], list[Person]]:
    """The map of people at reduced size (0 nobody, else their number), and the list of them."""
    height, width = alpha.shape
    scale = min(1.0, WORK_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(shrink(alpha, (size[1], size[0])), np.float32)
    count, raw, stats, centers = cv2.connectedComponentsWithStats((small >= threshold).astype(np.uint8), connectivity=8)
    labels = np.zeros(raw.shape, np.int32)
    if count == 1:
        return labels, []
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    least = max(1.0, LEAST_OF_LARGEST * float(areas.max()), min(LEAST_SHARE * small.size, float(areas.max())))
    large = [index for index in range(1, count) if areas[index] >= least]
    large.sort(key=lambda index: float(centers[index][0]))
    zoom_x, zoom_y = width / size[0], height / size[1]
    lookup = np.zeros(count, np.int32)
    people = []
    for number, index in enumerate(large, 1):
        lookup[index] = number
        left, top, w, h = (int(value) for value in stats[index, :4])
        box = (round(left * zoom_x), round(top * zoom_y), round((left + w) * zoom_x), round((top + h) * zoom_y))
        people.append(Person(number, box, round(int(areas[index]) * zoom_x * zoom_y)))
    return lookup[raw].astype(np.int32), people


def _nearest_number(labels: NDArray[np.int32], x: float, y: float) -> tuple[int, float]:
    """The number of the person nearest to a point, and the distance."""
    rows, columns = np.nonzero(labels)
    distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
    best = int(distance.argmin())
    return int(labels[rows[best], columns[best]]), float(distance[best])


def _person_at(at: Point, labels: NDArray[np.int32], people: list[Person], shape: tuple[int, ...]) -> int:
    height, width = shape[:2]
    x, y = at.px((height, width))
    if not (0 <= x <= width and 0 <= y <= height):
        raise InputError(f"`at` must lie inside the picture of {width} × {height} pixels; received {x:g},{y:g}.")
    scale = labels.shape[1] / width
    number, distance = _nearest_number(labels, x * scale, y * scale)
    if distance > NEAR * max(labels.shape) + 1:
        raise InputError(f"There is no person at {x:g},{y:g}; {_describe(people)}.")
    return number


def _by_number(keep: str | tuple[int, ...], people: list[Person]) -> set[int]:
    wanted = set(keep) if not isinstance(keep, str) else set()
    missing = sorted(number for number in wanted if number not in {person.number for person in people})
    if missing or not wanted:
        raise InputError(f"`keep` asks for person {', '.join(map(str, missing))}, but {_describe(people)}.")
    return {int(number) for number in wanted}


def _describe(people: list[Person]) -> str:
    if len(people) > 12:
        return f"{len(people)} people were found, counted from the left"
    places = ", ".join(f"{p.number} at {(p.box[0] + p.box[2]) // 2},{(p.box[1] + p.box[3]) // 2}" for p in people)
    return f"{len(people)} {'person was' if len(people) == 1 else 'people were'} found, counted from the left: {places}"


def _mask_others(alpha: Alpha, labels: NDArray[np.int32], chosen: set[int]) -> Alpha:
    """Every pixel belongs to the nearest person, so that loose hair goes with its owner."""
    _, index = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.zeros(int(index.max()) + 1, np.int32)
    people = labels > 0
    owner[index[people]] = labels[people]
    kept = np.isin(owner[index], list(chosen)).astype(np.float32)
    if kept.shape != alpha.shape:
        kept = np.asarray(cv2.resize(kept, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    return np.multiply(alpha, kept, out=kept)
