"""How a mask's outline lies on the edges of its photograph; also whether it was turned with it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame, Mask
from standout.imaging.exif import turn

#: With an agreement below this it is asked whether the mask fits the photograph as it lies in the file, and by which
#: factor it must fit better.
TURNED_BELOW, TURNED_GAIN = 1.4, 1.25
#: Shifts are looked for up to this share of the longer side, in both directions.
SEARCH_SHARE = 0.03
_POINTS = 400  # of the outline, that the edge agreement is measured at


@dataclass(frozen=True)
class EdgeFit:
    """How a mask's outline lies on the photo's edges.

    Attributes:
        agreement: Color change across the outline where the mask has it, as a multiple of the change across the same
            outline laid elsewhere nearby. 1 is no better than chance; a good mask has 1.5 … 5.
        shift: (x, y) pixels by which the mask would have to move to fit best.
        gain: Agreement after that move divided by the agreement as it is, ≥ 1.
    """

    agreement: float
    shift: tuple[int, int]
    gain: float


def edge_fit(frame: Frame, mask: Mask, unsure: Mask | None = None) -> EdgeFit | None:
    """Measures how a mask's outline lies on the photo's edges; None where it has too little outline to tell.

    The change of color is taken along the outline's normal, so texture that runs elsewhere does not count.

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
    # 16 bits hold Sobel's sums of 8-bit colors.
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


def fits_turned(frame: Frame, mask: Mask, stored: Mask, orientation: int, agreement: float | None = None) -> str:
    """Whether EXIF turned a photograph and not its mask, in words, told by the photograph's edges; "" if not.

    Args:
        frame: The photograph, upright, uint8 RGB (H, W, 3).
        mask: Its mask as it is read, bool (H, W).
        stored: The mask as it would be if it belonged to the photograph as it lies in the file, bool.
        orientation: What EXIF says, 2 … 8.
        agreement: `edge_fit` of the mask as it is read, where it is known.
    """
    upright = turn(stored, orientation)
    if agreement is None and (own := edge_fit(frame, mask)) is not None:
        agreement = own.agreement
    if agreement is None or agreement >= TURNED_BELOW or upright.shape != mask.shape:
        return ""
    fit = edge_fit(frame, upright)
    if fit is None or fit.agreement < TURNED_GAIN * agreement:
        return ""
    return (
        f"EXIF turns the photograph (orientation {orientation}) and the mask wasn't turned with it: turned it fits the "
        f"edges {fit.agreement / agreement:.2f} times as well; masks belong to upright photographs"
    )
