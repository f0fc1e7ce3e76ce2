"""sRGB arrays as frames of PyAV's, for encoders of pictures: PNG, APNG, WebP and GIF."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.video.pyav import av

#: Alpha from which a pixel of a GIF is there.
_GIF_ALPHA = 128


def rgb_picture(pixels: NDArray[np.uint8], layout: str) -> Any:
    """A frame of PyAV's.

    Args:
        pixels: uint8 sRGB (H, W, 3), RGBA (H, W, 4), straight, or gray (H, W).
        layout: "rgba", "bgra", or "pal8" for 255 colors and a transparent one.
    """
    if pixels.ndim == 2:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if layout == "pal8":
        return _with_palette(pixels)
    if pixels.shape[2] == 3:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA), np.uint8)
    if layout == "bgra":
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA), np.uint8)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), layout)


def _with_palette(pixels: NDArray[np.uint8]) -> Any:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    reduced = picture.quantize(255, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.FLOYDSTEINBERG)
    codes = np.array(reduced, np.uint8)
    colors = np.zeros((255, 3), np.uint8)
    found = np.asarray(reduced.getpalette(), np.uint8).reshape(-1, 3)[:255]
    colors[: len(found)] = found
    palette = np.zeros((256, 4), np.uint8)  # alpha, red, green, blue; the last is transparent
    palette[:255, 0], palette[:255, 1:] = 255, colors
    if pixels.shape[2] == 4:
        codes[pixels[..., 3] < _GIF_ALPHA] = 255
    return av.VideoFrame.from_ndarray((codes, palette), "pal8")
