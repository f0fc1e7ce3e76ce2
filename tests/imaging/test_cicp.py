"""HDR and wide colors come out as sRGB with the right colors."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from standout.imaging.cicp import ColorCode, avif_bits, color_code, from_srgb, linear_light, signal_of, to_srgb
from standout.imaging.decode import read

HEIC = Path(__file__).parent / "files" / "plain.heic"

#: Columns are red, green and blue of the primaries; BT.2087 and SMPTE RP 431, as anybody prints them.
FROM_709 = {
    9: [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]],
    12: [[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]],
    1: np.eye(3).tolist(),
}


def colors() -> NDArray[np.uint8]:
    """sRGB, (16, 24, 3): grays, white, skin and strong colors in squares."""
    table = [(255, 255, 255), (128, 128, 128), (40, 40, 40), (200, 150, 120), (230, 40, 30), (30, 90, 220)]
    squares = np.array(table, np.uint8).reshape(1, 6, 3).repeat(4, axis=1)
    return np.ascontiguousarray(squares.repeat(16, axis=0))


def encoded(srgb: NDArray[np.uint8], primaries: int, transfer: int) -> NDArray[np.float64]:
    """The signal 0 … 1 of the same colors in another coding, written independently of the code."""
    v = srgb / 255
    light = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4) @ np.array(FROM_709[primaries]).T
    if transfer == 16:
        y = (light * 203 / 10000) ** 0.1593017578125
        return np.asarray(((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375)
    if transfer == 18:
        scene = light * 0.26496256
        log = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), log)
    if transfer == 8:
        return np.asarray(light)
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def png(pixels: NDArray[np.uint16], primaries: int, transfer: int) -> bytes:
    """A 16-bit PNG with a cICP chunk."""
    data = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    body = bytes([primaries, transfer, 0, 1])
    chunk = struct.pack(">I", 4) + b"cICP" + body + struct.pack(">I", zlib.crc32(b"cICP" + body))
    return data[:33] + chunk + data[33:]


def with_nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    """A HEIC or AVIF that says of itself that its colors are others."""
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


CODES = [(9, 16), (9, 18), (9, 1), (12, 13), (12, 16), (1, 8), (1, 16)]


@pytest.mark.parametrize(("primaries", "transfer"), CODES)
def test_a_png_with_cicp_has_the_colors_of_its_srgb_twin(primaries: int, transfer: int) -> None:
    signal = (np.clip(encoded(colors(), primaries, transfer), 0, 1) * 65535).round().astype(np.uint16)
    picture = read(png(signal, primaries, transfer))
    assert np.abs(picture.frame.astype(int) - colors()).max() <= 1
    assert picture.icc is None, "what is written must not be taken for the old colors"
    assert bool(picture.notes) == (transfer in (16, 18))


@pytest.mark.parametrize(("primaries", "transfer"), [(9, 16), (9, 18), (12, 13)])
def test_an_avif_of_ten_bits_has_the_colors_of_its_srgb_twin(primaries: int, transfer: int) -> None:
    signal = (np.clip(encoded(colors(), primaries, transfer), 0, 1) * 1023).round().astype(np.uint16)
    big = np.ascontiguousarray(signal.repeat(8, axis=0).repeat(8, axis=1)[..., ::-1])
    data = cv2.imencode(
        ".avif", big, [cv2.IMWRITE_AVIF_DEPTH, 10, cv2.IMWRITE_AVIF_QUALITY, 95, cv2.IMWRITE_AVIF_SPEED, 9]
    )[1].tobytes()
    assert avif_bits(data) == 10
    frame = read(with_nclx(data, primaries, transfer)).frame
    centers = frame[64, 16::32].astype(int)
    assert np.abs(centers - colors()[0, ::4]).max() <= 6


def test_a_heic_in_display_p3_is_more_colorful_than_its_numbers() -> None:
    data = HEIC.read_bytes()
    plain = read(data)
    assert color_code("HEIC", data) == ColorCode(1, 13)
    wide = read(with_nclx(data, 12, 13)).frame
    expected = to_srgb(plain.frame, ColorCode(12, 13))
    assert np.abs(wide.astype(int) - expected).max() <= 1
    assert np.ptp(wide.astype(int), axis=2).mean() > np.ptp(plain.frame.astype(int), axis=2).mean()


def test_a_heic_in_pq_is_converted() -> None:
    data = HEIC.read_bytes()
    frame = read(with_nclx(data, 9, 16)).frame
    assert np.abs(frame.astype(int) - to_srgb(read(data).frame, ColorCode(9, 16))).max() <= 1


def test_a_turned_avif_is_turned_once() -> None:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[274] = 6
    Image.fromarray(colors()).resize((96, 64)).save(buffer, "AVIF", exif=exif, quality=95, speed=9)
    plain, wide = read(buffer.getvalue()), read(with_nclx(buffer.getvalue(), 12, 13))
    assert wide.size == plain.size == (96, 64)
    assert np.abs(wide.frame.astype(int) - to_srgb(plain.frame, ColorCode(12, 13))).max() <= 6


def test_transparency_stays_as_it_is() -> None:
    rgba = np.dstack([np.full((4, 4, 3), 30000, np.uint16), np.full((4, 4), 32768, np.uint16)])
    data = cv2.imencode(".png", rgba)[1].tobytes()
    body = bytes([9, 16, 0, 1])
    chunk = struct.pack(">I", 4) + b"cICP" + body + struct.pack(">I", zlib.crc32(b"cICP" + body))
    alpha = read(data[:33] + chunk + data[33:]).alpha
    assert alpha is not None
    assert np.allclose(alpha, 0.5, atol=1e-4)


def test_brighter_than_a_white_page_is_white() -> None:
    pixels = np.full((2, 2, 3), 65535, np.uint16)  # 10,000 nits
    assert (to_srgb(pixels, ColorCode(9, 16)) == 65535).all()


def test_unknown_code_points_are_told_and_change_nothing() -> None:
    pixels = (colors().astype(np.uint16)) * 257
    picture = read(png(pixels, 22, 13))
    assert np.array_equal(picture.frame, colors())
    assert "primaries 22" in picture.notes[0]


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n\0\0", b"\0\0\0\x10meta", HEIC.read_bytes()[:200]])
def test_cut_files_have_no_code(data: bytes) -> None:
    assert color_code("PNG", data) is None
    assert color_code("AVIF", data) is None
    assert avif_bits(data) == 8


@pytest.mark.parametrize(("transfer", "white"), [(16, 0.5807), (18, 0.75), (13, 1.0), (8, 1.0)])
@pytest.mark.parametrize("primaries", [1, 9, 12])
def test_a_white_page_becomes_the_white_of_a_page_and_comes_back(primaries: int, transfer: int, white: float) -> None:
    code = ColorCode(primaries, transfer)
    deep = colors().astype(np.uint16) * np.uint16(257)
    signal = from_srgb(deep, code)
    assert np.abs(signal[colors().min(axis=2) == 255] / 65535 - white).max() < 0.001
    assert np.abs(to_srgb(signal, code).astype(int) - deep).max() <= 257  # one step of eight bits
    wanted = encoded(colors(), primaries, transfer) if transfer in (16, 18, 13) else None
    if wanted is not None:
        assert np.abs(signal / 65535 - np.clip(wanted, 0, 1)).max() < 0.002


@pytest.mark.parametrize("transfer", [1, 4, 5, 8, 13, 16, 18])
def test_signal_and_light_are_each_other_s_inverse(transfer: int) -> None:
    light = np.linspace(0, 1, 1001)
    assert np.abs(linear_light(signal_of(light, transfer), transfer) - light).max() < 1e-6
