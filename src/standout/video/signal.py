"""How the code values of one film are to be read: as layers for the compositor, as sRGB for the network and PNG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame, resize
from standout.imaging.cicp import from_srgb, to_srgb
from standout.video.color_tags import FULL, ColorTags, coefficients
from standout.video.pyav import av

Layer = NDArray[Any]


def working_layout(format_: Any, *, turned: bool = False) -> str:
    """The planar layout nearest to a decoded one, of those that are worked in: 4:2:0, 4:2:2 or 4:4:4; 8, 10 or 12 bits.

    Args:
        format_: PyAV's `VideoFormat`.
        turned: It will be turned by a quarter, which makes of 4:2:2 something that nobody takes.
    """
    bits = max(part.bits for part in format_.components)
    wide, high = format_.chroma_width(16), format_.chroma_height(16)
    chroma = "420" if high == 8 else "422" if wide == 8 else "444"
    if len(format_.components) < 3 and not _is_rgb(format_):
        chroma = "420"  # gray
    elif _is_rgb(format_) or (turned and chroma == "422"):
        chroma = "444"
    return f"yuv{chroma}p" + ("" if bits <= 8 else "10le" if bits <= 10 else "12le")


def _is_rgb(format_: Any) -> bool:
    return bool(format_.is_rgb or format_.has_palette)


class Signal:
    """The layers of one film, and their way from and to sRGB.

    Args:
        layout: Pixel format of the layers, from `working_layout`.
        tags: The color tags of the layers.
        size_hw: The size of the frames.
        matrix: swscale's number of the matrix where the tags say nothing; guessed by the height if absent.

    Attributes:
        bits: Per value.
        peak: The largest value.
    """

    def __init__(self, layout: str, tags: ColorTags, size_hw: tuple[int, int], matrix: int | None = None) -> None:
        self.layout, self.tags, self.size_hw = layout, tags, size_hw
        self.matrix, self.range = tags.working(size_hw[0])
        self.matrix = matrix or self.matrix
        deep = re.search(r"p(\d+)le$", layout)
        self.bits = int(deep[1]) if deep else 8
        self.peak = (1 << self.bits) - 1
        self._rgb_of = _rgb_matrix(self.matrix, self.range, self.bits)
        back = np.linalg.inv(self._rgb_of[:, :3].astype(np.float64))
        self._of_rgb = np.hstack([back, -back @ self._rgb_of[:, 3:]]).astype(np.float32)

    # ------------------------------------------------------------ frames of PyAV's

    def converted(self, picture: Any, tags: ColorTags, width: int, height: int) -> Any:
        """A decoded frame in the working layout and range and at this size; the frame itself where it is so already.

        Args:
            picture: PyAV's frame.
            tags: The color tags of the video as decoded.
            width: The frame's width before it is turned upright, pixels.
            height: The frame's height before it is turned upright, pixels.
        """
        same = picture.format.name.replace("yuvj", "yuv") == self.layout
        if same and (picture.width, picture.height) == (width, height):
            return picture
        shrinks = width * height < picture.width * picture.height
        arguments: dict[str, Any] = {"interpolation": "AREA" if shrinks else "BICUBIC"}
        if not _is_rgb(picture.format):
            arguments["src_colorspace"], arguments["src_color_range"] = tags.working(picture.height)
        return picture.reformat(
            width, height, self.layout, dst_colorspace=self.matrix, dst_color_range=self.range, **arguments
        )

    def rgb_of(self, picture: Any, tags: ColorTags, width: int, height: int) -> Frame:
        """A decoded frame as sRGB at this size, uint8 (H, W, 3), not turned."""
        code = tags.code
        layout = "rgb24" if code is None else "rgb48le"
        arguments: dict[str, Any] = {}
        if not _is_rgb(picture.format):
            arguments["src_colorspace"], arguments["src_color_range"] = tags.working(picture.height)
        if (width, height) != (picture.width, picture.height):
            arguments["interpolation"] = "AREA" if width * height < picture.width * picture.height else "BICUBIC"
        pixels = picture.reformat(width, height, layout, **arguments).to_ndarray()
        return _srgb(pixels, tags)

    def picture(self, layers: Sequence[Layer], alpha: NDArray[np.uint8] | None = None) -> Any:
        """A frame of PyAV's of these layers, tagged.

        Args:
            layers: Luma and two of chroma.
            alpha: uint8 (H, W), 255 opaque; None makes a frame without transparency.
        """
        layout = self.layout if alpha is None else self.layout.replace("yuv", "yuva")
        picture = av.VideoFrame(layers[0].shape[1], layers[0].shape[0], layout)
        planes = [*layers]
        if alpha is not None:
            planes.append(alpha if self.bits == 8 else _deeper(alpha, self.bits))
        for target, source in zip(plane_views(picture), planes, strict=True):
            np.copyto(target, source)
        self.tags.put_on(picture)
        return picture

    def blank(self) -> tuple[Any, list[Layer]]:
        """A new frame of PyAV's, tagged, and its planes to be written to."""
        picture = av.VideoFrame(self.size_hw[1], self.size_hw[0], self.layout)
        self.tags.put_on(picture)
        return picture, plane_views(picture)

    def planes(self, picture: Any) -> list[Layer]:
        """The planes of a frame in the working layout, not to be written to."""
        return plane_views(picture)

    # ------------------------------------------------------------ sRGB

    def black(self) -> list[Layer]:
        """Layers of black."""
        low = 0 if self.range == FULL else 16 << (self.bits - 8)
        picture = av.VideoFrame(self.size_hw[1], self.size_hw[0], self.layout)
        views = plane_views(picture)
        return [np.full_like(view, 1 << (self.bits - 1) if index else low) for index, view in enumerate(views)]

    def from_srgb(self, frame: Frame) -> list[Layer]:
        """The layers of an sRGB picture in this film's colors: a white page is 203 nits in PQ, 0.75 in HLG (BT.2408).

        Args:
            frame: uint8 RGB (H, W, 3).
        """
        code = self.tags.code
        if code is None:
            signal = frame.astype(np.float32)
        else:
            deep = from_srgb(frame.astype(np.uint16) * np.uint16(257), code)
            signal = deep.astype(np.float32) / np.float32(257)
        values = cv2.split(cv2.transform(signal, self._of_rgb))
        return [
            np.clip(np.asarray(resize(value, view.shape)) + np.float32(0.5), 0, self.peak).astype(view.dtype)
            for value, view in zip(values, self.black(), strict=True)
        ]

    def gray(self, alpha: NDArray[np.uint8]) -> list[Layer]:
        """The layers of alpha as a gray picture: 0 is black, 255 is white.

        Args:
            alpha: uint8 (H, W).
        """
        layers = self.black()
        low = float(layers[0].flat[0])
        high = self.peak if self.range == FULL else 235 << (self.bits - 8)
        levels = (np.arange(256) * ((high - low) / 255) + (low + 0.5)).astype(layers[0].dtype)
        layers[0] = levels[alpha]
        return layers

    def to_srgb(self, layers: Sequence[Layer], size_hw: tuple[int, int]) -> Frame:
        """Layers as a smaller sRGB picture, uint8 (h, w, 3).

        With 4:2:0 at half the size, no chroma has to be enlarged or shrunk.
        """
        parts = [np.asarray(resize(layer, size_hw)) for layer in layers]
        merged = np.asarray(cv2.merge(parts))
        if self.tags.code is None and self.bits == 8:
            return np.asarray(cv2.transform(merged, self._rgb_of), np.uint8)
        signal = cv2.transform(merged.astype(np.float32), self._rgb_of)  # 0 … 255
        deep = np.clip(signal * np.float32(257) + np.float32(0.5), 0, 65535).astype(np.uint16)
        return _srgb(deep, self.tags)


