"""What lies in a PNG beside its picture never costs the picture."""

from __future__ import annotations

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from kits import corners, saved, wide_gamut
from standout.errors import InputError
from standout.imaging.decode import read

PLAIN = saved(Image.fromarray(corners()), "PNG")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def spoiled(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 255])


def holding(part: bytes, *, at_end: bool = False) -> bytes:
    return PLAIN[:-12] + part + PLAIN[-12:] if at_end else PLAIN[:33] + part + PLAIN[33:]


TEXT = os.urandom(600_000).hex().encode()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize(
    "part",
    [
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(TEXT)),
        chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(TEXT)),
        chunk(b"tEXt", b"workflow\0" + TEXT * 4),
        chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(80_000_000))),
        spoiled(chunk(b"tEXt", b"Comment\0hi")),
        spoiled(chunk(b"gAMA", struct.pack(">I", 45455))),
        spoiled(chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))),
        chunk(b"iTXt", b"no end"),
        chunk(b"tIME", b"short"),
    ],
    ids=["zTXt", "iTXt", "tEXt", "bomb", "tEXt's sum", "gAMA's sum", "pHYs' sum", "iTXt cut", "tIME cut"],
)
def test_text_and_damaged_side_data_are_left_out(part: bytes, at_end: bool) -> None:
    picture = read(holding(part, at_end=at_end))
    np.testing.assert_array_equal(picture.frame, corners())
    assert picture.notes == ()


def test_a_profile_of_any_size_is_used() -> None:
    large = holding(chunk(b"iCCP", b"big\0\0" + zlib.compress(SRGB + os.urandom(1_100_000))))
    np.testing.assert_array_equal(read(large).frame, corners())
    assert read(holding(chunk(b"iCCP", b"wide\0\0" + zlib.compress(wide_gamut())))).icc == wide_gamut()


def test_the_loss_of_what_is_seen_is_said() -> None:
    for part in (
        spoiled(chunk(b"iCCP", b"wide\0\0" + zlib.compress(wide_gamut()))),
        chunk(b"iCCP", b"bomb\0\0" + zlib.compress(bytes(80_000_000))),
        chunk(b"iCCP", b"wide\0\0no profile"),
    ):
        picture = read(holding(part))
        assert picture.icc is None and picture.notes == ("its color profile is damaged and was left out",)
        np.testing.assert_array_equal(picture.frame, corners())
    assert read(holding(spoiled(chunk(b"tRNS", bytes(6))))).notes == ("its transparency is damaged and was left out",)


def test_damage_of_the_picture_itself_is_still_refused() -> None:
    for broken in (PLAIN[:29] + bytes(4) + PLAIN[33:], PLAIN[: len(PLAIN) // 2]):
        with pytest.raises(InputError):
            read(broken)
