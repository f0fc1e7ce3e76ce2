"""Compositing for moving pictures: bytes in, bytes out, no float copy of a frame; blur at low resolution."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compose.background import blur_background, default_blur
from standout.compose.quick_foreground import quick_colours
from standout.imaging.arrays import Frame

#: The blur is computed on a picture so small that its radius is this many pixels there: enough for a smooth veil.
_WORK_RADIUS = 4.0


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
        self._buffers: dict[int, Frame] = {}

    def over(self, frame: Frame, alpha: NDArray[np.uint8], background: Frame) -> Frame:
        """The person over the background: `pixels.blend` within one level of 255.

        Two products and a sum of bytes: OpenCV does them faster than it could look for the soft edge and skip the rest.

        Args:
            frame: uint8 RGB (H, W, 3).
            alpha: uint8 (H, W), 255 is person.
            background: uint8 RGB (H, W, 3); not written to.

        Returns:
            uint8 RGB (H, W, 3), a new array.
        """
        share, far = self._buffer(0, frame), self._buffer(1, frame)
        cv2.merge((alpha, alpha, alpha), dst=share)
        near = cv2.multiply(frame, share, scale=1 / 255)
        cv2.multiply(background, cv2.bitwise_not(share, dst=share), dst=far, scale=1 / 255)
        return np.asarray(cv2.add(near, far, dst=near), np.uint8)

    def blur(self, frame: Frame, alpha: NDArray[np.uint8], strength: float = 1.0) -> Frame:
        """The frame's background out of focus, by the background's own light alone: the person leaves no halo.

        Args:
            frame: uint8 RGB (H, W, 3).
            alpha: uint8 (H, W), 255 is person.
            strength: 1 is the radius of `default_blur`, 2.5 % of the longer side.

        Returns:
            uint8 RGB (H, W, 3); overwritten by the next call.
        """
        height, width = alpha.shape
        radius = default_blur((height, width)) * strength
        scale = min(1.0, _WORK_RADIUS / radius)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        light = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        picture = blur_background(
            np.asarray(small, np.uint8), np.asarray(light, np.float32) / np.float32(255), radius=radius * scale
        )
        blurred = self._buffer(2, frame)
        cv2.resize(picture, (width, height), dst=blurred, interpolation=cv2.INTER_LINEAR)
        return blurred

    def own_colours(self, frame: Frame, alpha: NDArray[np.uint8]) -> Frame:
        """The frame without the old background's colours in the soft edge, estimated at half its size.

        Args:
            frame: uint8 RGB (H, W, 3).
            alpha: uint8 (H, W), 255 is person.

        Returns:
            uint8 RGB (H, W, 3); overwritten by the next call.
        """
        half = max(1, frame.shape[1] // 2), max(1, frame.shape[0] // 2)
        small = cv2.resize(frame, half, interpolation=cv2.INTER_AREA)
        colours = quick_colours(
            np.asarray(small, np.uint8), np.asarray(cv2.resize(alpha, half, interpolation=cv2.INTER_AREA), np.uint8)
        )
        person = self._buffer(2, frame)
        cv2.resize(colours, frame.shape[1::-1], dst=person, interpolation=cv2.INTER_LINEAR)
        # What is wholly person keeps its detail.
        cv2.copyTo(frame, cv2.inRange(alpha, np.array(255), np.array(255)), person)
        return person

    def _buffer(self, number: int, like: Frame) -> Frame:
        """Memory of a frame's size; fresh memory for each frame would cost more than the arithmetic."""
        if number not in self._buffers or self._buffers[number].shape != like.shape:
            self._buffers[number] = np.empty_like(like)
        return self._buffers[number]
