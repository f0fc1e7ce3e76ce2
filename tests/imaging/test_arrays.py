import numpy as np
import pytest

from standout.errors import InputError
from standout.imaging.arrays import blend, check_alpha, check_frame, letterbox, letterbox_box


@pytest.mark.parametrize(("height", "width"), [(100, 200), (200, 100), (1, 5000), (64, 64), (37, 41)])
def test_letterbox_keeps_proportions_and_fills_with_gray(height, width):
    frame = np.full((height, width, 3), 200, np.uint8)
    boxed, box = letterbox(frame, (64, 64))
    assert boxed.shape == (64, 64, 3)
    assert (boxed[box.slices] == 200).all()
    outside = np.ones((64, 64), bool)
    outside[box.slices] = False
    assert (boxed[outside] == 127).all()
    # Within a pixel of the exact size: nothing is stretched.
    scale = min(64 / height, 64 / width)
    assert abs(box.height - height * scale) <= 1 and abs(box.width - width * scale) <= 1


def test_a_strip_keeps_a_pixel():
    assert letterbox_box(1, 5000, (64, 64)).height == 1


def test_blend_is_the_rounded_alpha_over():
    front = np.full((1, 3, 3), 200, np.uint8)
    alpha = np.array([[0, 0.5, 1]], np.float32)
    assert blend(front, np.array([100, 100, 100]), alpha)[0, :, 0].tolist() == [100, 150, 200]


@pytest.mark.parametrize(
    "bad",
    [
        "photo",
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_only_uint8_rgb_is_a_frame(bad):
    with pytest.raises(InputError, match="uint8 RGB"):
        check_frame(bad)


def test_alpha_is_checked():
    good = np.zeros((2, 2), np.float32)
    assert check_alpha(good) is good
    for bad in (good.astype(np.float64), good + 2, np.full((2, 2), np.nan, np.float32), good[0]):
        with pytest.raises(InputError, match="alpha"):
            check_alpha(bad)
    with pytest.raises(InputError, match="size"):
        check_alpha(good, like=np.zeros((3, 3, 3), np.uint8))
