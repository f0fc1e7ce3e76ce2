"""Alpha that is steady in time: smoothed along the motion, reset where the scene changes.

Each new alpha is averaged with the last one, which optical flow (DIS: Kroeger et al., arXiv 1603.03590) has moved to
where things are now. Where the moved picture doesn't look like the new one (uncovered background, a wrong flow), the
last alpha has no say: that is what keeps ghosts away. Works at the network's resolution, so it costs little.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import ConfigError
from standout.pixels import Alpha, Frame, resize

Smoothing = Literal["off", "confidence", "flow"]
SMOOTHINGS: tuple[Smoothing, ...] = ("off", "confidence", "flow")

#: The largest say of the past in a pixel.
_MEMORY = 0.7
#: Difference of grey (0 … 255) between the moved last picture and this one at which the past's say falls to 1/e.
_TOLERANCE = 12.0
#: Mean difference of the moved last picture from this one that makes a new scene.
_SCENE = 28.0
#: Width at which motion is estimated, pixels.
_FLOW_WIDTH = 192


class Steady:
    """The temporal state of one video or camera.

    Args:
        smoothing: "flow" follows the motion; "confidence" lets the past speak only where the network is unsure and the
            picture stands still; "off" passes alpha through.

    Raises:
        ConfigError: `smoothing` is none of these.
    """

    def __init__(self, smoothing: Smoothing = "flow") -> None:
        if smoothing not in SMOOTHINGS:
            raise ConfigError(f"`smoothing` must be one of {', '.join(SMOOTHINGS)}; received {smoothing!r}.")
        self.smoothing = smoothing
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self.reset()

    def reset(self) -> None:
        """Forgets the past, as after a cut."""
        self._grey: NDArray[np.uint8] | None = None
        self._alpha: Alpha | None = None

    def __call__(self, frame: Frame, alpha: Alpha) -> Alpha:
        """Smooths alpha in time.

        Args:
            frame: uint8 RGB, any size.
            alpha: float32 (h, w) in [0, 1], of this frame.

        Returns:
            float32 (h, w) in [0, 1].
        """
        if self.smoothing == "off":
            return alpha
        moved = self._moved(frame, alpha.shape[:2])
        if moved is not None:
            past, trust = moved
            if self.smoothing == "confidence":
                trust = trust * (1 - np.abs(2 * alpha - 1))
            weight = np.float32(_MEMORY) * trust
            alpha = np.asarray(np.clip(alpha + weight * (past - alpha), 0, 1), np.float32)
        self._alpha = alpha
        return alpha

    def carry(self, frame: Frame) -> Alpha | None:
        """The last alpha moved to this frame, for frames whose mask is skipped; None without a past or after a cut."""
        if self._alpha is None:
            return None
        moved = self._moved(frame, self._alpha.shape[:2])
        if moved is None:
            return None
        self._alpha = moved[0]
        return moved[0]

    def _moved(self, frame: Frame, shape: tuple[int, ...]) -> tuple[Alpha, NDArray[np.float32]] | None:
        """The last alpha where things are now, and how far it is to be trusted; remembers the frame."""
        height = max(16, round(frame.shape[0] * _FLOW_WIDTH / frame.shape[1]))
        grey = cv2.cvtColor(np.asarray(resize(frame, (height, _FLOW_WIDTH)), np.uint8), cv2.COLOR_RGB2GRAY)
        before, self._grey = self._grey, np.asarray(grey, np.uint8)
        if before is None or self._alpha is None or before.shape != grey.shape or self._alpha.shape != shape:
            return None
        y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
        if self.smoothing == "confidence":
            warped, past = before, self._alpha
        else:
            flow = self._flow.calc(grey, before, np.zeros((*grey.shape, 2), np.float32))
            map_x, map_y = x + flow[..., 0], y + flow[..., 1]
            warped = np.asarray(cv2.remap(before, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
            past = _warp(self._alpha, map_x, map_y)
        difference = cv2.blur(cv2.absdiff(warped, grey).astype(np.float32), (5, 5))
        if float(difference.mean()) > _SCENE:
            return None
        trust = np.exp(-difference / _TOLERANCE)
        return past, np.asarray(cv2.resize(trust, (shape[1], shape[0])), np.float32)


def _warp(alpha: Alpha, map_x: NDArray[np.float32], map_y: NDArray[np.float32]) -> Alpha:
    """Moves alpha along a map that was estimated at another size."""
    height, width = alpha.shape
    scale_y, scale_x = height / map_y.shape[0], width / map_x.shape[1]
    to_x = (cv2.resize(map_x, (width, height)) + 0.5) * scale_x - 0.5
    to_y = (cv2.resize(map_y, (width, height)) + 0.5) * scale_y - 0.5
    return np.asarray(cv2.remap(alpha, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def look_ahead(before: Alpha | None, alpha: Alpha, after: Alpha | None) -> Alpha:
    """The median of three neighbouring alphas: what lasts a single frame goes, at no lag for a file.

    Args:
        before: Of the frame before, float32 (h, w), or None at a beginning.
        alpha: Of this frame.
        after: Of the frame after, or None at an end.
    """
    if before is None or after is None or before.shape != alpha.shape or after.shape != alpha.shape:
        return alpha
    return np.maximum(np.minimum(before, alpha), np.minimum(np.maximum(before, alpha), after))
