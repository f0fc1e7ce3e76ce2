"""Boundary F: how well a cut-out's edge follows the person's edge, at the picture's own resolution.

The contour of a mask is its set of pixels that touch background above, below, left or right; the picture's frame is no
contour, so a person cut by it has no edge there. With contours A (found) and B (true) and a tolerance of 3 pixels,

    precision = share of A no further than 3 px from B,    recall = share of B no further than 3 px from A,
    F = 2 · precision · recall / (precision + recall),

distances being Euclidean (after Martin, Fowlkes & Malik 2004 and Perazzi et al. 2016, there with matched pixels).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import InputError
from standout.imaging.arrays import Mask

#: Pixels of the picture as it is given, whatever its size.
TOLERANCE_PX = 3.0

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def contour(mask: Mask) -> Mask:
    """The pixels of a mask, bool (H, W), that have a 4-neighbor outside of it; the picture's frame is no outside."""
    # Beyond the frame OpenCV's erosion takes the largest value, so that the frame erodes nothing.
    inner = np.asarray(cv2.erode(mask.astype(np.uint8), _CROSS), np.bool_)
    return mask & ~inner


def boundary_f(mask: Mask, found: Mask, tolerance_px: float = TOLERANCE_PX, *, sure: Mask | None = None) -> float:
    """Boundary F of two masks, bool (H, W), in [0, 1].

    No contour on either side (nothing to find, nothing found) is 1.0, on one side alone 0.0.

    Args:
        mask: The truth.
        found: What is compared with it.
        tolerance_px: How far a contour may be off.
        sure: bool (H, W): contours that touch what isn't sure count on neither side, though what is near them may lie
            there; everything is sure by default.

    Raises:
        InputError: The masks differ in height or width.
    """
    if mask.shape != found.shape:
        raise InputError(f"`found` must have the mask's size {mask.shape}; received {found.shape}.")
    true_edge, found_edge = contour(mask), contour(found)
    if sure is not None and not sure.all():
        # The truth's own border with the unsure is no edge of a person.
        asked = cv2.erode(sure.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        true_edge, found_edge = true_edge & asked, found_edge & asked
    if not true_edge.any() or not found_edge.any():
        return float(not true_edge.any() and not found_edge.any())
    precision = _share_near(found_edge, true_edge, tolerance_px)
    recall = _share_near(true_edge, found_edge, tolerance_px)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def distance_to(edge: Mask) -> NDArray[np.float32]:
    """Euclidean distance, pixels, from every pixel to the nearest one of `edge`, which must not be empty."""
    return cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)  # type: ignore[return-value]


def _share_near(edge: Mask, other: Mask, tolerance_px: float) -> float:
    # The transform's float32 roots may lie a hair above the exact distance.
    return float((distance_to(other)[edge] <= tolerance_px + 1e-3).mean())
