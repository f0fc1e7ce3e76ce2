"""The training loss of a finished model, from its alpha: the sentence of model/losses.py in plain NumPy."""

from __future__ import annotations

import numpy as np

from standout.imaging.arrays import Alpha

#: Alpha is kept this far from 0 and 1, as an alpha of 8 bits can't be nearer to certain.
EPSILON = 1 / 512


def bce(truth: Alpha, alpha: Alpha) -> float:
    """Binary cross-entropy, the mean over the pixels of one picture, in nats.

    Args:
        truth: float32 (H, W) in [0, 1].
        alpha: float32 (H, W) in [0, 1], clipped to [EPSILON, 1 − EPSILON].
    """
    p = np.clip(alpha, EPSILON, 1 - EPSILON)
    return float(-(truth * np.log(p) + (1 - truth) * np.log1p(-p)).mean())


def soft_dice(truth: Alpha, alpha: Alpha) -> float:
    """`2·Σ truth·alpha / (Σ truth + Σ alpha)` of one picture; 1 where the truth is empty, as in training."""
    if not truth.any():
        return 1.0
    return 2 * float((truth * alpha).sum()) / float(truth.sum() + alpha.sum())


def bce_dice(truth: Alpha, alpha: Alpha, k: float = 1.0) -> float:
    """The loss `k · BCE − Dice` of one picture; −1 at best."""
    return k * bce(truth, alpha) - soft_dice(truth, alpha)
