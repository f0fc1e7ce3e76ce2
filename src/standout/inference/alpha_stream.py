"""`AlphaStream`: frame after frame through the network, steadied in time; what hardly changes isn't looked at again."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Alpha, Frame, resize
from standout.imaging.guided_filter import SUBSAMPLE, guided_coefficients
from standout.inference.clean_alpha import clean_alpha
from standout.inference.smoothing import Smoothing, TemporalSmoother

#: Side of the blocks whose means are compared, pixels of the picture at the network: a camera's noise averages out.
_BLOCK = 8
#: The largest change of a block's mean, of 255, of a picture that counts as unchanged.
_UNCHANGED = 1
#: Alpha that is nowhere above this shows nobody.
_NOBODY = 0.1


class CoarsePredictor(Protocol):
    """What moving pictures need of a model: `Model`, or anything that behaves like it."""

    name: str

    def coarse(self, frame: Frame) -> Alpha: ...


class AlphaStream:
    """The alphas of one video or camera, at the network's resolution. Serves one thread.

    Args:
        model: The network.
        smoothing: In time: "flow", "confidence" or "off".
        lag: Frames that the smoothing looks ahead: 0 for cameras.
        every: The network sees every n-th frame; in between, alpha follows the motion.

    Attributes:
        inferences: How often the network has run.

    Raises:
        ConfigError: `smoothing` or `lag` is out of range.
    """

    def __init__(self, model: CoarsePredictor, smoothing: Smoothing = "flow", *, lag: int = 0, every: int = 1) -> None:
        self._model, self._every = model, every
        self._steady = TemporalSmoother(smoothing, lag=lag)
        self.reset()
        self.inferences = 0

    def reset(self) -> None:
        """Forgets the past, as after a pause."""
        self._steady.reset()
        self._count = 0
        self._seen: tuple[NDArray[np.uint8], Alpha] | None = None

    def process(self, frame: Frame) -> Alpha:
        """The alpha of this frame, without looking ahead.

        Args:
            frame: uint8 RGB (H, W, 3), as large as network and motion need it.

        Returns:
            float32 (h, w) in [0, 1], of the frame's proportions.
        """
        skipped = self._count % self._every
        self._count += 1
        carried = self._steady.carry(frame) if skipped else None
        if carried is not None:
            return carried
        alpha, still = self._look(frame)
        return self._steady(frame, alpha, still=still)

    def push(self, frame: Frame) -> list[Alpha]:
        """Takes the next frame, as `process` does; returns the alphas that are ready, oldest first."""
        alpha, still = self._look(frame)
        return self._steady.push(frame, alpha, still=still)

    def flush(self) -> list[Alpha]:
        """The alphas still held back at the end of a film."""
        return self._steady.flush()

    def _look(self, frame: Frame) -> tuple[Alpha, bool]:
        """What the network says of a frame, and whether it is what it said of an unchanged one before."""
        size = max(1, frame.shape[0] // _BLOCK), max(1, frame.shape[1] // _BLOCK)
        blocks = np.asarray(resize(frame, size), np.uint8)
        if self._seen is not None and self._seen[0].shape == blocks.shape:
            # Against the frame that was really looked at: slow changes add up until they are seen.
            if int(cv2.absdiff(self._seen[0], blocks).max()) <= _UNCHANGED:
                return self._seen[1], True
        alpha = self._model.coarse(frame)
        self.inferences += 1
        self._seen = blocks, alpha
        return alpha, False


def edge_levels(alpha: Alpha, guide: Frame, *, refine: bool = True) -> NDArray[np.uint8]:
    """Clean alpha of the guide's size, along the guide's own edges.

    Args:
        alpha: float32 (h, w), the network's.
        guide: uint8 RGB (H, W, 3), the frame or a smaller copy of it.
        refine: Follow the edges, by a guided filter; else bilinearly.

    Returns:
        uint8 (H, W), 255 is person.
    """
    size = guide.shape[1], guide.shape[0]
    if float(alpha.max()) < _NOBODY:
        return np.zeros(guide.shape[:2], np.uint8)
    if refine and size[0] > alpha.shape[1] and size[1] > alpha.shape[0]:
        alpha = _follow_edges(alpha, guide)
    else:
        alpha = np.array(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(cv2.convertScaleAbs(clean_alpha(alpha), alpha=255), np.uint8)


def _follow_edges(alpha: Alpha, guide: Frame) -> Alpha:
    """The guided filter at the guide's size: alpha = a · guide + b, channel by channel."""
    low = max(1, alpha.shape[0] // SUBSAMPLE), max(1, alpha.shape[1] // SUBSAMPLE)
    coefficients = guided_coefficients(resize(alpha, low), np.asarray(resize(guide, low), np.uint8))
    size = guide.shape[1], guide.shape[0]
    *slopes, offset = cv2.split(coefficients)
    total = cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR)
    for slope, channel in zip(slopes, cv2.split(guide), strict=True):
        grown = cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR)
        # In place: fresh memory of this size costs more than the arithmetic.
        cv2.multiply(grown, channel, dst=grown, scale=1 / 255, dtype=cv2.CV_32F)
        cv2.add(total, grown, dst=total)
    return np.asarray(total, np.float32)
