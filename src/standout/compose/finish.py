"""One function from (photo, alpha, look) to the finished picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compose.background import blur_background, fit_image
from standout.compose.edge import TINY, feather_edge, person_box, shift_edge
from standout.compose.foreground import EdgeColors, edge_colors
from standout.compose.matting import matte
from standout.compose.options import Look
from standout.compose.select import keep_people
from standout.compose.shadow import drop_shadow
from standout.errors import ConfigError
from standout.imaging.arrays import Alpha, Frame, check_alpha
from standout.imaging.decode import read
from standout.imaging.picture import Picture

#: Rows and columns that are finished at once: small enough for a processor's cache.
_TILE = 128


@dataclass(frozen=True, eq=False)
class Finished:
    """The finished picture.

    Attributes:
        pixels: In the photo's own colours and depth (uint8 or uint16): RGBA (H, W, 4) if transparent, RGB (H, W, 3)
            with a background; uint8 (H, W) for a mask.
        box: (left, top, right, bottom) of the picture in the photo.
        notes: What was left out and why, a sentence each; usually empty.
    """

    pixels: NDArray[Any]
    box: tuple[int, int, int, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Outline:
    """Who the person is and what of the photo is shown, float32 (H, W); the shadow; the part that is written."""

    person: Alpha
    shown: Alpha
    shadow: Alpha | None
    box: tuple[int, int, int, int]
    notes: tuple[str, ...]

    @property
    def part(self) -> tuple[slice, slice]:
        left, top, right, bottom = self.box
        return slice(top, bottom), slice(left, right)


def finish(
    picture: Picture, person: Alpha, look: Look | None = None, *, threshold: float = 0.5, overwrite: bool = False
) -> Finished:
    """Turns a photo and its alpha into the finished picture.

    Args:
        picture: The photo; its own transparency is multiplied in.
        person: float32 (H, W) in [0, 1].
        look: How it shall look; by default the person on transparency.
        threshold: From which alpha a pixel counts as person.
        overwrite: The result may take the memory of `person`, which is then lost: a float's four bytes are those of an
            RGBA pixel. Saves 4 bytes per pixel.

    Returns:
        Transparent: colours without the old background's in the edge, and 0 where alpha is 0, so that nothing of what
        was removed stays in the file.

    Raises:
        InputError: The arrays don't fit together, the person asked for isn't there, or the background can't be read.
        MissingExtra: `look.matting` without pymatting.

    Example:
        >>> from standout.imaging.decode import from_array
        >>> photo = from_array(np.full((4, 4, 3), 50, np.uint8))
        >>> alpha = np.tile(np.array([0, 0, 1, 1], np.float32), (4, 1))
        >>> finish(photo, alpha).pixels[0].tolist()
        [[0, 0, 0, 0], [0, 0, 0, 0], [50, 50, 50, 255], [50, 50, 50, 255]]
        >>> finish(photo, alpha, Look(background="white")).pixels[0, :, 0].tolist()
        [255, 255, 50, 50]
    """
    look = Look() if look is None else look
    outline = _outline(picture, person, look, threshold)
    # The blur looks at the whole photo: light from beside the crop counts.
    behind = _behind(picture, outline, look)
    pixels, shown = picture.color[outline.part], outline.shown[outline.part]
    shadow = None if outline.shadow is None else outline.shadow[outline.part]
    edge = edge_colors(pixels, shown) if look.clean else None
    if behind is None:
        result = _transparent(pixels, shown, edge, shadow, overwrite=overwrite)
    else:
        result = _opaque(pixels, shown, edge, shadow, behind)
    return Finished(result, outline.box, outline.notes)


def finish_mask(picture: Picture, person: Alpha, look: Look | None = None, *, threshold: float = 0.5) -> Finished:
    """As `finish`, but what would be shown of the photo, alone: uint8 (H, W), 255 is person.

    Example:
        >>> from standout.imaging.decode import from_array
        >>> photo = from_array(np.full((4, 4, 3), 50, np.uint8))
        >>> alpha = np.tile(np.array([0, 0, 1, 1], np.float32), (4, 1))
        >>> finish_mask(photo, alpha).pixels[0].tolist()
        [0, 0, 255, 255]
    """
    outline = _outline(picture, person, Look() if look is None else look, threshold)
    shown = np.ascontiguousarray(outline.shown[outline.part])
    return Finished(quantize(shown, np.dtype(np.uint8)), outline.box, outline.notes)


def quantize(alpha: Alpha, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Alpha as uint8 or uint16, rounded.

    A network's 0 is 0.001, which 8 bits round away; so do 16 bits here, or the whole background would shine through.

    Example:
        >>> quantize(np.array([[0.001, 0.5, 0.999]], np.float32), np.dtype(np.uint16)).tolist()
        [[0, 32768, 65535]]
    """
    if dtype == np.uint8:
        return np.asarray(cv2.convertScaleAbs(alpha, alpha=255), np.uint8)
    most = np.iinfo(dtype).max
    quantized = (alpha * np.float32(most) + np.float32(0.5)).astype(dtype)
    quantized[alpha <= TINY] = 0
    quantized[alpha >= 1 - TINY] = most
    return quantized


