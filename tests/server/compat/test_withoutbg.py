"""As withoutBG's clients speak: its GIMP plugin (urllib, a plain PNG as the body) and its web page (JSON)."""

from __future__ import annotations

import base64
import urllib.error
import urllib.request

import httpx
import pytest

from server_kit import Running, decoded


def test_the_gimp_plugin(real: Running, person_png: bytes) -> None:
    base = f"http://127.0.0.1:{real.port}"
    with urllib.request.urlopen(f"{base}/health") as answer:
        assert b'"status":"ok"' in answer.read().replace(b" ", b"")
    request = urllib.request.Request(
        f"{base}/v1/remove-background?output=matte", data=person_png, headers={"Content-Type": "image/png"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Type"] == "image/png" and float(answer.headers["X-Latency-Ms"]) > 0
        matte = decoded(answer.read())
    assert matte.shape == (72, 96) and matte[36, 48] == 255 and matte[5, 5] == 0


def test_its_page_gets_both_pictures_as_data_urls(client: httpx.Client, person_png: bytes) -> None:
    text = "data:image/png;base64," + base64.b64encode(person_png).decode()
    made = client.post("/v1/remove-background", json={"image": text}).json()
    assert set(made) == {"processed", "alphaMatte", "latencyMs"}
    shapes = [decoded(base64.b64decode(made[name].partition(",")[2])).shape for name in ("processed", "alphaMatte")]
    assert shapes == [(72, 96, 4), (72, 96)]


def test_a_form(client: httpx.Client, person_png: bytes) -> None:
    answer = client.post("/v1/remove-background", files={"image": person_png}, params={"output": "cutout"})
    assert decoded(answer.content).shape == (72, 96, 4)
    assert client.post("/v1/remove-background?output=Processed", content=person_png).status_code == 200


def test_readiness(client: httpx.Client) -> None:
    assert client.get("/ready").json() == {"status": "ready"}
    health = client.get("/health").json()
    assert set(health) == {"status", "model", "version"}


@pytest.mark.parametrize(
    ("query", "sent", "words"),
    [
        ("?output=other", {"content": b"x"}, "must be 'cutout' or 'matte'"),
        ("", {"content": b"no picture"}, "Invalid image input"),
        ("", {"files": {"picture": b"x"}}, "Multipart field 'image' not found."),
        ("", {"json": {"image": "?"}}, "Invalid image input"),
    ],
)
def test_refusals(client: httpx.Client, query: str, sent: dict, words: str) -> None:
    answer = client.post(f"/v1/remove-background{query}", **sent)
    assert answer.status_code == 400 and words in answer.json()["error"]
    assert answer.json()["detail"] == answer.json()["error"]
