"""One small data set, and what each reader must find in it: the conformance kit; `forms.py` writes it in every form.

Four photographs of 64 × 48: `a` with a person in a block, `b` with two people and something unsure where the form can
say so, `c` with a dog, `none` with nobody.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.workshop.data.label_pictures import voc_palette

SIZE_HW = (48, 64)
#: name -> boxes (left, top, right, bottom) of people, of what isn't known, of a dog.
SCENES: dict[str, dict[str, list[tuple[int, int, int, int]]]] = {
    "a": {"person": [(10, 8, 30, 44)]},
    "b": {"person": [(4, 10, 20, 40), (40, 4, 60, 30)], "unsure": [(24, 20, 36, 44)]},
    "c": {"dog": [(8, 8, 40, 40)]},
    "none": {},
}


def photo(name: str) -> NDArray[np.uint8]:
    rng = np.random.default_rng(sum(map(ord, name)))
    rough = Image.fromarray(rng.integers(0, 255, (3, 4, 3), np.uint8))
    picture = np.array(rough.resize(SIZE_HW[::-1], Image.Resampling.BICUBIC))
    for boxes in SCENES[name].values():
        for left, top, right, bottom in boxes:
            picture[top:bottom, left:right] = rng.integers(0, 255, 3)
    return picture


def mask(name: str, what: str = "person") -> NDArray[np.bool_]:
    out = np.zeros(SIZE_HW, bool)
    for left, top, right, bottom in SCENES[name].get(what, []):
        out[top:bottom, left:right] = True
    return out


def numbers(name: str) -> NDArray[np.uint8]:
    """Pascal VOC's classes: 15 person, 12 dog, 255 void."""
    out = np.zeros(SIZE_HW, np.uint8)
    out[mask(name, "dog")], out[mask(name)] = 12, 15
    out[mask(name, "unsure")] = 255
    return out


def encoded(pixels: NDArray[Any], kind: str = "PNG", palette: bool = False) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    if palette:
        image = image.convert("P") if image.mode != "L" else Image.frombytes("P", image.size, image.tobytes())
        image.putpalette(voc_palette().tobytes())
    image.save(buffer, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return buffer.getvalue()


def write(path: Path, data: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def outline(box: tuple[int, int, int, int]) -> list[float]:
    left, top, right, bottom = box
    return [left, top, right, top, right, bottom, left, bottom]


@dataclass(frozen=True)
class Form:
    """A form of data set.

    Attributes:
        write: Writes it, and returns what the commands are given.
        names: The scenes that it holds.
        unsure: Whether it can say that something isn't known.
        person: What has to be said of its label pictures: one with a dog alone could be anybody's class 12.
    """

    write: Callable[[Path], Path]
    names: tuple[str, ...] = ("a", "b", "c", "none")
    unsure: bool = True
    person: str = ""
