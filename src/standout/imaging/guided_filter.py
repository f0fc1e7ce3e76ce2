"""Brings alpha from the network's resolution back to the photo's, along the photo's own edges.

Fast guided filter (He & Sun, arXiv 1505.00996): at low resolution, alpha is written in every window as a linear
function of the guide's color, alpha = a · guide + b; the smooth coefficients are enlarged, and the sharp photo
itself brings the edge back. No network output is ever stretched to its own extremes: what is flat stays flat.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Alpha, Frame, resize

#: The coefficients are computed at the network's resolution divided by this ("fast": arXiv 1505.00996, section 2);
#: the network's own decoder knows no more. With RADIUS and EPSILON the best of 27 settings on masks at full resolution.
SUBSAMPLE = 2
#: Half the window's side, in pixels of that resolution.
RADIUS = 1
#: How much color variance (colors in [0, 1]) counts as an edge.
EPSILON = 1e-4
#: Rows and columns of the photo that are worked on at once.
TILE = 256
#: Alpha this close to 0 or 1 counts as decided, and a tile of it is skipped: half a step of 8 bits.
DECIDED = 0.5 / 255
#: A tile whose alpha varies by less has no edge to refine and is enlarged bilinearly.
FLAT = 4 / 255


def upsample_alpha(alpha: Alpha, frame: Frame, small: Frame | None, *, subsample: int = SUBSAMPLE) -> Alpha:
    """Enlarges alpha to the frame's size.

    Args:
        alpha: float32 (h, w) in [0, 1].
        frame: uint8 RGB (H, W, 3), the guide.
        small: The frame at alpha's size, uint8 RGB (h, w, 3); None enlarges bilinearly, without a guide.
        subsample: The coefficients are computed at alpha's size divided by this; 1 where alpha has detail of its own.

    Returns:
        float32 (H, W) in [0, 1].
    """
    height, width = frame.shape[:2]
    if small is None or height <= alpha.shape[0] or width <= alpha.shape[1]:
        return np.ascontiguousarray(np.clip(resize(alpha, (height, width)), 0, 1), np.float32)
    low = max(1, alpha.shape[0] // subsample), max(1, alpha.shape[1] // subsample)
    coefficients = guided_coefficients(resize(alpha, low), resize(small, low))
    full = np.empty((height, width), np.float32)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            window = (slice(top, min(top + TILE, height)), slice(left, min(left + TILE, width)))
            full[window] = _tile(alpha, coefficients, frame, window)
    return full


def guided_coefficients(alpha: Alpha, guide: Frame) -> NDArray[np.float32]:
    """The guided filter's (a_r, a_g, a_b, b) per pixel, with a color guide (arXiv 1505.00996, section 2).

    Args:
        alpha: float32 (h, w).
        guide: uint8 RGB (h, w, 3).

    Returns:
        float32 (h, w, 4): alpha = a · guide / 255 + b.
    """

    def mean(array: NDArray[Any]) -> NDArray[np.float32]:
        side = 2 * RADIUS + 1
        return np.asarray(cv2.boxFilter(array, -1, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    color = guide.astype(np.float32) / 255
    mean_color, mean_alpha = mean(color), mean(alpha)
    covariance = mean(color * alpha[..., None]) - mean_color * mean_alpha[..., None]
    # The 3×3 covariance of the colors in each window, plus epsilon on the diagonal, inverted by its cofactors.
    r, g, b = cv2.split(color)
    mr, mg, mb = cv2.split(mean_color)
    rr, gg, bb = mean(r * r) - mr * mr + EPSILON, mean(g * g) - mg * mg + EPSILON, mean(b * b) - mb * mb + EPSILON
    rg, rb, gb = mean(r * g) - mr * mg, mean(r * b) - mr * mb, mean(g * b) - mg * mb
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = np.maximum(rr * c_rr + rg * c_rg + rb * c_rb, EPSILON**3)
    cr, cg, cb = cv2.split(covariance)
    slope = np.stack(
        [
            (c_rr * cr + c_rg * cg + c_rb * cb) / determinant,
            (c_rg * cr + c_gg * cg + c_gb * cb) / determinant,
            (c_rb * cr + c_gb * cg + c_bb * cb) / determinant,
        ],
        axis=2,
    )
    offset = mean_alpha - (slope * mean_color).sum(axis=2)
    return mean(np.dstack([slope, offset]))


def _tile(
    alpha: Alpha, coefficients: NDArray[np.float32], frame: Frame, window: tuple[slice, slice]
) -> NDArray[np.float32] | float:
    """One tile of the enlarged alpha; a number where alpha is decided, which most of a photo is."""
    rows = _source_range(window[0], frame.shape[0], alpha.shape[0])
    columns = _source_range(window[1], frame.shape[1], alpha.shape[1])
    near = alpha[rows, columns]
    low, high = float(near.min()), float(near.max())
    if high < DECIDED or low > 1 - DECIDED:
        return float(round(low))
    if high - low < FLAT:
        return np.clip(_enlarge(alpha, frame.shape[:2], window), 0, 1)
    grown = _enlarge(coefficients, frame.shape[:2], window)
    # a · guide + b as one product of four channels, the fourth of the guide being 1.
    guide = cv2.cvtColor(frame[window], cv2.COLOR_RGB2RGBA)
    terms = cv2.multiply(grown, guide, scale=1 / 255, dtype=cv2.CV_32F)
    return np.clip(cv2.transform(terms, np.ones((1, 4), np.float32)), 0, 1)


def _source_range(part: slice, full: int, small: int) -> slice:
    """The rows (or columns) at low resolution that have a say in this part, with the filter's window around."""
    scale, margin = small / full, SUBSAMPLE * (2 * RADIUS + 1)
    return slice(max(0, int(part.start * scale) - margin), min(small, int(np.ceil(part.stop * scale)) + margin))


def _enlarge(array: NDArray[np.float32], full: tuple[int, ...], window: tuple[slice, slice]) -> NDArray[np.float32]:
    """The window of `array` enlarged bilinearly to `full`, as if the whole had been enlarged and then cut."""
    rows, columns = window
    scale_y, scale_x = array.shape[0] / full[0], array.shape[1] / full[1]
    # Pixel centers, as cv2.resize has them: source = (target + 0.5) · scale − 0.5.
    matrix = np.array(
        [
            [scale_x, 0, (columns.start + 0.5) * scale_x - 0.5],
            [0, scale_y, (rows.start + 0.5) * scale_y - 0.5],
        ]
    )
    size = (columns.stop - columns.start, rows.stop - rows.start)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(array, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)
