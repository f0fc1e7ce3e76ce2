"""From a photo to its finished picture.

`finish_photo` takes any photo and a frozen `PhotoOptions`; `standout photo`, `standout folder` and `cut_out` call it.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.compose.finish import finish, finish_mask
from standout.compose.options import Look
from standout.compose.parse import Background
from standout.errors import InputError
from standout.imaging.arrays import Alpha, Frame
from standout.imaging.decode import from_array, from_pil, read
from standout.imaging.encode import EncodeOptions, encode, format_of, to_8_bit, write_picture
from standout.imaging.files import atomic_write
from standout.imaging.picture import Picture
from standout.inference.clean_alpha import clean_alpha
from standout.inference.devices import check_no_device
from standout.model_card import ModelCard
from standout.photo.findings import PhotoFindings
from standout.photo.options import PhotoOptions

#: With a smaller share of the pixels than this at the model's threshold, nobody counts as found.
NOBODY_BELOW = 1e-4

Photo = Image.Image | NDArray[Any] | bytes | bytearray | memoryview | BinaryIO | str | Path
AnyBackground = Background | Image.Image | Frame | str | Path | tuple[int, int, int]


class Predictor(Protocol):
    """What `cut_out` needs of a model: `standout.Model`, or anything that behaves like it."""

    card: ModelCard

    def alpha(self, frame: Frame, *, refine: bool = True) -> Alpha:
        """A new array, float32 (H, W) in [0, 1]."""
        ...


@dataclass(frozen=True, eq=False)
class FinishedPhoto(PhotoFindings):
    """A finished picture and how it is to be written.

    Attributes:
        pixels: uint8 or uint16: RGBA (H, W, 4), RGB (H, W, 3) with a background, grey (H, W) of a mask.
        encoding: Format, colour profile, resolution and metadata: `encode(pixels, encoding)` is the file.
    """

    pixels: NDArray[Any]
    encoding: EncodeOptions


@dataclass(frozen=True, eq=False)
class Cutout:
    """A picture and who stands in it.

    Attributes:
        picture: The picture, upright.
        person: float32 (H, W) in [0, 1]; 0 everywhere if nobody was found.
        found_person: Whether somebody was found.
    """

    picture: Picture
    person: Alpha
    found_person: bool


def cut_out_picture(picture: Picture, model: Predictor) -> Cutout:
    """Finds the people in a decoded picture."""
    alpha = model.alpha(picture.frame)
    found = bool(np.count_nonzero(alpha >= model.card.threshold) >= NOBODY_BELOW * alpha.size)
    return Cutout(picture, clean_alpha(alpha) if found else np.zeros_like(alpha), found)


def finish_photo(
    photo: Photo, model: Predictor, options: PhotoOptions | None = None, *, file_format: str = "PNG"
) -> FinishedPhoto:
    """Turns a photo into its finished picture.

    Args:
        photo: A path, `-` for standard input, the bytes of a file, a Pillow picture, or an array (grey, RGB or RGBA,
            uint8 or uint16).
        model: A model from `standout.load`.
        options: How; by default the people on transparency.
        file_format: "PNG", "WEBP", "JPEG" or "TIFF": what it will be written as.

    Raises:
        InputError: The photo can't be used, or the person asked for isn't there.
        OutputError: The format can't hold the result.
        MissingExtra: `look.matting` without pymatting.
    """
    options = options or PhotoOptions()
    options.check_format(file_format)
    picture = read_picture(photo, options)
    people = cut_out_picture(picture, model)
    threshold = model.card.threshold
    if options.mask:
        result = finish_mask(picture, people.person, options.look, threshold=threshold)
    else:
        result = finish(picture, people.person, options.look, threshold=threshold, overwrite=True)
    encoding = picture.encoding(file_format, quality=options.quality, keep_metadata=options.keep_metadata)
    if options.mask:
        encoding = dataclasses.replace(encoding, icc=None)  # a grey picture can't carry a profile of RGB colours
    notes = picture.notes + result.notes
    if result.pixels.dtype != np.uint8 and file_format != "PNG":
        notes += (f"a {file_format} holds 8 bits per colour; write a PNG to keep the photo's 16",)
    return FinishedPhoto(result.pixels, encoding, found_person=people.found_person, notes=notes)


def photo_to_file(
    source: str | Path | bytes, target: str | Path, model: Predictor, options: PhotoOptions | None = None
) -> FinishedPhoto:
    """As `finish_photo`, into a file that appears whole or not at all; its ending chooses the format.

    Raises:
        InputError, OutputError, MissingExtra: Whatever `finish_photo` raises; or the file can't be written.
    """
    finished = finish_photo(source, model, options, file_format=format_of(target))
    with atomic_write(target) as file:
        write_picture(file, finished.pixels, finished.encoding)
    return finished


@overload
def cut_out(
    source: NDArray[Any],
    *,
    background: AnyBackground | None = None,
    options: PhotoOptions | Look | None = None,
    model: Predictor | str | Path | None = None,
    device: str | None = None,
) -> NDArray[Any]: ...
@overload
def cut_out(
    source: bytes | bytearray | memoryview,
    *,
    background: AnyBackground | None = None,
    options: PhotoOptions | Look | None = None,
    model: Predictor | str | Path | None = None,
    device: str | None = None,
) -> bytes: ...
@overload
def cut_out(
    source: Image.Image | BinaryIO | str | Path,
    *,
    background: AnyBackground | None = None,
    options: PhotoOptions | Look | None = None,
    model: Predictor | str | Path | None = None,
    device: str | None = None,
) -> Image.Image: ...
def cut_out(
    source: Photo,
    *,
    background: AnyBackground | None = None,
    options: PhotoOptions | Look | None = None,
    model: Predictor | str | Path | None = None,
    device: str | None = None,
) -> Image.Image | NDArray[Any] | bytes:
    """Cuts the people out of a picture; what goes in comes out.

        >>> import numpy as np, standout
        >>> standout.cut_out(np.zeros((48, 64, 3), np.uint8)).shape
        (48, 64, 4)
        >>> standout.cut_out(np.zeros((48, 64, 3), np.uint8), background="white").shape
        (48, 64, 3)

    Args:
        source: A Pillow picture, an array (grey, RGB or RGBA; uint8, uint16 or floats in [0, 1]), the bytes of a file,
            a file opened for reading bytes, or a path.
        background: What comes behind the people: `transparent` (the default), a colour (its name, `#rrggbb`, or RGB as
            (255, 0, 0)), `blur`, `blur:RADIUS`, or an image as a path, array or Pillow picture. Goes before the
            background of `options`.
        options: Everything else: which person, edge, crop, shadow, matting; `mask` for alpha alone, grey (H, W). A
            `Look` stands for `PhotoOptions(look)`.
        model: From `standout.load`, or what it takes; the bundled "photo" if absent.
        device: Where a model given by name or path runs; see `standout.load`.

    Returns:
        Pillow → Pillow; array → array of its dtype (uint8 for a mask); bytes → bytes of a PNG; path, file → Pillow.
        RGBA, or RGB with a background. Upright, of the picture's size unless cropped, black where fully transparent.
        Transparency that was there stays.

    Raises:
        InputError: The picture can't be used, or the person asked for isn't there.
        ConfigError: The background is unknown.
        ModelFileError: The model can't be used.
    """
    if isinstance(source, str) and source == "-":
        raise InputError("`source` must be a picture; received '-', and standard input is for the command line alone.")
    options = with_background(options, background)
    finished = finish_photo(source, as_model(model, device=device), options)
    if isinstance(source, np.ndarray):
        floats = source.dtype.kind == "f" and finished.pixels.dtype == np.uint16
        return (finished.pixels / np.float64(65535)).astype(source.dtype) if floats else finished.pixels
    if isinstance(source, bytes | bytearray | memoryview):
        return encode(finished.pixels, finished.encoding)
    # Pillow has no colour pictures of 16 bits.
    output = Image.fromarray(to_8_bit(finished.pixels))
    if finished.encoding.icc is not None:
        output.info["icc_profile"] = finished.encoding.icc
    if finished.encoding.dpi is not None:
        output.info["dpi"] = finished.encoding.dpi
    return output


def with_background(options: PhotoOptions | Look | None, background: AnyBackground | None) -> PhotoOptions:
    """The options as `PhotoOptions`, with this background if one is given."""
    options = PhotoOptions(options) if isinstance(options, Look) else options or PhotoOptions()
    if background is None:
        return options
    behind = np.asarray(background.convert("RGB")) if isinstance(background, Image.Image) else background
    return dataclasses.replace(options, look=dataclasses.replace(options.look, background=behind))


def read_picture(image: object, options: PhotoOptions) -> Picture:
    """A Pillow picture, an array, bytes, an open file or a path as a `Picture`, within the limits of `options`.

    Raises:
        InputError: It is none of these, or no picture that can be read.
    """
    if isinstance(image, np.ndarray):
        return from_array(image)
    if isinstance(image, Image.Image):
        return from_pil(image, max_pixels=options.max_pixels)
    if isinstance(image, bytearray | memoryview):
        image = bytes(image)
    if callable(reader := getattr(image, "read", None)) and not isinstance(image, str | Path):
        image = reader(options.max_bytes + 1)
        if not isinstance(image, bytes):
            raise InputError(f"`source` must be a file opened for reading bytes; it gave {type(image).__name__}.")
    if isinstance(image, bytes | str | Path):
        return read(image, max_pixels=options.max_pixels, max_bytes=options.max_bytes)
    raise InputError(
        f"`source` must be a Pillow picture, an array, bytes, an open file or a path; received {type(image).__name__}."
    )


def as_model(model: Predictor | str | Path | None, *, device: str | None = None) -> Predictor:
    """The model itself, or the one of this name or path, loaded once; None is `photo`.

    Raises:
        ConfigError: A device for a model that is loaded already.
        ModelFileError, DeviceError: Whatever `standout.load` raises.
    """
    if model is None or isinstance(model, str | Path):
        name_or_path = "photo" if model is None else model
        return _loaded(name_or_path, device, _stamp(name_or_path))
    check_no_device(device)
    return model


@lru_cache(maxsize=2)
def _loaded(name_or_path: str | Path, device: str | None, stamp: tuple[int, int] | None) -> Predictor:  # noqa: ARG001 - is part of the key
    """A model given by name is kept: the second call of `cut_out` costs no loading, unless its file has changed."""
    from standout.inference.model import load

    return load(name_or_path, device=device)


def _stamp(path: str | Path) -> tuple[int, int] | None:
    """(mtime_ns, size) of a file; None if there is none, as of a bundled model's name."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size
