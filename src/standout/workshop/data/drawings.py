"""Labels that are drawn, not painted: polygons, run-length masks, bitmaps and boxes, as annotation tools write them.

Numbers are kept packed: a hundred thousand photographs' annotations stay in memory while they are trained on.
"""

from __future__ import annotations

import base64
import io
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.errors import InputError, MissingExtra
from standout.workshop.data.label_pictures import PersonLabel

Size = tuple[int, int]  # height, width
Meaning = Literal["person", "unsure", "background"]


class Annotation(Protocol):
    """A label that is no picture file of its own. Picklable and hashable."""

    @property
    def name(self) -> str:
        """What messages call it: its file, and its place there."""
        ...

    @property
    def weak(self) -> bool:
        """Whether it says where people may be, but of no pixel that it is person."""
        ...

    @property
    def size_hw(self) -> Size | None:
        """The (height, width) that it was drawn for, if it says so."""
        ...

    def draw(self, size_hw: Size) -> PersonLabel:
        """The label for a photograph of this size."""
        ...


@dataclass(frozen=True, slots=True)
class Shape:
    """One figure.

    Attributes:
        kind: "polygon" (x, y in turn), "box" (left, top, right, bottom), "rle" (COCO's counts, packed) or "bitmap" (a
            PNG and the x, y of its corner).
        meaning: What lies inside; a box of a person is unsure inside.
        numbers: float32 of the figure, as bytes; shares of width and height where `relative`.
        data: The painted mask of "rle" and "bitmap".
        relative: Whether the numbers are shares of the picture.
    """

    kind: Literal["polygon", "box", "rle", "bitmap"]
    meaning: Meaning
    numbers: bytes = b""
    data: bytes = b""
    relative: bool = False

    @property
    def floats(self) -> NDArray[np.float32]:
        return np.frombuffer(self.numbers, np.float32)


def polygon(points: Any, meaning: Meaning = "person", *, relative: bool = False) -> Shape:
    """A polygon from x, y, x, y … or from pairs.

    Raises:
        InputError: It has fewer than three points, or something that is no number.
    """
    numbers = _numbers(points, "a polygon")
    if numbers.size < 6 or numbers.size % 2:
        raise InputError(f"a polygon needs at least three points of x and y; received {numbers.size} number(s)")
    return Shape("polygon", meaning, numbers.tobytes(), relative=relative)


def box(left: float, top: float, right: float, bottom: float, meaning: Meaning, *, relative: bool = False) -> Shape:
    """A rectangle; its corners in any order.

    Raises:
        InputError: A corner is no number.
    """
    numbers = _numbers([left, top, right, bottom], "a box")
    corners = [numbers[[0, 2]].min(), numbers[[1, 3]].min(), numbers[[0, 2]].max(), numbers[[1, 3]].max()]
    return Shape("box", meaning, np.array(corners, np.float32).tobytes(), relative=relative)


def run_lengths(counts: Any, size_hw: Any, meaning: Meaning = "person") -> Shape:
    """COCO's run-length mask: numbers (as crowds have them), or packed text.

    Raises:
        InputError: It is neither, or its runs don't fill the picture.
    """
    try:
        height, width = (int(number) for number in size_hw)
        if isinstance(counts, list | tuple):
            if sum(counts) != height * width or min(counts, default=0) < 0:
                raise InputError(f"a run-length mask of {height} × {width} has runs of {sum(counts)} pixels")
            packed = b"n" + np.array(counts, np.uint32).tobytes()
        else:
            packed = b"t" + (counts.encode("ascii") if isinstance(counts, str) else bytes(counts))
    except (TypeError, ValueError) as error:
        raise InputError(f"a run-length mask that can't be read ({error})") from error
    return Shape("rle", meaning, np.array([height, width], np.float32).tobytes(), packed)


def bitmap(data: str | bytes, origin: Sequence[float], meaning: Meaning = "person", *, packed: bool = False) -> Shape:
    """A PNG (base64, `packed` by zlib too) whose drawn pixels are the figure, laid at `origin` (x, y).

    Raises:
        InputError: It is no such text.
    """
    try:
        raw = base64.b64decode(data, validate=True) if isinstance(data, str) else data
        raw = zlib.decompress(raw) if packed else raw
        return Shape("bitmap", meaning, _numbers(list(origin)[:2], "a bitmap's corner").tobytes(), raw)
    except (ValueError, zlib.error) as error:
        raise InputError(f"a bitmap that can't be unpacked ({error})") from error


def _numbers(values: Any, what: str) -> NDArray[np.float32]:
    try:
        numbers = np.array(values, np.float32).reshape(-1)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must consist of numbers ({error})") from error
    if not np.isfinite(numbers).all():
        raise InputError(f"{what} has a number that isn't finite")
    return numbers