def plane_views(picture: Any) -> list[Layer]:
    """The planes of a frame of PyAV's as arrays of its own memory: writing there needs a frame that nobody shares."""
    dtype = np.dtype(np.uint16 if picture.format.components[0].bits > 8 else np.uint8)
    return [
        np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // dtype.itemsize)[:, : plane.width]
        for plane in picture.planes
    ]


def _srgb(pixels: NDArray[Any], tags: ColorTags) -> Frame:
    code = tags.code
    if code is not None:
        pixels = to_srgb(pixels, code)
    if pixels.dtype == np.uint16:
        pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
    return np.asarray(pixels, np.uint8)


def _deeper(alpha: NDArray[np.uint8], bits: int) -> NDArray[np.uint16]:
    """Alpha of 8 bits in `bits`: 255 becomes the largest value."""
    levels = (np.arange(256) * (((1 << bits) - 1) / 255) + 0.5).astype(np.uint16)
    return np.asarray(levels[alpha], np.uint16)


def _rgb_matrix(matrix: int, extent: int, bits: int) -> NDArray[np.float32]:
    """(3, 4): code values of luma and chroma to RGB on the scale 0 … 255 (H.273, section 8.3)."""
    red, blue = coefficients(matrix)
    green = 1 - red - blue
    step = 1 << (bits - 8)
    full = extent == FULL
    low, luma, chroma = (0, 256 * step - 1, 256 * step - 1) if full else (16 * step, 219 * step, 224 * step)
    to_rgb = np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * (1 - blue) * blue / green, -2 * (1 - red) * red / green],
            [1, 2 * (1 - blue), 0],
        ]
    ) / np.array([luma, chroma, chroma])
    offset = to_rgb @ np.array([low, 128 * step, 128 * step])
    return np.asarray(np.hstack([to_rgb, -offset[:, None]]) * 255, np.float32)
