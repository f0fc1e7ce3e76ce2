"""Every kind of file comes in upright, in sRGB for the network and in its own colors for the output."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from kits import DATA, corners, saved, wide_gamut
from standout.errors import InputError, LimitExceeded
from standout.imaging.arrays import Frame
from standout.imaging.decode import from_array, from_pil, picture_of, read
from standout.imaging.encode import encode
from standout.imaging.picture import Picture
from standout.imaging.source import read_all


def close(picture: Picture, expected: Frame | None = None, tolerance: int = 12) -> bool:
    expected = corners() if expected is None else expected
    if picture.frame.shape != expected.shape:
        return False
    # Blocks of a lossy codec may bleed over the edge; the four quarters' middles don't.
    h, w = expected.shape[:2]
    difference = np.abs(picture.frame.astype(int) - expected)
    return all(difference[y, x].max() <= tolerance for y in (h // 4, 3 * h // 4) for x in (w // 4, 3 * w // 4))


# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_every_kind_is_read(kind: str) -> None:
    picture = read(saved(Image.fromarray(corners()), kind))
    assert close(picture)
    assert picture.frame.dtype == np.uint8 and picture.frame.flags["C_CONTIGUOUS"]
    assert picture.color is picture.frame and picture.alpha is None and picture.icc is None


def bmp_with_alpha(alpha: int) -> bytes:
    """A BMP of version 5 whose mask says that it has alpha."""
    pixels = np.dstack([corners()[..., ::-1], np.full(corners().shape[:2], alpha, np.uint8)])[::-1]
    height, width = corners().shape[:2]
    header = struct.pack("<IiiHHIIiiII", 124, width, height, 1, 32, 3, pixels.nbytes, 2835, 2835, 0, 0)
    header += (
        struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48) + struct.pack("<4I", 2, 0, 0, 0)
    )
    return struct.pack("<2sIHHI", b"BM", 138 + pixels.nbytes, 0, 0, 138) + header + pixels.tobytes()


def test_a_bmp_whose_alpha_is_0_everywhere_has_none() -> None:
    picture = read(bmp_with_alpha(0))
    assert picture.alpha is None and picture.notes == () and close(picture)
    half = read(bmp_with_alpha(128)).alpha
    assert half is not None and abs(float(half[0, 0]) - 0.5) < 0.01


def test_what_is_transparent_everywhere_is_said() -> None:
    nothing = np.dstack([corners(), np.zeros(corners().shape[:2], np.uint8)])
    assert read(saved(Image.fromarray(nothing), "PNG")).notes == (
        "it is transparent everywhere, so nothing of it is shown",
    )


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(InputError, match=r"`pi-heif`.*pip install"):
        read(DATA / "plain.heic")
    monkeypatch.setattr("standout.imaging.pixels.features.check", lambda _: False)
    with pytest.raises(InputError, match="Pillow"):
        read(saved(Image.fromarray(corners()), "AVIF"))


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG", "BMP"])
def test_a_file_that_says_no_resolution_has_none(kind: str) -> None:
    image = Image.fromarray(corners())
    dpi = read(saved(image, kind)).dpi
    assert dpi is None or min(dpi) > 50  # a BMP always says one


def test_heic_is_read() -> None:
    assert close(read(DATA / "plain.heic"))


def test_heic_is_turned_once() -> None:
    assert close(read(DATA / "turned.heic"), np.rot90(corners(), -1))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture_upright(kind: str, orientation: int) -> None:
    # What a camera stores: the upright picture, turned the other way round.
    undo = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, 1), 7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](corners())))
    exif = Image.Exif()
    exif[274] = orientation
    assert close(read(saved(stored, kind, exif=exif)))


@pytest.mark.parametrize(("kind", "orientation"), [("png", 1), ("png", 3), ("png", 6), ("tiff", 1)])
def test_16_bits_are_kept(kind: str, orientation: int) -> None:
    deep = corners().astype(np.uint16) * 257 + 3
    stored = np.ascontiguousarray(np.rot90(deep, {1: 0, 3: 2, 6: 1}[orientation]))
    done, data = cv2.imencode(f".{kind}", cv2.cvtColor(stored, cv2.COLOR_RGB2BGR))
    assert done
    raw = data.tobytes()
    exif = Image.Exif()
    exif[274] = orientation
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    if kind == "png":
        chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
        raw = raw[:33] + chunk + raw[33:]
    picture = read(raw)
    assert picture.color.dtype == np.uint16
    np.testing.assert_array_equal(picture.color, deep)
    assert close(picture, tolerance=1)


def test_16_bit_gray_becomes_color() -> None:
    gray = np.full((5, 7), 40000, np.uint16)
    done, data = cv2.imencode(".png", gray)
    assert done
    picture = read(data.tobytes())
    assert picture.color.shape == (5, 7, 3) and int(picture.color[0, 0, 0]) == 40000
    assert abs(int(picture.frame[0, 0, 0]) - 40000 / 257) <= 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "LA", "RGBA", "I;16"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_every_mode_is_read(mode: str, kind: str) -> None:
    gray = np.repeat(corners()[..., :1], 3, axis=2)
    gray[gray < 100], gray[gray > 100] = 0, 255
    image = Image.fromarray(gray)
    if mode == "I;16":
        image = Image.fromarray(gray[..., 0].astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    try:
        data = saved(image, kind)
    except OSError:
        return  # this kind of file has no such mode
    assert close(read(data), gray)


def test_existing_transparency_is_read() -> None:
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:, 32:] = 51
    picture = read(saved(Image.fromarray(np.dstack([corners(), alpha])), "PNG"))
    assert picture.alpha is not None and picture.alpha.dtype == np.float32
    assert picture.alpha[0, 0] == 1 and picture.alpha[0, 63] == pytest.approx(0.2)


def test_a_transparent_palette_color_is_read() -> None:
    image = Image.fromarray(corners()).quantize(4)
    picture = read(saved(image, "PNG", transparency=int(np.asarray(image)[0, 0])))
    assert picture.alpha is not None and picture.alpha[0, 0] == 0 and picture.alpha[-1, -1] == 1


def test_cmyk_of_a_jpeg_is_not_inverted() -> None:
    assert close(read(saved(Image.fromarray(corners()).convert("CMYK"), "JPEG", quality=95)), tolerance=25)


# ---------------------------------------------------------------- color, resolution, metadata


def test_a_profile_is_converted_for_the_network_and_kept_for_the_output() -> None:
    profile = wide_gamut()
    red = np.full((8, 8, 3), (200, 30, 30), np.uint8)
    picture = read(saved(Image.fromarray(red), "PNG", icc_profile=profile))
    assert picture.icc == profile
    np.testing.assert_array_equal(picture.color, red)
    # The profile's "red" is sRGB's green.
    assert picture.frame[0, 0, 1] > 150 > picture.frame[0, 0, 0]
    # Beside the photo's own pixels, an sRGB background must be written in the photo's colors.
    np.testing.assert_allclose(picture.own_color(picture.frame).astype(int), red, atol=3)


def test_srgb_under_any_name_costs_no_conversion() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read(saved(Image.fromarray(corners()), "PNG", icc_profile=profile))
    assert picture.icc is None and picture.color is picture.frame


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200])
def test_a_broken_profile_is_left_out(profile: bytes) -> None:
    picture = read(saved(Image.fromarray(corners()), "PNG", icc_profile=profile))
    assert picture.icc is None and close(picture)


def test_resolution_is_read_and_turns_with_the_picture() -> None:
    exif = Image.Exif()
    exif[274] = 6
    picture = read(saved(Image.fromarray(corners()), "JPEG", dpi=(300, 150), exif=exif))
    assert picture.dpi == (150, 300)
    assert read(saved(Image.fromarray(corners()), "PNG")).dpi is None


def test_metadata_loses_its_orientation() -> None:
    exif = Image.Exif()
    exif[274], exif[271] = 6, "Maker"
    picture = read(saved(Image.fromarray(corners()), "JPEG", exif=exif))
    assert picture.exif is not None
    kept = Image.Exif()
    kept.load(picture.exif)
    assert kept[274] == 1 and kept[271] == "Maker"
    assert picture.encoding().exif is None
    assert picture.encoding(keep_metadata=True).exif == picture.exif


# ---------------------------------------------------------------- refusals


def test_a_file_is_read_in_the_memory_that_it_takes(tmp_path: Path) -> None:
    """Not in that of the limit: a process with less would fail at each photo."""
    asked = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            asked.append(size)
            return super().read(size)

    data = saved(Image.fromarray(corners()), "PNG")
    assert read_all(Watched(data), 1 << 30, len(data)) == data and max(asked) <= 1 << 21
    asked.clear()
    assert close(picture_of(Watched(data))) and max(asked) <= 1 << 21
    assert len(read_all(Watched(data), 10)) == 11


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="closed"):
        read("-")


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"), (b"%PDF-1.7", "PDF"),
     (b"8BPS\0\1", "Photoshop"), (b"<svg xmlns=", "SVG"), (b"\xff\x0a\0\0", "JPEG XL"), (b"nothing", "expected JPEG")],
)  # fmt: skip
def test_what_is_no_picture_is_named(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(data)


def test_an_address_is_answered_with_what_to_do() -> None:
    for address in (
        "https://example.org/a.jpg",
        "s3://bucket/a.jpg",
        Path("http://example.org/a.jpg"),
        "file:///a.jpg",
    ):
        with pytest.raises(InputError, match="downloads nothing"):
            read(address)


def test_missing_folder_empty_and_foreign(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("this is no picture, whatever its name says")
    foreign = tmp_path / "icon.ico"
    Image.fromarray(corners()).save(foreign)
    for path, words in {
        tmp_path / "none.jpg": "There is no file",
        tmp_path: "is a folder",
        tmp_path / "empty.jpg": "is empty",
        tmp_path / "text.jpg": "not a picture of a kind",
        foreign: "not a picture of a kind",
        tmp_path / "nul\0.jpg": "can't be read",
    }.items():
        with pytest.raises(InputError, match=words) as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF"])
def test_a_file_that_was_cut_off_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(InputError, match="broken or cut off"):
        read(data[: len(data) // 2])


def test_a_heic_that_was_cut_off_is_refused() -> None:
    data = (DATA / "plain.heic").read_bytes()
    with pytest.raises(InputError, match="broken or cut off"):
        read(data[: len(data) - 40])


def test_too_many_pixels_are_refused_before_decoding() -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")):
        bomb += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    with pytest.raises(LimitExceeded, match="200,000,000 pixels; received 100000 × 100000"):
        read(bomb)


def test_the_limits_are_the_callers() -> None:
    data = saved(Image.fromarray(corners()), "PNG")
    assert read(data, max_pixels=48 * 64).size == (48, 64)
    with pytest.raises(LimitExceeded, match="at most 3,071 pixels"):
        read(data, max_pixels=48 * 64 - 1)
    with pytest.raises(LimitExceeded, match="bytes"):
        read(data, max_bytes=len(data) - 1)
    with pytest.raises(LimitExceeded, match="pixels"):
        from_pil(Image.fromarray(corners()), max_pixels=10)


def test_more_than_pillows_own_limit_is_ours_to_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    # Pillow's process-wide bomb limit must neither warn nor stop what Standout's limit allows.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert close(read(saved(Image.fromarray(corners()), "PNG")))


# ---------------------------------------------------------------- arrays and Pillow


def test_arrays_of_every_allowed_shape() -> None:
    frame = corners()
    assert close(from_array(frame)) and close(from_array(np.asfortranarray(frame)))
    assert from_array(frame[..., 0]).frame.shape == (48, 64, 3)
    transparent = from_array(np.dstack([frame, np.full((48, 64), 128, np.uint8)]))
    assert transparent.alpha is not None and transparent.alpha[0, 0] == pytest.approx(128 / 255)
    assert from_array(frame.astype(np.uint16) * 257).color.dtype == np.uint16
    assert from_array(frame[::2, ::-2]).frame.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize(
    "array",
    [np.full((4, 4, 3), 2, np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8),
     np.zeros((1, 4, 4, 3), np.uint8), np.zeros((4, 4, 3), bool)],
)  # fmt: skip
def test_arrays_that_are_refused(array: np.ndarray[Any, Any]) -> None:
    with pytest.raises(InputError, match="received"):
        from_array(array)


def test_a_pillow_picture_is_turned_too() -> None:
    exif = Image.Exif()
    exif[274] = 6
    data = saved(Image.fromarray(np.ascontiguousarray(np.rot90(corners(), 1))), "JPEG", exif=exif)
    assert close(from_pil(Image.open(io.BytesIO(data))))


def test_what_is_written_is_read_again() -> None:
    np.testing.assert_array_equal(read(encode(corners())).frame, corners())
