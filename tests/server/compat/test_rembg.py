"""As rembg's clients speak: its README's curl lines, `requests` with a form, apps that know only an address."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest

from server_kit import Running, decoded, running
from standout.server.options import ServerOptions
from standout.server.urls import Fetcher


@pytest.mark.slow
def test_the_readme_of_rembg(client: httpx.Client, person_png: bytes) -> None:
    # curl -s -F file=@/path/to/input.jpg "http://localhost:7000/api/remove" -o output.png
    answer = client.post("/api/remove", files={"file": ("input.jpg", person_png)})
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    assert decoded(answer.content).shape == (72, 96, 4)


def test_apps_that_take_the_base_address_for_the_whole_one(client: httpx.Client, person_png: bytes) -> None:
    answer = client.post("/", files={"file": person_png})
    assert answer.status_code == 200 and decoded(answer.content).shape == (72, 96, 4)


def test_the_form_of_rembg(client: httpx.Client, person_png: bytes) -> None:
    # What n8n, Artivact and most wrappers send: everything, with rembg's defaults.
    data = {
        "model": "u2net", "a": "false", "af": "240", "ab": "10", "ae": "10", "om": "true", "ppm": "true",
    }  # fmt: skip
    answer = client.post("/api/remove", files={"file": person_png}, data=data)
    assert answer.status_code == 200, answer.text
    assert decoded(answer.content).shape == (72, 96)
    assert answer.headers["standout-model-asked"] == "u2net" and answer.headers["standout-model"] == "tiny"


def test_every_name_of_a_model_is_taken_for_one_of_ours(client: httpx.Client, person_png: bytes) -> None:
    for name in ("isnet-general-use", "bria-rmbg", "birefnet-portrait", "sam", "../../etc/passwd"):
        answer = client.post("/api/remove", files={"file": person_png}, data={"model": name})
        assert answer.status_code == 200 and answer.headers["standout-model-asked"] == name
    own = client.post("/api/remove", files={"file": person_png}, data={"model": "live"})
    assert own.headers["standout-model"] == "live" and "standout-model-asked" not in own.headers


def test_bgc_and_extras_are_in_the_query_even_of_a_post(client: httpx.Client, person_png: bytes) -> None:
    params = {"bgc": "255,0,0,255", "extras": '{"model_path": "/etc/passwd", "sam_prompt": []}'}
    answer = client.post("/api/remove", files={"file": person_png}, params=params)
    pixels = decoded(answer.content)
    assert pixels[5, 5].tolist()[:3] == [255, 0, 0] and pixels[36, 48].tolist()[:3] == [250, 240, 230]
    half = decoded(client.post("/api/remove", files={"file": person_png}, params={"bgc": "0,0,255,128"}).content)
    assert half.shape[2] == 4 and half[5, 5].tolist() == [0, 0, 255, 128] and half[36, 48, 3] == 255
    swallowed = client.post("/api/remove", files={"file": person_png}, params={"extras": "no json"})
    assert swallowed.status_code == 200


def test_alpha_matting_is_left_out_where_it_is_not_loaded_and_that_is_said(
    client: httpx.Client, person_png: bytes
) -> None:
    answer = client.post("/api/remove", files={"file": person_png}, data={"a": "true"})
    assert answer.status_code == 200 and decoded(answer.content).shape == (72, 96, 4)
    assert "started without `--matting`" in answer.headers["standout-notes"]
    ours = client.post("/v1/cut-out?matting=knn", content=person_png)
    assert (ours.status_code, ours.json()["code"]) == (422, "matting_off")


def test_nobody_is_a_picture_as_everything_is_with_rembg(client: httpx.Client, nobody_png: bytes) -> None:
    answer = client.post("/api/remove", files={"file": nobody_png})
    assert answer.status_code == 200 and not decoded(answer.content)[..., 3].any()
    assert answer.headers["standout-person"] == "false"


def test_refusals_are_worded_as_rembg_does(client: httpx.Client, person_png: bytes) -> None:
    missing = client.post("/api/remove", files={"wrong": person_png})
    assert missing.status_code == 422
    assert missing.json()["detail"][0] | {"input": 0} == {
        "type": "missing", "loc": ["body", "file"], "msg": "Field required", "input": 0,
    }  # fmt: skip
    broken = client.post("/api/remove", files={"file": b"no picture"})
    assert broken.status_code == 400 and "not a picture" in broken.json()["detail"]
    wrong = client.post("/api/remove", files={"file": person_png}, params={"bgc": "red"})
    assert wrong.status_code == 422 and "bgc" in wrong.json()["detail"][0]["msg"]
    urls = client.get("/api/remove", params={"url": "http://127.0.0.1/x.png"})
    assert urls.status_code == 400 and "fetches no addresses" in urls.json()["detail"]
    assert client.get("/api/remove").status_code == 422


def test_its_documentation_is_where_it_was(client: httpx.Client) -> None:
    answer = client.get("/api", follow_redirects=True)
    assert answer.status_code == 200 and "/api/remove" in answer.text


@pytest.fixture
def with_urls(model_file: Path, person_png: bytes) -> Iterator[tuple[Running, str]]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(person_png)

        def log_message(self, *_: object) -> None: ...

    site = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    options = ServerOptions(port=0, workers=1, threads=1, model=str(model_file), allow_urls=True)
    fetcher = Fetcher(
        10**6, 5, resolve=lambda *_: [ipaddress.ip_address("127.0.0.1")], allowed=lambda _: True
    )  # the test's own site is the one private address that may be asked
    with running(options, fetcher=fetcher) as server:
        yield server, f"http://pictures.example:{site.server_port}/photo.png"
    site.shutdown()
    thread.join()
    site.server_close()


@pytest.mark.slow
def test_get_with_a_url(with_urls: tuple[Running, str]) -> None:
    server, url = with_urls
    answer = server.client.get("/api/remove", params={"url": url, "om": "true"})
    assert answer.status_code == 200, answer.text
    assert np.array_equal(decoded(answer.content)[36, 40:56], [255] * 16)
    same = server.client.post("/v1/mask", json={"url": url})
    assert same.content == answer.content
    theirs = server.client.post("/v1.0/removebg", data={"image_url": url, "size": "full"})
    assert theirs.status_code == 200 and decoded(theirs.content).shape == (72, 96, 4)
    failed = server.client.post("/v1.0/removebg", json={"image_url": "ftp://x/y"})
    assert failed.json()["errors"][0]["code"] == "invalid_image_url"
