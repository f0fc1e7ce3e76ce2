"""The one road from a picture to its cut-out: `cut_out` for everybody, `cut_out_picture` for the command line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, overload

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.card import ModelCard
from standout.errors import InputError
from standout.images import Picture, encode, from_array, from_pil, read
from standout.pixels import Alpha, Frame

#: With a smaller share of the pixels than this at the model's threshold, nobody counts as found.
NOBODY_BELOW = 1e-4


class Predictor(Protocol):
    """What `cut_out` needs of a model: `runtime.predict.Model`, or anything that behaves like it."""

    card: ModelCard

    def alpha(self, frame: Frame, *, refine: bool = True) -> Alpha: ...


@dataclass(frozen=True, eq=False)
class Cutout:
    """A picture and who stands in it.

    Attributes:
        picture: The picture, upright.
        alpha: float32 (H, W) in [0, 1]; the picture's own transparency is multiplied in. 0 everywhere if nobody
            was found.
        nobody: Whether nobody was found.
    """

    picture: Picture
    alpha: Alpha
    nobody: bool

    def rgba(self) -> NDArray[Any]:
        """(H, W, 4) in the picture's own colours and depth (uint8 or uint16); black where fully transparent."""
        return join_alpha(self.picture.colour, self.alpha)

    def mask(self) -> NDArray[np.uint8]:
        """Alpha alone, uint8 (H, W), 255 is person."""
        return _quantized(self.alpha, np.dtype(np.uint8))


def cut_out_picture(picture: Picture, model: Predictor) -> Cutout:
    """Finds the people in a decoded picture."""
    alpha = model.alpha(picture.frame)
    nobody = float(np.mean(alpha >= model.card.threshold)) < NOBODY_BELOW
    if nobody:
        alpha = np.zeros_like(alpha)
    elif picture.alpha is not None:
        alpha = alpha * picture.alpha
    return Cutout(picture, alpha, nobody)


@overload
def cut_out(image: NDArray[Any], *, model: Predictor | str | Path | None = None) -> NDArray[Any]: ...
@overload
def cut_out(image: bytes, *, model: Predictor | str | Path | None = None) -> bytes: ...
@overload
def cut_out(image: Image.Image | str | Path, *, model: Predictor | str | Path | None = None) -> Image.Image: ...
def cut_out(
    image: Image.Image | NDArray[Any] | bytes | str | Path, *, model: Predictor | str | Path | None = None
) -> Image.Image | NDArray[Any] | bytes:
    """Cuts the people out of a picture; what goes in comes out.

        >>> import numpy as np, standout
        >>> standout.cut_out(np.zeros((48, 64, 3), np.uint8)).shape  # doctest: +SKIP
        (48, 64, 4)

    Args:
        image: A Pillow picture, an array (grey, RGB or RGBA; uint8 or uint16), the bytes of a file, or a path.
        model: From `standout.load`, or what it takes; the bundled "photo" if absent.

    Returns:
        Pillow → Pillow RGBA; array → array RGBA (H, W, 4) of its type; bytes → bytes of a PNG; path → Pillow RGBA.
        Upright, of the picture's size, black where fully transparent. Transparency that was there stays.

    Raises:
        InputError: The picture can't be used.
        ModelFileError: The model can't be used.
    """
    picture = _read(image)
    result = cut_out_picture(picture, _as_model(model))
    if isinstance(image, np.ndarray):
        return result.rgba()
    if isinstance(image, bytes | bytearray | memoryview):
        return encode(result.rgba(), picture.encoding())
    pixels = result.rgba() if picture.colour.dtype == np.uint8 else join_alpha(picture.frame, result.alpha)
    output = Image.fromarray(pixels)
    if picture.icc is not None and picture.colour.dtype == np.uint8:
        output.info["icc_profile"] = picture.icc
    if picture.dpi is not None:
        output.info["dpi"] = picture.dpi
    return output


def join_alpha(colour: NDArray[Any], alpha: Alpha) -> NDArray[Any]:
    """RGB (H, W, 3), uint8 or uint16, and alpha as RGBA of the same type.

    Black where fully transparent: what was cut away can't be brought back, and it compresses to nothing.
    """
    quantized = _quantized(alpha, colour.dtype)
    # OpenCV does in a tenth of the time what indexing does.
    rgba = cv2.merge([*cv2.split(colour), quantized])
    return cv2.bitwise_and(rgba, rgba, mask=(quantized > 0).view(np.uint8))


def _quantized(alpha: Alpha, dtype: np.dtype[Any]) -> NDArray[Any]:
    most = np.iinfo(dtype).max
    quantized = (alpha * np.float32(most) + np.float32(0.5)).astype(dtype)
    if most > 255:
        # A network's 0 is 0.001, which 8 bits round away; in 16 bits the whole background would shine through.
        quantized[alpha < 0.5 / 255] = 0
        quantized[alpha > 1 - 0.5 / 255] = most
    return quantized


def _read(image: object) -> Picture:
    if isinstance(image, np.ndarray):
        return from_array(image)
    if isinstance(image, Image.Image):
        return from_pil(image)
    if isinstance(image, bytes | str | Path):
        return read(image)
    if isinstance(image, bytearray | memoryview):
        return read(bytes(image))
    raise InputError(f"`image` must be a Pillow picture, an array, bytes or a path; received {type(image).__name__}.")


def _as_model(model: Predictor | str | Path | None) -> Predictor:
    if model is None or isinstance(model, str | Path):
        return _loaded("photo" if model is None else model)
    return model


@lru_cache(maxsize=2)
def _loaded(name_or_path: str | Path) -> Predictor:
    """A model given by name is kept: the second call of `cut_out` costs no loading."""
    from standout.runtime.predict import load

    return load(name_or_path)
