"""Moves and softens the outline of an alpha, in pixels, and finds what there is of it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Alpha
from standout.imaging.parse import Length

#: Alphas nearer to 0 or 1 than this are counted as 0 and 1: half a step of 8 bits.
TINY = 0.5 / 255
#: Alpha from which a pixel counts as seen, for the box around a person.
LEAST = 0.02
#: Largest radius of one pass of a dilation, pixels; wider ones are made of several.
_PASS = 8
#: Pixels × passes beyond which an outline is moved on a smaller picture: two seconds of one core.
_MOST_WORK = 100_000_000
#: A blur is done on a smaller picture, in which it is still so wide, pixels.
_FINE_SIGMA = 8.0


def shift_edge(alpha: Alpha, pixels: float) -> Alpha:
    """Moves the outline outward (positive) or inward (negative); its softness stays.

    Example:
        >>> alpha = np.zeros((1, 9), np.float32)
        >>> alpha[0, 3:6] = 1
        >>> shift_edge(alpha, 1).round(2).tolist()
        [[0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]]
        >>> shift_edge(alpha, -0.5).round(2).tolist()
        [[0.0, 0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.0]]
    """
    if not pixels:
        return alpha
    step = math.ceil((alpha.size * abs(pixels) / _PASS / _MOST_WORK) ** (1 / 3))
    if step > 1:  # many pixels, far: to a few pixels
        small = shift_edge(_shrunk(alpha, step), pixels / step)
        return np.asarray(cv2.resize(small, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    whole = int(abs(pixels))
    part = abs(pixels) - whole
    result = _grow(alpha, whole, pixels > 0)
    if part:
        grown = _grow(result, 1, pixels > 0)
        result = np.asarray(cv2.addWeighted(result, 1 - part, grown, part, 0), np.float32)
    return np.asarray(result, np.float32)


def _grow(alpha: Alpha, radius: int, outward: bool) -> Alpha:
    step = cv2.dilate if outward else cv2.erode
    while radius > 0:
        size = 2 * min(radius, _PASS) + 1
        # Beyond the border counts as nothing said: OpenCV's default border never wins a max or a min.
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        alpha = np.asarray(step(alpha, kernel), np.float32)
        radius -= _PASS
    return alpha


def _shrunk(alpha: Alpha, step: int) -> Alpha:
    height, width = alpha.shape
    size = max(1, round(width / step)), max(1, round(height / step))
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)


def feather_edge(alpha: Alpha, pixels: float) -> Alpha:
    """Lets the outline fade over a width of `pixels`.

    Example:
        >>> alpha = np.zeros((1, 40), np.float32)
        >>> alpha[0, 20:] = 1
        >>> soft = feather_edge(alpha, 8)[0]
        >>> int(((soft > 0.05) & (soft < 0.95)).sum())
        8
    """
    if not pixels:
        return alpha
    # From 5 % to 95 % a Gaussian step is 3.29 σ wide.
    sigma = max(pixels / 3.29, 0.05)
    # The border's own alpha goes on outside, so that a person cut by the picture's edge stays cut there.
    step = int(sigma / _FINE_SIGMA)
    if step > 1:  # nothing finer than a few pixels is left of the outline
        small = cv2.GaussianBlur(_shrunk(alpha, step), (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
        soft = cv2.resize(small, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)
    else:
        soft = cv2.GaussianBlur(alpha, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(soft, 0, 1, out=soft), np.float32)


NO_MARGIN = Length(0)


def person_box(
    alpha: Alpha | NDArray[np.uint8], *, margin: Length = NO_MARGIN, least: float = LEAST
) -> tuple[int, int, int, int] | None:
    """The box around everything above `least`: (left, top, right, bottom), inside the picture; None for nobody.

    Args:
        alpha: (H, W), float32 or bytes.
        margin: What is added around it; a share is one of its longer side.
        least: Alpha that still counts.

    Example:
        >>> alpha = np.zeros((60, 100), np.float32)
        >>> alpha[10:50, 20:40] = 1
        >>> person_box(alpha), person_box(alpha, margin=Length(0.1, "share")), person_box(alpha * 0)
        ((20, 10, 40, 50), (16, 6, 44, 54), None)
    """
    rows = np.flatnonzero(cv2.reduce(alpha, 1, cv2.REDUCE_MAX) > least)
    if not rows.size:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(cv2.reduce(alpha[top:bottom], 0, cv2.REDUCE_MAX) > least)
    left, right = int(columns[0]), int(columns[-1]) + 1
    room = round(margin.px(max(right - left, bottom - top)))
    height, width = alpha.shape
    return max(0, left - room), max(0, top - room), min(width, right + room), min(height, bottom + room)
