"""Alpha for a camera: a small picture through the network, steadied in time, brought back to the frame as bytes.

Everything that trades quality for time is a number of `LiveConfig`; `benchmarks/live.py` measures each of them, and
docs/measurements.md holds the table that the defaults were chosen from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import ConfigError
from standout.imaging.arrays import Alpha, Frame, resize
from standout.inference.alpha_stream import AlphaStream, edge_levels
from standout.inference.model import Model, load
from standout.inference.smoothing import SMOOTHINGS, Smoothing
from standout.model_card import ModelCard

#: Longer side at the network beyond which a camera's picture gains little.
LONGEST_SIDE = 256
#: The network sees every n-th frame; in browsers, whose WebAssembly takes two to three times as long, fewer.
EVERY, EVERY_IN_BROWSERS = 1, 2


class Coarse(Protocol):
    """What is needed of a model: `inference.model.Model`, or anything that behaves like it."""

    name: str
    card: ModelCard

    def coarse(self, frame: Frame) -> Alpha: ...


@dataclass(frozen=True)
class LiveConfig:
    """How much work a frame is worth.

    Attributes:
        longest: Longer side of the picture at the network, pixels; None: the model's own, at most 256. A model of fixed
            size keeps its own in any case.
        every: The network sees every n-th frame; in between, alpha follows the motion.
        threads: How many threads the network may use; None chooses as `thread_count` does. One leaves the other cores
            to the call itself, and never waits for a second that something else holds up.
        smoothing: In time: "flow", "confidence" or "off".
        refine: Alpha follows the frame's own edges, by a guided filter.

    Example:
        >>> LiveConfig(every=0)
        Traceback (most recent call last):
        standout.errors.ConfigError: `every` must lie between 1 and 8; received 0.
    """

    longest: int | None = None
    every: int = EVERY
    threads: int | None = 1
    smoothing: Smoothing = "flow"
    refine: bool = True

    def __post_init__(self) -> None:
        if self.smoothing not in SMOOTHINGS:
            raise ConfigError(f"`smoothing` must be one of {', '.join(SMOOTHINGS)}; received {self.smoothing!r}.")
        for name, low, high in (("longest", 64, 1024), ("every", 1, 8)):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ConfigError(f"`{name}` must lie between {low} and {high}; received {value:g}.")
        if self.every > 1 and self.smoothing != "flow":
            raise ConfigError(
                "`every` above 1 follows the motion between masks: it needs `smoothing` flow; "
                f"received {self.smoothing!r}."
            )


def load_live(name: str = "live", config: LiveConfig | None = None, *, device: str | None = None) -> Model:
    """Loads a model for a camera; its input is made as small as `config` says, where the file allows it.

    Raises:
        ModelFileError: There is no such model.
    """
    config = config or LiveConfig()
    model = load(name, threads=config.threads, device=device, input_size=config.longest)
    if config.longest is None:
        model.input_size = min(model.input_size, LONGEST_SIDE)
    return model


class LiveMask:
    """Frame after frame to alpha: holds what a camera's past says of its present. Serves one thread.

    Args:
        model: The network.
        config: How much work a frame is worth.
    """

    def __init__(self, model: Coarse, config: LiveConfig | None = None) -> None:
        self.config = config or LiveConfig()
        self._stream = AlphaStream(model, self.config.smoothing, every=self.config.every)
        self._last: tuple[Frame, Frame] | None = None

    def reset(self) -> None:
        """Forgets the past, as after a pause."""
        self._stream.reset()

    def __call__(self, frame: Frame) -> NDArray[np.uint8]:
        """How much of each pixel is person.

        Args:
            frame: uint8 RGB (H, W, 3).

        Returns:
            uint8 (H, W), 255 is person.
        """
        return self.enlarge(self.coarse(frame), frame)

    def coarse(self, frame: Frame) -> Alpha:
        """The first half: steady alpha at the network's resolution, float32 (h, w)."""
        return self._stream.process(self._shrunken(frame))

    def enlarge(self, alpha: Alpha, frame: Frame) -> NDArray[np.uint8]:
        """The second half: alpha of the frame's size, uint8 (H, W).

        Args:
            alpha: The alpha that `coarse` returned.
            frame: The frame of it.
        """
        levels = edge_levels(alpha, self._shrunken(frame), refine=self.config.refine)
        return np.asarray(cv2.resize(levels, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)

    def _shrunken(self, frame: Frame) -> Frame:
        """The frame at half its size, which is all that network, motion and edges look at; shrunk once per frame."""
        if max(frame.shape) < 2 * (self.config.longest or LONGEST_SIDE):
            return frame
        if self._last is None or self._last[0] is not frame:
            self._last = frame, np.asarray(resize(frame, (frame.shape[0] // 2, frame.shape[1] // 2)), np.uint8)
        return self._last[1]
