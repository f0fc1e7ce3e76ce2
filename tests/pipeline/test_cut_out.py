"""`cut_out`: what goes in comes out."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import standout
from fakes import FakeModel, tiny_model
from kits import wide_gamut
from standout.errors import ConfigError, InputError, OutputError
from standout.imaging.arrays import Frame
from standout.inference.model import model_of


def png(frame: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG", **options)
    return buffer.getvalue()


def test_a_picture_is_taken_in_every_form(bright_person: Frame, fake_model: FakeModel, tmp_path: Path) -> None:
    from_array = standout.cut_out(bright_person, model=fake_model)
    assert from_array.pixels.shape == (72, 96, 4) and from_array.pixels.dtype == np.uint8
    (tmp_path / "photo.png").write_bytes(data := png(bright_person))
    forms = [Image.fromarray(bright_person), data, bytearray(data), memoryview(data), io.BytesIO(data),
             tmp_path / "photo.png", str(tmp_path / "photo.png")]  # fmt: skip
    for form in forms:
        result = standout.cut_out(form, model=fake_model)
        np.testing.assert_array_equal(np.asarray(result.image), from_array.pixels)


def test_a_result_is_a_picture_an_array_a_file_and_what_was_found(
    bright_person: Frame, fake_model: FakeModel, tmp_path: Path
) -> None:
    result = standout.cut_out(bright_person, model=fake_model)
    assert result.people == 1 and result.notes == () and "1 person" in repr(result) and "96 × 72" in repr(result)
    assert result.image.mode == "RGBA" and result.image.size == result.size == (96, 72)
    assert np.asarray(result).shape == (72, 96, 4) and np.asarray(result, np.float32).dtype == np.float32
    assert result.alpha.dtype == np.float32 and result.alpha.shape == (72, 96)
    assert result.alpha[36, 48] == 1 and result.alpha[0, 0] == 0
    for name in ("a.png", "a.webp", "a.tiff"):
        result.save(tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert image.size == (96, 72)
    assert result.encode("webp")[8:12] == b"WEBP"
    with pytest.raises(OutputError, match="transparency"):
        result.save(tmp_path / "a.jpg")
    assert not (tmp_path / "a.jpg").exists()
    on_white = standout.cut_out(bright_person, background="white", shadow=True, model=fake_model)
    assert on_white.image.mode == "RGB" and on_white.alpha[36, 48] == 1 and on_white.alpha[0, 0] == 0
    on_white.save(tmp_path / "a.jpg")
    cropped = standout.cut_out(bright_person, crop=True, margin=0, model=fake_model)
    assert cropped.alpha.shape == cropped.pixels.shape[:2] < (72, 96)
    assert np.asarray(cropped).shape[:2] == (cropped.box[3] - cropped.box[1], cropped.box[2] - cropped.box[0])


def test_what_a_format_loses_is_said(bright_person: Frame, fake_model: FakeModel, tmp_path: Path) -> None:
    result = standout.cut_out(bright_person.astype(np.uint16) * 257, model=fake_model)
    result.save(tmp_path / "a.png")
    with pytest.warns(UserWarning, match="8 bits"):
        result.save(tmp_path / "a.webp")


def test_options_are_keywords_and_go_before_the_object(bright_person: Frame, fake_model: FakeModel) -> None:
    options = standout.CutOutOptions(background="white", crop=True)
    assert standout.cut_out(bright_person, options=options, crop=False, model=fake_model).image.size == (96, 72)
    assert standout.cut_out(bright_person, options=options, model=fake_model).image.mode == "RGB"
    with pytest.raises(ConfigError, match="Did you mean `background`"):
        standout.cut_out(bright_person, backgroud="white", model=fake_model)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="quality"):
        standout.cut_out(bright_person, quality=500, model=fake_model)


def test_arrays_are_composed_without_a_network(bright_person: Frame) -> None:
    alpha = np.zeros((72, 96), np.float32)
    alpha[20:50, 30:60] = 1
    kept = alpha.copy()
    for given in (alpha, alpha.astype(np.float64), alpha > 0.5):
        result = standout.compose(bright_person, given, background=(255, 0, 0), crop=True, margin=5)
        assert np.asarray(result).shape == (40, 40, 3) and tuple(result.pixels[0, 0]) == (255, 0, 0)
        assert result.people == 1
    np.testing.assert_array_equal(alpha, kept)
    assert standout.compose(bright_person, alpha * 0).people == 0
    for wrong in (alpha[1:], alpha + 1, np.full((72, 96), 255, np.uint8), "alpha", alpha[..., None]):
        with pytest.raises(InputError, match="alpha"):
            standout.compose(bright_person, wrong)  # type: ignore[arg-type]


def test_the_person_keeps_its_colors_and_the_rest_is_gone(bright_person: Frame, fake_model: FakeModel) -> None:
    result = standout.cut_out(bright_person, model=fake_model).pixels
    assert tuple(result[36, 48]) == (250, 240, 230, 255)
    assert tuple(result[0, 0]) == (0, 0, 0, 0)


def test_a_model_is_taken_by_path(bright_person: Frame, model_file: Path) -> None:
    assert standout.cut_out(bright_person, model=model_file).pixels.shape == (72, 96, 4)


def test_a_model_that_was_exported_again_to_its_path_is_taken_anew(bright_person: Frame, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m.onnx")
    assert standout.cut_out(bright_person, model=model).alpha.max() > 0.8
    assert model_of(model) is model_of(model)  # loaded once
    os.replace(tiny_model(tmp_path / "new.onnx", nobody=True), model)
    assert standout.cut_out(bright_person, model=model).alpha.max() == 0


def test_transparency_that_was_there_stays(bright_person: Frame, fake_model: FakeModel) -> None:
    own = np.full((72, 96), 255, np.uint8)
    own[:36] = 0
    own[36:40] = 102
    result = standout.cut_out(np.dstack([bright_person, own]), model=fake_model).pixels
    assert result[:36, ..., 3].max() == 0
    assert result[37, 48, 3] == 102 and result[45, 48, 3] == 255


def test_gray_goes_in_and_rgba_comes_out(bright_person: Frame, fake_model: FakeModel) -> None:
    result = standout.cut_out(bright_person[..., 0], model=fake_model).pixels
    assert result.shape == (72, 96, 4) and tuple(result[36, 48]) == (250, 250, 250, 255)


def test_nobody_is_an_empty_cut_out(fake_model: FakeModel) -> None:
    result = standout.cut_out(np.full((40, 50, 3), 100, np.uint8), model=fake_model)
    assert result.people == 0 and "nobody" in repr(result)
    assert result.pixels.shape == (40, 50, 4) and result.pixels.max() == 0


def test_profile_resolution_and_depth_are_kept(bright_person: Frame, fake_model: FakeModel) -> None:
    # With red and green exchanged by the profile, brightness stays, so the stand-in still finds its person.
    profile = wide_gamut()
    data = standout.cut_out(png(bright_person, icc_profile=profile, dpi=(300, 300)), model=fake_model).encode()
    image = Image.open(io.BytesIO(data))
    assert image.info["icc_profile"] == profile and image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert image.getpixel((48, 36)) == (250, 240, 230, 255)
    deep = standout.cut_out(bright_person.astype(np.uint16) * 257, model=fake_model).pixels
    assert deep.dtype == np.uint16 and tuple(deep[36, 48]) == (250 * 257, 240 * 257, 230 * 257, 65535)


def test_a_turned_pillow_picture_comes_out_upright(bright_person: Frame, fake_model: FakeModel) -> None:
    exif = Image.Exif()
    exif[274] = 6
    turned = Image.open(io.BytesIO(png(np.ascontiguousarray(np.rot90(bright_person, 1)), exif=exif)))
    result = standout.cut_out(turned, model=fake_model)
    np.testing.assert_array_equal(np.asarray(result), standout.cut_out(bright_person, model=fake_model))


def test_what_is_no_picture(fake_model: FakeModel) -> None:
    for wrong in (None, 3, [[1, 2]], np.full((4, 4, 3), 7.0)):
        with pytest.raises(InputError):
            standout.cut_out(wrong, model=fake_model)  # type: ignore[arg-type]
