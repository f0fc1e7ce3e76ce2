"""Compositing for moving pictures: integer arithmetic on the soft edge only, blur at low resolution, buffers reused."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.pixels import Frame

#: The blur is computed on a picture of about this many rows.
_BLUR_ROWS = 90


class LiveComposer:
    """Lays the person of each frame over a background; keeps its buffers, so one composer serves one thread.

    Example:
        >>> frame = np.full((4, 4, 3), 200, np.uint8)
        >>> alpha = np.full((4, 4), 255, np.uint8)
        >>> alpha[0] = 0
        >>> LiveComposer().over(frame, alpha, np.zeros((4, 4, 3), np.uint8))[:2, 0].tolist()
        [[0, 0, 0], [200, 200, 200]]
    """

    def __init__(self) -> None:
        self._blurred: Frame | None = None

    def over(self, frame: Frame, alpha: NDArray[np.uint8], background: Frame) -> Frame:
        """The person over the background.

        Args:
            frame: uint8 RGB (H, W, 3).
            alpha: uint8 (H, W), 255 is person.
            background: uint8 RGB (H, W, 3); not written to.

        Returns:
            uint8 RGB (H, W, 3), a new array.
        """
        result: Frame = background.copy()
        cv2.copyTo(frame, alpha, result)
        # Only pixels that are partly person need arithmetic, and they are few.
        soft = np.flatnonzero((alpha - np.uint8(1)).ravel() < 254)
        if soft.size:
            weight = alpha.ravel()[soft].astype(np.uint16)[:, None]
            front, back = frame.reshape(-1, 3)[soft], background.reshape(-1, 3)[soft]
            mixed = front * weight + back * (255 - weight) + np.uint16(128)
            result.reshape(-1, 3)[soft] = (mixed + (mixed >> 8)) >> 8  # exact division by 255
        return result

    def blur(self, frame: Frame, alpha: NDArray[np.uint8], strength: float = 1.0) -> Frame:
        """The frame's background out of focus, by the background's own light alone: the person leaves no halo.

        Args:
            frame: uint8 RGB (H, W, 3).
            alpha: uint8 (H, W), 255 is person.
            strength: 1 is a radius of about 2.5 % of the longer side.

        Returns:
            uint8 RGB (H, W, 3); overwritten by the next call.
        """
        height, width = alpha.shape
        rows = min(height, _BLUR_ROWS)
        size = (max(1, round(width * rows / height)), rows)
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        light = 255 - cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        # A pixel that is even partly person, or beside one, lends no light.
        light = (cv2.erode(light, np.ones((3, 3), np.uint8)) > 250).astype(np.float32)
        lit = small * light[..., None]
        sigma = max(0.5, 0.0125 * max(size) * strength)
        # Where the person hides all that is near, wider and wider blurs carry the nearest light in.
        colour = np.zeros_like(small) + (lit.sum((0, 1)) / light.sum() if light.any() else small.mean((0, 1)))
        for wide in (9 * sigma, 3 * sigma, sigma):
            weight = cv2.GaussianBlur(light, (0, 0), wide)[..., None]
            total = cv2.GaussianBlur(lit, (0, 0), wide)
            colour = (total + 0.02 * colour) / (weight + 0.02)
        picture = np.clip(colour + 0.5, 0, 255).astype(np.uint8)
        if self._blurred is None or self._blurred.shape != frame.shape:
            self._blurred = np.empty_like(frame)
        cv2.resize(picture, (width, height), dst=self._blurred, interpolation=cv2.INTER_LINEAR)
        return self._blurred

    def transparent(self, frame: Frame, alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """RGBA, straight; far from the person black, so that it costs no bits.

        Returns:
            uint8 (H, W, 4), a new array.
        """
        near = cv2.dilate(alpha, np.ones((9, 9), np.uint8))
        result = np.zeros((*alpha.shape, 4), np.uint8)
        cv2.copyTo(cv2.cvtColor(frame, cv2.COLOR_RGB2RGBA), near, result)
        result[..., 3] = alpha
        return result
