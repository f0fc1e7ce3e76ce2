"""`Result`: what became of a picture, and what is to be said of it."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.imaging.arrays import Alpha
from standout.imaging.encode import FORMATS, EncodeOptions, encode, format_of, to_8_bit, write_picture
from standout.imaging.files import atomic_write
from standout.imaging.memory import enough_memory


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was found in a photo: told once, and passed on by whoever works and reports.

    Attributes:
        people: How many people are in it; people who touch count as one. 0: nobody. None: no network has looked.
        notes: What was left out or lost and why, a sentence each; usually empty.
    """

    people: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A finished picture and what is to be said of it.

        >>> import standout
        >>> result = standout.cut_out(np.zeros((48, 64, 3), np.uint8))
        >>> result
        <Result RGBA 64 × 48, nobody was found>
        >>> np.asarray(result).shape, result.alpha.shape, result.image.size
        ((48, 64, 4), (48, 64), (64, 48))

    Attributes:
        pixels: uint8, or uint16 of a photo with 16 bits: RGBA (H, W, 4), RGB (H, W, 3) with an opaque background, gray
            (H, W) of a mask. Upright, in the photo's colors, 0 where fully transparent. `np.asarray(result)` is it.
        people: How many people were found in the photo; people who touch count as one. 0: nobody.
        notes: What was left out or lost and why, a sentence each; usually empty.
        box: (left, top, right, bottom) of the picture in the photo, upright.
        photo_size: (width, height) of the photo.
        encoding: What goes into a file beside the pixels: color profile, resolution, metadata.
        seconds: How long each step took: read, model, compose.
    """

    pixels: NDArray[Any]
    people: int
    notes: tuple[str, ...]
    box: tuple[int, int, int, int]
    photo_size: tuple[int, int]
    encoding: EncodeOptions
    matte: NDArray[Any]
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), as Pillow says it."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @cached_property
    def image(self) -> Image.Image:
        """The picture for Pillow, of 8 bits: mode RGBA, RGB or L."""
        image = Image.fromarray(to_8_bit(self.pixels))
        if self.encoding.icc is not None:
            image.info["icc_profile"] = self.encoding.icc
        if self.encoding.dpi is not None:
            image.info["dpi"] = self.encoding.dpi
        return image

    @cached_property
    def alpha(self) -> Alpha:
        """How much of each pixel is shown of the photo, float32 (H, W) in [0, 1], as finely as the pixels are."""
        return self.matte.astype(np.float32) / np.float32(np.iinfo(self.matte.dtype).max)

    @enough_memory()
    def save(self, path: str | Path) -> None:
        """Writes the picture to a file that appears whole or not at all; its ending chooses the format.

        Raises:
            OutputError: It can't be written, or a JPEG would have to hold transparency.
        """
        encoding = self._encoding(format_of(path))
        with atomic_write(path) as file:
            write_picture(file, self.pixels, encoding)

    @enough_memory()
    def encode(self, file_format: str = "png") -> bytes:
        """The picture as the bytes of a file: "png", "webp", "jpg" or "tiff".

        Raises:
            ConfigError: There is no such format.
            OutputError: A JPEG would have to hold transparency.
        """
        return encode(self.pixels, self._encoding(file_format))

    def _encoding(self, file_format: str) -> EncodeOptions:
        encoding = dataclasses.replace(self.encoding, format=file_format)
        note = depth_note(self.pixels, encoding.format)
        if note and note not in self.notes:
            warnings.warn(note, stacklevel=4)
        return encoding

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.pixels, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        kind = {2: "gray"}.get(self.pixels.ndim) or {3: "RGB", 4: "RGBA"}[self.pixels.shape[2]]
        deep = " of 16 bits" if self.pixels.dtype == np.uint16 else ""
        found = {0: "nobody was found", 1: "1 person"}.get(self.people, f"{self.people} people")
        notes = "".join(f", note: {note}" for note in self.notes)
        return f"<Result {kind}{deep} {self.size[0]} × {self.size[1]}, {found}{notes}>"


def depth_note(pixels: NDArray[Any], file_format: str) -> str:
    """What a format loses of the pixels: a sentence, or nothing."""
    if pixels.dtype == np.uint8 or file_format == "png":
        return ""
    return f"a {FORMATS[file_format]} holds 8 bits per color; write a PNG to keep the photo's 16"
