"""What is written holds what was promised, and is written whole or not at all."""

from __future__ import annotations

import io
import os
import resource
import signal
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kits import corners, wide_gamut
from standout.errors import ConfigError, OutputError
from standout.imaging.decode import read
from standout.imaging.encode import EncodeOptions, encode, format_of
from standout.imaging.files import atomic_write


def rgba(dtype: type = np.uint8) -> np.ndarray:
    alpha = np.full((48, 64), 128, np.uint8)
    pixels = np.dstack([corners(), alpha])
    return pixels if dtype == np.uint8 else pixels.astype(np.uint16) * 257 + 1


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_transparency_profile_and_resolution_survive(file_format: str) -> None:
    data = encode(rgba(), EncodeOptions(file_format, quality=100, icc=wide_gamut(), dpi=(300, 300)))
    image = Image.open(io.BytesIO(data))
    assert image.mode == "RGBA" and image.info["icc_profile"] == wide_gamut()
    picture = read(data)
    np.testing.assert_array_equal(picture.color, corners())
    assert picture.dpi == pytest.approx((300, 300), abs=0.1)


def test_a_jpeg_keeps_profile_and_resolution_and_holds_no_transparency() -> None:
    data = encode(corners(), EncodeOptions("JPEG", icc=wide_gamut(), dpi=(300, 300)))
    picture = read(data)
    assert picture.dpi == (300, 300) and picture.icc == wide_gamut()
    with pytest.raises(OutputError, match="background"):
        encode(rgba(), EncodeOptions("JPEG"))


def test_16_bits_survive_in_a_png() -> None:
    exif = Image.Exif()
    exif[271] = "Maker"
    data = encode(rgba(np.uint16), EncodeOptions("PNG", icc=wide_gamut(), dpi=(300, 300), exif=exif.tobytes()))
    image = Image.open(io.BytesIO(data))
    image.load()
    assert data[24] == 16 and image.info["icc_profile"] == wide_gamut()
    assert image.getexif()[271] == "Maker" and image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    picture = read(data)
    np.testing.assert_array_equal(picture.color, rgba(np.uint16)[..., :3])
    assert picture.alpha is not None and picture.alpha[0, 0] == pytest.approx((128 * 257 + 1) / 65535)


def test_16_bits_become_8_elsewhere() -> None:
    assert read(encode(rgba(np.uint16), EncodeOptions("TIFF"))).color.dtype == np.uint8


def test_quality_is_obeyed() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    for file_format in ("JPEG", "WEBP"):
        assert len(encode(noise, EncodeOptions(file_format, 30))) < len(encode(noise, EncodeOptions(file_format, 95)))


def test_a_webp_of_too_many_pixels_is_refused() -> None:
    with pytest.raises(OutputError, match="at most 16383"):
        encode(np.zeros((1, 16384), np.uint8), EncodeOptions("WEBP"))


def test_settings_out_of_range() -> None:
    with pytest.raises(ConfigError, match="quality"):
        EncodeOptions(quality=0)
    with pytest.raises(ConfigError, match="format"):
        EncodeOptions("GIF")
    with pytest.raises(OutputError, match=r"must end in \.png"):
        format_of("out.gif")
    assert format_of("A.JPG") == "jpg" == format_of("a.jfif") == EncodeOptions("JPEG").format


# ---------------------------------------------------------------- atomic_write


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    with atomic_write(target) as file:
        file.write(b"first half, ")
        assert not target.exists()
        file.write(b"second half")
    assert target.read_bytes() == b"first half, second half"
    assert [path.name for path in tmp_path.iterdir()] == ["out.bin"]
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic_write(target) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.bin"]


def test_a_missing_folder_and_a_folder_as_target(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no folder"), atomic_write(tmp_path / "none" / "out.bin"):
        pass
    with pytest.raises(OutputError, match="is a folder"), atomic_write(tmp_path):
        pass


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"), atomic_write(tmp_path / "out.bin"):
        pass
    tmp_path.chmod(0o700)


def test_a_full_disk(tmp_path: Path) -> None:
    # A limit on the size of files stands in for a full disk: the write fails in the middle.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OutputError, match="can't be written"), atomic_write(tmp_path / "out.bin") as file:
            file.write(b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []
