"""What a browser gets: a form, the built page if there is one, the documentation; nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from server_kit import decoded
from standout.server import examples, pages


def test_the_form_works_without_a_script(client: httpx.Client, person_png: bytes) -> None:
    text = pages.html(pages._FORM).body.decode()
    assert 'action="/v1/cut-out"' in text and 'enctype="multipart/form-data"' in text and "<script" not in text
    names = set(re.findall(r'name="(\w+)"', text)) - {"viewport"}
    data = {name: {"background": "white", "format": "png", "crop": "true"}[name] for name in names - {"image"}}
    # What a browser sends when a page posts a form to its own site:
    headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Origin": str(client.base_url).rstrip("/")}
    answer = client.post("/v1/cut-out", data=data, files={"image": ("p.png", person_png)}, headers=headers)
    assert answer.status_code == 200 and decoded(answer.content).ndim == 3


def test_the_page_that_was_built_is_served_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>built</title>")
    (tmp_path / "assets" / "a.mjs").write_text("export {}")
    (tmp_path / "assets" / "ort.wasm").write_bytes(b"\0asm")
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    monkeypatch.setattr(pages, "_KNOWN", {})
    assert b"built" in pages.answer("/").body
    assert pages.answer("/assets/a.mjs").headers["content-type"].startswith("text/javascript")
    wasm = pages.answer("/assets/ort.wasm")
    assert wasm.headers["content-type"] == "application/wasm"
    policy = wasm.headers["content-security-policy"]
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy and "unsafe-inline" not in policy and "http" not in policy
    assert wasm.headers["cross-origin-opener-policy"] == "same-origin"
    assert pages.is_page("/assets/a.mjs") and not pages.is_page("/v1/models") and not pages.is_page("/../secret")


def test_the_documentation_has_everything_and_loads_nothing(client: httpx.Client) -> None:
    text = client.get("/docs").text
    document = client.get("/openapi.json").json()
    for path in document["paths"]:
        assert path in text
    assert not re.search(r"(src|href)=\"(https?:)?//", text) and "<script" not in text
    assert "queue_full" in text and "keep_edge_colors" in text and "invalid_roi" not in text


def test_the_document_is_complete(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {
        "/v1/cut-out", "/v1/mask", "/v1/id-photo", "/v1/specs", "/v1/models", "/v1/remove-background", "/api/remove",
        "/v1.0/removebg", "/v1.0/account", "/v1.0/image-without-background", "/v1.0/image-without-background-base64",
        "/v1.0/alpha-channel", "/v1.0/alpha-channel-base64", "/available-credit", "/health", "/ready", "/metrics",
    } == set(document["paths"])  # fmt: skip
    post = document["paths"]["/v1/cut-out"]["post"]
    assert set(post["requestBody"]["content"]) == {
        "multipart/form-data", "application/json", "image/*", "application/octet-stream",
    }  # fmt: skip
    assert {"400", "401", "403", "408", "413", "415", "422", "429", "503", "504"} <= set(post["responses"])


def test_the_examples_are_requests_that_work(client: httpx.Client) -> None:
    for path, example in (("/v1/cut-out", examples.CUT_OUT), ("/v1/mask", examples.MASK)):
        assert client.post(path, json=example).status_code == 200
    assert client.post("/v1/id-photo", json=examples.ID_PHOTO).json()["code"] == "no_face"
