"""`TimedFrame`: one decoded frame with its time, and the forms in which it is wanted."""

from __future__ import annotations

import copy
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame
from standout.video.color_tags import ColorTags
from standout.video.signal import Layer, Signal, working_layout

#: (a, b, c, d) of a display matrix: x' = a·x + c·y, y' = b·x + d·y, each 0 or ±1.
Turn = tuple[int, int, int, int]
UPRIGHT: Turn = (1, 0, 0, 1)


class Film:
    """What all frames of a video have in common.

    Args:
        first: A decoded frame of PyAV's.
        turn: Makes its frames upright.
        size_hw: (height, width) of the upright frames; the file's own if absent.

    Attributes:
        tags: The file's color tags.
        signal: The layers that are worked with, upright.
        turn: The turn that was given.
        deep: The file has more than 8 bits per value.
    """

    def __init__(self, first: Any, turn: Turn = UPRIGHT, size_hw: tuple[int, int] | None = None) -> None:
        self.turn, self.tags = turn, ColorTags.of(first)
        self._first_format, self._first_height = first.format, first.height
        self.resize(size_hw or ((first.width, first.height) if turn[1] else (first.height, first.width)))
        self.deep = self.signal.bits > 8

    def resize(self, size_hw: tuple[int, int]) -> None:
        """Makes all frames this (height, width); before the first is read."""
        # Untagged video is guessed by its own height, also where it is scaled.
        matrix = self.tags.working(self._first_height)[0]
        layout = working_layout(self._first_format, turned=bool(self.turn[1]))
        self.signal = Signal(layout, self.tags.written(), size_hw, matrix)
        self.decoded_wh = (size_hw[0], size_hw[1]) if self.turn[1] else (size_hw[1], size_hw[0])


class TimedFrame:
    """One frame with its time; each form of it is made when it is wanted.

    Attributes:
        film: What it shares with the others.
        pts: Time stamp in ticks of `time_base`; 0 is where the file begins.
        duration: Ticks that the file gives it.
        time_base: Seconds per tick.
    """

    def __init__(self, film: Film, picture: Any, pts: int, duration: int, time_base: Fraction) -> None:
        self.film, self.pts, self.duration, self.time_base = film, pts, duration, time_base
        self._picture = picture
        self._frame: Frame | None = None
        self._layers: list[Layer] | None = None
        self._transparency: NDArray[np.uint8] | None = None
        if has_transparency(picture.format):
            width, height = film.decoded_wh
            levels = picture.reformat(width, height, "rgba").to_ndarray()[..., 3]
            self._transparency = None if levels.min() == 255 else np.ascontiguousarray(upright(levels, film.turn))

    @property
    def transparency(self) -> NDArray[np.uint8] | None:
        """The source's own, uint8 (H, W), 255 opaque, upright; None where every pixel is opaque."""
        return self._transparency

    @property
    def time(self) -> Fraction:
        """Seconds from the beginning of the file, exact."""
        return self.pts * self.time_base

    @property
    def frame(self) -> Frame:
        """uint8 RGB (H, W, 3), sRGB, upright."""
        if self._frame is None:
            film = self.film
            pixels = film.signal.rgb_of(self._picture, film.tags, *film.decoded_wh)
            self._frame = np.ascontiguousarray(upright(pixels, film.turn), np.uint8)
        return self._frame

    @property
    def layers(self) -> list[Layer]:
        """Luma and chroma in the film's own colors, upright; not to be written to."""
        if self._layers is None:
            film = self.film
            self._picture = film.signal.converted(self._picture, film.tags, *film.decoded_wh)
            self._layers = [np.asarray(upright(plane, film.turn)) for plane in film.signal.planes(self._picture)]
        return self._layers

    def small(self, size_hw: tuple[int, int]) -> Frame:
        """The frame at a smaller size, uint8 RGB (h, w, 3), sRGB, upright."""
        return self.film.signal.to_srgb(self.layers, size_hw)

    def at(self, pts: int, duration: int, time_base: Fraction) -> TimedFrame:
        """The same picture at another time."""
        other = copy.copy(self)
        other.pts, other.duration, other.time_base = pts, duration, time_base
        return other

    def side_data(self, name: str) -> bytes | None:
        """What the file says beside the pixels of this frame, by FFmpeg's name."""
        data = self._picture.side_data.get(name)
        return None if data is None else bytes(data)


def has_transparency(format_: Any) -> bool:
    """Whether frames of this format of PyAV's can be seen through."""
    return bool(format_.has_palette) or (len(format_.components) > 1 and any(p.is_alpha for p in format_.components))


def turn_of(picture: Any) -> Turn:
    """What makes a decoded frame upright, from its display matrix."""
    data = picture.side_data.get("DISPLAYMATRIX")
    matrix = np.frombuffer(bytes(data), np.int32) / 65536 if data is not None else np.array([1, 0, 0, 0, 1])
    # Turns that aren't a multiple of 90 degrees go to the nearest one, as in every player.
    a, b, c, d = (round(float(matrix[i])) for i in (0, 1, 3, 4))
    return (a, b, c, d) if a * d - b * c else UPRIGHT


def upright(array: NDArray[Any], turn: Turn) -> NDArray[Any]:
    """Applies a display matrix to (H, W) or (H, W, C)."""
    a, b, c, d = turn
    across, down = a, d
    if b:
        array = cv2.transpose(array)
        across, down = c, b
    if across < 0:
        array = cv2.flip(array, 1)
    if down < 0:
        array = cv2.flip(array, 0)
    return array
