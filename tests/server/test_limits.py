"""Limits hold before work is done, whatever a picture claims to be."""

from __future__ import annotations

import struct
import zlib

import httpx
import pytest


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a hundred bytes whose header promises that many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("path", "field"), [("/v1/cut-out", "image"), ("/v1/mask", "image"), ("/v1/id-photo?spec=us-visa", "image")]
)
def test_a_bomb_is_refused_before_it_is_decoded(client: httpx.Client, path: str, field: str) -> None:
    answer = client.post(path, files={field: png_that_claims(50_000, 50_000)})
    assert (answer.status_code, answer.json()["code"]) == (413, "picture_too_large")
    assert "2,000,000" in answer.json()["detail"]


def test_a_bomb_as_background(client: httpx.Client, person_png: bytes) -> None:
    answer = client.post("/v1/cut-out", files={"image": person_png, "background": png_that_claims(60_000, 60_000)})
    assert (answer.status_code, answer.json()["code"]) == (413, "picture_too_large")


def test_a_request_may_ask_for_a_lower_limit_but_not_for_a_higher_one(client: httpx.Client, person_png: bytes) -> None:
    assert client.post("/v1/cut-out?max_pixels=100", content=person_png).status_code == 413
    answer = client.post("/v1/cut-out?max_pixels=999999999", content=png_that_claims(1500, 1500))
    assert answer.status_code == 413


def test_a_print_of_too_many_pixels(client: httpx.Client, person_png: bytes) -> None:
    answer = client.post("/v1/id-photo", data={"spec": "us-passport", "dpi": "2400"}, files={"image": person_png})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_option") and "`dpi`" in answer.json()["detail"]
