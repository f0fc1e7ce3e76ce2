"""A picture of a few kilobytes costs a refusal, whichever route it takes; the worker lives on."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from server_kit import Running, decoded, encoded, running
from standout.server.options import ServerOptions


@pytest.fixture(scope="module")
def server(model_file: Path) -> Iterator[Running]:
    """With the limits that a server has unless told otherwise."""
    with running(ServerOptions(port=0, workers=1, threads=1, model=str(model_file))) as one:
        yield one


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, more: bytes = b"", rows: bytes = b"\0" * 100) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg_claiming(width: int, height: int) -> bytes:
    small = encoded(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8), "JPEG")
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", height, width) + small[at + 4 :]


def planar_tiff(side: int, planes: int) -> bytes:
    """16 bits, all planes in one strip."""
    strip = zlib.compress(bytes(side * side * 2), 9)
    numbers = {
        256: (side,), 257: (side,), 258: (16,) * planes, 259: (8,), 262: (2,), 277: (planes,), 278: (side,),
        284: (2,), 273: (8,) * planes, 279: (len(strip),) * planes,
    }  # fmt: skip
    at, entries, values = 8 + len(strip) + 2 + 12 * len(numbers) + 4, b"", b""
    for tag, value in numbers.items():
        packed = struct.pack(f"<{len(value)}I", *value)
        entries += struct.pack("<HHI", tag, 4, len(value))
        entries += packed if len(value) == 1 else struct.pack("<I", at + len(values))
        values += packed if len(value) > 1 else b""
    directory = struct.pack("<H", len(numbers)) + entries + b"\0" * 4 + values
    return b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip + directory


LONG = zlib.compress(b"A" * 50_000_000, 9)
BMP = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 100_000, 100_000, 1, 24, *[0] * 6)
BOMBS = {
    "PNG of 50,000 × 50,000": png(50_000, 50_000),
    "JPEG of 65,000 × 65,000": jpeg_claiming(65_000, 65_000),
    "JPEG of 49 MP in a kilobyte": jpeg_claiming(7000, 7000),
    "BMP of 100,000 × 100,000": BMP,
    "TIFF of 40 planes": planar_tiff(2000, 40),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><image href="file:///etc/passwd"/></svg>',
    "PSD": b"8BPS\0\1" + bytes(30),
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
    "half a PNG": encoded(np.zeros((300, 300, 3), np.uint8))[:200],
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("path", ["/v1/cut-out", "/v1/id-photo?spec=us-visa", "/api/remove", "/v1.0/removebg"])
def test_a_bomb_is_refused_and_the_worker_lives_on(server: Running, name: str, path: str) -> None:
    field = {"/api/remove": "file", "/v1.0/removebg": "image_file"}.get(path, "image")
    before = server.serving.pool.pids()
    answer = server.client.post(path, files={field: ("a.png", BOMBS[name])}, timeout=20)
    assert answer.status_code in (400, 413, 422), answer.text
    assert server.serving.pool.pids() == before
    assert "max_pixels" not in answer.text


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP", b"iTXt"])
def test_side_data_that_unpacks_to_much_costs_nothing(server: Running, kind: bytes) -> None:
    rows = (b"\0" + bytes(64 * 3)) * 64
    inside = {b"zTXt": b"a\0\0", b"iCCP": b"a\0\0", b"iTXt": b"a\0\1\0\0\0"}[kind]
    answer = server.client.post("/v1/cut-out", content=png(64, 64, chunk(kind, inside + LONG), rows), timeout=20)
    assert answer.status_code in (200, 422)
    assert sum(server.serving.pool.memory().values()) < 600_000_000


def test_thirty_pictures_at_once_are_each_ones_own(server: Running) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def ask(number: int) -> bool:
        frame = np.full((40 + number, 50, 3), (10, 20, number), np.uint8)
        frame[10:30, 10:30] = (250, 240, 230 - number)
        while (answer := server.client.post("/v1/cut-out", content=encoded(frame))).status_code == 429:
            pass
        pixels = decoded(answer.content)
        return pixels.shape == (40 + number, 50, 4) and pixels[20, 20, :3].tolist() == [250, 240, 230 - number]

    with ThreadPoolExecutor(30) as threads:
        assert all(threads.map(ask, range(30)))
