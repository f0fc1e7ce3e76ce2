"""What a camera's picture is laid over, in the words of `standout photo --background`, and the picture of a pause."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compose.background import default_blur, fit_image
from standout.compose.live import LiveComposer
from standout.compose.parse import parse_background
from standout.errors import ConfigError
from standout.imaging.arrays import Frame

ALLOWED = "blur, blur:RADIUS, a colour, an image file, or off"


class Backdrop:
    """A background in the words of `standout photo --background`, or `off`: the camera's picture as it is.

    Args:
        text: `blur`, `blur:RADIUS`, a colour, an image file, or `off`.

    Raises:
        ConfigError: It is none of these.
        InputError: The image can't be read.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._radius: float | None = None
        self._picture: Frame | None = None
        self._fitted: Frame | None = None
        self.off = self.text.lower() == "off"
        if not self.off:
            self._read(self.text)

    def _read(self, text: str) -> None:
        parsed = parse_background(text)
        if parsed.kind == "transparent":
            raise ConfigError(
                "A camera's picture can't be transparent; use `blur`, a colour (`#00b140` for chroma key in OBS), "
                "an image file, or `off` to show the room."
            )
        self._radius = parsed.radius
        if parsed.kind == "color":
            self._picture = np.full((1, 1, 3), parsed.color, np.uint8)
        elif isinstance(parsed.image, Path):
            from standout.imaging.decode import read

            self._picture = read(parsed.image).frame

    def behind(self, frame: Frame, alpha: NDArray[np.uint8], composer: LiveComposer) -> Frame:
        """The frame's person over this background, uint8 RGB (H, W, 3)."""
        if self.off:
            return frame
        size = alpha.shape[0], alpha.shape[1]
        if self._picture is None:
            strength = 1.0 if self._radius is None else self._radius / default_blur(size)
            return composer.over(frame, alpha, composer.blur(frame, alpha, strength))
        if self._fitted is None or self._fitted.shape != frame.shape:
            self._fitted = fit_image(self._picture, size)
        return composer.over(composer.own_colours(frame, alpha), alpha, self._fitted)


def still_picture(last: Frame | None, *, bars: bool) -> Frame:
    """What others see meanwhile: the last picture, dark and far out of focus, with the two bars of a pause.

    Args:
        last: uint8 RGB (H, W, 3); None: 1280 × 720 of dark grey.
        bars: Paint them.

    Returns:
        uint8 RGB of the same size, a new array.
    """
    if last is None:
        last = np.full((720, 1280, 3), 64, np.uint8)
    height, width = last.shape[:2]
    tiny = cv2.resize(last, (16, 9), interpolation=cv2.INTER_AREA) // 3
    picture: Frame = np.asarray(cv2.resize(tiny, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    if bars:
        thick, tall = max(1, height // 30), max(1, height // 10)
        for centre in (width // 2 - thick, width // 2 + thick):
            picture[height // 2 - tall : height // 2 + tall, centre - thick // 2 : centre + (thick + 1) // 2] = 220
    return picture
