"""How far an alpha is from a true matte: the five errors of the field, whole and in the band where hair is.

SAD, MSE, gradient and connectivity are those of Rhemann et al., "A perceptually motivated online benchmark for image
matting", CVPR 2009, in the units that papers print. IoU can't see hair: a mask that cuts every strand off loses a
thousandth of its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log, pi, sqrt
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import InputError
from standout.imaging.arrays import Alpha, Mask

#: A true alpha strictly between these is soft: neither surely person nor surely background.
SOFT = (0.04, 0.96)
#: The band reaches so far beyond the soft pixels, as a share of the picture's longer side.
BAND_SHARE = 0.006
#: A truth with a smaller share of soft pixels than this is a mask, and says nothing about strands.
SOFT_SHARE = 0.002
#: Rhemann et al.: scale of the gradient, steps of the threshold, and from what on a piece counts as cut off.
GRADIENT_SIGMA = 1.4
CONNECTIVITY_STEP = 0.1
CONNECTIVITY_THETA = 0.15


@dataclass(frozen=True)
class MatteErrors:
    """The errors of one alpha over the pixels that were asked for; 0 is perfect.

    Attributes:
        sad: Sum of absolute differences, in thousands of pixels.
        mae: Mean absolute difference.
        mse: Mean squared difference.
        gradient: Sum of squared differences of the gradient's magnitude, in thousands.
        connectivity: Sum of differences in how firmly pixels hang together with the person, in thousands.
    """

    sad: float
    mae: float
    mse: float
    gradient: float
    connectivity: float


def is_matte(truth: Alpha) -> bool:
    """Whether a true alpha has enough soft pixels to be a matte rather than a mask with smoothed edges."""
    return bool(_soft(truth).mean() > SOFT_SHARE)


def soft_band(truth: Alpha) -> Mask:
    """Where hair is: the soft pixels of a true alpha and what lies within `BAND_SHARE` of the longer side of them.

    Args:
        truth: float32 (H, W) in [0, 1].

    Returns:
        bool (H, W).
    """
    reach = max(1, round(BAND_SHARE * max(truth.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(_soft(truth).astype(np.uint8), kernel).astype(bool)


def matte_errors(truth: Alpha, alpha: Alpha, where: Mask | None = None) -> MatteErrors:
    """Compares an alpha with a true matte.

    Args:
        truth: float32 (H, W) in [0, 1].
        alpha: What a model says, float32 (H, W) in [0, 1].
        where: The pixels that count, bool (H, W), such as `soft_band(truth)`; all of them if absent. Gradient and
            connectivity are computed on the whole picture and summed there.

    Raises:
        InputError: The sizes differ, or no pixel counts.
    """
    where = np.ones(truth.shape, bool) if where is None else where
    if not truth.shape == alpha.shape == where.shape:
        raise InputError(
            f"`alpha` and `where` must have the matte's size {truth.shape}; received {alpha.shape} and {where.shape}."
        )
    if not where.any():
        raise InputError("`where` must hold at least one pixel; received none.")
    difference = np.abs(alpha - truth, dtype=np.float64)[where]
    gradients = np.square(_gradient(alpha) - _gradient(truth))[where]
    connected = np.abs(np.subtract(*_connectivity(alpha, truth)))[where]
    return MatteErrors(
        sad=float(difference.sum() / 1000),
        mae=float(difference.mean()),
        mse=float(np.square(difference).mean()),
        gradient=float(gradients.sum(dtype=np.float64) / 1000),
        connectivity=float(connected.sum(dtype=np.float64) / 1000),
    )


def _soft(truth: Alpha) -> Mask:
    return (truth > SOFT[0]) & (truth < SOFT[1])


def _gradient(alpha: Alpha) -> NDArray[Any]:
    """Magnitude of the first derivatives of a Gaussian, the kernel of unit L2 norm as in the authors' code."""
    sigma = GRADIENT_SIGMA
    reach = ceil(sigma * sqrt(-2 * log(sqrt(2 * pi) * sigma * 0.01)))
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    smooth = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * sqrt(2 * pi))
    slope = -x * smooth / sigma**2
    norm = np.sqrt(np.square(np.outer(smooth, slope)).sum())
    along_x = cv2.sepFilter2D(alpha.astype(np.float64), -1, slope / norm, smooth, borderType=cv2.BORDER_REPLICATE)
    along_y = cv2.sepFilter2D(alpha.astype(np.float64), -1, smooth, slope / norm, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(along_x, along_y)


def _connectivity(*alphas: Alpha) -> list[NDArray[Any]]:
    """phi of each alpha: 1 where it hangs together with what is surest in both, less by what stands out above that."""
    joined = np.full(alphas[0].shape, -1.0)
    steps = np.arange(0, 1 + CONNECTIVITY_STEP / 2, CONNECTIVITY_STEP)
    for low, high in zip(steps[:-1], steps[1:], strict=True):
        both = np.logical_and.reduce([alpha >= high for alpha in alphas]).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(both, connectivity=8)
        largest = labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA]) if count > 1 else np.zeros(both.shape, bool)
        joined[(joined == -1) & ~largest] = low
    joined[joined == -1] = 1
    above = [alpha - joined for alpha in alphas]
    return [1 - distance * (distance >= CONNECTIVITY_THETA) for distance in above]