# ---------------------------------------------------------------- annotations


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on one photograph. Later ones lie on earlier ones: a hole is a background shape.

    Attributes:
        name: The list's file, and the place in it.
        shapes: In the order in which they are drawn.
        size_hw: The size that it was drawn for, if the file says so.
        note: What the reader had to decide, in words; said once for the set.
    """

    name: str
    shapes: tuple[Shape, ...]
    size_hw: Size | None = None
    note: str = ""

    @property
    def weak(self) -> bool:
        return not any(shape.meaning == "person" for shape in self.shapes)

    @property
    def relative(self) -> bool:
        """Whether it is in shares of the picture, so that it doesn't say for which of its turns it was drawn."""
        return self.size_hw is None and any(shape.relative for shape in self.shapes)

    def draw(self, size_hw: Size) -> PersonLabel:
        person, unsure = np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.uint8)
        for shape in self.shapes:
            try:
                inside = _filled(shape, size_hw)
            except MissingExtra:
                raise
            except Exception as error:
                raise InputError(f"{self.name}: a {shape.kind} can't be drawn ({error}).") from error
            if shape.meaning == "person":
                person[inside], unsure[inside] = 255, 0
            elif shape.meaning == "unsure":
                # Where a person is drawn it is known; a crowd's outline doesn't take that back.
                unsure[inside & (person == 0)] = 1
            else:
                person[inside], unsure[inside] = 0, 0
        if self.shapes and not (person.any() or unsure.any()):
            raise InputError(f"{self.name}: its figures of people cover no pixel of the picture.")
        kinds = {"box": "boxes", "rle": "run-length masks", "polygon": "polygons", "bitmap": "bitmaps"}
        names = ", ".join(kinds[kind] for kind in sorted({shape.kind for shape in self.shapes})) or "nothing"
        weak = ": unsure inside" if self.weak and self.shapes else ""
        note = f"; {self.note}" if self.note else ""
        return PersonLabel(person, unsure.astype(bool), f"{names}{weak}{note}", classes=True)


def _filled(shape: Shape, size_hw: Size) -> NDArray[np.bool_]:
    """bool (H, W)."""
    height, width = size_hw
    out = np.zeros(size_hw, np.uint8)
    if shape.kind == "rle":
        mask = decode_run_lengths(shape)
        if mask.shape != size_hw:
            raise InputError(f"it is {mask.shape[1]}×{mask.shape[0]}, the photograph {width}×{height}")
        return mask
    numbers = shape.floats
    if shape.kind == "bitmap":
        return _laid(shape, out)
    points = numbers.reshape(-1, 2)
    check_unit(points, relative=shape.relative)
    points = points * (np.array([width, height], np.float32) if shape.relative else 1)
    if (points.max(axis=0) <= 0).any() or (points.min(axis=0) >= [width, height]).any():
        raise InputError(f"it lies outside of the picture of {width}×{height}")
    if shape.kind == "box":
        left, top = np.floor(np.clip(points[0], 0, None)).astype(int)
        right, bottom = np.ceil(np.clip(points[1], 0, [width, height])).astype(int)
        out[top:bottom, left:right] = 1
        return out.astype(bool)
    return fill_polygon(points, size_hw)


#: Shares of a picture reach this far beyond it at most: of who is cut by its frame.
_BEYOND = 0.5


def check_unit(points: Any, *, relative: bool) -> None:
    """Refuses pixels where shares of the picture belong, and shares where pixels do.

    Raises:
        InputError: The message names the numbers.
    """
    low, top = float(np.min(points)), float(np.max(points))
    if relative and not -_BEYOND <= low <= top <= 1 + _BEYOND:
        raise InputError(f"its numbers, {low:g} … {top:g}, must be shares of the picture, 0 … 1; are they pixels?")
    if not relative and top <= 1:
        raise InputError(f"its numbers, {low:g} … {top:g}, must be pixels; are they shares of the picture?")


def fill_polygon(points: NDArray[np.float32], size_hw: Size) -> NDArray[np.bool_]:
    """The pixels whose centers lie inside a polygon, bool (H, W).

    OpenCV's and Pillow's also fill what the outline touches, half a pixel all around.

    Args:
        points: (N, 2), x and y; (0, 0) is the corner of the first pixel.
        size_hw: The size of the picture.
    """
    height, width = size_hw
    x0, y0 = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    top = max(0, math.floor(y0.min()))
    rows = np.arange(top, min(height, math.ceil(y0.max()) + 1)) + 0.5
    # Along each row of centers, inside begins and ends where an edge is crossed.
    edge, row = np.nonzero((y0[:, None] <= rows) != (y1[:, None] <= rows))
    across = x0[edge] + (rows[row] - y0[edge]) / (y1[edge] - y0[edge]) * (x1[edge] - x0[edge])
    column = np.clip(np.ceil(across - 0.5), 0, width).astype(np.intp)
    crossed = np.bincount((row + top) * (width + 1) + column, minlength=height * (width + 1))
    return (np.cumsum(crossed.reshape(height, width + 1), axis=1)[:, :width] % 2).astype(bool)


def _laid(shape: Shape, out: NDArray[np.uint8]) -> NDArray[np.bool_]:
    with Image.open(io.BytesIO(shape.data)) as image:
        drawn = np.asarray(image.convert("RGBA"))
    # Supervisely's are transparent outside, LabelMe's black.
    inside = drawn[..., 3] > 0 if drawn[..., 3].min() == 0 else drawn[..., :3].max(axis=2) > 0
    x, y = (round(float(number)) for number in shape.floats)
    top, left = max(0, y), max(0, x)
    part = inside[top - y : top - y + max(0, out.shape[0] - top), left - x : left - x + max(0, out.shape[1] - left)]
    out[top : top + part.shape[0], left : left + part.shape[1]] = part
    return out.astype(bool)


def decode_run_lengths(shape: Shape) -> NDArray[np.bool_]:
    """COCO's run-length mask, bool (H, W), by pycocotools.

    Raises:
        MissingExtra: pycocotools isn't installed.
    """
    try:
        from pycocotools import mask as coco
    except ModuleNotFoundError as error:
        raise MissingExtra("Reading COCO's run-length masks", "data") from error
    height, width = (int(number) for number in shape.floats)
    if shape.data[:1] == b"n":
        counts = np.frombuffer(shape.data[1:], np.uint32).tolist()
        packed = coco.frPyObjects({"counts": counts, "size": [height, width]}, height, width)
    else:
        packed = {"counts": shape.data[1:], "size": [height, width]}
    return np.asarray(coco.decode(packed)).reshape(height, width).astype(bool)
