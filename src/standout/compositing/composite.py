"""One function from (picture, alpha, options) to the finished picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compositing.background import blur_background, fit_image
from standout.compositing.edge import TINY, feather_edge, person_box, shift_edge
from standout.compositing.foreground import EdgeColors, edge_colors
from standout.compositing.matting import matte
from standout.compositing.options import CompositeOptions
from standout.compositing.select import keep_people
from standout.compositing.shadow import drop_shadow
from standout.imaging.arrays import Alpha, check_alpha
from standout.imaging.picture import Picture

#: Rows and columns that are finished at once: small enough for a processor's cache.
_TILE = 128


@dataclass(frozen=True, eq=False)
class Composite:
    """The finished picture.

    Attributes:
        pixels: In the photo's own colors and depth (uint8 or uint16): RGBA (H, W, 4) if something shines through, RGB
            (H, W, 3) otherwise; gray (H, W) of a matte.
        matte: What is shown of the photo, of the same depth and size: (H, W), the largest value is all of it.
        box: (left, top, right, bottom) of the picture in the photo.
        notes: What was left out and why, a sentence each; usually empty.
    """

    pixels: NDArray[Any]
    matte: NDArray[Any]
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


def composite(
    picture: Picture,
    person: Alpha,
    options: CompositeOptions | None = None,
    *,
    threshold: float = 0.5,
    overwrite: bool = False,
) -> Composite:
    """Lays the person of a picture over the background that the options name.

    Args:
        picture: The photo; its own transparency is multiplied in.
        person: float32 (H, W) in [0, 1].
        options: How it shall look; by default the person on transparency.
        threshold: From which alpha a pixel counts as person.
        overwrite: The result may take the memory of `person`, which is then lost: a float's four bytes are those of an
            RGBA pixel. Saves 4 bytes per pixel.

    Returns:
        Transparent: colors without the old background's in the edge, and 0 where alpha is 0, so that nothing of what
        was removed stays in the file.

    Raises:
        InputError: The arrays don't fit together, the person asked for isn't there, or the background can't be read.
        MissingExtra: `matting` without pymatting.

    Example:
        >>> from standout.imaging.decode import from_array
        >>> photo = from_array(np.full((4, 4, 3), 50, np.uint8))
        >>> alpha = np.tile(np.array([0, 0, 1, 1], np.float32), (4, 1))
        >>> composite(photo, alpha).pixels[0].tolist()
        [[0, 0, 0, 0], [0, 0, 0, 0], [50, 50, 50, 255], [50, 50, 50, 255]]
        >>> composite(photo, alpha, CompositeOptions(background="white")).pixels[0, :, 0].tolist()
        [255, 255, 50, 50]
    """
    options = CompositeOptions() if options is None else options
    outline = _outline(picture, person, options, threshold)
    # The blur looks at the whole photo: light from beside the crop counts.
    behind = _behind(picture, outline, options)
    pixels, shown = picture.color[outline.part], outline.shown[outline.part]
    shadow = None if outline.shadow is None else outline.shadow[outline.part]
    edge = edge_colors(pixels, shown) if options.decontaminate else None
    if behind is not None and behind.shape[2] == 3:
        result = _opaque(pixels, shown, edge, shadow, behind)
        return Composite(result, quantize(shown, pixels.dtype), outline.box, outline.notes)
    matte_of_shadow = None if shadow is None and behind is None else quantize(shown, pixels.dtype)
    result = _transparent(pixels, shown, edge, shadow, overwrite=overwrite)
    if behind is not None:
        _lay_under(result, behind)
    alone = result[..., 3] if matte_of_shadow is None else matte_of_shadow
    return Composite(result, alone, outline.box, outline.notes)


def composite_matte(
    picture: Picture, person: Alpha, options: CompositeOptions | None = None, *, threshold: float = 0.5
) -> Composite:
    """As `composite`, but what would be shown of the photo, alone: uint8 (H, W), 255 is person.

    Example:
        >>> from standout.imaging.decode import from_array
        >>> photo = from_array(np.full((4, 4, 3), 50, np.uint8))
        >>> alpha = np.tile(np.array([0, 0, 1, 1], np.float32), (4, 1))
        >>> composite_matte(photo, alpha).pixels[0].tolist()
        [0, 0, 255, 255]
    """
    outline = _outline(picture, person, CompositeOptions() if options is None else options, threshold)
    shown = quantize(np.ascontiguousarray(outline.shown[outline.part]), np.dtype(np.uint8))
    return Composite(shown, shown, outline.box, outline.notes)


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


def _outline(picture: Picture, person: Alpha, options: CompositeOptions, threshold: float) -> _Outline:
    person = check_alpha(person, like=picture.color)
    person = keep_people(person, keep=options.keep, at=options.at, threshold=threshold)
    notes: tuple[str, ...] = ()
    if options.matting != "none":
        matted = matte(picture.frame, person, method=options.matting)
        person, notes = matted.alpha, (matted.note,) if matted.note else ()
    person = feather_edge(shift_edge(person, options.edge), options.feather)
    own = picture.alpha
    standing = person if own is None else person * own
    shown = standing
    if options.invert:
        shown = 1 - person if own is None else (1 - person) * own
    shadow = drop_shadow(standing) if options.shadow and not options.invert else None
    return _Outline(person, shown, shadow, _box(standing, shadow, options), notes)


def _box(person: Alpha, shadow: Alpha | None, options: CompositeOptions) -> tuple[int, int, int, int]:
    whole = (0, 0, person.shape[1], person.shape[0])
    if not options.crop:
        return whole
    box = person_box(person, margin=options.margin)
    dark = None if shadow is None else person_box(shadow)
    if box is None:
        return whole
    if dark is None:
        return box
    return min(box[0], dark[0]), min(box[1], dark[1]), max(box[2], dark[2]), max(box[3], dark[3])


def _behind(picture: Picture, outline: _Outline, options: CompositeOptions) -> NDArray[Any] | None:
    """The background in the photo's own colors and depth: RGB, or RGBA where it lets something through; or None.

    A new array, free to be written on.
    """
    left, top, right, bottom = outline.box
    size = (bottom - top, right - left)
    background = options.background.decoded()
    if background.kind == "transparent":
        return None
    if background.kind == "color":
        return _in_colors_of(picture, np.broadcast_to(np.array(background.color, np.uint8), (*size, 4)))
    if background.kind == "blur":
        # What was transparent already has no color to lend.
        hidden = outline.person if picture.alpha is None else np.maximum(outline.person, 1 - picture.alpha)
        whole = blur_background(picture.color, hidden, radius=background.radius, bokeh=options.bokeh)
        return whole if whole.shape[:2] == size else whole[outline.part].copy()
    image = cast(Picture, background.image)
    if image.alpha is None:
        fitted = fit_image(image.frame, size, fit=options.fit, position=options.position)
    else:
        # Color that nobody sees must not bleed into what is seen when the image is resized.
        seen = np.dstack([image.frame * image.alpha[..., None], image.alpha * 255]).astype(np.float32)
        seen = fit_image(seen, size, fit=options.fit, position=options.position)
        seen[..., :3] *= 255 / np.maximum(seen[..., 3:], 1)
        fitted = np.clip(seen + 0.5, 0, 255).astype(np.uint8)
    return _in_colors_of(picture, fitted)


def _in_colors_of(picture: Picture, fitted: NDArray[np.uint8]) -> NDArray[Any]:
    """sRGB or sRGBA of 8 bits in the colors and depth of a picture, a new array."""
    has_alpha = fitted.shape[2] == 4 and int(fitted[..., 3].min()) < 255
    result = np.empty((*fitted.shape[:2], 4 if has_alpha else 3), picture.color.dtype)
    flat = bool(fitted.strides[0] == fitted.strides[1] == 0)  # one color
    result[..., :3] = picture.own_color(np.ascontiguousarray(fitted[:1, :1, :3] if flat else fitted[..., :3]))
    if has_alpha:
        result[..., 3] = fitted[..., 3] if result.dtype == np.uint8 else fitted[..., 3].astype(np.uint16) * 257
    return result


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    for top in range(0, shape[0], _TILE):
        for left in range(0, shape[1], _TILE):
            yield slice(top, min(top + _TILE, shape[0])), slice(left, min(left + _TILE, shape[1]))


def _own_colors(pixels: NDArray[Any], alpha: Alpha, edge: EdgeColors | None, tile: tuple[slice, slice]) -> NDArray[Any]:
    """The person's colors in one tile."""
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


def _lay_under(rgba: NDArray[Any], behind: NDArray[Any]) -> None:
    """Lays a picture that lets something through under a transparent one, in place, both straight RGBA (Porter and
    Duff 1984, "over"): A = α + β (1 − α), color = (α F + β (1 − α) B) / A.
    """
    most = np.float32(np.iinfo(rgba.dtype).max)
    for tile in _tiles(rgba.shape):
        over, under = rgba[tile].astype(np.float32), behind[tile].astype(np.float32)
        a = over[..., 3:] / most
        b = under[..., 3:] / most * (1 - a)
        total = a + b
        color = (a * over[..., :3] + b * under[..., :3]) / np.maximum(total, 1e-6)
        rgba[tile] = np.clip(np.concatenate([color, total * most], axis=2) + 0.5, 0, most).astype(rgba.dtype)


def _shade(rgba: NDArray[Any], over: Alpha, shadow: Alpha) -> None:
    """Lays a black shadow under a transparent picture, in place: A = α + s (1 − α), color = α F / A."""
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
