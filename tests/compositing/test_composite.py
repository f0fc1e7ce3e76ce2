"""From a photo and an alpha to the finished picture: who is kept, where the edge lies, what is behind."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from kits import saved, wide_gamut
from standout.compositing.composite import composite, composite_matte
from standout.compositing.edge import feather_edge, shift_edge
from standout.compositing.options import CompositeOptions as Options
from standout.compositing.select import find_people
from standout.errors import InputError
from standout.imaging.arrays import Alpha
from standout.imaging.decode import from_array, read
from standout.imaging.picture import Picture
from standout.inference.clean_alpha import clean_alpha


def three_people() -> tuple[Picture, Alpha]:
    """100 × 200: people at columns 20 … 40, 90 … 120 (the largest) and 160 … 180, each of its own gray, on blue."""
    photo = np.full((100, 200, 3), (10, 20, 200), np.uint8)
    alpha = np.zeros((100, 200), np.float32)
    for left, right, top, gray in ((20, 40, 40, 60), (90, 120, 20, 120), (160, 180, 40, 180)):
        photo[top:90, left:right] = gray
        alpha[top:90, left:right] = 1
    return from_array(photo), alpha


def seen(pixels: np.ndarray) -> list[int]:
    """The grays of the people that are left, from left to right."""
    row = pixels[60]
    return [int(row[x, 0]) for x in (30, 105, 170) if row[x, 3] == 255]


@pytest.mark.parametrize(
    ("look", "left"),
    [
        (Options(), [60, 120, 180]),
        (Options(keep="largest"), [120]),
        (Options(keep="center"), [120]),
        (Options(keep=(1,)), [60]),
        (Options(keep=(1, 3)), [60, 180]),
        (Options(at=(170, 60)), [180]),
        (Options(at="15%,60%"), [60]),
        (Options(at=(42, 60)), [60]),
    ],
)
def test_who_is_kept(look: Options, left: list[int]) -> None:
    picture, alpha = three_people()
    before = alpha.copy()
    assert seen(composite(picture, alpha, look).pixels) == left
    np.testing.assert_array_equal(alpha, before)


def test_whoever_is_not_there_is_said() -> None:
    picture, alpha = three_people()
    with pytest.raises(InputError, match=r"person 4, but 3 people were found, counted from the left: 1 at 30,65"):
        composite(picture, alpha, Options(keep=(1, 4)))
    with pytest.raises(InputError, match="no person at 65,60; 3 people were found"):
        composite(picture, alpha, Options(at=(65, 60)))
    with pytest.raises(InputError, match="inside the picture of 200 × 100"):
        composite(picture, alpha, Options(at=(300, 60)))


def test_loose_hair_belongs_to_its_owner() -> None:
    alpha = np.zeros((400, 800), np.float32)
    alpha[100:390, 100:250] = alpha[150:390, 500:700] = 1
    alpha[92:96, 150:156] = 0.9  # a strand above the first head
    assert len(find_people(alpha)) == 2
    picture = from_array(np.full((400, 800, 3), 99, np.uint8))
    kept = composite_matte(picture, alpha, Options(keep=(1,))).pixels
    assert kept[94, 152] > 200 and kept[200, 600] == 0
    assert composite_matte(picture, alpha, Options(keep=(2,))).pixels[94, 152] == 0


def test_transparent_pixels_hold_nothing_of_what_was_removed() -> None:
    picture, alpha = three_people()
    alpha = cv2.GaussianBlur(alpha, (0, 0), 2)
    rgba = composite(picture, alpha).pixels
    assert rgba[rgba[..., 3] == 0].max() == 0
    # … and the soft ones nothing blue.
    soft = (rgba[..., 3] > 25) & (rgba[..., 3] < 230)
    assert soft.any() and (rgba[soft][:, 2].astype(int) - rgba[soft][:, 0]).max() < 50
    fringed = composite(picture, alpha, Options(decontaminate=False)).pixels
    assert (fringed[soft][:, 2].astype(int) - fringed[soft][:, 0]).max() > 100


@pytest.mark.parametrize("kind", ["white", "blur", "image"])
@pytest.mark.parametrize("deep", [False, True])
def test_backgrounds_come_behind_the_person(kind: str, deep: bool) -> None:
    picture, alpha = three_people()
    if deep:
        picture = from_array(picture.color.astype(np.uint16) * 257)
    scale = 257 if deep else 1
    image = np.full((10, 30, 3), (1, 2, 3), np.uint8)
    result = composite(picture, alpha, Options(background=image if kind == "image" else kind)).pixels
    assert result.shape == (100, 200, 3) and result.dtype == picture.color.dtype
    assert result[60, 105].tolist() == [120 * scale] * 3
    expected = {"white": (255, 255, 255), "blur": (10, 20, 200), "image": (1, 2, 3)}[kind]
    np.testing.assert_allclose(result[5, 5].astype(int), np.array(expected) * scale, atol=2 * scale)


def test_a_background_file_is_read_and_lies_in_the_photos_own_colors(tmp_path: Path) -> None:
    file = tmp_path / "beach.png"
    file.write_bytes(saved(Image.new("RGB", (64, 48), (200, 30, 30)), "PNG"))
    profile = wide_gamut()
    picture = read(saved(Image.new("RGB", (200, 100), (0, 0, 0)), "PNG", icc_profile=profile))
    nobody = np.zeros((100, 200), np.float32)
    for background in (file, "#c81e1e"):
        result = composite(picture, nobody, Options(background=background)).pixels
        # Written with the photo's profile, it must still look red: the profile's "red" is sRGB's green.
        again = read(saved(Image.fromarray(result), "PNG", icc_profile=profile))
        np.testing.assert_allclose(again.frame[50, 100].astype(int), (200, 30, 30), atol=4)


def test_a_background_that_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "beach.png").write_text("no picture")
    picture, alpha = three_people()
    with pytest.raises(InputError, match=r"beach\.png` is not a picture"):
        composite(picture, alpha, Options(background=tmp_path / "beach.png"))


def test_invert_removes_the_people() -> None:
    picture, alpha = three_people()
    rgba = composite(picture, alpha, Options(invert=True)).pixels
    assert rgba[5, 5].tolist() == [10, 20, 200, 255] and rgba[60, 105].max() == 0
    # Before a blur, the hole is filled by the background's light, not by the person's.
    filled = composite(picture, alpha, Options(invert=True, background="blur")).pixels
    np.testing.assert_allclose(filled[60, 105].astype(int), (10, 20, 200), atol=2)
    one = composite(picture, alpha, Options(invert=True, keep="largest")).pixels
    assert one[60, 105, 3] == 0 and one[60, 30, 3] == 255


def test_crop_leaves_the_person_and_a_margin() -> None:
    picture, alpha = three_people()
    result = composite(picture, alpha, Options(keep="largest", crop=True, margin=10))
    assert result.box == (80, 10, 130, 100) and result.pixels.shape == (90, 50, 4)
    share = composite(picture, alpha, Options(keep="largest", crop=True, margin="10%"))
    assert share.box == (83, 13, 127, 97)
    assert composite(picture, alpha * 0, Options(crop=True)).pixels.shape == (100, 200, 4)
    assert composite_matte(picture, alpha, Options(keep="largest", crop=True, margin=0)).pixels.min() == 255


def test_a_shadow_falls_on_the_background_only() -> None:
    picture, alpha = three_people()
    plain, dark = (
        composite(picture, alpha, Options(background="white", shadow=shadow)).pixels for shadow in (False, True)
    )
    assert (dark[alpha == 1] == plain[alpha == 1]).all()
    assert dark[60, 41].max() < 250 and dark[5, 5].min() == 255
    rgba = composite(picture, alpha, Options(shadow=True)).pixels
    assert 0 < rgba[60, 41, 3] < 200 and rgba[60, 41, :3].max() == 0
    # The same picture, whether the white comes now or later.
    a = rgba[..., 3:].astype(float) / 255
    np.testing.assert_allclose(rgba[..., :3] * a + 255 * (1 - a), dark, atol=3)


def test_the_photos_own_transparency_is_multiplied_in() -> None:
    picture, alpha = three_people()
    own = np.full((100, 200), 255, np.uint8)
    own[:60], own[60:70] = 0, 102
    picture = from_array(np.dstack([picture.color, own]))
    result = composite(picture, alpha).pixels
    assert result[:60, ..., 3].max() == 0 and result[65, 105, 3] == 102 and result[80, 105, 3] == 255
    inverted = composite(picture, alpha, Options(invert=True)).pixels
    assert inverted[5, 5, 3] == 0 and inverted[65, 5, 3] == 102 and inverted[80, 5, 3] == 255


def test_the_edge_moves_by_pixels_and_fades_over_pixels() -> None:
    alpha = np.zeros((80, 80), np.float32)
    alpha[20:60, 20:60] = 1
    assert (shift_edge(alpha, 3)[40] > 0.5).sum() == 46 and (shift_edge(alpha, -3)[40] > 0.5).sum() == 34
    assert shift_edge(alpha, 20)[40].min() == 1
    soft = feather_edge(alpha, 10)[40, 5:40]
    assert ((soft > 0.05) & (soft < 0.95)).sum() in (9, 10, 11)
    touching = np.zeros((40, 40), np.float32)
    touching[20:] = 1
    assert feather_edge(touching, 10)[-1].min() == 1, "cut by the border of the picture, it stays cut there"
    picture = from_array(np.full((80, 80, 3), 9, np.uint8))
    assert (composite_matte(picture, alpha, Options(edge=-3)).pixels[40] > 127).sum() == 34


@pytest.mark.parametrize(
    ("look", "deep", "reused"),
    [
        (Options(), False, True),
        (Options(shadow=True), False, True),
        (Options(crop=True), False, False),
        (Options(), True, False),
    ],
)
def test_a_result_in_the_memory_of_alpha_is_the_same(look: Options, deep: bool, reused: bool) -> None:
    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 65_536 if deep else 256, (300, 280, 3)).astype(np.uint16 if deep else np.uint8)
    alpha = np.zeros((300, 280), np.float32)
    alpha[40:200, 60:190] = 1
    alpha = cv2.GaussianBlur(alpha, (0, 0), 3)
    wanted = composite(from_array(pixels), alpha.copy(), look).pixels
    result = composite(from_array(pixels), alpha, look, overwrite=True).pixels
    assert np.array_equal(result, wanted)
    assert np.shares_memory(result, alpha) == reused


def test_haze_goes_and_solid_people_are_solid() -> None:
    assert clean_alpha(np.full((2, 2), 0.08, np.float32)).max() == 0
    assert clean_alpha(np.full((2, 2), 0.93, np.float32)).min() == 1
    gray = np.linspace(0, 1, 101, dtype=np.float32)[None]
    settled = clean_alpha(gray.copy())[0]
    assert (np.diff(settled) >= 0).all() and settled[50] == pytest.approx(0.5)


def test_arrays_that_do_not_fit() -> None:
    picture, alpha = three_people()
    for wrong in (alpha[:-1], alpha.astype(float), alpha * 2):
        with pytest.raises(InputError):
            composite(picture, wrong)
