"""Hysteresis thresholding: drops connected components that never reach `certainty`, and alpha far from anybody.

Real people have a core where alpha is near 1. The coat rack that looks a little like one has not. This is the rule of
hysteresis thresholding (Canny 1986), per connected piece: it moves no edge, and needs no second network. Alpha that is
neither person nor near one (a flag at 0.2) is a guess as well.
"""

from __future__ import annotations

import cv2
import numpy as np

from standout.imaging.arrays import Alpha

#: Soft edges and hair reach this far from a person's pixels above the threshold, in pixels of the network …
EDGE = 12
#: … and within so many more pixels what is left of alpha fades away.
FADE = 8


def apply_hysteresis(alpha: Alpha, certainty: float, threshold: float = 0.5) -> Alpha:
    """Keeps alpha in and near connected pieces that somewhere reach `certainty`, and fades it to 0 elsewhere.

    Args:
        alpha: float32 (H, W) in [0, 1], as the network gives it.
        certainty: In [0, 1]; not above `threshold` changes nothing.
        threshold: The alpha from which a pixel counts as person.

    Returns:
        `alpha` itself where nothing is dropped; otherwise a copy.
    """
    if certainty <= threshold:
        return alpha
    person = (alpha >= threshold).astype(np.uint8)
    count, pieces = cv2.connectedComponents(person, connectivity=8)
    # Pieces (from 1) with a pixel that is sure; 0 is the background.
    sure = np.zeros(count, bool)
    sure[np.unique(pieces[alpha >= certainty])] = True
    sure[0] = False
    if not sure.any():
        return np.zeros_like(alpha) if alpha.any() else alpha
    kept = sure[pieces]
    distance = cv2.distanceTransform((~kept).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    weight = np.clip((EDGE + FADE - distance) / FADE, 0, 1).astype(np.float32)
    # A guess right beside a person who stays goes too.
    weight[(person > 0) & ~kept] = 0
    result: Alpha = alpha * weight
    return alpha if np.array_equal(result, alpha) else result
