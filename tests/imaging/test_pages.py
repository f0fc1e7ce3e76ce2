"""Of a file with several pictures the meant one is read, and that there are others is said."""

from __future__ import annotations

import io
import struct
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from kits import corners, saved
from standout.errors import InputError
from standout.imaging.decode import read

FULL = Image.fromarray(np.asarray(cv2.resize(corners(), (96, 64), interpolation=cv2.INTER_NEAREST)))
SMALL = FULL.resize((20, 14))


def tags(**values: tuple[int, Any]) -> Any:
    made = TiffImagePlugin.ImageFileDirectory_v2()
    for key, (kind, value) in values.items():
        made.tagtype[int(key[1:])] = kind
        made[int(key[1:])] = value
    return made


def tiff(*pages: Image.Image, **first: tuple[int, Any]) -> bytes:
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], tiffinfo=tags(**first))


def with_inner(photometric: int) -> bytes:
    """A preview whose directory holds another one, as cameras lay out their files."""
    data = bytearray(tiff(SMALL, t254=(4, 1), t330=(4, 8)))
    inner = struct.pack("<HHHIIHHII", 2, 262, 3, 1, photometric, 256, 4, 1, 6000) + bytes(4)
    at = data.index(struct.pack("<HHI", 330, 4, 1)) + 8
    data[at : at + 4] = struct.pack("<I", len(data))
    return bytes(data) + inner


@pytest.mark.parametrize(
    "data",
    [
        tiff(SMALL, t254=(4, 1), t50706=(1, bytes([1, 4, 0, 0]))),
        tiff(FULL, t50706=(1, bytes([1, 4, 0, 0]))),
        tiff(SMALL, t254=(4, 1), t271=(2, "NIKON CORPORATION")),
        tiff(SMALL, t255=(3, 2)),
        with_inner(32803),
        with_inner(34892),
        b"IIRO" + bytes(60),
        b"\0\0\0\x18ftypcrx " + bytes(60),
        b"FUJIFILMCCD-RAW " + bytes(60),
    ],
    ids=["DNG preview", "DNG", "NEF", "old tag", "sensor inside", "linear inside", "ORF", "CR3", "RAF"],
)
def test_a_raw_file_is_no_picture_of_its_preview(data: bytes) -> None:
    with pytest.raises(InputError, match=r"RAW file.*develop it"):
        read(data)


@pytest.mark.parametrize("first", [{"t254": (4, 1)}, {"t254": (4, 4)}, {"t255": (3, 2)}, {}])
def test_a_preview_in_front_is_passed_over(first: dict[str, tuple[int, Any]]) -> None:
    picture = read(tiff(SMALL, FULL, **first))
    assert picture.size == (64, 96) and picture.notes == ()
    np.testing.assert_array_equal(picture.frame, np.asarray(FULL))


def test_a_preview_before_16_bits_is_passed_over_too() -> None:
    deep = np.asarray(FULL).astype(np.uint16) * 257
    data = bytearray(cv2.imencode(".tiff", deep[..., ::-1])[1].tobytes())
    # The preview's directory comes first and leads to the other: both files in one, so that offsets stay.
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(order + "I", data, 4)
    inner = struct.pack(order + "H", 4) + b"".join(
        struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in ((254, 1), (256, 20), (257, 14), (273, 8))
    ) + struct.pack(order + "I", directory)  # fmt: skip
    data[4:8] = struct.pack(order + "I", len(data))
    picture = read(bytes(data) + inner)
    assert picture.color.dtype == np.uint16 and picture.size == (64, 96)


def animation(kind: str) -> bytes:
    return saved(FULL, kind, save_all=True, append_images=[FULL.rotate(5), FULL.rotate(9)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tiff(FULL, FULL.rotate(5), FULL.rotate(9)), "the first of 3 pages"),
        (animation("WEBP"), "the first of 3 frames"),
        (animation("PNG"), "the first of 3 frames"),
        (animation("AVIF"), "the first of 3 frames"),
        (animation("GIF"), "the first of 3 frames"),
    ],
    ids=["TIFF", "WebP", "APNG", "AVIF", "GIF"],
)
def test_the_first_of_several_is_read_and_the_others_are_said(data: bytes, words: str) -> None:
    picture = read(data)
    assert picture.size == (64, 96) and len(picture.notes) == 1 and picture.notes[0].startswith(words)
    assert ("standout video" in picture.notes[0]) == ("frames" in words)
    assert np.abs(picture.frame.astype(int) - np.asarray(FULL)).mean() < 12


def test_one_picture_has_no_note_and_a_gif_keeps_its_transparency() -> None:
    for kind in ("TIFF", "WEBP", "PNG", "AVIF", "GIF"):
        assert read(saved(FULL, kind)).notes == ()
    palette = FULL.quantize(8)
    alpha = read(saved(palette, "GIF", transparency=palette.getpixel((0, 0)))).alpha
    assert alpha is not None and alpha[0, 0] == 0 and alpha.max() == 1


def test_a_pillow_picture_is_the_frame_that_it_shows() -> None:
    with Image.open(io.BytesIO(animation("PNG"))) as image:
        from standout.imaging.decode import picture_of

        assert picture_of(image).notes == ()
