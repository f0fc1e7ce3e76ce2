"""New clothes for the people of a training picture, and things that people hold.

A network that has seen few plain hoodies takes one for a wall. Clothes are recolored and retextured inside the mask
below a wavy line, keeping the folds (luminance); logos, badges and lanyards are drawn on them: all of it stays person.
A thing held across a person's outline does not: it is background.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame

#: Gives a picture of any size, uint8 RGB, to take a texture from.
TextureSource = Callable[[], Frame]
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def dress(image: Frame, person: NDArray[np.uint8], texture: TextureSource, rng: np.random.Generator) -> Frame:
    """Recolors or retextures the clothes of the people in a picture.

    Args:
        image: uint8 RGB (H, W, 3).
        person: uint8 (H, W), 255 person.
        texture: Where patterns come from.
        rng: Decides everything.

    Returns:
        A new picture; `image` itself where nobody is.
    """
    rows = np.flatnonzero((person > 127).any(1))
    if rows.size < 8:
        return image
    height, width = person.shape
    line = rows[0] + (rows[-1] - rows[0]) * rng.uniform(0.12, 0.75)
    wave = cv2.resize(
        rng.normal(0, 0.04 * height, (1, 4)).astype(np.float32), (width, 1), interpolation=cv2.INTER_CUBIC
    )
    below = np.arange(height, dtype=np.float32)[:, None] - line + wave
    region = np.clip(below / 3 + 0.5, 0, 1) * (person.astype(np.float32) / 255) * np.float32(rng.uniform(0.6, 1))
    luminance = image.astype(np.float32) @ _LUMINANCE
    mean = float((luminance * region).sum() / max(float(region.sum()), 1.0))
    folds = np.clip(luminance / max(mean, 12.0), 0.1, 2.5) ** np.float32(rng.uniform(0.3, 1))
    cloth = _cloth(image.shape[:2], texture, rng) * folds[..., None]
    mixed = image + (np.clip(cloth, 0, 255) - image) * region[..., None]
    dressed: Frame = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    return dressed


def _cloth(shape: tuple[int, int], texture: TextureSource, rng: np.random.Generator) -> NDArray[np.float32]:
    """A plain color, a piece of another picture, or stripes; float32 (H, W, 3) or (1, 1, 3), 0 … 255."""
    kind = rng.random()
    color = _color(rng)
    if kind < 0.55:
        return color[None, None]
    if kind < 0.78:
        return _piece(texture(), shape, rng).astype(np.float32)
    angle, period = rng.uniform(0, np.pi), max(shape) / rng.uniform(3, 40)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    stripes = (
        np.sin((x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) * np.float32(2 * np.pi / period)) > 0
    )
    return np.where(stripes[..., None], color, _color(rng)).astype(np.float32)


def _color(rng: np.random.Generator) -> NDArray[np.float32]:
    color = rng.uniform(0, 255, 3)
    # Grays and near-blacks are what most people wear.
    return np.asarray(color if rng.random() > 0.3 else np.full(3, color.mean() * rng.uniform(0.1, 1)), np.float32)


def _piece(picture: Frame, shape: tuple[int, int], rng: np.random.Generator) -> Frame:
    share = rng.uniform(0.3, 1)
    height, width = (max(1, round(side * share)) for side in picture.shape[:2])
    top, left = rng.integers(picture.shape[0] - height + 1), rng.integers(picture.shape[1] - width + 1)
    piece = picture[top : top + height, left : left + width]
    interpolation = cv2.INTER_AREA if height > shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(piece, shape[::-1], interpolation=interpolation), np.uint8)


def add_badge(image: Frame, person: NDArray[np.uint8], texture: TextureSource, rng: np.random.Generator) -> Frame:
    """Draws a logo, a badge or a lanyard on the clothes: the label stays as it is. Arguments as for `dress`."""
    place = _place(person, rng)
    if place is None:
        return image
    side = max(image.shape[:2])
    shape = _blob(image.shape[:2], place, rng.uniform(0.01, 0.1, 2) * side, rng)
    shape &= person > 127
    out = image.copy()
    if rng.random() < 0.3:  # a lanyard: a line from the neck
        end = (int(place[0] + rng.normal(0, 0.04) * side), max(0, int(place[1] - rng.uniform(0.1, 0.3) * side)))
        drawn = cv2.line(
            image.copy(), place, end, _color(rng).tolist(), max(1, round(side * rng.uniform(0.004, 0.012)))
        )
        out = np.where((person > 127)[..., None], drawn, out)
    filling = _piece(texture(), image.shape[:2], rng) if rng.random() < 0.5 else np.uint8(_color(rng))
    return np.where(shape[..., None], filling, out).astype(np.uint8)


def hold(
    image: Frame, label: NDArray[np.uint8], texture: TextureSource, rng: np.random.Generator
) -> tuple[Frame, NDArray[np.uint8]]:
    """Puts a thing across a person's outline: there nobody is.

    Args:
        image: uint8 RGB (H, W, 3).
        label: uint8 (H, W, 2), person and unsure.
        texture: Where its surface comes from.
        rng: Decides everything.

    Returns:
        The picture and its label; as they were where no place was found.
    """
    person = label[..., 0]
    outline = np.asarray(cv2.morphologyEx(person, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.uint8)
    place = _place(outline, rng)
    if place is None:
        return image, label
    side = max(image.shape[:2])
    shape = _blob(image.shape[:2], place, rng.uniform(0.03, 0.14, 2) * side, rng)
    inside = float((person[shape] > 127).mean()) if shape.any() else 0.0
    if not 0.15 < inside < 0.8:
        return image, label
    filling = _piece(texture(), image.shape[:2], rng) if rng.random() < 0.6 else np.uint8(_color(rng))
    image = np.where(shape[..., None], filling, image).astype(np.uint8)
    label = np.where(shape[..., None], np.uint8(0), label)
    return image, label


def _place(where: NDArray[np.uint8], rng: np.random.Generator) -> tuple[int, int] | None:
    """A random (x, y) at which `where` is set."""
    found = np.flatnonzero(where > 127)
    if not found.size:
        return None
    y, x = divmod(int(found[rng.integers(found.size)]), where.shape[1])
    return x, y


def _blob(
    shape: tuple[int, int], center: tuple[int, int], radii: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """A turned superellipse: nearly a rectangle, or an ellipse."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = np.float32(rng.uniform(0, np.pi))
    across = (x - center[0]) * np.cos(angle) + (y - center[1]) * np.sin(angle)
    along = (y - center[1]) * np.cos(angle) - (x - center[0]) * np.sin(angle)
    power = 8 if rng.random() < 0.6 else 2
    rx, ry = np.maximum(radii, 1.0)
    return np.asarray(np.abs(across / rx) ** power + np.abs(along / ry) ** power < 1)
