"""A soft shadow that the person throws on what is behind."""

from __future__ import annotations

import cv2
import numpy as np

from standout.compositing.edge import person_box
from standout.imaging.arrays import Alpha, resize

#: Of the person's longer side: how far the shadow falls, and how soft it is (σ); and its darkness.
OFFSET, SOFTNESS, DARKNESS = (0.015, 0.02), 0.02, 0.45
#: Its longer side while it is computed, pixels: it is soft anyway.
WORK_SIDE = 1024


def drop_shadow(alpha: Alpha) -> Alpha:
    """How dark the shadow of a person is, float32 (H, W) in [0, 1]; it falls to the lower right.

    Example:
        >>> alpha = np.zeros((100, 100), np.float32)
        >>> alpha[20:60, 20:60] = 1
        >>> shadow = drop_shadow(alpha)
        >>> bool(shadow[60, 45] > 0.1), bool(shadow[95, 95] < 0.01)
        (True, True)
    """
    box = person_box(alpha)
    if box is None:
        return np.zeros_like(alpha)
    side = max(box[2] - box[0], box[3] - box[1])
    scale = min(1.0, WORK_SIDE / max(alpha.shape))
    size = (max(1, round(alpha.shape[0] * scale)), max(1, round(alpha.shape[1] * scale)))
    small = np.asarray(resize(alpha, size), np.float32)
    move = np.array([[1, 0, OFFSET[0] * side * scale], [0, 1, OFFSET[1] * side * scale]], np.float32)
    # What is cut by the picture's border throws its shadow as if it went on there.
    moved = cv2.warpAffine(small, move, (size[1], size[0]), borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.5, SOFTNESS * side * scale), borderType=cv2.BORDER_REPLICATE)
    soft = cv2.resize(soft * DARKNESS, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(soft, 0, 1), np.float32)
