"""One compositor for moving pictures: the person of each frame over a background, in the frame's own layers.

A *layer* is one array of a picture: RGB is one layer (H, W, 3); luma and chroma are three, (H, W) and twice (h, w) of
the chroma's own size. Everything here is linear in the colors, so that it says the same in RGB and in luma and chroma,
and a film needs no round trip through RGB: alpha is brought to each layer's size instead. 8-bit layers are uint8,
deeper ones uint16 with their own peak.

The person's own colors in the soft edge are those of blur fusion (Forte: "Approximate Fast Foreground Color
Estimation", ICIP 2021): F = F̂ + α (I − α F̂ − (1 − α) B̂), where F̂ and B̂ are the person's and the background's
weighted means around the pixel. The means are taken at low resolution; only soft pixels are worked on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compositing.background import blur_background, default_blur
from standout.compositing.edge import person_box
from standout.imaging.arrays import resize, shrink
from standout.imaging.parse import Length

#: uint8 or uint16: (H, W) or (H, W, C).
Layer = NDArray[Any]
Layers = Sequence[Layer]
#: Alpha as bytes, 255 is person.
Levels = NDArray[np.uint8]

#: The blur is computed on a picture so small that its radius is this many pixels there: enough for a smooth veil.
BLUR_RADIUS = 4.0
#: Longer side at which the edge's means are taken, pixels; more gains nothing.
_LOW = 192
#: The windows' sides as shares of it, the best of those tried on a cut-out over known backgrounds.
_WINDOWS = (1 / 4, 1 / 48)
#: How far the person's colors go on outside the edge of a transparent picture, pixels: encoders mix neighbors.
_RING = 9
#: Columns of the sparse pictures in which soft pixels are looked up; OpenCV's limit is 32767 rows.
_COLUMNS = 256

_Floats = NDArray[np.float32]


class Compositor:
    """Lays the person of each frame over a background; keeps its buffers, so one serves one thread.

    Args:
        peak: The largest code value of the layers: 255, or that of a deeper film (1023, 4095).

    Example:
        >>> frame = np.full((4, 4, 3), 200, np.uint8)
        >>> alpha = np.full((4, 4), 255, np.uint8)
        >>> alpha[0] = 0
        >>> Compositor().over([frame], alpha, [np.zeros((4, 4, 3), np.uint8)])[0][:2, 0].tolist()
        [[0, 0, 0], [200, 200, 200]]
    """

    def __init__(self, peak: int = 255) -> None:
        self._peak = np.float32(peak)
        self._buffers: dict[tuple[Any, ...], Layer] = {}

    # ------------------------------------------------------------ what it makes

    def over(self, layers: Layers, alpha: Levels, background: Layers, out: Layers | None = None) -> list[Layer]:
        """The person with their own edge colors over another picture.

        Args:
            layers: The layers of the frame.
            alpha: uint8, of the layers' proportions, any size; 255 is person.
            background: Layers like the frame's; not written to.
            out: Where the result goes; new arrays if absent.

        Returns:
            The result's layers.
        """
        out = self._out(layers, out)
        for target, behind in zip(out, background, strict=True):
            np.copyto(target, behind)
        if alpha.any():
            self._put_person(layers, alpha, background, out)
        return list(out)

    def blur(
        self, layers: Layers, alpha: Levels, radius: float | None = None, out: Layers | None = None
    ) -> list[Layer]:
        """The person before the frame's own background, out of focus by the background's own light alone.

        Args:
            layers: The layers of the frame.
            alpha: uint8, of the layers' proportions, any size; 255 is person.
            radius: Pixels of the first layer; None takes `default_blur`.
            out: Where the result goes; new arrays if absent.

        Returns:
            The result's layers.
        """
        out = self._out(layers, out)
        height, width = layers[0].shape[:2]
        radius = default_blur((height, width)) if radius is None else radius
        scale = min(1.0, BLUR_RADIUS / radius)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        share = shrink(alpha, size).astype(np.float32) / np.float32(255)
        veil = blur_background(_small(layers, size), share, radius=radius * scale)
        anybody = bool(alpha.any())
        for layer, target, soft in zip(layers, out, _parts(layers, veil), strict=True):
            cv2.resize(np.ascontiguousarray(soft), layer.shape[1::-1], dst=target, interpolation=cv2.INTER_LINEAR)
            if anybody:  # the edge's colors are those of what comes behind it anyway
                self._mix(layer, self._alpha(alpha, layer), target)
        return list(out)

    def cut_out(self, layers: Layers, alpha: Levels, empty: Layers, out: Layers | None = None) -> list[Layer]:
        """The person with their own edge colors, these carried on a little way outside, and `empty` elsewhere.

        Args:
            layers: The layers of the frame.
            alpha: uint8, of the layers' proportions, any size; 255 is person.
            empty: Layers like the frame's: what lies where nobody is.
            out: Where the result goes; new arrays if absent.

        Returns:
            The result's layers, to be seen through straight (not premultiplied) alpha.
        """
        out = self._out(layers, out)
        for target, nothing in zip(out, empty, strict=True):
            np.copyto(target, nothing)
        if alpha.any():
            self._put_person(layers, alpha, None, out)
        return list(out)

    def alpha_at(self, alpha: Levels, shape: tuple[int, ...]) -> Levels:
        """Alpha brought to a layer's (H, W)."""
        return np.asarray(resize(alpha, (shape[0], shape[1])), np.uint8)

    # ------------------------------------------------------------ how

    def _put_person(self, layers: Layers, alpha: Levels, background: Layers | None, out: Layers) -> None:
        """The person into `out`: over `background`, or for a transparent picture if there is none."""
        means = _means(layers, alpha, self._peak)
        person, ground = (_parts(layers, mean) for mean in means)
        ring = np.ones((_RING, _RING), np.uint8)
        for index, (layer, target) in enumerate(zip(layers, out, strict=True)):
            levels = self._alpha(alpha, layer)
            window, (top, left) = _window(levels, _RING if background is None else 0)
            part, seen, onto = np.ascontiguousarray(levels[window]), layer[window], target[window]
            place = _Place((top, left), layer.shape[:2], person[index].shape[:2])
            if background is None:
                around = np.flatnonzero((cv2.dilate(part, ring) > 0) & (part == 0))
                _scatter(onto, around, place.sample(person[index], around, part.shape[1]), self._peak)
            cv2.copyTo(seen, cv2.inRange(part, np.array(255), np.array(255)), onto)
            soft = np.flatnonzero((part - np.uint8(1)) < 254)
            if not soft.size:
                continue
            a = part.ravel()[soft].astype(np.float32)[:, None] / np.float32(255)
            f = place.sample(person[index], soft, part.shape[1])
            b = place.sample(ground[index], soft, part.shape[1])
            own = f + a * (_gather(seen, soft) - a * f - (1 - a) * b)
            np.clip(own, 0, self._peak, out=own)
            if background is not None:
                behind = _gather(background[index][window], soft)
                own = behind + a * (own - behind)
            _scatter(onto, soft, own, self._peak)

    def _mix(self, layer: Layer, levels: Levels, target: Layer) -> None:
        """`target` becomes α · layer + (1 − α) · target; products and a sum, within one code value."""
        window, _ = _window(levels, 0)
        seen, onto = layer[window], target[window]
        share: NDArray[Any] = np.ascontiguousarray(levels[window])
        rest: NDArray[Any] = cv2.bitwise_not(share)
        if layer.ndim == 3:
            share, rest = cv2.merge([share] * layer.shape[2]), cv2.merge([rest] * layer.shape[2])
        if layer.dtype != np.uint8:
            share, rest = share.astype(layer.dtype), rest.astype(layer.dtype)
        near = cv2.multiply(seen, share, scale=1 / 255)
        far = cv2.multiply(onto, rest, scale=1 / 255)
        cv2.add(near, far, dst=onto)

    def _alpha(self, alpha: Levels, layer: Layer) -> Levels:
        """Alpha at a layer's size; the last one of each size is kept, since chroma comes in pairs."""
        shape = layer.shape[:2]
        if alpha.shape == shape:
            return alpha
        key = ("alpha", *shape)
        kept = self._buffers.get(key)
        if kept is None or self._buffers.get(("source", *shape)) is not alpha:
            kept = self.alpha_at(alpha, shape)
            self._buffers[key], self._buffers[("source", *shape)] = kept, alpha
        return np.asarray(kept, np.uint8)

    def _out(self, layers: Layers, out: Layers | None) -> Layers:
        return [np.empty_like(layer) for layer in layers] if out is None else out


