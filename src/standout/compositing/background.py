"""What comes behind the person: a color, an image fitted to the picture, or the photo's background out of focus."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from standout.errors import ConfigError, InputError
from standout.imaging.arrays import Alpha, resize
from standout.imaging.decode import MAX_BYTES, AnyPicture, is_address, picture_of, read
from standout.imaging.defaults import MAX_PIXELS
from standout.imaging.parse import RGBA, check_choice, check_within, parse_rgba
from standout.imaging.picture import Picture

Fit = Literal["cover", "contain", "stretch"]

#: Widest blur that is accepted, pixels.
MAX_BLUR = 1000.0
_ALLOWED = "transparent, blur, blur:RADIUS, a color (`white`, `#rrggbb`) or an image file"
_COLOR_FUNCTIONS = ("rgb", "rgba", "hsl", "hsla", "hsv", "hsb")
#: Radius that a blur has at the reduced size where it is computed, pixels: enough for a round disc.
WORK_RADIUS = 10.0
#: The blur that is taken where none is asked for: a share of the longer side, and at least so many pixels.
BLUR_SHARE, LEAST_BLUR = 0.025, 2.0
#: Light of the background, 0 … 1, from which a pixel lends its color; below, some of it is the person's.
LIT = 0.98
#: The say of the background that was carried in, beside what is within the blur's reach.
FAR = 1e-3
#: How many times a lamp outshines what an 8-bit photo can show of it; gives the discs their sparkle.
_HIGHLIGHT = 6.0


@dataclass(frozen=True, eq=False)  # holds an array, perhaps
class Background:
    """What comes behind the person; `parse_background` makes it of what users give.

    Attributes:
        kind: `transparent`, `color`, `image` or `blur`.
        color: Red, green, blue and alpha of a `color`, 0 … 255.
        image: The file of an `image`, or its picture once it is decoded.
        radius: The radius of a `blur`, pixels of the photo; None chooses 2.5 % of its longer side.
    """

    kind: Literal["transparent", "color", "image", "blur"] = "transparent"
    color: RGBA = (255, 255, 255, 255)
    image: Path | Picture | None = None
    radius: float | None = None

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, ("transparent", "color", "image", "blur"))
        if self.radius is not None:
            check_within("blur", self.radius, 0.5, MAX_BLUR, " pixels")
        if self.kind == "image" and not isinstance(self.image, Path | Picture):
            raise ConfigError("A background of the kind `image` needs an image: a path or a `Picture`.")

    @property
    def opaque(self) -> bool:
        """Whether nothing shines through it; of an image that isn't decoded yet it is assumed."""
        if self.kind == "image":
            return not isinstance(self.image, Picture) or self.image.alpha is None
        return self.kind == "blur" or (self.kind == "color" and self.color[3] == 255)

    def decoded(self, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> Background:
        """The same with its image decoded; the last file is kept, so that many photos read it once.

        Raises:
            InputError: The image can't be read, or is larger than allowed.
        """
        if not isinstance(self.image, Path):
            return self
        status = self.image.stat() if self.image.is_file() else None
        stamp = (status.st_mtime_ns, status.st_size) if status else None
        return replace(self, image=_read(self.image, max_pixels, max_bytes, stamp))


@lru_cache(maxsize=1)
def _read(path: Path, max_pixels: int, max_bytes: int, _stamp: object) -> Picture:
    return read(path, max_pixels=max_pixels, max_bytes=max_bytes)


AnyBackground = Background | AnyPicture | Sequence[int]


def parse_background(given: AnyBackground, *, name: str = "background") -> Background:
    """Reads `transparent`, a color (`#rrggbb`, a name, (r, g, b)), an image, `blur` or `blur:RADIUS`.

    An image is whatever `standout.cut_out` takes for a photo: a file's path or bytes, a Pillow picture, or an array. A
    color with alpha (`#rrggbbaa`, (r, g, b, a)) and an image with transparency let what is behind them through. A file
    goes before a color of the same name only when it is written with a folder or a suffix.

    Raises:
        ConfigError: It is none of these; the message names near matches.

    Example:
        >>> parse_background("#0a84ff").color
        (10, 132, 255, 255)
        >>> parse_background("blur:12").radius
        12.0
        >>> parse_background("withe")
        Traceback (most recent call last):
        standout.errors.ConfigError: The background 'withe' is neither a file nor a color; did you mean `white` or \
`wheat`? Allowed: transparent, blur, blur:RADIUS, a color (`white`, `#rrggbb`) or an image file.
    """
    if isinstance(given, Background):
        return given
    if isinstance(given, Path):
        return _image_file(given)
    if isinstance(given, str):
        text = given.strip()
        low = text.lower()
        if low in ("transparent", "none"):
            return Background()
        if low == "blur" or low.startswith("blur:"):
            return Background("blur", radius=_radius(low))
        if low.startswith("#") or low in ImageColor.colormap or low.partition("(")[0] in _COLOR_FUNCTIONS:
            return Background("color", color=parse_rgba(low, name=name))
        return _image_file(Path(text), text)
    # Three or four numbers are a color, also of NumPy.
    if isinstance(given, tuple | list) or (isinstance(given, np.ndarray) and given.ndim == 1):
        return Background("color", color=parse_rgba(given, name=name))
    if isinstance(given, Picture):
        return Background("image", image=given)
    try:
        return Background("image", image=picture_of(given, name=name))
    except InputError as error:
        raise ConfigError(f"`{name}` can't be used. {error}") from error


def _radius(text: str) -> float | None:
    number = text.partition(":")[2]
    if not number:
        return None
    try:
        radius = float(number.removesuffix("px"))
    except ValueError:
        raise ConfigError(f"`blur` takes a radius in pixels, as in `blur:20`; received {text!r:.60}.") from None
    check_within("blur", radius, 0.5, MAX_BLUR, " pixels")
    return radius


def _image_file(path: Path, text: str | None = None) -> Background:
    shown = str(path) if text is None else text
    if os.path.isfile(path):  # unlike `Path.is_file` it takes a name that is too long for one
        return Background("image", image=path)
    if is_address(shown):
        raise ConfigError(
            f"The background {shown!r:.80} is an address, and Standout downloads nothing; save the picture "
            "and give its path."
        )
    # A misspelt word is most likely a color; what has a suffix or a folder is most likely a file.
    looks_like_file = bool(path.suffix) or len(path.parts) > 1
    names = _files_in(path.parent) if looks_like_file else []
    words = [] if looks_like_file else ["transparent", "blur", *ImageColor.colormap]
    close = difflib.get_close_matches(path.name.lower(), words, 2) or difflib.get_close_matches(path.name, names, 2)
    hint = f"; did you mean {' or '.join(f'`{name}`' for name in close)}?" if close else "."
    raise ConfigError(f"The background {shown!r:.80} is neither a file nor a color{hint} Allowed: {_ALLOWED}.")


def _files_in(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except (OSError, ValueError):
        return []


def fit_image(
    image: NDArray[Any], size_hw: tuple[int, int], *, fit: Fit = "cover", position: tuple[float, float] = (0.5, 0.5)
) -> NDArray[Any]:
    """Brings an image to `size_hw` (height, width).

    Args:
        image: RGB (h, w, 3), or RGBA (h, w, 4) with colors premultiplied; uint8 or float32.
        size_hw: The size of the result.
        fit: `cover` fills the picture and cuts what is over, `contain` shows all of it on black, `stretch` distorts.
        position: Which part stays in view, or where it lies, (across, down), 0 … 1.

    Example:
        >>> image = np.arange(4, dtype=np.uint8).repeat(6).reshape(2, 4, 3)
        >>> fit_image(image, (4, 4)).shape, fit_image(image, (4, 4), fit="contain")[0].max()
        ((4, 4, 3), np.uint8(0))
    """
    height, width = size_hw
    if fit == "stretch":
        return resize(image, size_hw)
    ratio_h, ratio_w = height / image.shape[0], width / image.shape[1]
    if fit == "contain":
        scale = min(ratio_h, ratio_w)
        inner = (min(height, max(1, round(image.shape[0] * scale))), min(width, max(1, round(image.shape[1] * scale))))
        top, left = round((height - inner[0]) * position[1]), round((width - inner[1]) * position[0])
        canvas = np.zeros((height, width, image.shape[2]), image.dtype)
        canvas[..., 3:] = 255
        canvas[top : top + inner[0], left : left + inner[1]] = resize(image, inner)
        return canvas
    scale = max(ratio_h, ratio_w)
    # Cut first, then resize: an image far larger than the picture is never enlarged as a whole.
    cut_h = min(image.shape[0], max(1, round(height / scale)))
    cut_w = min(image.shape[1], max(1, round(width / scale)))
    top, left = round((image.shape[0] - cut_h) * position[1]), round((image.shape[1] - cut_w) * position[0])
    return resize(image[top : top + cut_h, left : left + cut_w], size_hw)


def default_blur(size_hw: tuple[int, int]) -> float:
    """The blur radius for a picture of `size_hw` when none is asked for: 2.5 % of the longer side, pixels.

    Example:
        >>> default_blur((3000, 4000))
        100.0
    """
    return max(LEAST_BLUR, BLUR_SHARE * max(size_hw))


def blur_background(
    pixels: NDArray[Any], alpha: Alpha, *, radius: float | None = None, bokeh: bool = False
) -> NDArray[Any]:
    """The background of a photo out of focus, by its own light alone: no halo of the person around the person.

    A normalized masked blur: blur(background · (1 − α)) / blur(1 − α), computed at reduced size. Where the person hides
    everything within reach, the light of the nearest background is carried in.

    Args:
        pixels: uint8 or uint16 RGB (H, W, 3).
        alpha: float32 (H, W), the person.
        radius: Pixels of the photo; None takes `default_blur`.
        bokeh: A disc in linear light with bright highlights, like a wide-open lens; else a Gaussian of σ = radius / 2.

    Returns:
        RGB (H, W, 3) of the same dtype, the whole background, also behind the person.

    Example:
        >>> frame = np.full((64, 64, 3), 200, np.uint8)
        >>> alpha = np.zeros((64, 64), np.float32)
        >>> alpha[16:48, 16:48] = 1
        >>> frame[16:48, 16:48] = (255, 0, 0)
        >>> np.unique(blur_background(frame, alpha, radius=6)).tolist()
        [200]
    """
    height, width = alpha.shape
    radius = default_blur((height, width)) if radius is None else radius
    scale = min(1.0, WORK_RADIUS / radius)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    most = float(np.iinfo(pixels.dtype).max)
    small = np.asarray(resize(pixels, size), np.float32) / np.float32(most)
    light = 1 - np.asarray(resize(alpha, size), np.float32)
    # A pixel that is even partly person carries the person's color: it lends no light, nor does its neighbor.
    light = np.asarray(cv2.erode(light, np.ones((3, 3), np.uint8)), np.float32)
    light = np.where(light > LIT, light, 0).astype(np.float32)
    if bokeh:
        small = small**2.2
        peak = small.max(axis=2, keepdims=True)
        small *= 1 + (_HIGHLIGHT - 1) * np.clip((peak - 0.8) / 0.2, 0, 1) ** 2
    filled = _fill(np.asarray(small, np.float32), light)
    weight = _out_of_focus(light, radius * scale, bokeh)
    blurred = _out_of_focus(filled * light[..., None], radius * scale, bokeh)
    # Where little of the background is in reach, `filled` takes over smoothly.
    far = _out_of_focus(filled, radius * scale, bokeh)
    blurred = (blurred + FAR * far) / (weight + FAR)[..., None]
    if bokeh:
        blurred = np.clip(blurred, 0, 1) ** (1 / 2.2)
    result = np.clip(blurred * most + 0.5, 0, most).astype(pixels.dtype)
    return np.asarray(cv2.resize(result, (width, height), interpolation=cv2.INTER_LINEAR))


def _out_of_focus(array: NDArray[np.float32], radius: float, bokeh: bool) -> NDArray[np.float32]:
    if not bokeh:
        return np.asarray(cv2.GaussianBlur(array, (0, 0), max(radius / 2, 0.3), borderType=cv2.BORDER_REFLECT_101))
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)  # the rim is anti-aliased
    return np.asarray(cv2.filter2D(array, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101))


def _fill(picture: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fills what has no weight with the nearest light, by a pyramid: means go up, and down into the holes."""
    if min(picture.shape[:2]) <= 2 or float(weight.min()) > 0:
        total = float(weight.sum())
        mean = (picture * weight[..., None]).sum((0, 1)) / total if total else np.full(3, 0.5, np.float32)
        return np.asarray(np.where(weight[..., None] > 0, picture, mean), np.float32)
    size = ((picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2)
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    small: NDArray[Any] = cv2.resize(picture * weight[..., None], size, interpolation=cv2.INTER_AREA)
    small = small / np.maximum(small_weight, 1e-6)[..., None]
    coarse = _fill(np.asarray(small, np.float32), np.asarray(small_weight, np.float32))
    back = cv2.resize(coarse, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.where(weight[..., None] > 0, picture, back), np.float32)
