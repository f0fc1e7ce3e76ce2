"""Fuzzing of the decoders: whatever bytes come in, a picture or an error of ours comes out.

Quick by default. For longer: STANDOUT_FUZZ_MINUTES=5 python -m pytest tests/imaging/test_broken_files.py
"""

from __future__ import annotations

import os
import random
import time
import warnings
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from kits import DATA, saved, wide_gamut
from standout.errors import StandoutError
from standout.imaging.decode import read

MINUTES = float(os.environ.get("STANDOUT_FUZZ_MINUTES", 0))
#: The fuzzer mustn't fill the memory: what is larger by its (broken) header is refused by the limit.
MAX_PIXELS = 4_000_000


@cache
def corpus() -> dict[str, bytes]:
    """A small good file of every kind and of every path through the decoder."""
    noise = np.random.default_rng(1).integers(0, 255, (40, 56, 3), np.uint8)
    image, exif = Image.fromarray(noise), Image.Exif()
    exif[274], exif[271] = 6, "Maker"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.6)
    more = {"exif": exif, "icc_profile": wide_gamut(), "dpi": (300, 300)}
    files = {
        "jpeg": saved(image, "JPEG", **more),
        "jpeg progressive": saved(image, "JPEG", progressive=True),
        "jpeg gray": saved(image.convert("L"), "JPEG"),
        "jpeg cmyk": saved(image.convert("CMYK"), "JPEG"),
        "png": saved(image, "PNG", **more),
        "png palette": saved(image.quantize(8), "PNG", transparency=2),
        "png rgba": saved(image.convert("RGBA"), "PNG"),
        "png 16": cv2.imencode(".png", noise.astype(np.uint16) * 257)[1].tobytes(),
        "webp": saved(image, "WEBP", exif=exif, icc_profile=wide_gamut()),
        "webp lossless": saved(image.convert("RGBA"), "WEBP", lossless=True),
        "tiff": saved(image, "TIFF", **more),
        "tiff deflate": saved(image, "TIFF", compression="tiff_adobe_deflate"),
        "tiff 16": cv2.imencode(".tiff", noise.astype(np.uint16) * 257)[1].tobytes(),
        "bmp": saved(image, "BMP"),
        "gif": saved(image.quantize(16), "GIF", transparency=2),
        "tiff pages": saved(image, "TIFF", save_all=True, append_images=[image]),
        "avif": saved(image, "AVIF", exif=exif),
        "heic": (DATA / "plain.heic").read_bytes(),
        "heic turned": (DATA / "turned.heic").read_bytes(),
    }
    assert all(read(data).size for data in files.values())
    return files


def harmless(data: bytes) -> None:
    """Reads the file; anything but a sound picture or a StandoutError in one sentence is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, about the metadata
        try:
            picture = read(data, max_pixels=MAX_PIXELS)
        except StandoutError as error:
            assert str(error) and "\n" not in str(error) and len(str(error)) < 400
            return
    assert picture.frame.dtype == np.uint8 and picture.frame.ndim == 3 and picture.frame.size > 0
    assert picture.color.shape == picture.frame.shape
    assert picture.alpha is None or picture.alpha.shape == picture.size


def damage(data: bytes, rng: random.Random) -> bytes:
    """One to a few of: flipped bits, wild bytes, a cut, a hole, a doubled part, another file's head or tail."""
    broken = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        # Headers are where the decoders take their sizes from, so half of the damage goes there.
        end = len(broken) if rng.random() < 0.5 else min(len(broken), 200)
        if end < 4:
            break
        at = rng.randrange(end)
        length = rng.randrange(1, 1 + min(64, end))
        what = rng.randrange(8)
        if what == 0:
            broken[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            broken[at] = rng.choice((0, 1, 127, 128, 254, 255))
        elif what == 2:
            del broken[at:]
        elif what == 3:
            del broken[at : at + length]
        elif what == 4:
            broken[at:at] = broken[at : at + length]
        elif what == 5:
            broken[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\1"))
        elif what == 6:
            other = rng.choice(list(corpus().values()))
            broken[: min(at, 32)] = other[: min(at, 32)]
        else:
            other = rng.choice(list(corpus().values()))
            broken[at:] = other[at:]
    return bytes(broken)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(corpus()))
@settings(max_examples=25, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate),
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_files_are_harmless(kind: str, seed: int) -> None:
    harmless(damage(corpus()[kind], random.Random(seed)))


@pytest.mark.parametrize("kind", sorted(corpus()))
def test_every_cut_is_harmless(kind: str) -> None:
    data = corpus()[kind]
    for share in range(1, 40):
        harmless(data[: len(data) * share // 40])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    head=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*", b"BM",
                          b"\0\0\0\x1cftypavif", b"\0\0\0\x1cftypheic"]),
    rest=st.binary(max_size=400),
)  # fmt: skip
def test_a_head_with_anything_behind_is_harmless(head: bytes, rest: bytes) -> None:
    harmless(head + rest)


@pytest.mark.skipif(not MINUTES, reason="set STANDOUT_FUZZ_MINUTES to fuzz for long")
def test_for_minutes(tmp_path: Path) -> None:
    rng, end, count = random.Random(), time.monotonic() + 60 * MINUTES, 0
    files = list(corpus().values())
    while time.monotonic() < end:
        data = damage(rng.choice(files), rng)
        # Kept until it is read: a crash of the whole process leaves its cause behind.
        (tmp_path / "last").write_bytes(data)
        harmless(data)
        count += 1
    assert count > 10
    print(f"{count:,} broken files in {MINUTES:g} minutes")  # noqa: T201