class _Place:
    """Where a window of a layer lies in the means of low resolution."""

    def __init__(self, corner: tuple[int, int], full: tuple[int, ...], low: tuple[int, ...]) -> None:
        self._corner = corner
        self._scale = low[0] / full[0], low[1] / full[1]

    def sample(self, mean: _Floats, pixels: NDArray[np.intp], width: int) -> _Floats:
        """The means, float32 (n, C), at these pixels (flat numbers in the window), bilinear."""
        rows = -(-pixels.size // _COLUMNS)
        x, y = np.zeros((2, rows * _COLUMNS), np.float32)
        down, across = np.divmod(pixels, width)
        y[: pixels.size] = (down + (self._corner[0] + 0.5)) * self._scale[0] - 0.5
        x[: pixels.size] = (across + (self._corner[1] + 0.5)) * self._scale[1] - 0.5
        shape = rows, _COLUMNS
        found = cv2.remap(mean, x.reshape(shape), y.reshape(shape), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float32).reshape(rows * _COLUMNS, -1)[: pixels.size]


def _gather(layer: Layer, pixels: NDArray[np.intp]) -> _Floats:
    height, width = layer.shape[:2]
    down, across = np.divmod(pixels, width)
    return layer[down, across].reshape(pixels.size, -1).astype(np.float32)


def _scatter(layer: Layer, pixels: NDArray[np.intp], values: _Floats, peak: np.float32) -> None:
    down, across = np.divmod(pixels, layer.shape[1])
    codes = np.clip(values + np.float32(0.5), 0, peak).astype(layer.dtype)
    layer[down, across] = codes if layer.ndim == 3 else codes[:, 0]


def _window(levels: Levels, margin: int) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """Everything above 0 with a margin, and where it begins, (down, across); the whole where that is nothing."""
    box = person_box(levels, margin=Length(margin), least=0)
    left, top, right, bottom = box or (0, 0, levels.shape[1], levels.shape[0])
    return (slice(top, bottom), slice(left, right)), (top, left)


def _small(layers: Layers, size_hw: tuple[int, int]) -> Layer:
    """The layers as one array (h, w, C) of `size_hw`."""
    parts = [shrink(layer, size_hw) for layer in layers]
    return parts[0] if len(parts) == 1 else np.asarray(cv2.merge(parts))


def _parts(layers: Layers, small: NDArray[Any]) -> list[NDArray[Any]]:
    """`small` taken apart as the layers are."""
    return [small] if len(layers) == 1 else [np.ascontiguousarray(small[..., index]) for index in range(len(layers))]


def _means(layers: Layers, alpha: Levels, peak: np.float32) -> tuple[_Floats, _Floats]:
    """The people's and the background's colors around each pixel, float32 (h, w, C) at low resolution."""
    height, width = layers[0].shape[:2]
    scale = min(1.0, _LOW / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    seen = _small(layers, size).astype(np.float32)
    a = shrink(alpha, size).astype(np.float32)[..., None] / np.float32(255)
    person, ground = seen, seen
    for window in _WINDOWS:
        side = max(3, round(window * max(size)) | 1)
        mean_person, mean_ground = _mean(person, a, side), _mean(ground, 1 - a, side)
        rest = seen - a * mean_person - (1 - a) * mean_ground
        person = np.clip(mean_person + a * rest, 0, peak)
        ground = np.clip(mean_ground + (1 - a) * rest, 0, peak)
    return mean_person, mean_ground


def _mean(picture: _Floats, share: _Floats, side: int) -> _Floats:
    """Means in a window; the surer a pixel, the more it says."""
    square = share * share
    weight = square * square + np.float32(1e-4)
    window, border = (side, side), cv2.BORDER_REFLECT_101
    total = cv2.boxFilter(weight, -1, window, borderType=border)
    mean = cv2.boxFilter(picture * weight, -1, window, borderType=border)
    return np.asarray(mean / total[..., None], np.float32)
