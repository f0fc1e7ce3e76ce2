"""The person's own colours along the edge, without the old background's: no green or white fringe.

Multi-level foreground estimation (Germer, Uelwer, Conrad, Harmeling: "Fast Multi-Level Foreground Estimation",
2020, arXiv 2006.14970): foreground F and background B minimise

    (α F + (1 − α) B − I)² + Σ_neighbours (ε + |Δα|) ((F − F_n)² + (B − B_n)²)

from the coarsest picture to the finest. Only the soft pixels are unknowns here; beside them the picture is known
to be all person (α = 1) or all background (α = 0), so time and memory follow the edge's length, not the megapixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compose.edge import TINY
from standout.pixels import Alpha

#: ε of the equation: how much neighbours agree where alpha is flat.
_FLAT = 1e-4
#: Sweeps per level: many where a level is small, few where it is large (the coarser level has done the work).
_SWEEPS_SMALL, _SWEEPS_LARGE, _SMALL = 10, 3, 20_000
#: Unknown pixels worked on at once; a larger band goes in pieces of whole rows.
_PIECE = 1_000_000

_Floats = NDArray[np.float32]
_Index = NDArray[np.int64]


@dataclass(frozen=True)
class EdgeColors:
    """The person's colours in the soft pixels.

    Attributes:
        index: Flat indices into the picture (row · width + column), ascending.
        colors: (N, 3), of the picture's dtype.
    """

    index: _Index
    colors: NDArray[Any]


@dataclass(frozen=True)
class _Level:
    pixels: NDArray[Any]
    alpha: Alpha
    index: _Index


def edge_colors(pixels: NDArray[Any], alpha: Alpha) -> EdgeColors:
    """Estimates the person's colour in every soft pixel.

    Args:
        pixels: uint8 or uint16 RGB (H, W, 3).
        alpha: float32 (H, W) in [0, 1].

    Example:
        >>> red, green = np.array([200, 30, 30]), np.array([0, 255, 0])
        >>> alpha = np.tile(np.clip(np.linspace(-1, 2, 24), 0, 1), (8, 1)).astype(np.float32)
        >>> seen = (alpha[..., None] * red + (1 - alpha[..., None]) * green).round().astype(np.uint8)
        >>> colors = edge_colors(seen, alpha).colors
        >>> bool(np.abs(colors.astype(int) - red).max() <= 4)
        True
    """
    soft = _soft(alpha)
    rows, columns = np.flatnonzero(soft.any(axis=1)), np.flatnonzero(soft.any(axis=0))
    if not rows.size:
        return EdgeColors(np.zeros(0, np.int64), np.zeros((0, 3), pixels.dtype))
    # A frame of a few pixels, so that the solid neighbours on both sides are in the picture.
    top, bottom = max(0, rows[0] - 8), min(alpha.shape[0], rows[-1] + 9)
    left, right = max(0, columns[0] - 8), min(alpha.shape[1], columns[-1] + 9)
    levels = _pyramid(pixels[top:bottom, left:right], alpha[top:bottom, left:right], soft[top:bottom, left:right])
    del soft
    colors = _solve(levels)
    y, x = np.divmod(levels[0].index, right - left)
    return EdgeColors((y + top) * alpha.shape[1] + (x + left), colors)


def clean_foreground(pixels: NDArray[Any], alpha: Alpha) -> NDArray[Any]:
    """A copy of `pixels` (H, W, 3) with the person's own colours in its soft pixels.

    Example:
        >>> picture = np.full((8, 8, 3), 90, np.uint8)
        >>> bool((clean_foreground(picture, np.ones((8, 8), np.float32)) == picture).all())
        True
    """
    edge = edge_colors(pixels, alpha)
    result = np.ascontiguousarray(pixels).copy()
    result.reshape(-1, 3)[edge.index] = edge.colors
    return result


def _soft(alpha: Alpha) -> NDArray[np.bool_]:
    return np.asarray((alpha > TINY) & (alpha < 1 - TINY))


def _pyramid(pixels: NDArray[Any], alpha: Alpha, soft: NDArray[np.bool_]) -> list[_Level]:
    levels = [_Level(pixels, alpha, np.flatnonzero(soft))]
    while max(alpha.shape) > 2:
        size = ((alpha.shape[1] + 1) // 2, (alpha.shape[0] + 1) // 2)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
        # Every unknown has its parent among the unknowns of the coarser level.
        pad = ((0, soft.shape[0] % 2), (0, soft.shape[1] % 2))
        even = np.pad(soft, pad) if pad != ((0, 0), (0, 0)) else soft
        soft = even[::2, ::2] | even[1::2, ::2] | even[::2, 1::2] | even[1::2, 1::2] | _soft(alpha)
        levels.append(_Level(pixels, alpha, np.flatnonzero(soft)))
    return levels


def _solve(levels: list[_Level]) -> NDArray[Any]:
    """From the coarsest level to the finest; returns the finest foreground in the picture's dtype."""
    top = float(np.iinfo(levels[0].pixels.dtype).max)
    last = levels[-1]
    weight = last.alpha[..., None] + 1e-6
    picture = last.pixels.astype(np.float32) / top
    fore = (picture * weight).sum((0, 1)) / weight.sum()
    back = (picture * (1 + 2e-6 - weight)).sum((0, 1)) / (1 + 2e-6 - weight).sum()
    # Half precision is finer than half a step of 8 bits, and halves what the largest levels need.
    f = np.tile(fore, (last.index.size, 1)).astype(np.float16)
    b = np.tile(back, (last.index.size, 1)).astype(np.float16)
    parents, parent_width = last.index, last.alpha.shape[1]
    for level in reversed(levels):
        finest = level is levels[0]
        new_f = np.empty((level.index.size, 3), level.pixels.dtype if finest else np.float16)
        new_b = np.empty((0 if finest else level.index.size, 3), np.float16)
        for piece in _pieces(level):
            place = _parent(level, piece, parents, parent_width, same=level is last)
            pf, pb = _sweep(level, piece, f[place].astype(np.float32), b[place].astype(np.float32), top)
            new_f[piece] = (pf * top + 0.5).astype(new_f.dtype) if finest else pf
            if not finest:
                new_b[piece] = pb
        f, b, parents, parent_width = new_f, new_b, level.index, level.alpha.shape[1]
    return f


