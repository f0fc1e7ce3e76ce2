"""`Picture`: a photograph with what has to be kept of its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Alpha, Frame
from standout.imaging.defaults import DEFAULT_QUALITY
from standout.imaging.encode import EncodeOptions
from standout.imaging.icc import from_srgb


@dataclass(frozen=True, eq=False)
class Picture:
    """A photograph, upright.

    Attributes:
        frame: uint8 RGB (H, W, 3) in sRGB: what networks and compositing see.
        color: RGB (H, W, 3) as in the file: uint8 or uint16, in the colors of `icc`; `frame` itself if sRGB.
        alpha: The file's own transparency, float32 (H, W) in [0, 1]; None without.
        icc: The color profile of `color`; None is sRGB.
        dpi: Pixels per inch, (horizontal, vertical), upright; None if the file doesn't say.
        exif: The file's metadata with the orientation reset and without its thumbnail; to be written on demand only.
        format: What it was read from, as Pillow calls it: "JPEG", "PNG", …; "" for arrays.
        notes: What was lost in reading, a sentence each; usually empty.
    """

    frame: Frame
    color: NDArray[Any]
    alpha: Alpha | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    exif: bytes | None = None
    format: str = ""
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.frame.shape[0], self.frame.shape[1]

    def own_color(self, frame: Frame) -> NDArray[Any]:
        """An sRGB picture (any size) in the colors and depth of this one: what lies beside `color` in one output."""
        own = frame if self.icc is None else from_srgb(frame, self.icc)
        return own if self.color.dtype == np.uint8 else own.astype(np.uint16) * np.uint16(257)

    def encoding(
        self, file_format: str = "png", *, quality: int = DEFAULT_QUALITY, keep_metadata: bool = False
    ) -> EncodeOptions:
        """How an output in this picture's own colors is written: its profile and DPI, metadata only on demand."""
        return EncodeOptions(file_format, quality, self.icc, self.dpi, self.exif if keep_metadata else None)
