"""The person's own colors along the edge, without the old background's: no green or white fringe.

Multi-level foreground estimation (Germer, Uelwer, Conrad, Harmeling: "Fast Multi-Level Foreground Estimation",
2020, arXiv 2006.14970): foreground F and background B minimize

    (α F + (1 − α) B − I)² + Σ_neighbors (ε + |Δα|) ((F − F_n)² + (B − B_n)²)

from the coarsest picture to the finest. Only the soft pixels are unknowns here; beside them the picture is known
to be all person (α = 1) or all background (α = 0), so time and memory follow the edge's length, not the megapixels.

The finest picture that is solved has at most `WORK_SIDE` pixels along its longer side. A larger one gets its F and B
from there, and the last step of blur fusion (Forte: "Approximate Fast Foreground Color Estimation", ICIP 2021)
brings back its own detail: F + α (I − α F − (1 − α) B).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compositing.edge import TINY
from standout.imaging.arrays import Alpha, resize

#: ε of the equation: how much neighbors agree where alpha is flat.
FLAT = 1e-4
#: Sweeps per level: many where a level is small, few where it is large (the coarser level has done the work).
SWEEPS_SMALL, SWEEPS_LARGE, SMALL = 10, 3, 20_000
#: Longer side of the largest picture that is solved, pixels; and what is known around its soft pixels.
WORK_SIDE, MARGIN = 1000, 8

#: The alphas that are neither background nor person, both ends included.
_SOFT = float(np.nextafter(np.float32(TINY), np.float32(1))), float(np.nextafter(np.float32(1 - TINY), np.float32(0)))

_Floats = NDArray[np.float32]
_Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Level:
    """One size of the picture: float32 RGB (h, w, 3) in 0 … 1, alpha (h, w), flat indices of its unknowns."""

    pixels: _Floats
    alpha: Alpha
    index: _Index


@dataclass(frozen=True, eq=False)
class EdgeColors:
    """The colors of person and background around the soft pixels, at reduced size.

    Attributes:
        fore: F, RGB (h, w, 3) of the photo's dtype and scale.
        back: B, likewise.
        box: (left, top, right, bottom) of the part of the photo that they belong to.
    """

    fore: NDArray[Any]
    back: NDArray[Any]
    box: tuple[int, int, int, int]

    def tile(self, pixels: NDArray[Any], alpha: Alpha, rows: slice, columns: slice) -> NDArray[Any]:
        """The person's own colors in one part of the photo; where alpha is 1, the photo's.

        Args:
            pixels: The part, uint8 or uint16 RGB (h, w, 3).
            alpha: The part's alpha, float32 (h, w).
            rows: The photo's rows that the part covers.
            columns: The photo's columns that it covers.
        """
        fore, back = self._enlarge(self.fore, rows, columns), self._enlarge(self.back, rows, columns)
        a = cv2.merge([alpha] * 3)
        # F + α (I − B − α (F − B)), on the scale of the pixels.
        rest = cv2.multiply(a, cv2.subtract(fore, back))
        rest = cv2.subtract(cv2.subtract(pixels, back, dtype=cv2.CV_32F), rest)
        own = np.asarray(cv2.add(fore, cv2.multiply(a, rest)), np.float32)
        own = np.clip(own + np.float32(0.5), 0, np.float32(np.iinfo(pixels.dtype).max))
        return np.asarray(own, pixels.dtype)

    def _enlarge(self, values: NDArray[Any], rows: slice, columns: slice) -> _Floats:
        left, top, right, bottom = self.box
        scale_x, scale_y = values.shape[1] / (right - left), values.shape[0] / (bottom - top)
        matrix = np.array(
            [
                [scale_x, 0, (columns.start - left + 0.5) * scale_x - 0.5],
                [0, scale_y, (rows.start - top + 0.5) * scale_y - 0.5],
            ]
        )
        size = (columns.stop - columns.start, rows.stop - rows.start)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        # Only what is near is asked for, in floats, so that nothing is rounded on the way.
        top, bottom = _near(rows, scale_y, top, values.shape[0])
        left, right = _near(columns, scale_x, left, values.shape[1])
        matrix[:, 2] -= left, top
        part = values[top:bottom, left:right].astype(np.float32)
        return np.asarray(cv2.warpAffine(part, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE), np.float32)


def edge_colors(pixels: NDArray[Any], alpha: Alpha) -> EdgeColors | None:
    """Estimates the person's colors along the edge; None where nothing is soft.

    Args:
        pixels: uint8 or uint16 RGB (H, W, 3).
        alpha: float32 (H, W) in [0, 1].
    """
    soft = _soft(alpha)
    x, y, width, height = cv2.boundingRect(soft)
    if not width:
        return None
    # A frame of a few pixels, so that the solid neighbors on both sides are in the picture.
    left, top, right, bottom = (
        max(0, x - MARGIN),
        max(0, y - MARGIN),
        min(alpha.shape[1], x + width + MARGIN),
        y + height + MARGIN,
    )
    step = -(-max(right - left, bottom - top) // WORK_SIDE)
    # Of whole steps where there is room, for OpenCV is many times faster at whole ratios.
    size = max(1, (min(alpha.shape[0], bottom) - top) // step), max(1, (right - left) // step)
    right, bottom = min(right, left + size[1] * step), min(alpha.shape[0], top + size[0] * step)
    part = slice(top, bottom), slice(left, right)
    pixels, alpha, soft = pixels[part], alpha[part], soft[part]
    near = resize(soft, size) > 0
    if step > 1:
        # Enlarging asks the neighbors of the soft pixels too, so these are solved as well.
        near = cv2.dilate(near.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    picture = np.asarray(resize(pixels, size), np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    level = _Level(picture, np.ascontiguousarray(resize(alpha, size), np.float32), np.flatnonzero(near))
    fore, back = picture, picture.copy()
    solved = _solve(_pyramid(level, near))
    for values, full in zip(solved, (fore, back), strict=True):
        full.reshape(-1, 3)[level.index] = values
    # Rounded as the photo's own colors are, in a quarter of the memory.
    most = np.iinfo(pixels.dtype).max
    fore, back = (np.asarray(full * np.float32(most) + np.float32(0.5), pixels.dtype) for full in (fore, back))
    return EdgeColors(fore, back, (left, top, right, bottom))


def clean_foreground(pixels: NDArray[Any], alpha: Alpha) -> NDArray[Any]:
    """The person's own colors for a whole photo: `pixels` (H, W, 3) where alpha is 1, and without the background's
    share where it is soft.

    Example:
        >>> red, green = np.array([200, 30, 30]), np.array([0, 255, 0])
        >>> alpha = np.tile(np.clip(np.linspace(-1, 2, 24), 0, 1), (8, 1)).astype(np.float32)
        >>> seen = (alpha[..., None] * red + (1 - alpha[..., None]) * green).round().astype(np.uint8)
        >>> colors = clean_foreground(seen, alpha)[alpha > 0.02]
        >>> bool(np.abs(colors.astype(int) - red).max() <= 6)
        True
    """
    edge = edge_colors(pixels, alpha)
    if edge is None:
        return pixels
    return edge.tile(np.ascontiguousarray(pixels), alpha, slice(0, alpha.shape[0]), slice(0, alpha.shape[1]))


def _near(part: slice, scale: float, start: int, count: int) -> tuple[int, int]:
    """The rows (or columns) of the solved picture that have a say in a part of the photo."""
    first = min(max(int((part.start - start) * scale) - 2, 0), count - 1)
    return first, min(max(int((part.stop - start) * scale) + 3, first + 1), count)


def _soft(alpha: Alpha) -> NDArray[np.uint8]:
    """A mask, 0 or 255; by OpenCV, which needs no masks in between."""
    return np.asarray(cv2.inRange(alpha, *_SOFT), np.uint8)


def _pyramid(level: _Level, soft: NDArray[np.bool_]) -> list[_Level]:
    levels, pixels, alpha = [level], level.pixels, level.alpha
    while max(alpha.shape) > 2:
        size = ((alpha.shape[1] + 1) // 2, (alpha.shape[0] + 1) // 2)
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
        # Every unknown has its parent among the unknowns of the coarser level.
        pad = ((0, soft.shape[0] % 2), (0, soft.shape[1] % 2))
        even = np.pad(soft, pad) if pad != ((0, 0), (0, 0)) else soft
        soft = even[::2, ::2] | even[1::2, ::2] | even[::2, 1::2] | even[1::2, 1::2] | (_soft(alpha) > 0)
        levels.append(_Level(pixels, alpha, np.flatnonzero(soft)))
    return levels


def _solve(levels: list[_Level]) -> tuple[_Floats, _Floats]:
    """From the coarsest level to the finest: F and B of its unknowns, (n, 3), 0 … 1."""
    last = levels[-1]
    weight = last.alpha[..., None] + np.float32(1e-6)
    f = np.repeat((last.pixels * weight).sum((0, 1))[:, None] / weight.sum(), last.index.size, 1)
    weight = 1 + np.float32(2e-6) - weight
    b = np.repeat((last.pixels * weight).sum((0, 1))[:, None] / weight.sum(), last.index.size, 1)
    parents, parent_width = last.index, last.alpha.shape[1]
    for level in reversed(levels):
        place = _parent(level, parents, parent_width, same=level is last)
        f, b = _sweep(level, f[:, place], b[:, place])
        parents, parent_width = level.index, level.alpha.shape[1]
    return f.T, b.T


def _parent(level: _Level, parents: _Index, parent_width: int, *, same: bool) -> _Index:
    """Where in the coarser level's list the parent of each unknown is."""
    index = level.index
    if not same:
        y, x = np.divmod(index, level.alpha.shape[1])
        index = (y // 2) * parent_width + x // 2
    return np.asarray(np.searchsorted(parents, index), np.int64)


def _sweep(level: _Level, f: _Floats, b: _Floats) -> tuple[_Floats, _Floats]:
    """Jacobi sweeps over one level; `f` and `b` come in as the coarser level's answer. All colors 0 … 1.

    The colors are planes, (3, n): NumPy works on long rows several times as fast as on rows of three.
    """
    index, alpha, pixels = level.index, level.alpha.reshape(-1), level.pixels.reshape(-1, 3)
    height, width = level.alpha.shape
    y, x = np.divmod(index, width)
    a, seen = alpha[index], np.ascontiguousarray(pixels[index].T)
    # Unknown number at every pixel: a table is faster than a search.
    number = np.full(alpha.size, -1, np.int32)
    number[index] = np.arange(index.size, dtype=np.int32)
    near, fixed_f, fixed_b = [], np.zeros_like(seen), np.zeros_like(seen)
    total_f, total_b = np.full(a.size, 1e-8, np.float32), np.full(a.size, 1e-8, np.float32)
    for step, inside in ((-1, x > 0), (1, x < width - 1), (-width, y > 0), (width, y < height - 1)):
        flat = np.where(inside, index + step, index)
        na, place = alpha[flat], number[flat]
        w = np.where(inside, np.float32(FLAT) + np.abs(a - na), np.float32(0))
        unknown = place >= 0
        near.append((np.maximum(place, 0).astype(np.intp), np.where(unknown, w, np.float32(0))))
        known_f = np.where(~unknown & (na >= 1 - TINY), w, np.float32(0))
        known_b = np.where(~unknown & (na <= TINY), w, np.float32(0))
        ring = np.flatnonzero(known_f + known_b)
        color = pixels[flat[ring]].T
        fixed_f[:, ring] += known_f[ring] * color
        fixed_b[:, ring] += known_b[ring] * color
        total_f += near[-1][1] + known_f
        total_b += near[-1][1] + known_b
    # The 2 × 2 system of one pixel in closed form: the neighbors' mean plus its share of what is left unexplained.
    determinant = total_f * total_b + a * a * total_b + (1 - a) ** 2 * total_f
    gain_f, gain_b = a * total_b / determinant, (1 - a) * total_f / determinant
    for _ in range(SWEEPS_SMALL if index.size <= SMALL else SWEEPS_LARGE):
        # Where no neighbor speaks, the coarser level does (with the 1e-8 that the totals start from).
        mean_f, mean_b = _neighbors(near, f, fixed_f) / total_f, _neighbors(near, b, fixed_b) / total_b
        rest = seen - a * mean_f - (1 - a) * mean_b
        f = np.clip(mean_f + gain_f * rest, 0, 1)
        b = np.clip(mean_b + gain_b * rest, 0, 1)
    return f, b


def _neighbors(near: list[tuple[_Index, _Floats]], values: _Floats, fixed: _Floats) -> _Floats:
    """The weighted sum of each unknown's neighbors, plane by plane: `fixed` are those that are known."""
    total = fixed + np.float32(1e-8) * values
    for place, w in near:
        for plane, out in zip(values, total, strict=True):
            out += w * plane.take(place)
    return total
