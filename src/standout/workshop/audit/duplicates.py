"""Finds pictures that are the same, or nearly: saved again, scaled, brightened, mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame

#: Bits of 128 in which two hashes may differ to be looked at more closely …
MAX_BITS = 22
#: … and how alike the two thumbnails must then be (correlation of brightness, 1 is the same).
MIN_CORRELATION = 0.96
THUMB = 24
#: A picture flatter than this (standard deviation of its thumbnail, of 255) has no hash worth comparing.
MIN_CONTRAST = 6.0

#: Comparisons of two hashes at a time: memory doesn't grow with the square of the number of pictures.
_COMPARED_AT_ONCE = 1 << 20

Bits = NDArray[np.uint64]
Thumb = NDArray[np.float32]


def fingerprint(frame: Frame) -> tuple[Bits, Thumb]:
    """A difference hash, uint64 (2,), and a thumbnail of brightness, float32 (24, 24), of a frame."""
    thumb = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (THUMB, THUMB), interpolation=cv2.INTER_AREA)
    return _hash(thumb), thumb.astype(np.float32)


def mirrored(thumb: Thumb) -> tuple[Bits, Thumb]:
    """The fingerprint of the picture's mirror image."""
    flipped = np.ascontiguousarray(thumb[:, ::-1])
    return _hash(flipped), flipped


def _hash(thumb: NDArray[Any]) -> Bits:
    # Whether it gets brighter to the right, and downwards, on an 8 × 8 grid.
    small = cv2.resize(thumb.astype(np.uint8), (9, 9), interpolation=cv2.INTER_AREA).astype(np.int16)
    right, down = small[:8, 1:] > small[:8, :-1], small[1:, :8] > small[:-1, :8]
    return np.concatenate([np.packbits(right), np.packbits(down)]).view(np.uint64)


def near_pairs(hashes: Sequence[Bits], thumbs: Sequence[Thumb]) -> list[tuple[int, int, float]]:
    """Pairs of indices (first < second) whose pictures look alike, and their correlation; mirror images too."""
    if len(hashes) < 2:
        return []
    table = np.stack(hashes)
    flat = np.stack([_normal(thumb) for thumb in thumbs])
    usable = np.array([thumb.std() >= MIN_CONTRAST for thumb in thumbs])
    turned = [mirrored(thumb) for thumb in thumbs]
    found: dict[tuple[int, int], float] = {}
    for other, other_flat in (
        (table, flat),
        (np.stack([bits for bits, _ in turned]), np.stack([_normal(thumb) for _, thumb in turned])),
    ):
        rows = max(1, _COMPARED_AT_ONCE // len(table))
        for start in range(0, len(table), rows):
            block = slice(start, start + rows)
            # The two words of a hash one after the other, so that no array is larger than the comparisons.
            bits = sum(np.bitwise_count(table[block, None, word] ^ other[None, :, word]) for word in range(2))
            close = (bits <= MAX_BITS) & usable[block, None] & usable[None]
            for row, column in zip(*np.nonzero(close), strict=True):
                first, second = start + int(row), int(column)
                if first < second:
                    alike = float(flat[first] @ other_flat[second])
                    if alike >= MIN_CORRELATION:
                        found[first, second] = max(alike, found.get((first, second), 0.0))
    return [(first, second, alike) for (first, second), alike in sorted(found.items())]


def _normal(thumb: Thumb) -> NDArray[np.float32]:
    centered = (thumb - thumb.mean()).ravel()
    return np.asarray(centered / max(float(np.linalg.norm(centered)), 1e-6), np.float32)
