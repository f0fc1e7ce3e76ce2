"""Small data sets that tests make, and the checks that every encoder must pass."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def disc(size: int, centre: tuple[float, float], radius: float) -> np.ndarray:
    """A bool mask of a disc, (size, size)."""
    y, x = np.mgrid[:size, :size]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


def write_pairs(folder: Path, count: int, *, size: int = 64, suffix: str = ".png", alpha_masks: bool = False) -> None:
    """Writes `count` pairs of "people": bright discs on a dark, noisy ground, with their masks."""
    rng = np.random.default_rng(7)
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for i in range(count):
        mask = disc(size, tuple(rng.uniform(0.3, 0.7, 2) * size), rng.uniform(0.15, 0.3) * size)
        image = rng.integers(0, 70, (size, size, 3)).astype(np.uint8)
        image[mask] = rng.integers(180, 256, 3)
        cv2.imwrite(str(folder / "images" / f"p{i:02d}{suffix}"), image)
        grey = mask.astype(np.uint8) * 255
        written = np.dstack([np.zeros((size, size, 3), np.uint8), grey]) if alpha_masks else grey
        cv2.imwrite(str(folder / "masks" / f"p{i:02d}.png"), written)


def write_nobody(folder: Path, count: int, *, size: int = 64) -> None:
    """Writes photographs with nobody: noise."""
    rng = np.random.default_rng(8)
    (folder / "images").mkdir(parents=True)
    for i in range(count):
        image = rng.integers(0, 70, (size, size, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / f"n{i:02d}.png"), image)
