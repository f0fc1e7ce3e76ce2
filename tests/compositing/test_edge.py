"""The outline is moved and softened."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from standout.compositing import edge
from standout.compositing.edge import feather_edge, shift_edge


def test_far_in_a_large_picture_is_nearly_what_it_is_pixel_by_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    """49 megapixels moved and feathered as far as one may took a minute; a smaller one is a few pixels off."""
    alpha = np.zeros((600, 800), np.float32)
    alpha[250:350, 350:450] = 1
    exact = {pixels: shift_edge(alpha, pixels) for pixels in (80, -30)}
    wide = cv2.GaussianBlur(alpha, (0, 0), 200 / 3.29)
    monkeypatch.setattr(edge, "_MOST_WORK", 200_000)
    for pixels, whole in exact.items():
        moved = shift_edge(alpha, pixels)
        assert abs(float(moved.sum()) ** 0.5 - float(whole.sum()) ** 0.5) < 6 and float(moved.max()) > 0.99
    assert float(np.abs(feather_edge(alpha, 200) - wide).max()) < 0.01
