"""Photographs of scene `a`, and whether a data set is read so that its person is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from standout.workshop.data.check import check_pairs
from standout.workshop.data.labels import OpenPair, open_pair
from standout.workshop.data.pair import Pair
from standout.workshop.data.pairs import find_pairs
from workshop.data.readers_kit import SIZE_HW, encoded, mask, outline, photo, write

WHITE = np.where(mask("a"), 255, 0).astype(np.uint8)
BOX = (10, 8, 30, 44)
POLYGON = outline(BOX)
SHARES = [number / (48 if i % 2 else 64) for i, number in enumerate(POLYGON)]
CENTER = f"{20 / 64} {26 / 48} {20 / 64} {36 / 48}"


def images(root: Path, count: int = 3, folder: str = "images") -> None:
    for i in range(count):
        write(root / folder / f"{i}.jpg", encoded(photo("a"), "JPEG"))


def people_of(root: Path) -> list[str]:
    """The stems of the photographs with the person of scene `a`, every pixel right."""
    pairs = check_pairs(find_pairs(root)[0]).good
    return sorted(pair.stem for pair in pairs if pair.has_person and np.array_equal(drawn(pair) > 127, mask("a")))


def drawn(pair: Pair) -> np.ndarray:
    opened = open_pair(pair)
    assert isinstance(opened, OpenPair), opened
    return opened.label.person


def run_lengths(where: np.ndarray) -> dict[str, Any]:
    flat = where.T.reshape(-1)
    counts = np.diff([0, *(np.flatnonzero(np.diff(flat)) + 1), flat.size]).tolist()
    return {"counts": counts, "size": list(SIZE_HW)}
