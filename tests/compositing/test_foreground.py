"""No fringe: a known foreground, laid over known backgrounds and cut out again, has its own colors back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from standout.compositing.foreground import clean_foreground, edge_colors
from standout.imaging.arrays import Alpha

GREEN, WHITE, BLUE = (0, 255, 0), (255, 255, 255), (20, 40, 220)


def scene(height: int, width: int, softness: float) -> tuple[np.ndarray, Alpha]:
    """A person with a textured surface and a soft, wavy outline: foreground (float RGB) and alpha."""
    rng = np.random.default_rng(3)
    texture = cv2.resize(rng.uniform(-25, 25, (height // 16, width // 16, 3)).astype(np.float32), (width, height))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ramp = np.stack([120 + 60 * x / width, 70 + 40 * y / height, np.full_like(x, 60)], axis=2)
    angle = np.arctan2(y - height / 2, x - width / 2)
    distance = np.hypot(x - width / 2, y - height / 2)
    reach = 0.3 * height * (1 + 0.15 * np.sin(9 * angle))
    alpha = np.clip((reach - distance) / softness + 0.5, 0, 1).astype(np.float32)
    return np.clip(ramp + texture, 0, 255), alpha


def over(foreground: np.ndarray, alpha: Alpha, background: tuple[int, int, int], most: int = 255) -> np.ndarray:
    mixed = alpha[..., None] * foreground + (1 - alpha[..., None]) * np.asarray(background)
    return (mixed * (most / 255) + 0.5).astype(np.uint8 if most == 255 else np.uint16)


@pytest.mark.slow
@pytest.mark.parametrize("background", [GREEN, WHITE, BLUE])
@pytest.mark.parametrize(("size", "softness"), [((180, 240), 8), ((1500, 2000), 40), ((1203, 1999), 25)])
def test_the_old_background_leaves_no_fringe(
    background: tuple[int, int, int], size: tuple[int, int], softness: float
) -> None:
    foreground, alpha = scene(*size, softness)
    seen = over(foreground, alpha, background)
    found = clean_foreground(seen, alpha)
    soft = (alpha > 0.02) & (alpha < 0.98)
    # What the eye gets: the error of the color, as strong as the pixel is opaque.
    weight = alpha[soft][:, None]
    before = (np.abs(seen[soft] - foreground[soft]) * weight).mean()
    error = np.abs(found[soft].astype(float) - foreground[soft]) * weight
    assert before > 15
    assert error.mean() < 2 and np.percentile(error, 99) < 8
    # Over a new background, nothing of the old one is seen.
    again = over(found.astype(float), alpha, (128, 128, 128)).astype(float)
    truth = over(foreground, alpha, (128, 128, 128)).astype(float)
    assert np.abs(again - truth)[soft].max() < 14


def test_16_bits_as_well_as_8() -> None:
    foreground, alpha = scene(180, 240, 8)
    found = clean_foreground(over(foreground, alpha, GREEN, 65535), alpha)
    soft = (alpha > 0.02) & (alpha < 0.98)
    assert found.dtype == np.uint16
    assert (np.abs(found[soft] / 257 - foreground[soft]) * alpha[soft][:, None]).mean() < 1


def test_a_solid_person_keeps_every_pixel() -> None:
    foreground, alpha = scene(600, 1400, 12)
    seen = over(foreground, alpha, GREEN)
    np.testing.assert_array_equal(clean_foreground(seen, alpha)[alpha == 1], seen[alpha == 1])


def test_nothing_soft_is_nothing_to_do() -> None:
    picture = np.full((8, 8, 3), 90, np.uint8)
    assert edge_colors(picture, np.ones((8, 8), np.float32)) is None
    assert clean_foreground(picture, np.zeros((8, 8), np.float32)) is picture


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 3), (1, 3000)])
def test_thin_pictures(shape: tuple[int, int]) -> None:
    alpha = np.full(shape, 0.5, np.float32)
    assert clean_foreground(np.full((*shape, 3), 77, np.uint8), alpha).shape == (*shape, 3)
