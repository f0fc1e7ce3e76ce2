"""What comes behind the person: a colour, an image fitted to the picture, or the photo's background out of focus."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compose.options import Fit
from standout.imaging.arrays import Alpha, Frame, resize

#: Radius that a blur has at the reduced size where it is computed, pixels: enough for a round disc.
_WORK_RADIUS = 10.0
#: How many times a lamp outshines what an 8-bit photo can show of it; gives the discs their sparkle.
_HIGHLIGHT = 6.0


def fit_image(
    image: Frame, size_hw: tuple[int, int], *, fit: Fit = "cover", position: tuple[float, float] = (0.5, 0.5)
) -> Frame:
    """Brings an image to `size_hw` (height, width).

    Args:
        image: uint8 RGB (h, w, 3).
        size_hw: The size of the result.
        fit: `cover` fills the picture and cuts what is over, `contain` shows all of it on black, `stretch` distorts.
        position: Which part stays in view, or where it lies, (across, down), 0 … 1.

    Example:
        >>> image = np.arange(4, dtype=np.uint8).repeat(6).reshape(2, 4, 3)
        >>> fit_image(image, (4, 4)).shape, fit_image(image, (4, 4), fit="contain")[0].max()
        ((4, 4, 3), np.uint8(0))
    """
    height, width = size_hw
    if fit == "stretch":
        return np.asarray(resize(image, size_hw), np.uint8)
    ratio_h, ratio_w = height / image.shape[0], width / image.shape[1]
    if fit == "contain":
        scale = min(ratio_h, ratio_w)
        inner = (min(height, max(1, round(image.shape[0] * scale))), min(width, max(1, round(image.shape[1] * scale))))
        top, left = round((height - inner[0]) * position[1]), round((width - inner[1]) * position[0])
        canvas = np.zeros((height, width, 3), np.uint8)
        canvas[top : top + inner[0], left : left + inner[1]] = resize(image, inner)
        return canvas
    scale = max(ratio_h, ratio_w)
    # Cut first, then resize: an image far larger than the picture is never enlarged as a whole.
    cut_h = min(image.shape[0], max(1, round(height / scale)))
    cut_w = min(image.shape[1], max(1, round(width / scale)))
    top, left = round((image.shape[0] - cut_h) * position[1]), round((image.shape[1] - cut_w) * position[0])
    return np.asarray(resize(image[top : top + cut_h, left : left + cut_w], size_hw), np.uint8)


def default_blur(size_hw: tuple[int, int]) -> float:
    """The blur radius for a picture of `size_hw` when none is asked for: 2.5 % of the longer side, pixels.

    Example:
        >>> default_blur((3000, 4000))
        100.0
    """
    return max(2.0, 0.025 * max(size_hw))


def blur_background(
    pixels: NDArray[Any], alpha: Alpha, *, radius: float | None = None, lens: bool = False
) -> NDArray[Any]:
    """The background of a photo out of focus, by its own light alone: no halo of the person around the person.

    A normalised masked blur: blur(background · (1 − α)) / blur(1 − α), computed at reduced size. Where the person hides
    everything within reach, the light of the nearest background is carried in.

    Args:
        pixels: uint8 or uint16 RGB (H, W, 3).
        alpha: float32 (H, W), the person.
        radius: Pixels of the photo; None takes `default_blur`.
        lens: A disc in linear light with bright highlights, like a wide-open lens; else a Gaussian of σ = radius / 2.

    Returns:
        RGB (H, W, 3) of the same dtype, the whole background, also behind the person.

    Example:
        >>> frame = np.full((64, 64, 3), 200, np.uint8)
        >>> alpha = np.zeros((64, 64), np.float32)
        >>> alpha[16:48, 16:48] = 1
        >>> frame[16:48, 16:48] = (255, 0, 0)
        >>> np.unique(blur_background(frame, alpha, radius=6)).tolist()
        [200]
    """
    height, width = alpha.shape
    radius = default_blur((height, width)) if radius is None else radius
    scale = min(1.0, _WORK_RADIUS / radius)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    most = float(np.iinfo(pixels.dtype).max)
    small = np.asarray(resize(pixels, size), np.float32) / np.float32(most)
    light = 1 - np.asarray(resize(alpha, size), np.float32)
    # A pixel that is even partly person carries the person's colour: it lends no light, nor does its neighbour.
    light = np.asarray(cv2.erode(light, np.ones((3, 3), np.uint8)), np.float32)
    light = np.where(light > 0.98, light, 0).astype(np.float32)
    if lens:
        small = small**2.2
        peak = small.max(axis=2, keepdims=True)
        small *= 1 + (_HIGHLIGHT - 1) * np.clip((peak - 0.8) / 0.2, 0, 1) ** 2
    filled = _fill(np.asarray(small, np.float32), light)
    weight = _out_of_focus(light, radius * scale, lens)
    blurred = _out_of_focus(filled * light[..., None], radius * scale, lens)
    # Where little of the background is in reach, `filled` takes over smoothly.
    far = _out_of_focus(filled, radius * scale, lens)
    blurred = (blurred + 1e-3 * far) / (weight + 1e-3)[..., None]
    if lens:
        blurred = np.clip(blurred, 0, 1) ** (1 / 2.2)
    result = np.clip(blurred * most + 0.5, 0, most).astype(pixels.dtype)
    return np.asarray(cv2.resize(result, (width, height), interpolation=cv2.INTER_LINEAR))


def _out_of_focus(array: NDArray[np.float32], radius: float, lens: bool) -> NDArray[np.float32]:
    if not lens:
        return np.asarray(cv2.GaussianBlur(array, (0, 0), max(radius / 2, 0.3), borderType=cv2.BORDER_REFLECT_101))
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)  # the rim is anti-aliased
    return np.asarray(cv2.filter2D(array, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101))


def _fill(picture: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fills what has no weight with the nearest light, by a pyramid: means go up, and down into the holes."""
    if min(picture.shape[:2]) <= 2 or float(weight.min()) > 0:
        total = float(weight.sum())
        mean = (picture * weight[..., None]).sum((0, 1)) / total if total else np.full(3, 0.5, np.float32)
        return np.asarray(np.where(weight[..., None] > 0, picture, mean), np.float32)
    size = ((picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2)
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    small: NDArray[Any] = cv2.resize(picture * weight[..., None], size, interpolation=cv2.INTER_AREA)
    small = small / np.maximum(small_weight, 1e-6)[..., None]
    coarse = _fill(np.asarray(small, np.float32), np.asarray(small_weight, np.float32))
    back = cv2.resize(coarse, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.where(weight[..., None] > 0, picture, back), np.float32)
