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
from standout.errors import InputError
from standout.imaging.arrays import Frame
from standout.photo.cut_out import as_model


def png(frame: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG", **options)
    return buffer.getvalue()


def test_type_in_is_type_out(bright_person: Frame, fake_model: FakeModel, tmp_path: Path) -> None:
    from_array = standout.cut_out(bright_person, model=fake_model)
    assert from_array.shape == (72, 96, 4) and from_array.dtype == np.uint8
    from_pil = standout.cut_out(Image.fromarray(bright_person), model=fake_model)
    assert from_pil.mode == "RGBA"
    from_bytes = standout.cut_out(png(bright_person), model=fake_model)
    assert from_bytes.startswith(b"\x89PNG")
    (tmp_path / "photo.png").write_bytes(png(bright_person))
    for path in (tmp_path / "photo.png", str(tmp_path / "photo.png")):
        np.testing.assert_array_equal(np.asarray(standout.cut_out(path, model=fake_model)), from_array)
    np.testing.assert_array_equal(np.asarray(from_pil), from_array)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(from_bytes))), from_array)


def test_the_person_keeps_its_colours_and_the_rest_is_gone(bright_person: Frame, fake_model: FakeModel) -> None:
    result = standout.cut_out(bright_person, model=fake_model)
    assert tuple(result[36, 48]) == (250, 240, 230, 255)
    assert tuple(result[0, 0]) == (0, 0, 0, 0)


def test_a_model_is_taken_by_path(bright_person: Frame, model_file: Path) -> None:
    assert standout.cut_out(bright_person, model=model_file).shape == (72, 96, 4)


def test_a_model_that_was_exported_again_to_its_path_is_taken_anew(bright_person: Frame, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m.onnx")
    assert standout.cut_out(bright_person, model=model)[..., 3].max() > 200
    assert as_model(model) is as_model(model)  # loaded once
    os.replace(tiny_model(tmp_path / "new.onnx", nobody=True), model)
    assert standout.cut_out(bright_person, model=model)[..., 3].max() == 0


def test_transparency_that_was_there_stays(bright_person: Frame, fake_model: FakeModel) -> None:
    own = np.full((72, 96), 255, np.uint8)
    own[:36] = 0
    own[36:40] = 102
    result = standout.cut_out(np.dstack([bright_person, own]), model=fake_model)
    assert result[:36, ..., 3].max() == 0
    assert result[37, 48, 3] == 102 and result[45, 48, 3] == 255


def test_grey_goes_in_and_rgba_comes_out(bright_person: Frame, fake_model: FakeModel) -> None:
    result = standout.cut_out(bright_person[..., 0], model=fake_model)
    assert result.shape == (72, 96, 4) and tuple(result[36, 48]) == (250, 250, 250, 255)


def test_nobody_is_an_empty_cut_out(fake_model: FakeModel) -> None:
    result = standout.cut_out(np.full((40, 50, 3), 100, np.uint8), model=fake_model)
    assert result.shape == (40, 50, 4) and result.max() == 0


def test_profile_resolution_and_depth_are_kept(bright_person: Frame, fake_model: FakeModel) -> None:
    # With red and green exchanged by the profile, brightness stays, so the stand-in still finds its person.
    profile = wide_gamut()
    data = standout.cut_out(png(bright_person, icc_profile=profile, dpi=(300, 300)), model=fake_model)
    image = Image.open(io.BytesIO(data))
    assert image.info["icc_profile"] == profile and image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert image.getpixel((48, 36)) == (250, 240, 230, 255)
    deep = standout.cut_out(bright_person.astype(np.uint16) * 257, model=fake_model)
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
            standout.cut_out(wrong, model=fake_model)  # type: ignore[call-overload]
