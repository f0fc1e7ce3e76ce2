"""What is wrong with a mask, seen from the mask itself and from the photo below it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame, Mask

Gray = NDArray[np.uint8]

#: A hole or a piece below this share of the picture is a pinhole or a speck: 8 × 8 pixels at 512 × 384.
SPECK_SHARE = 0.0003
#: Shifts are looked for up to this share of the longer side, in both directions.
SEARCH_SHARE = 0.03
_POINTS = 400  # of the outline, that the edge agreement is measured at


@dataclass(frozen=True)
class EdgeFit:
    """How a mask's outline lies on the photo's edges.

    Attributes:
        agreement: Colour change across the outline where the mask has it, as a multiple of the change across the same
            outline laid elsewhere nearby. 1 is no better than chance; a good mask has 1.5 … 5.
        shift: (x, y) pixels by which the mask would have to move to fit best.
        gain: Agreement after that move divided by the agreement as it is, ≥ 1.
    """

    agreement: float
    shift: tuple[int, int]
    gain: float


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


def edge_fit(frame: Frame, mask: Mask, unsure: Mask | None = None) -> EdgeFit | None:
    """Measures how a mask's outline lies on the photo's edges; None where it has too little outline to tell.

    The change of colour is taken along the outline's normal, so texture that runs elsewhere does not count.

    Args:
        frame: uint8 RGB (H, W, 3).
        mask: bool (H, W).
        unsure: bool (H, W); the outline there isn't asked.
    """
    reach = max(6, round(SEARCH_SHARE * max(mask.shape)))
    points, normals = _outline(mask, reach, unsure)
    if len(points) < 40:
        return None
    lab = cv2.cvtColor(cv2.GaussianBlur(frame, (0, 0), 1.2), cv2.COLOR_RGB2LAB)
    # 16 bits hold Sobel's sums of 8-bit colours.
    gx, gy = cv2.Sobel(lab, cv2.CV_16S, 1, 0), cv2.Sobel(lab, cv2.CV_16S, 0, 1)
    shifts = [(x, y) for y in range(-reach, reach + 1, 2) for x in range(-reach, reach + 1, 2)]
    shifts = [(0, 0), *(shift for shift in shifts if shift != (0, 0))]
    rows = points[None, :, 1] + np.array([[y] for _, y in shifts])
    columns = points[None, :, 0] + np.array([[x] for x, _ in shifts])
    along = gx[rows, columns] * normals[None, :, :1] + gy[rows, columns] * normals[None, :, 1:]
    strength = np.sqrt(np.abs(along).max(axis=2))  # the root keeps one hard edge from outvoting the rest
    means = strength.mean(axis=1)
    far = np.array([max(abs(x), abs(y)) > reach // 2 for x, y in shifts])
    chance = float(np.median(means[far])) or 1e-6
    # One pixel of slack: an outline drawn a pixel beside the edge is as good as one on it.
    near = np.array([max(abs(x), abs(y)) <= 2 for x, y in shifts])
    here = max(float(means[near].max()), 1e-6)
    best = int(means.argmax())
    return EdgeFit(agreement=here / chance, shift=shifts[best], gain=float(means[best]) / here)


def _outline(mask: Mask, margin: int, unsure: Mask | None) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Points (x, y) of the outline at least `margin` off the frame, and the unit normals there, at most `_POINTS`."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2.0)
    nx, ny = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    edge = mask & ~cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    inner = np.zeros_like(mask)
    inner[margin + 1 : -margin - 1, margin + 1 : -margin - 1] = True
    if unsure is not None and unsure.any():
        inner &= cv2.dilate(unsure.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    rows, columns = np.nonzero(edge & inner)
    step = max(1, len(rows) // _POINTS)
    rows, columns = rows[::step], columns[::step]
    normals = np.stack([nx[rows, columns], ny[rows, columns]], axis=1)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    return np.stack([columns, rows], axis=1), np.asarray(normals, np.float32)
