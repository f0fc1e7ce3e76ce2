"""Laying a cut-out out anew: arrays with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from standout.errors import ConfigError
from standout.imaging.parse import Length
from standout.server.canvas import lay_out, over, over_color, spread_colors, subject_box
from standout.server.layout import Layout, parse_coordinate, parse_roi


def block() -> np.ndarray:
    """40 × 60, transparent, with a red block at rows 10 … 19, columns 20 … 39."""
    rgba = np.zeros((40, 60, 4), np.uint8)
    rgba[10:20, 20:40] = (200, 0, 0, 255)
    return rgba


def test_crop_with_margins() -> None:
    px = [Length(value) for value in (1, 2, 3, 4)]
    made = lay_out(block(), Layout(True, (px[0], px[1], px[2], px[3])))
    assert made.shape == (14, 26, 4) and subject_box(made) == (4, 1, 24, 11)
    half = lay_out(block(), Layout(True, (Length(0.9, "share"),) * 4))  # at most half of the subject
    assert half.shape == (20, 40, 4)


def test_scale_and_position() -> None:
    made = lay_out(block(), Layout(scale=0.5))
    left, top, right, bottom = subject_box(made)
    assert made.shape == (40, 60, 4) and (right - left, bottom - top) == (30, 15)
    assert abs(left + right - 60) <= 1 and abs(top + bottom - 40) <= 1
    moved = lay_out(block(), Layout(position=(0.0, 1.0)))
    assert subject_box(moved) == (0, 30, 20, 40)
    kept = lay_out(block(), Layout(scale=0.5, position="original"))
    left, top, right, bottom = subject_box(kept)
    assert abs((left + right) / 2 - 30) <= 1 and abs((top + bottom) / 2 - 15) <= 1


def test_scaling_keeps_colors_clean() -> None:
    made = lay_out(block(), Layout(scale=0.33))
    seen = made[made[..., 3] > 0]
    assert (abs(seen[:, :3].astype(int) - (200, 0, 0)) <= 1).all()


def test_nothing_stays_nothing() -> None:
    empty = np.zeros((4, 5, 4), np.uint8)
    assert lay_out(empty, Layout(True, scale=0.5)) is empty and subject_box(empty) is None


def test_over() -> None:
    assert over_color(block(), (0, 0, 255, 255)).shape == (40, 60, 3)
    half = over_color(block(), (0, 0, 255, 128))
    assert half[0, 0].tolist() == [0, 0, 255, 128] and half[15, 30].tolist() == [200, 0, 0, 255]
    a = np.full((1, 1, 4), (255, 0, 0, 128), np.uint8)
    b = np.full((1, 1, 4), (0, 0, 255, 255), np.uint8)
    assert over(a, b)[0, 0].tolist() == [128, 0, 127]


def test_colors_are_carried_outward() -> None:
    spread = spread_colors(block(), reach=3)
    assert spread[8, 30, 0] >= 198 and spread[0, 0].tolist() == [0, 0, 0]


def test_lengths_and_regions() -> None:
    assert parse_coordinate("30px") == Length(30) and parse_coordinate("10%").px(50) == 5
    assert parse_roi("10% 0px 50% 20px", (100, 40)) == (10, 0, 50, 20)
    assert parse_roi("50% 100% 0% 0%", (100, 40)) == (0, 0, 50, 40)
    for text, code in (("x", "invalid_roi"), ("0 0 1 nan", "invalid_roi"), ("0 0 200 1", "roi_exceeds_bounds")):
        with pytest.raises(ConfigError, match=code):
            parse_roi(text, (100, 40))