def _pieces(level: _Level) -> list[slice]:
    """The unknowns in pieces of at most `_PIECE` (or one row, if that is more), each of whole rows."""
    cuts, index = [0], level.index
    while cuts[-1] < index.size:
        end = cuts[-1] + _PIECE
        if end < index.size:
            row_start = index[end] // level.alpha.shape[1] * level.alpha.shape[1]
            row_cut = int(np.searchsorted(index, row_start))
            end = row_cut if row_cut > cuts[-1] else end
        cuts.append(min(end, index.size))
    return [slice(start, end) for start, end in zip(cuts, cuts[1:], strict=False)]


def _parent(level: _Level, piece: slice, parents: _Index, parent_width: int, *, same: bool) -> _Index:
    """Where in the coarser level's list the parent of each unknown is."""
    index = level.index[piece]
    if not same:
        y, x = np.divmod(index, level.alpha.shape[1])
        index = (y // 2) * parent_width + x // 2
    return np.asarray(np.searchsorted(parents, index), np.int64)


def _sweep(level: _Level, piece: slice, f: _Floats, b: _Floats, top: float) -> tuple[_Floats, _Floats]:
    """Jacobi sweeps over one piece; `f` and `b` come in as the coarser level's answer. All colours 0 … 1."""
    index = level.index[piece]
    alpha = level.alpha.reshape(-1) if level.alpha.flags.c_contiguous else np.ascontiguousarray(level.alpha).reshape(-1)
    pixels = level.pixels
    width = level.alpha.shape[1]
    y, x = np.divmod(index, width)
    a = alpha[index]
    seen = pixels[y, x].astype(np.float32) / top
    near, fixed_f, fixed_b = [], np.zeros_like(seen), np.zeros_like(seen)
    total_f, total_b = np.full(a.size, 1e-8, np.float32), np.full(a.size, 1e-8, np.float32)
    for dy, dx in ((0, -1), (0, 1), (-1, 0), (1, 0)):
        ny, nx = y + dy, x + dx
        inside = (ny >= 0) & (ny < level.alpha.shape[0]) & (nx >= 0) & (nx < width)
        flat = np.where(inside, ny * width + nx, index)
        na = alpha[flat]
        w = np.where(inside, _FLAT + np.abs(a - na), 0).astype(np.float32)
        place = np.minimum(np.searchsorted(index, flat), index.size - 1)
        unknown = (index[place] == flat) & inside
        near.append((place, np.where(unknown, w, 0).astype(np.float32)))
        known_f = np.where(~unknown & (na >= 1 - TINY), w, 0).astype(np.float32)
        known_b = np.where(~unknown & (na <= TINY), w, 0).astype(np.float32)
        ring = np.flatnonzero(known_f + known_b)
        color = pixels[ny[ring], nx[ring]].astype(np.float32) / top
        fixed_f[ring] += known_f[ring, None] * color
        fixed_b[ring] += known_b[ring, None] * color
        total_f += near[-1][1] + known_f
        total_b += near[-1][1] + known_b
    # The 2 × 2 system of one pixel in closed form: the neighbours' mean plus its share of what is left unexplained.
    determinant = total_f * total_b + a * a * total_b + (1 - a) ** 2 * total_f
    gain_f = (a * total_b / determinant)[:, None]
    gain_b = ((1 - a) * total_f / determinant)[:, None]
    for _ in range(_SWEEPS_SMALL if index.size <= _SMALL else _SWEEPS_LARGE):
        # Where no neighbour speaks, the coarser level does (with the 1e-8 that the totals start from).
        mean_f, mean_b = fixed_f + 1e-8 * f, fixed_b + 1e-8 * b
        for place, w in near:
            mean_f += w[:, None] * f[place]
            mean_b += w[:, None] * b[place]
        mean_f /= total_f[:, None]
        mean_b /= total_b[:, None]
        rest = seen - a[:, None] * mean_f - (1 - a)[:, None] * mean_b
        f = np.clip(mean_f + gain_f * rest, 0, 1)
        b = np.clip(mean_b + gain_b * rest, 0, 1)
    return f, b
