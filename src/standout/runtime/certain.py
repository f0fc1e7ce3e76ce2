"""Leave out what the network only guesses: pieces of person that it is nowhere sure of.

Real people have a core where alpha is near 1. The coat rack that looks a little like one has not. This is the rule of
hysteresis thresholding (Canny 1986), per connected piece: it moves no edge, and needs no second network.
"""

from __future__ import annotations

import cv2
import numpy as np

from standout.pixels import Alpha

#: A piece's soft edge reaches this far beyond its pixels above the threshold, in pixels of the network.
EDGE = 9


def drop_guesses(alpha: Alpha, certainty: float, threshold: float = 0.5) -> Alpha:
    """Sets alpha to 0 in and around connected pieces that nowhere reach `certainty`.

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
    sure[0] = True
    if sure.all():
        return alpha
    guessed = (~sure)[pieces].astype(np.uint8)
    kernel = np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)
    around = cv2.dilate(guessed, kernel).astype(bool)
    # Next to a person who stays, that person's own soft edge stays too.
    kept = cv2.dilate(person - guessed, kernel).astype(bool)
    return np.where((guessed > 0) | (around & ~kept), np.float32(0), alpha)
