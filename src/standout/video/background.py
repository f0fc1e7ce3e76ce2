"""What a film's people stand in front of: nothing, a colour, an image, another film, or their background blurred."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from standout.compose.background import blur_background, fit_image
from standout.compose.live import LiveComposer
from standout.compose.parse import Background, parse_background
from standout.compose.quick_foreground import quick_colours
from standout.imaging.arrays import Alpha, Frame
from standout.video.loop import SUFFIXES, VideoLoop

#: What is written: the people, or alpha alone.
Show = Literal["people", "matte"]


class Scenery:
    """Turns frame and alpha into finished pixels, one after another.

    Args:
        background: "transparent", a colour, an image, a video, "blur" or "blur:RADIUS".
        size: (height, width) of the frames.
        show: "matte" gives alpha alone, whatever the background.

    Raises:
        ConfigError: `background` is none of these.
        InputError: The background's file can't be read.
    """

    def __init__(self, background: str | Path | Frame, size: tuple[int, int], show: Show = "people") -> None:
        self._composer, self._size, self._show = LiveComposer(), size, show
        self._loop: VideoLoop | None = None
        self._picture: Frame | None = None
        self._background = Background()
        if show == "matte":
            return
        if isinstance(background, str | Path) and _is_video(Path(background)):
            self._loop = VideoLoop(background, self._fit)
            self._background = Background("image")
        else:
            self._background = parse_background(background)
            self._picture = self._still(self._background)

    @property
    def transparent(self) -> bool:
        """Whether pixels come with transparency."""
        return self._show == "people" and self._background.kind == "transparent"

    def _still(self, background: Background) -> Frame | None:
        if background.kind == "color":
            return np.full((*self._size, 3), background.color, np.uint8)
        image = background.image
        if isinstance(image, Path):
            from standout.imaging.decode import read

            image = read(image).frame
        return None if image is None else self._fit(image)

    def _fit(self, image: Frame) -> Frame:
        return np.ascontiguousarray(fit_image(image, self._size))

    def paint(self, frame: Frame, alpha: Alpha, time: Fraction) -> NDArray[np.uint8]:
        """The finished frame.

        Args:
            frame: uint8 RGB (H, W, 3).
            alpha: float32 (H, W) in [0, 1].
            time: Seconds from the first frame, for a video behind; never going back.

        Returns:
            uint8 RGB (H, W, 3); RGBA (H, W, 4), straight, if `transparent`; (H, W) for the matte.
        """
        levels = (alpha * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        if self._show == "matte":
            return levels
        if self._background.kind == "blur":
            # The edge's colours are those of what comes behind it anyway.
            blurred = blur_background(frame, alpha, radius=self._background.radius)
            return self._composer.over(frame, levels, blurred)
        person = quick_colours(frame, levels)
        if self._loop is not None:
            return self._composer.over(person, levels, self._loop.at(time))
        if self._picture is not None:
            return self._composer.over(person, levels, self._picture)
        return np.dstack([person, levels])

    def close(self) -> None:
        """Closes the video behind."""
        if self._loop is not None:
            self._loop.close()


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()
