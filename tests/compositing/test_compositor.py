"""Moving pictures over a background: as a slow and exact composite has it, in RGB and in a film's own layers."""

from __future__ import annotations

import numpy as np
import pytest

from standout.compositing.compositor import Compositor
from standout.imaging.arrays import blend, resize

ROOM, PERSON, GREEN = (230, 235, 240), (150, 60, 40), (0, 177, 64)


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def scene(soft: int = 20, size: tuple[int, int] = (360, 640)) -> tuple[np.ndarray, np.ndarray]:
    """A textured person at the right, whose edge is `soft` pixels wide, before a light room; and their alpha."""
    height, width = size
    steps = np.clip((np.arange(width) - width // 2 + soft / 2) / soft, 0, 1)
    alpha = np.tile(steps, (height, 1)).astype(np.float32)
    texture = resize(noise((height // 8, width // 8, 3), 3), size).astype(int) // 8
    person = np.clip(np.array(PERSON) + texture, 0, 255).astype(np.uint8)
    return blend(person, np.full_like(person, ROOM), alpha), alpha


def exact(soft: int, background: np.ndarray, size: tuple[int, int] = (360, 640)) -> np.ndarray:
    """The composite that somebody makes who knows the person's own colors: float64 (H, W, 3)."""
    height, width = size
    alpha = scene(soft, size)[1].astype(np.float64)[..., None]
    texture = resize(noise((height // 8, width // 8, 3), 3), size).astype(int) // 8
    return alpha * np.clip(np.array(PERSON) + texture, 0, 255) + (1 - alpha) * background


def luma_and_chroma(rgb: np.ndarray, peak: int) -> list[np.ndarray]:
    """BT.709, full range, 4:2:0, written independently of the code."""
    r, g, b = np.moveaxis(rgb.astype(np.float64) / 255, 2, 0)
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    u, v = (b - y) / 1.8556 + 0.5, (r - y) / 1.5748 + 0.5
    dtype = np.uint8 if peak == 255 else np.uint16
    half = [np.asarray(c).reshape(c.shape[0] // 2, 2, c.shape[1] // 2, 2).mean((1, 3)) for c in (u, v)]
    return [np.clip(c * peak + 0.5, 0, peak).astype(dtype) for c in (y, *half)]


def bytes_of(alpha: np.ndarray) -> np.ndarray:
    return (alpha * 255 + 0.5).astype(np.uint8)


@pytest.mark.parametrize("peak", [255, 1023])
@pytest.mark.parametrize("soft", [4, 20])
def test_in_a_film_s_own_layers_it_is_near_an_exact_composite(soft: int, peak: int) -> None:
    frame, alpha = scene(soft)
    green = np.full_like(frame, GREEN)
    half = bytes_of(resize(alpha, (180, 320)))
    made = Compositor(peak).over(luma_and_chroma(frame, peak), half, luma_and_chroma(green, peak))
    wanted = luma_and_chroma(exact(soft, green), peak)
    for layer, target in zip(made, wanted, strict=True):
        error = np.abs(layer.astype(int) - target.astype(int)) * 255 / peak
        assert error.mean() < 0.25
        assert np.percentile(error, 99) < 8
    # Away from the edge nothing at all is changed, and nothing of the room is left.
    source, edge = luma_and_chroma(frame, peak)[0], 320 + soft
    np.testing.assert_array_equal(made[0][:, edge:], source[:, edge:])
    np.testing.assert_array_equal(made[0][:, : 320 - soft], luma_and_chroma(green, peak)[0][:, : 320 - soft])


def test_in_rgb_the_edge_shows_no_rim_of_the_old_background() -> None:
    frame, alpha = scene()
    green = np.full_like(frame, GREEN)
    wanted = exact(20, green)
    plain = np.abs(blend(frame, green, alpha).astype(float) - wanted)
    clean = np.abs(Compositor().over([frame], bytes_of(alpha), [green])[0].astype(float) - wanted)
    assert clean.max() < plain.max() / 2
    assert clean.mean() < plain.mean() / 3


def test_nobody_is_all_background_and_everybody_all_frame() -> None:
    frame, background = noise((40, 60, 3)), noise((40, 60, 3), 1)
    kept = frame.copy(), background.copy()
    for level, wanted in ((0, background), (255, frame)):
        made = Compositor().over([frame], np.full((40, 60), level, np.uint8), [background])[0]
        np.testing.assert_array_equal(made, wanted)
    np.testing.assert_array_equal(frame, kept[0])
    np.testing.assert_array_equal(background, kept[1])


def test_a_finished_frame_is_not_overwritten_by_the_next() -> None:
    compositor, alpha = Compositor(), np.full((20, 30), 128, np.uint8)
    first = compositor.over([noise((20, 30, 3))], alpha, [noise((20, 30, 3), 1)])[0]
    kept = first.copy()
    compositor.over([noise((20, 30, 3), 2)], alpha, [noise((20, 30, 3), 3)])
    np.testing.assert_array_equal(first, kept)


def test_alpha_of_the_next_frame_is_not_that_of_the_last() -> None:
    compositor, frame = Compositor(), noise((40, 60, 3))
    black, half = np.zeros_like(frame), np.zeros((20, 30), np.uint8)
    for level in (255, 0, 255):
        made = compositor.over([frame], np.full_like(half, level), [black])[0]
        np.testing.assert_array_equal(made, frame if level else black)


@pytest.mark.parametrize("radius", [5.0, 16.0, 48.0])
def test_the_blurred_background_has_no_halo_of_the_person(radius: float) -> None:
    frame = np.full((360, 640, 3), (40, 120, 60), np.uint8)
    alpha = np.zeros((360, 640), np.uint8)
    frame[100:, 220:420], alpha[100:, 220:420] = (255, 0, 0), 255
    blurred = Compositor().blur([frame], alpha, radius)[0].astype(int)
    assert np.abs(blurred[alpha == 0] - (40, 120, 60)).max() <= 2
    np.testing.assert_array_equal(blurred[alpha == 255], frame[alpha == 255])


def test_the_blur_is_blended_within_one_level() -> None:
    frame, alpha = np.full((60, 80, 3), (40, 120, 60), np.uint8), noise((60, 80), 2)
    alpha[:8], alpha[8:16] = 0, 255
    made = Compositor().blur([frame], alpha, 6)[0]
    assert np.abs(made.astype(int) - (40, 120, 60)).max() <= 1


def test_the_blur_blurs_and_is_no_larger_than_asked() -> None:
    frame = np.zeros((360, 640, 3), np.uint8)
    frame[:, 320:] = 255
    nobody = np.zeros((360, 640), np.uint8)
    widths = []
    for radius in (8.0, 16.0, 32.0):
        row = Compositor().blur([frame], nobody, radius)[0][180, :, 0]
        widths.append(int(((row > 26) & (row < 229)).sum()))
    assert widths[0] < widths[1] < widths[2]
    assert 10 < widths[1] < 40  # a Gaussian of σ = 8 pixels goes from 10 to 90 % in 20


def test_a_frame_of_nothing_but_person_still_gets_a_background() -> None:
    frame = noise((72, 128, 3))
    np.testing.assert_array_equal(Compositor().blur([frame], np.full((72, 128), 255, np.uint8))[0], frame)


def test_a_cut_out_holds_nothing_of_what_was_removed() -> None:
    frame, alpha = scene(4)
    made = Compositor().cut_out([frame], bytes_of(alpha), [np.zeros_like(frame)])[0]
    assert (made[:, :300] == 0).all()  # nothing of the room
    rim = made[:, 316:318].astype(int)  # just outside: the person's colors go on, for encoders mix neighbors
    assert np.abs(rim - np.array(PERSON) - 16).max() < 40
