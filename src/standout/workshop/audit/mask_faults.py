"""What is wrong with a mask, seen from the mask itself."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Mask

Gray = NDArray[np.uint8]

#: A hole or a piece below this share of the picture is a pinhole or a speck: 8 × 8 pixels at 512 × 384.
SPECK_SHARE = 0.0003


def looks_inverted(mask: Mask) -> bool:
    """Whether the mask, bool (H, W), is white nearly all around the picture's frame, as no person is."""
    frame = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(frame.mean() > 0.85 and mask.mean() < 0.98)


def holes_and_specks(mask: Mask, unsure: Mask | None = None) -> tuple[int, int]:
    """How many pinholes and how many specks a mask, bool (H, W), has; what touches the unsure counts as neither."""
    unknown = np.zeros_like(mask) if unsure is None else unsure
    limit = max(4.0, SPECK_SHARE * mask.size)
    specks = _small_pieces(mask, limit, unknown, connectivity=8, keep_one=True)
    holes = _small_pieces(~mask, limit, unknown, connectivity=4, keep_one=False)
    return holes, specks


def _small_pieces(area: Mask, limit: float, unknown: Mask, *, connectivity: int, keep_one: bool) -> int:
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(area.astype(np.uint8), connectivity=connectivity)
    sizes = stats[1:, cv2.CC_STAT_AREA]
    if keep_one and sizes.size and sizes.max() < limit:
        return int(sizes.size - 1)  # a tiny person is no speck of itself
    # A corner of background cut off by the frame is no hole.
    left, top = stats[1:, cv2.CC_STAT_LEFT], stats[1:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[1:, cv2.CC_STAT_WIDTH], top + stats[1:, cv2.CC_STAT_HEIGHT]
    inner = (left > 0) & (top > 0) & (right < area.shape[1]) & (bottom < area.shape[0])
    beside = np.zeros(len(stats), bool)
    if unknown.any():
        near = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        beside[np.unique(pieces[near])] = True
    return int(((sizes < limit) & (inner | keep_one) & ~beside[1:]).sum())


def raggedness(mask: Mask) -> float:
    """Length of the outline as a multiple of its length when smoothed: 1.0 … 1.15 is smooth, hair 1.2 … 1.4.

    Pieces that smoothing wipes out count as well. An empty or full mask has 1.
    """
    binary = mask.astype(np.uint8)
    sigma = max(1.5, max(mask.shape) / 170)
    smooth = (cv2.GaussianBlur(binary * np.float32(1), (0, 0), sigma) >= 0.5).astype(np.uint8)
    length = _outline_length(smooth)
    return _outline_length(binary) / length if length else 1.0


def _outline_length(binary: Gray) -> float:
    # Crofton's formula: the length of an outline from its crossings along rows, columns and both diagonals.
    b = binary
    straight = np.count_nonzero(b[:, 1:] != b[:, :-1]) + np.count_nonzero(b[1:] != b[:-1])
    diagonal = np.count_nonzero(b[1:, 1:] != b[:-1, :-1]) + np.count_nonzero(b[1:, :-1] != b[:-1, 1:])
    return float(np.pi / 8 * (straight + diagonal / np.sqrt(2)))
