"""How varied the backgrounds of a set are, which decides whether a network learns what is *not* a person."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame, Mask

#: A background with less than this share of edge pixels is plain: a wall, a sky, a studio.
PLAIN_EDGES = 0.03
_MOST = 600  # pictures whose likeness is computed


def describe(frame: Frame, mask: Mask) -> tuple[NDArray[np.float32], float] | None:
    """The background's colors and texture, and its share of edge pixels; None where hardly any background shows.

    Args:
        frame: uint8 RGB (H, W, 3).
        mask: bool (H, W); the person, grown a little, is left out.

    Returns:
        float32 (76,) of length 1: a histogram of 4 × 4 × 4 colors and one of 12 directions of edges; and the share.
    """
    scale = 160 / max(mask.shape)
    size_wh = (max(8, round(mask.shape[1] * scale)), max(8, round(mask.shape[0] * scale)))
    small = cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA)
    person = cv2.dilate(cv2.resize(mask.astype(np.uint8), size_wh, interpolation=cv2.INTER_NEAREST), np.ones((5, 5)))
    ground = person == 0
    if ground.mean() < 0.05:
        return None
    colors = cv2.calcHist(
        [cv2.cvtColor(small, cv2.COLOR_RGB2LAB)],
        [0, 1, 2],
        ground.astype(np.uint8),
        [4, 4, 4],
        [0, 256, 96, 160, 96, 160],
    ).ravel()
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    gx, gy = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(gx, gy)
    edges = ground & (strength > 60)
    directions = np.histogram(angle[edges] % np.pi, 12, (0, np.pi))[0] / ground.sum()
    # Square roots: the product of two descriptions is then Bhattacharyya's likeness.
    vector = np.sqrt(np.concatenate([colors / max(colors.sum(), 1.0), directions]))
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32), float(edges.sum() / ground.sum())


def effective_number(vectors: Sequence[NDArray[np.float32]]) -> float:
    """How many wholly different backgrounds the set is worth: 1 where all are alike, their number where none are.

    The exponential of the entropy of the likeness matrix's eigenvalues (Vendi score, arXiv 2210.02410), likenesses
    raised to the fourth power so that a shared hue alone does not make two rooms the same. Of a set larger than 600,
    600 evenly spread pictures are compared.
    """
    if not vectors:
        return 0.0
    picked = np.linspace(0, len(vectors) - 1, min(len(vectors), _MOST)).round().astype(int)
    table = np.stack([vectors[i] for i in picked]).astype(np.float64)
    likeness = np.clip(table @ table.T, 0, 1) ** 4
    weights = np.linalg.eigvalsh(likeness / len(table))
    weights = weights[weights > 1e-12]
    return float(np.exp(-(weights * np.log(weights)).sum()))
