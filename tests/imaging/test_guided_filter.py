"""Alpha at full resolution follows the photo's edges, stays flat where it is flat, and never is stretched."""

from __future__ import annotations

import numpy as np
import pytest

from standout.imaging import guided_filter as refine
from standout.imaging.arrays import Alpha, Frame, resize
from standout.imaging.guided_filter import upsample_alpha


def disc(size: int, radius: float) -> tuple[Frame, Alpha]:
    """A bright disc on a dark ground, and its exact alpha."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    alpha = np.clip(radius - np.hypot(x, y) + 0.5, 0, 1).astype(np.float32)
    frame = (alpha[..., None] * (220, 180, 150) + (1 - alpha[..., None]) * (30, 50, 40)).astype(np.uint8)
    return frame, alpha


def both(frame: Frame, alpha: Alpha, factor: int) -> tuple[Alpha, Alpha]:
    """Guided and plain enlargement of what a network at 1/factor would have seen and said."""
    size = frame.shape[0] // factor, frame.shape[1] // factor
    small, low = resize(frame, size), resize(alpha, size)
    return upsample_alpha(low, frame, small), upsample_alpha(low, frame, None)


def test_edges_come_from_the_photo_and_not_from_blocks() -> None:
    frame, alpha = disc(512, 150)
    guided, plain = both(frame, alpha, 8)
    assert guided.shape == alpha.shape and guided.dtype == np.float32
    assert np.abs(guided - alpha).mean() < 0.35 * np.abs(plain - alpha).mean()


@pytest.mark.parametrize("value", [0.0, 0.02, 0.5, 0.97, 1.0])
def test_what_is_flat_stays_flat(value: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    low = np.full((48, 64), value, np.float32)
    full = upsample_alpha(low, noise, resize(noise, (48, 64)))
    np.testing.assert_allclose(full, value, atol=2e-3)


def test_tiles_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, alpha = disc(300, 90)
    whole = both(frame, alpha, 5)[0]
    monkeypatch.setattr(refine, "TILE", 64)
    np.testing.assert_allclose(both(frame, alpha, 5)[0], whole, atol=2 * refine.DECIDED)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 3), (640, 7)])
def test_strange_shapes(shape: tuple[int, int]) -> None:
    frame = np.full((*shape, 3), 200, np.uint8)
    low = np.full((max(1, shape[0] // 10), max(1, shape[1] // 10)), 0.75, np.float32)
    full = upsample_alpha(low, frame, resize(frame, low.shape))
    assert full.shape == shape
    np.testing.assert_allclose(full, 0.75, atol=2e-3)


def test_the_range_is_kept() -> None:
    rng = np.random.default_rng(1)
    frame = rng.integers(0, 255, (200, 300, 3), np.uint8)
    low = rng.random((40, 60)).astype(np.float32)
    full = upsample_alpha(low, frame, resize(frame, (40, 60)))
    assert full.min() >= 0 and full.max() <= 1
