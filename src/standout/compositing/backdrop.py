"""What moving pictures are laid over, in the words of `standout photo --background`, and the picture of a pause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compositing.background import AnyBackground, fit_image, parse_background
from standout.compositing.compositor import Compositor, Layer, Layers
from standout.errors import ConfigError
from standout.imaging.arrays import Frame, blend
from standout.imaging.picture import Picture

ALLOWED = "blur, blur:RADIUS, a color, an image file, or off"


class MovingPicture(Protocol):
    """A film behind the people."""

    def at(self, time: Fraction) -> Frame:
        """The sRGB frame at this time, seconds, never going back."""


class Backdrop:
    """A background of webcam and film: a color, an image, a film, the frame's own out of focus, or nothing.

    Args:
        background: `off`, the frame as it is; or what `parse_background` takes. An image with transparency lies on
            white.
        moving: A film that is shown instead.

    Attributes:
        text: What was asked for, for messages.
        kind: "off", "transparent", "blur" or "picture".

    Raises:
        ConfigError: It is none of these.
        InputError: The image can't be read.
    """

    def __init__(self, background: AnyBackground, *, moving: MovingPicture | None = None) -> None:
        self.text = background.strip() if isinstance(background, str) else str(background)[:80]
        self.radius: float | None = None
        self._moving, self._picture = moving, None if moving is None else np.zeros((1, 1, 3), np.uint8)
        self._made: tuple[object, list[Layer]] | None = None
        if moving is not None:
            self.kind = "picture"
        elif self.text.lower() == "off" and isinstance(background, str):
            self.kind = "off"
        else:
            self.kind = self._read(background)

    @property
    def off(self) -> bool:
        """Whether frames stay as they are."""
        return self.kind == "off"

    def _read(self, background: AnyBackground) -> str:
        parsed = parse_background(background).decoded()
        if parsed.kind in ("transparent", "blur"):
            self.radius = parsed.radius
            return parsed.kind
        if parsed.kind == "color":
            if not parsed.opaque:
                raise ConfigError(f"The background of moving pictures must be opaque; received {self.text!r}.")
            self._picture = np.full((1, 1, 3), parsed.color[:3], np.uint8)
        elif isinstance(image := parsed.image, Picture):
            self._picture = image.frame if image.alpha is None else blend(image.frame, np.full(3, 255), image.alpha)
        return "picture"

    def layers(
        self, size_hw: tuple[int, int], to_layers: Callable[[Frame], list[Layer]], time: Fraction
    ) -> list[Layer]:
        """What is behind at this time, as layers of this size; made once while it stays the same."""
        picture = self._picture if self._moving is None else self._moving.at(time)
        if picture is None:
            raise ConfigError(f"The background `{self.text}` is no picture.")
        if self._made is None or self._made[0] is not picture or self._made[1][0].shape[:2] != size_hw:
            fitted = picture if picture.shape[:2] == size_hw else fit_image(picture, size_hw)
            self._made = picture, to_layers(np.ascontiguousarray(fitted))
        return self._made[1]

    def behind(
        self,
        layers: Sequence[Layer],
        alpha: NDArray[np.uint8],
        compositor: Compositor,
        *,
        to_layers: Callable[[Frame], list[Layer]] = lambda frame: [frame],
        time: Fraction = Fraction(0),
        out: Layers | None = None,
    ) -> list[Layer]:
        """The person of a frame over this background.

        Args:
            layers: The layers of the frame; see `compose.compositor`.
            alpha: uint8, of the frame's proportions, any size; 255 is person.
            compositor: The compositor that made the layers, with the same peak.
            to_layers: Makes such layers of an sRGB frame.
            time: Seconds, for a film behind.
            out: Where the result goes; new arrays if absent.

        Returns:
            The result's layers; the frame's own for `off`.
        """
        if self.kind == "off":
            return list(layers)
        if self.kind == "blur":
            return compositor.blur(layers, alpha, self.radius, out)
        size = layers[0].shape[0], layers[0].shape[1]
        return compositor.over(layers, alpha, self.layers(size, to_layers, time), out)


def still_picture(last: Frame | None, *, bars: bool) -> Frame:
    """What others see meanwhile: the last picture, dark and far out of focus, with the two bars of a pause.

    Args:
        last: uint8 RGB (H, W, 3); None: 1280 × 720 of dark gray.
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
        for center in (width // 2 - thick, width // 2 + thick):
            picture[height // 2 - tall : height // 2 + tall, center - thick // 2 : center + (thick + 1) // 2] = 220
    return picture
