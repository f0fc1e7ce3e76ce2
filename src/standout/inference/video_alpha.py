"""`VideoAlpha`: alpha of one frame after another, for those who own the loop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from standout.imaging.arrays import Alpha, Frame, check_frame, resize
from standout.imaging.guided_filter import upsample_alpha
from standout.inference.alpha_stream import AlphaStream, CoarsePredictor
from standout.inference.clean_alpha import clean_alpha
from standout.inference.devices import check_no_device
from standout.inference.model import load
from standout.inference.session import THREADS_VARIABLE, thread_count
from standout.inference.smoothing import Smoothing


def threads_beside_others() -> int | None:
    """Threads of a network that works beside decoder, compositor and encoder; None where the user has set them.

    Half of what it would take alone: decoder, compositor and encoder are busy on the other cores meanwhile. On two
    cores a second thread brings nothing (benchmarks/video.py).
    """
    return None if os.environ.get(THREADS_VARIABLE) else max(1, thread_count() // 2)


def load_for_video(
    model: str | Path | bytes | BinaryIO | CoarsePredictor | None = None,
    device: str | None = None,
    *,
    threads: int | None = None,
) -> CoarsePredictor:
    """The model given; by default the bundled "live".

    Args:
        model: From `standout.load`, or what it takes.
        device: The device to compute on, as `standout.load` takes it.
        threads: How many threads, as `standout.load` takes them; for a model that isn't loaded yet.

    Raises:
        ModelFileError: There is no such model.
        ConfigError: There is no such device, or the model is loaded already.
        DeviceError: The device isn't installed, or doesn't work.
    """
    if model is None:
        model = "live"
    if hasattr(model, "coarse"):
        check_no_device(device)
        return cast(CoarsePredictor, model)
    return load(model, device=device, threads=threads)


class VideoAlpha:
    """Alpha of one frame after another, steady in time.

        >>> alpha_of = standout.VideoAlpha()  # doctest: +SKIP
        >>> for frame in standout.read_frames("in.mp4"): alpha = alpha_of(frame)  # doctest: +SKIP

    It holds what is known from the frames before, so make one for each film or camera, and give it the frames in
    order. A change of scene is noticed; `reset` forgets by hand.

    Args:
        model: From `standout.load`, or what it takes; by default the bundled "live".
        smoothing: "flow", "confidence" or "off".
        device: Where a model that is given by name runs, as in `standout.load`.

    Raises:
        ModelFileError: There is no such model.
        ConfigError: No such smoothing.
    """

    def __init__(
        self,
        model: str | Path | bytes | BinaryIO | CoarsePredictor | None = None,
        *,
        smoothing: Smoothing = "flow",
        device: str | None = None,
    ) -> None:
        self.model = load_for_video(model, device)
        self._stream = AlphaStream(self.model, smoothing)

    def __call__(self, frame: Frame) -> Alpha:
        """Alpha of the next frame.

        Args:
            frame: uint8 RGB (H, W, 3).

        Returns:
            float32 (H, W) in [0, 1].

        Raises:
            InputError: `frame` is not uint8 RGB.
        """
        frame = check_frame(frame)
        return full_size(self._stream.process(frame), frame)

    def reset(self) -> None:
        """Forgets the frames so far."""
        self._stream.reset()


def full_size(coarse: Alpha, frame: Frame) -> Alpha:
    """Clean alpha of the frame's size, along the frame's own edges, of one of the network's resolution."""
    small = np.asarray(resize(frame, (coarse.shape[0], coarse.shape[1])), np.uint8)
    return clean_alpha(upsample_alpha(coarse, frame, small))
