"""A 16-bit TIFF is read as its 8-bit twin, or one sentence names what isn't supported."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from standout.errors import InputError
from standout.imaging.decode import read


def photo() -> NDArray[np.uint8]:
    """(24, 40, 3): every corner is different."""
    rng = np.random.default_rng(3)
    smooth = Image.fromarray(rng.integers(0, 255, (4, 5, 3), np.uint8)).resize((40, 24), Image.Resampling.BICUBIC)
    return np.asarray(smooth)


def tiff(
    pixels: NDArray[np.generic],
    *,
    order: str = "<",
    big: bool = False,
    planar: bool = False,
    predictor: bool = False,
    deflate: bool = False,
    tile: int = 0,
    **tags: int | tuple[int, ...],
) -> bytes:
    """Writes a TIFF from (H, W, C), by the book. `tags` are named t262, t338 …"""
    height, width, samples = pixels.shape
    bits = pixels.dtype.itemsize * 8
    planes = [pixels[..., i : i + 1] for i in range(samples)] if planar else [pixels]
    chunks = []
    for plane in planes:
        areas = [plane[y : y + 7] for y in range(0, height, 7)]
        if tile:
            padded = np.pad(plane, ((0, -height % tile), (0, -width % tile), (0, 0)))
            areas = [
                padded[y : y + tile, x : x + tile]
                for y in range(0, padded.shape[0], tile)
                for x in range(0, padded.shape[1], tile)
            ]
        for area in areas:
            stored = np.diff(area, axis=1, prepend=np.zeros_like(area[:, :1])) if predictor else area
            raw = stored.astype(stored.dtype.newbyteorder(order)).tobytes()
            chunks.append(zlib.compress(raw) if deflate else raw)
    entries: dict[int, tuple[int, ...]] = {
        256: (width,), 257: (height,), 258: (bits,) * samples, 259: (8 if deflate else 1,),
        262: (2 if samples >= 3 else 1,), 277: (samples,), 284: (2 if planar else 1,), 317: (2 if predictor else 1,),
    }  # fmt: skip
    entries |= {322: (tile,), 323: (tile,)} if tile else {278: (7,)}
    for name, value in tags.items():
        entries[int(name[1:])] = value if isinstance(value, tuple) else (value,)
    header = 16 if big else 8
    offsets = [header + sum(map(len, chunks[:i])) for i in range(len(chunks))]
    entries |= {324 if tile else 273: tuple(offsets), 325 if tile else 279: tuple(map(len, chunks))}
    return _file(b"".join(chunks), entries, order, big)


def _file(body: bytes, entries: dict[int, tuple[int, ...]], order: str, big: bool) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    header, room, count = (16, 8, "Q") if big else (8, 4, "I")
    at = header + len(body)
    directory = struct.pack(order + ("Q" if big else "H"), len(entries))
    values_at = at + len(directory) + (20 if big else 12) * len(entries) + room
    values = b""
    for tag, numbers in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        field = packed.ljust(room, b"\0")
        if len(packed) > room:
            field = struct.pack(order + count, values_at + len(values))
            values += packed
        directory += struct.pack(order + "HH" + count, tag, 4, len(numbers)) + field
    directory += struct.pack(order + count, 0)
    start = struct.pack(order + "HHHQ", 43, 8, 0, at) if big else struct.pack(order + "HI", 42, at)
    return mark + start + body + directory + values


def deep(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return pixels.astype(np.uint16) * np.uint16(257)


STORED = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
          5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, 1),
          7: lambda a: a[::-1, ::-1].transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1)}  # fmt: skip


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_comes_out_upright(orientation: int, bits: int) -> None:
    pixels = deep(photo()) if bits == 16 else photo()
    data = tiff(np.ascontiguousarray(STORED[orientation](pixels)), t274=orientation)
    assert np.array_equal(read(data).frame, photo())


@pytest.mark.slow
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(("predictor", "deflate"), [(False, False), (False, True), (True, True)])
@pytest.mark.parametrize("tile", [0, 16])
def test_however_it_is_stored(order: str, big: bool, planar: bool, predictor: bool, deflate: bool, tile: int) -> None:
    data = tiff(deep(photo()), order=order, big=big, planar=planar, predictor=predictor, deflate=deflate, tile=tile)
    if big and order == ">":
        with pytest.raises(InputError, match="BigTIFF in big-endian order"):
            read(data)
        return
    picture = read(data)
    assert np.array_equal(picture.frame, photo())
    assert picture.frame.dtype == np.uint8
    assert picture.alpha is None


def test_sixteen_bits_stay_sixteen() -> None:
    pixels = np.arange(24 * 40 * 3, dtype=np.uint16).reshape(24, 40, 3) * np.uint16(22)
    own = next(value for value in vars(read(tiff(pixels))).values() if getattr(value, "dtype", None) == np.uint16)
    assert np.array_equal(own, pixels)


@pytest.mark.parametrize("bits", [8, 16])
def test_gray_and_white_that_is_zero(bits: int) -> None:
    gray = photo()[..., :1]
    stored = deep(gray) if bits == 16 else gray
    assert np.array_equal(read(tiff(stored)).frame, gray.repeat(3, 2))
    inverted = np.iinfo(stored.dtype).max - stored
    assert np.array_equal(read(tiff(inverted, t262=0)).frame, gray.repeat(3, 2))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_saved_selection_is_no_transparency(bits: int) -> None:
    selection = np.zeros((24, 40, 1), np.uint8)
    selection[5:10, 5:10] = 255
    pixels = np.dstack([photo(), selection])
    picture = read(tiff(deep(pixels) if bits == 16 else pixels, t338=0))
    assert picture.alpha is None
    assert np.array_equal(picture.frame, photo())


def test_transparency_behind_a_saved_selection_is_found() -> None:
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (24, 1))
    pixels = np.dstack([photo(), np.zeros((24, 40), np.uint8), alpha])
    picture = read(tiff(deep(pixels), t338=(0, 2)))
    assert picture.alpha is not None
    assert np.allclose(picture.alpha, alpha / 255, atol=1e-3)
    assert np.array_equal(picture.frame, photo())


@pytest.mark.parametrize("bits", [8, 16])
def test_premultiplied_colors_are_divided_again(bits: int) -> None:
    top = 65535 if bits == 16 else 255
    alpha = np.full((24, 40, 1), round(0.5 * top))
    full = photo().astype(np.float64) * (257 if bits == 16 else 1)
    pixels = np.dstack([full * alpha / top, alpha]).round().astype(np.uint16 if bits == 16 else np.uint8)
    picture = read(tiff(pixels, t338=1))
    assert picture.alpha is not None
    assert np.allclose(picture.alpha, 0.5, atol=0.003)
    assert np.abs(picture.frame.astype(int) - photo()).max() <= (1 if bits == 16 else 2)


def test_inks_are_seen_as_their_eight_bit_twin() -> None:
    inks = np.dstack([255 - photo(), np.zeros((24, 40), np.uint8)])
    eight, sixteen = read(tiff(inks, t262=5)), read(tiff(deep(inks), t262=5))
    assert np.array_equal(eight.frame, sixteen.frame)
    assert np.abs(sixteen.frame.astype(int) - photo()).max() <= 1


def test_zstd() -> None:
    # Pillow packs bytes; the tags then say what they are.
    raw = deep(photo()).astype("<u2").view(np.uint8).reshape(24, 240)
    buffer = io.BytesIO()
    try:
        Image.fromarray(raw).save(buffer, "TIFF", compression="zstd")
    except OSError:
        pytest.skip("this Pillow packs no ZSTD, so the test has no file to read")
    packed = Image.open(io.BytesIO(buffer.getvalue()))
    offsets, counts = packed.tag_v2[273], packed.tag_v2[279]  # type: ignore[attr-defined]
    strips = [buffer.getvalue()[at : at + count] for at, count in zip(offsets, counts, strict=True)]
    data = _file(
        b"".join(strips),
        {256: (40,), 257: (24,), 258: (16, 16, 16), 259: (50000,), 262: (2,), 277: (3,), 278: (packed.tag_v2[278],),  # type: ignore[attr-defined]
         273: tuple(8 + sum(map(len, strips[:i])) for i in range(len(strips))), 279: tuple(map(len, strips))},
        "<", False,
    )  # fmt: skip
    assert np.array_equal(read(data).frame, photo())


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (tiff(photo().astype(np.float32) / 255, t339=(3, 3, 3)), "floating-point"),
        (tiff(photo().astype(np.uint32)), "32 bits"),
        (tiff(photo().astype(np.int16), t339=(2, 2, 2)), "signed"),
        (tiff(deep(photo()), t262=8), "CIELab"),
        (tiff(deep(photo()), t259=34887), "compression"),
        (tiff(deep(np.dstack([photo(), photo()[..., :1]])), t262=5, t332=2), "inks"),
    ],
)
def test_what_is_not_supported_is_named(data: bytes, named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        read(data)
    assert "broken" not in str(caught.value)


def test_cut_off_and_lying_files_are_refused() -> None:
    whole = tiff(deep(photo()), deflate=True)
    for size in range(8, len(whole), 37):
        with pytest.raises(InputError):
            read(whole[:size])
