"""Small pictures and data sets that tests make."""

from __future__ import annotations

import importlib.util
import io
import struct
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from standout.imaging.arrays import Frame

#: For `pytestmark`: tests that load TensorFlow, which takes seconds. It is imported within them, never at collection.
needs_tensorflow = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"),
]

#: Pictures that nobody can make here.
DATA = Path(__file__).parent / "imaging" / "files"


def corners() -> Frame:
    """48 × 64, dark blue, the top left quarter bright: every turn of it looks different."""
    frame = np.full((48, 64, 3), (10, 20, 60), np.uint8)
    frame[:24, :32] = (250, 240, 230)
    return frame


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a picture's file; `kind` and `options` are those of Pillow's `save`."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@cache  # the time of its making is in it
def wide_gamut() -> bytes:
    """A profile that is not sRGB: sRGB's own with red and green primaries exchanged."""
    raw = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", raw[128:132])[0]
    for index in range(count):
        entry = 132 + 12 * index
        name = bytes(raw[entry : entry + 4])
        if name in (b"rXYZ", b"gXYZ"):
            raw[entry : entry + 4] = b"gXYZ" if name == b"rXYZ" else b"rXYZ"
    return bytes(raw)


def disc(size: int, center: tuple[float, float], radius: float) -> np.ndarray:
    """A bool mask of a disc, (size, size)."""
    y, x = np.mgrid[:size, :size]
    return (y - center[0]) ** 2 + (x - center[1]) ** 2 <= radius**2


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
        gray = mask.astype(np.uint8) * 255
        written = np.dstack([np.zeros((size, size, 3), np.uint8), gray]) if alpha_masks else gray
        cv2.imwrite(str(folder / "masks" / f"p{i:02d}.png"), written)


def write_nobody(folder: Path, count: int, *, size: int = 64) -> None:
    """Writes photographs with nobody: noise."""
    rng = np.random.default_rng(8)
    (folder / "images").mkdir(parents=True)
    for i in range(count):
        image = rng.integers(0, 70, (size, size, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / f"n{i:02d}.png"), image)


#: Settings of `standout train` for the smallest run that still does everything.
TINY_TRAINING = [
    "width=0.35", "aspp_channels=8", "decoder_channels=8", "low_level_channels=4", "size=64", "batch=2", "workers=0",
    "freeze=0", "validate_every=2", "ema=0.5", "val_fraction=0.2", "warmup=2",
]  # fmt: skip
