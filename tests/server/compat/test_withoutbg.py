"""As withoutBG's clients speak: its GIMP plugin (a plain PNG as the body), its web page and Python package (JSON)."""

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


def test_the_python_package(client: httpx.Client, person_png: bytes) -> None:
    # `WithoutBG.api(api_key, base_url=…)` of the package withoutbg 1.3.0, whose base_url is a public parameter.
    text = base64.b64encode(person_png).decode()
    answer = client.post("/v1.0/alpha-channel-base64", json={"image_base64": text}, headers={"X-API-Key": "sk-x"})
    alpha = decoded(base64.b64decode(answer.json()["alpha_base64"]))
    assert alpha.shape == (72, 96) and alpha[36, 48] == 255 and alpha[5, 5] == 0
    assert client.get("/available-credit").json()["credit"] > 0
    assert client.get("/v1/models").status_code == 200


def test_the_clouds_other_paths(client: httpx.Client, person_png: bytes) -> None:
    for name in ("file", "image"):  # clients differ in it
        answer = client.post("/v1.0/image-without-background", files={name: person_png}, data={"size": "auto"})
        assert answer.headers["content-type"] == "image/png" and decoded(answer.content).shape == (72, 96, 4)
    assert decoded(client.post("/v1.0/alpha-channel", files={"file": person_png}).content).shape == (72, 96)
    sent = {"image_base64": base64.b64encode(person_png).decode(), "image_mime_type": "image/png"}
    made = client.post("/v1.0/image-without-background-base64", json=sent).json()
    assert decoded(base64.b64decode(made["img_without_background_base64"])).shape == (72, 96, 4)
    refused = client.post("/v1.0/alpha-channel-base64", json={})
    assert refused.status_code == 400 and "image_base64" in refused.json()["error"]
