"""A few kilobytes never cost much: what decoders would unpack is asked for before they see a byte."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from standout.errors import InputError, LimitExceeded, StandoutError
from standout.imaging.av1 import coded_sizes
from standout.imaging.bounds import is_metadata, png_is_whole
from standout.imaging.decode import read


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(width: int = 200, height: int = 120) -> Image.Image:
    """Noise, softened: no row has one color."""
    noise = np.random.default_rng(1).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BILINEAR)


def tiff(tags: dict[int, tuple[int, ...]], payload: bytes, *, next_at: int = 0) -> bytes:
    """A TIFF of one directory; every tag is LONG."""
    start = 8 + len(payload) + len(payload) % 2
    at, entries, values = start + 2 + 12 * len(tags) + 4, b"", b""
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        field = packed if len(packed) == 4 else struct.pack("<I", at + len(values))
        values += packed if len(packed) != 4 else b""
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + field
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", next_at) + values
    return b"II*\0" + struct.pack("<I", start) + payload + bytes(len(payload) % 2) + directory


def jpeg_with_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG, every scan of which visits every block."""

    def segment(marker: int, data: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data

    table = bytes([1] + [0] * 15)
    blocks = ((side + 7) // 8) ** 2
    runs = bytes(-(-blocks // 32767) * 2 + 2)
    data = b"\xff\xd8" + segment(0xDB, b"\0" + b"\x01" * 64)
    data += segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\x00")
    data += segment(0xC4, b"\x00" + table + b"\x00") + segment(0xC4, b"\x10" + table + b"\xe0")
    data += segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + bytes(blocks // 8 + 1)
    for _ in range(scans):
        data += segment(0xDA, b"\x01\x01\x00\x01\x3f\x10") + runs
    return data + b"\xff\xd9"


def claiming(data: bytes, marker: bytes, width: int, height: int) -> bytes:
    """A JPEG whose frame header claims another size."""
    at = data.index(marker) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


STRIP = zlib.compress(bytes(1000 * 1000 * 2), 9)
GIF = saved(Image.new("P", (16, 16)), "GIF")
CHECKSUM = struct.pack(">I", zlib.crc32(b"teSt"))
BOMBS = {
    "JPEG of 700 scans": jpeg_with_scans(7000, 700),
    "JPEG of 49 MP in 700 bytes": claiming(saved(photo(64, 64), "JPEG"), b"\xff\xc0", 7000, 7000),
    "JPEG of 9 MP in 700 bytes": claiming(saved(photo(64, 64), "JPEG"), b"\xff\xc0", 3000, 3000),
    "progressive JPEG of 9 MP": claiming(saved(photo(64, 64), "JPEG", progressive=True), b"\xff\xc2", 3000, 3000),
    "TIFF of 40 planes in one strip": tiff(
        {256: (1000,), 257: (1000,), 258: (16,) * 40, 259: (8,), 262: (2,), 277: (40,), 278: (1000,), 284: (2,),
         273: (8,) * 40, 279: (len(STRIP),) * 40}, STRIP),
    "TIFF of strips that share their bytes": tiff(
        {256: (1000,), 257: (1000,), 258: (16,) * 4, 259: (8,), 262: (2,), 277: (4,), 278: (1000,), 284: (2,),
         273: (8,) * 4, 279: (len(STRIP),) * 4}, STRIP),
    "TIFF of 100 × 100 in a tile of 20,000 × 20,000": tiff(
        {256: (100,), 257: (100,), 258: (8,), 259: (8,), 262: (1,), 277: (1,), 322: (20000,), 323: (20000,), 324: (8,),
         325: (len(STRIP),)}, STRIP),
    "TIFF of 2,000 pages": b"II*\0\x08\0\0\0" + b"".join(struct.pack("<HI", 0, 14 + 6 * i) for i in range(2000)),
    "WebP of 49 MP of one color": saved(Image.new("RGB", (7000, 7000)), "WEBP", lossless=True, quality=0, method=0),
    "GIF of 30,000 frames": GIF[: GIF.index(b",")] + GIF[GIF.index(b",") : -1] * 30_000 + b";",
    "TIFF of 900 pages that share four million numbers": b"II*\0\x08\0\0\0" + b"".join(
        struct.pack("<HHHIII", 1, 279, 4, 4_000_000, 0, 26 + 18 * i) for i in range(900)),
    "PNG of 250,000 chunks": saved(photo(), "PNG")[:33] + (b"\0\0\0\0teSt" + CHECKSUM) * 250_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_is_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standout.imaging.decode.decode", _decoded)
    monkeypatch.setattr("standout.imaging.tiff.decode_deep", _decoded)
    with pytest.raises((InputError, LimitExceeded)):
        read(BOMBS[name], max_pixels=50_000_000)


def _decoded(*_: object) -> None:
    raise AssertionError("a decoder has seen it")


def test_an_avif_is_as_large_as_it_is_coded(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = saved(photo(), "AVIF"), saved(Image.new("RGB", (4000, 3000)), "AVIF", speed=10)
    assert coded_sizes(small) == [(200, 120)] and coded_sizes(large) == [(4000, 3000)]
    at = large.index(b"ispe") + 8
    lying = large[:at] + struct.pack(">II", 10, 10) + large[at + 8 :]
    monkeypatch.setattr("standout.imaging.decode.decode", _decoded)
    with pytest.raises(InputError, match="is coded with 4000 × 3000"):
        read(lying)
    with pytest.raises(LimitExceeded, match="4000 × 3000"):
        read(lying, max_pixels=1_000_000)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("frames", [1, 3])
def test_whole_avifs_are_read(alpha: bool, frames: int) -> None:
    image = photo()
    if alpha:
        image.putalpha(128)
    more = {"save_all": True, "append_images": [image.rotate(i) for i in range(1, frames)]} if frames > 1 else {}
    data = saved(image, "AVIF", **more)
    assert (200, 120) in coded_sizes(data)
    assert read(data).size == (120, 200)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 100}, {"restart_marker_blocks": 1}]
)
def test_whole_jpegs_are_read(options: dict[str, object]) -> None:
    assert read(saved(photo(), "JPEG", **options)).size == (120, 200)
    assert read(saved(Image.new("RGB", (3000, 3000), "white"), "JPEG", **options)).size == (3000, 3000)


def test_the_rows_that_are_missing_are_missed() -> None:
    for interlaced in (False, True):
        whole = saved(Image.new("RGB", (40, 30)), "PNG") if not interlaced else _interlaced(40, 30)
        assert png_is_whole(whole) and read(whole).size == (30, 40)
    short = b"".join(b"\0" + bytes([100] * 300) for _ in range(3))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0)
    cut = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(short)) + chunk(b"IEND", b"")
    with pytest.raises(InputError, match="cut off"):
        read(cut)
    jpeg = saved(photo(800, 600), "JPEG")
    with pytest.raises(InputError, match="cut off"):
        read(jpeg[: len(jpeg) // 2] + b"\xff\xd9")
    assert read(saved(Image.new("RGB", (800, 600), "white"), "JPEG")).size == (600, 800)


def _interlaced(width: int, height: int) -> bytes:
    """A black picture in seven passes."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    raw = b""
    for left, top, across, down in passes:
        wide, tall = len(range(left, width, across)), len(range(top, height, down))
        raw += bytes(1 + wide * 3) * tall

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


@pytest.mark.slow
def test_a_deep_tiff_of_the_promised_size_is_read() -> None:
    """Pillow's own limit counts the bytes of 16-bit rows as pixels: three, six or eight for each of ours."""
    width, height = 10_000, 3_200
    row = (np.arange(width * 3, dtype=np.uint32) * 97 % 65536).astype("<u2").tobytes()
    strips = [zlib.compress(row * 400, 1)] * 8
    places = [8 + sum(map(len, strips[:i])) for i in range(8)]
    data = tiff(
        {256: (width,), 257: (height,), 258: (16, 16, 16), 259: (8,), 262: (2,), 277: (3,), 278: (400,),
         273: tuple(places), 279: tuple(map(len, strips))}, b"".join(strips))  # fmt: skip
    picture = read(data, max_pixels=50_000_000)
    assert picture.size == (height, width) and picture.color.dtype == np.uint16
    assert picture.color[-1, 5].tolist() == [1455, 1552, 1649]


def test_a_solid_picture_of_a_program_is_read() -> None:
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {"compression": "tiff_adobe_deflate"})):
        assert read(saved(Image.new("RGB", (2000, 1500)), kind, **options)).size == (1500, 2000)


def test_every_refusal_is_a_sentence() -> None:
    for data in BOMBS.values():
        with pytest.raises(StandoutError) as refused:
            read(data, max_pixels=50_000_000)
        words = str(refused.value)
        assert words.startswith("The input ") and words.endswith(".") and len(words) < 250


def exif(entries: int, count: int) -> bytes:
    """A block whose tags all point at the same fractions."""
    start = 8 + 2 + 12 * entries + 4
    tags = b"".join(struct.pack("<HHII", 0x9C9C + i, 5, count, start) for i in range(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + tags + bytes(4) + struct.pack("<II", 1, 1) * count


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_metadata_that_unpacks_to_more_than_it_is_is_left_out(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 kilobytes whose tags share their values took Pillow half a minute."""
    assert is_metadata(exif(20, 1)) and not is_metadata(exif(1000, 1000)) and not is_metadata(exif(1, 30_000))
    data = saved(photo(), kind, exif=b"Exif\0\0" + exif(1000, 1000))
    monkeypatch.setattr(Image.Exif, "tobytes", _decoded)
    assert read(data).exif is None


def test_metadata_of_cameras_is_kept() -> None:
    known = Image.Exif()
    known[271], known[282] = "Maker", 300.0
    known.get_ifd(34665)[37500] = bytes(200_000)
    for kind in ("PNG", "WEBP", "AVIF"):
        kept = read(saved(photo(), kind, exif=known)).exif
        assert kept is not None and b"Maker" in kept


def test_gifs_and_their_frames_are_counted() -> None:
    frames = [Image.new("RGB", (16, 16), (50 * i, 9, 200 - 50 * i)) for i in range(5)]
    assert "5 frames" in read(saved(frames[0], "GIF", save_all=True, append_images=frames[1:])).notes[0]