def _outline(picture: Picture, person: Alpha, look: Look, threshold: float) -> _Outline:
    person = check_alpha(person, like=picture.color)
    person = keep_people(person, keep=look.keep, at=look.point, threshold=threshold)
    notes: tuple[str, ...] = ()
    if look.matting != "none":
        matted = matte(picture.frame, person, method=look.matting)
        person, notes = matted.alpha, (matted.note,) if matted.note else ()
    person = feather_edge(shift_edge(person, look.edge), look.feather)
    own = picture.alpha
    standing = person if own is None else person * own
    shown = standing
    if look.invert:
        shown = 1 - person if own is None else (1 - person) * own
    shadow = drop_shadow(standing) if look.shadow and not look.invert else None
    return _Outline(person, shown, shadow, _box(standing, shadow, look), notes)


def _box(person: Alpha, shadow: Alpha | None, look: Look) -> tuple[int, int, int, int]:
    whole = (0, 0, person.shape[1], person.shape[0])
    if not look.crop:
        return whole
    box = person_box(person, margin=look.room)
    dark = None if shadow is None else person_box(shadow)
    if box is None:
        return whole
    if dark is None:
        return box
    return min(box[0], dark[0]), min(box[1], dark[1]), max(box[2], dark[2]), max(box[3], dark[3])


def _behind(picture: Picture, outline: _Outline, look: Look) -> NDArray[Any] | None:
    """The background of the finished picture in the photo's own colours and depth, or None if there is none.

    A new array, free to be written on.
    """
    left, top, right, bottom = outline.box
    size = (bottom - top, right - left)
    background = look.behind
    if background.kind == "transparent":
        return None
    if background.kind == "color":
        color = picture.own_color(np.full((1, 1, 3), background.color, np.uint8))[0, 0]
        behind = np.empty((*size, 3), picture.color.dtype)
        behind[:] = color
        return behind
    if background.kind == "blur":
        # What was transparent already has no colour to lend.
        hidden = outline.person if picture.alpha is None else np.maximum(outline.person, 1 - picture.alpha)
        whole = blur_background(picture.color, hidden, radius=background.radius, lens=look.lens)
        return whole if whole.shape[:2] == size else whole[outline.part].copy()
    fitted = fit_image(_load(background.image), size, fit=look.fit, position=look.position)
    own = picture.own_color(fitted)
    return own.copy() if np.shares_memory(own, fitted) else own


def _load(image: Path | Frame | None) -> Frame:
    if image is None:
        raise ConfigError("A background of the kind `image` needs an image: a path or a uint8 RGB array.")
    if isinstance(image, Path):
        return _load_file(image, image.stat().st_mtime_ns if image.is_file() else 0)
    return image


@lru_cache(maxsize=1)
def _load_file(path: Path, _changed: int) -> Frame:
    """The background is kept: a folder of photos reads it once."""
    return read(path).frame


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    for top in range(0, shape[0], _TILE):
        for left in range(0, shape[1], _TILE):
            yield slice(top, min(top + _TILE, shape[0])), slice(left, min(left + _TILE, shape[1]))


def _own_colors(pixels: NDArray[Any], alpha: Alpha, edge: EdgeColors | None, tile: tuple[slice, slice]) -> NDArray[Any]:
    """The person's colours in one tile."""
    part = np.ascontiguousarray(pixels[tile])
    if edge is None or float(alpha.min()) >= 1 - TINY:
        return part
    return edge.tile(part, alpha, *tile)


def _transparent(
    pixels: NDArray[Any], alpha: Alpha, edge: EdgeColors | None, shadow: Alpha | None, *, overwrite: bool = False
) -> NDArray[Any]:
    in_place = overwrite and pixels.dtype == np.uint8 and alpha.flags.c_contiguous and alpha.flags.writeable
    shape = (*alpha.shape, 4)
    result: NDArray[Any] = alpha.view(np.uint8).reshape(shape) if in_place else np.zeros(shape, pixels.dtype)
    for tile in _tiles(alpha.shape):
        over = alpha[tile].copy()
        if in_place:
            result[tile] = 0
        if float(over.max()) > TINY:
            quantized = quantize(over, pixels.dtype)
            rgba = cv2.merge([*cv2.split(_own_colors(pixels, over, edge, tile)), quantized])
            cv2.copyTo(rgba, (quantized > 0).view(np.uint8), result[tile])
        if shadow is not None:
            _shade(result[tile], over, shadow[tile])
    return result


def _shade(rgba: NDArray[Any], over: Alpha, shadow: Alpha) -> None:
    """Lays a black shadow under a transparent picture, in place: A = α + s (1 − α), colour = α F / A."""
    total = over + shadow * (1 - over)
    share = over / np.maximum(total, 1e-6)
    rgba[..., :3] = (rgba[..., :3] * share[..., None] + 0.5).astype(rgba.dtype)
    rgba[..., 3] = quantize(total, rgba.dtype)


def _opaque(
    pixels: NDArray[Any], alpha: Alpha, edge: EdgeColors | None, shadow: Alpha | None, behind: NDArray[Any]
) -> NDArray[Any]:
    """The person over `behind`, which is written on."""
    for tile in _tiles(alpha.shape):
        over, back = np.ascontiguousarray(alpha[tile]), behind[tile]
        if shadow is not None and float(over.min()) < 1:
            back[:] = (back * (1 - shadow[tile])[..., None] + 0.5).astype(back.dtype)
        if float(over.max()) <= TINY:
            continue
        own = _own_colors(pixels, over, edge, tile)
        if float(over.min()) >= 1 - TINY:
            back[:] = own
            continue
        a = cv2.merge([over] * 3)
        mixed = cv2.multiply(cv2.subtract(own, back, dtype=cv2.CV_32F), a)
        back[:] = cv2.add(mixed, back, dtype=cv2.CV_8U if back.dtype == np.uint8 else cv2.CV_16U)
    return behind
