"""Finished frames of a film: its people over a background, cut out, or alpha alone, in the form that the sink wants."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from standout.compositing.backdrop import Backdrop
from standout.compositing.background import fit_image
from standout.compositing.compositor import Compositor
from standout.imaging.arrays import Frame
from standout.video.color_tags import LIMITED, ColorTags
from standout.video.loop import SUFFIXES, VideoLoop
from standout.video.signal import Layer, Signal
from standout.video.timed_frame import Film, TimedFrame

#: What is written: the people, or alpha alone.
Show = Literal["people", "matte"]


class Painter:
    """Turns frame and alpha into finished pictures, one after another.

    Args:
        background: "transparent", a color, an image, a video, "blur" or "blur:RADIUS".
        film: What the frames have in common.
        show: "matte" gives alpha alone, whatever the background.

    Attributes:
        signal: The layers of the finished pictures.

    Raises:
        ConfigError: `background` is none of these.
        InputError: The background's file can't be read.
    """

    def __init__(self, background: str | Path | Frame, film: Film, show: Show = "people") -> None:
        self._film, self._show = film, show
        self._loop: VideoLoop | None = None
        size_hw = film.signal.size_hw
        self.signal = film.signal if show == "people" else _matte_signal(film.signal)
        if show == "matte":
            self._backdrop = Backdrop("transparent")
        elif isinstance(background, str | Path) and _is_video(Path(background)):
            self._loop = VideoLoop(background, lambda frame: np.ascontiguousarray(fit_image(frame, size_hw)))
            self._backdrop = Backdrop(background, moving=self._loop)
        else:
            self._backdrop = Backdrop(background)
        self._in_color, self._in_rgb = Compositor(film.signal.peak), Compositor()
        self._black: list[Layer] = film.signal.black()

    @property
    def transparent(self) -> bool:
        """Whether pictures come with transparency."""
        return self._show == "people" and self._backdrop.kind == "transparent"

    def paint(self, timed: TimedFrame, alpha: NDArray[np.uint8], time: Fraction) -> Any:
        """The finished frame as PyAV's, in the film's own colors.

        Args:
            timed: The frame.
            alpha: uint8, of its proportions, any size; 255 is person.
            time: Seconds from the first frame, for a video behind; never going back.
        """
        shape = timed.film.signal.size_hw
        if self._show == "matte":
            return self.signal.picture(self.signal.gray(self._in_rgb.alpha_at(alpha, shape)))
        if self.transparent:
            layers = self._in_color.cut_out(timed.layers, alpha, self._black)
            return self.signal.picture(layers, self._in_color.alpha_at(alpha, shape))
        picture, out = self.signal.blank()
        self._backdrop.behind(timed.layers, alpha, self._in_color, to_layers=self.signal.from_srgb, time=time, out=out)
        return picture

    def paint_rgb(self, timed: TimedFrame, alpha: NDArray[np.uint8], time: Fraction) -> NDArray[np.uint8]:
        """The finished frame as an array: uint8 sRGB (H, W, 3), RGBA (H, W, 4), straight, if `transparent`, or gray
        (H, W) for the matte. The arguments are those of `paint`."""
        levels = self._in_rgb.alpha_at(alpha, timed.film.signal.size_hw)
        if self._show == "matte":
            return levels
        frame = timed.frame
        if self.transparent:
            person = self._in_rgb.cut_out([frame], levels, [np.zeros_like(frame)])[0]
            return np.dstack([np.asarray(person, np.uint8), levels])
        return np.asarray(self._backdrop.behind([frame], levels, self._in_rgb, time=time)[0], np.uint8)

    def close(self) -> None:
        """Closes the video behind."""
        if self._loop is not None:
            self._loop.close()


def _matte_signal(signal: Signal) -> Signal:
    """That of alpha: a measure, not light, so never PQ or HLG, and 8 bits."""
    if signal.tags.is_hdr or signal.bits > 8:
        return Signal("yuv420p", ColorTags(1, LIMITED, 1, 1), signal.size_hw)
    return signal


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()
