"""Light as webcams see it: a window behind, the glow of a screen in front, one lamp, a dark room."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame


def webcam_light(image: Frame, person: NDArray[np.uint8], rng: np.random.Generator) -> Frame:
    """Lights a picture anew in one of four ways.

    Args:
        image: uint8 RGB (H, W, 3).
        person: uint8 (H, W), 255 person: backlight and glow know who is near.
        rng: Decides everything.

    Returns:
        uint8 RGB (H, W, 3).
    """
    light = image.astype(np.float32)
    near = cv2.GaussianBlur(person, (0, 0), max(1.0, image.shape[1] / 100)).astype(np.float32)[..., None] / 255
    kind = rng.integers(4)
    if kind == 0:  # a window behind
        light *= 1 + rng.uniform(-0.7, 0) * near + rng.uniform(0, 0.8) * (1 - near)
    elif kind == 1:  # a screen in front
        glow = np.array([rng.uniform(0.7, 1), rng.uniform(0.85, 1.05), rng.uniform(1, 1.4)], np.float32)
        light *= 1 + (glow - 1) * (0.3 + 0.7 * near)
    elif kind == 2:  # one lamp
        field = rng.normal(0, 0.35, (3, 3)).astype(np.float32)
        uneven = cv2.resize(field, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        light *= np.clip(1 + uneven, 0.2, 2.5)[..., None]
    else:  # a dark room, and the sensor's noise in it
        light = light * rng.uniform(0.15, 0.6) + rng.normal(0, rng.uniform(2, 14), image.shape).astype(np.float32)
    lit: Frame = np.clip(light + 0.5, 0, 255).astype(np.uint8)
    return lit
