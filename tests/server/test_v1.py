"""Our own API, over a real connection and with a real (tiny) network."""

from __future__ import annotations

import base64
import inspect
import io
import json
import re
import zipfile
from importlib.resources import files

import httpx
import numpy as np
import pytest

from server_kit import decoded, encoded
from standout.cli.photo_options import photo_choice
from standout.server.fields import PhotoFields


def test_a_form_a_body_and_json_give_the_same_cut_out(client: httpx.Client, person_png: bytes) -> None:
    form = client.post("/v1/cut-out", files={"image": ("holiday.png", person_png, "image/png")})
    body = client.post("/v1/cut-out", content=person_png, headers={"Content-Type": "image/png"})
    plain = client.post("/v1/cut-out", content=person_png)
    text = base64.b64encode(person_png).decode()
    as_json = client.post("/v1/cut-out", json={"image": text, "format": "png"})
    data_url = client.post("/v1/cut-out", json={"image": f"data:image/png;base64,{text}", "format": "png"})
    for answer in (form, body, plain, as_json, data_url):
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/png"
        assert answer.content == form.content
    pixels = decoded(form.content)
    assert pixels.shape == (72, 96, 4)
    assert pixels[36, 48].tolist() == [250, 240, 230, 255] and pixels[5, 5].tolist() == [0, 0, 0, 0]


def test_curl_with_data_binary_calls_a_picture_a_form_and_is_understood(
    client: httpx.Client, person_png: bytes
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/v1/cut-out", content=person_png, headers=headers).status_code == 200


def test_headers_tell_of_the_picture(client: httpx.Client, person_png: bytes) -> None:
    answer = client.post("/v1/cut-out", content=person_png)
    assert answer.headers["standout-person"] == "true"
    assert answer.headers["standout-model"] == "tiny"
    assert answer.headers["standout-size"] == "96x72"
    stages = re.findall(r"(\w+);dur=([\d.]+)", answer.headers["server-timing"])
    assert [name for name, _ in stages] == ["wait", "read", "model", "compose", "encode"]


def test_nobody_is_an_answer_unless_a_person_is_required(client: httpx.Client, nobody_png: bytes) -> None:
    answer = client.post("/v1/cut-out", content=nobody_png)
    assert answer.status_code == 200 and answer.headers["standout-person"] == "false"
    assert not decoded(answer.content)[..., 3].any()
    refused = client.post("/v1/cut-out?require_person=true", content=nobody_png)
    assert (refused.status_code, refused.json()["code"]) == (422, "no_person")


def test_the_mask(client: httpx.Client, person_png: bytes) -> None:
    pixels = decoded(client.post("/v1/mask", content=person_png).content)
    assert pixels.shape == (72, 96) and pixels[36, 48] == 255 and pixels[5, 5] == 0
    same = client.post("/v1/cut-out", data={"mask": "true"}, files={"image": person_png})
    assert (decoded(same.content) == pixels).all()


@pytest.mark.parametrize(
    ("accept", "format_", "expected"),
    [
        ("image/webp", None, "image/webp"),
        ("image/tiff, image/png;q=0.5", None, "image/tiff"),
        ("text/html, */*;q=0.1", None, "image/png"),
        ("*/*", "webp", "image/webp"),
        ("image/png", "tiff", "image/tiff"),
        ("image/*", None, "image/png"),
        # axios and Angular name JSON first and take everything (axios/axios#2927).
        ("application/json, text/plain, */*", None, "image/png"),
        ("application/json, text/plain, */*", "webp", "image/webp"),
        ("application/json;q=0.5, image/webp;q=0.9", None, "image/webp"),
        ("application/json, */*;q=0.5", None, "application/json"),
        ("*/*", "json", "application/json"),
    ],
)
def test_format_goes_before_accept(
    client: httpx.Client, person_png: bytes, accept: str, format_: str | None, expected: str
) -> None:
    data = {"format": format_} if format_ else {}
    answer = client.post("/v1/cut-out", data=data, files={"image": person_png}, headers={"Accept": accept})
    assert answer.status_code == 200 and answer.headers["content-type"] == expected


def test_json_is_an_answer_too(client: httpx.Client, person_png: bytes) -> None:
    answer = client.post("/v1/cut-out", content=person_png, headers={"Accept": "application/json"})
    made = answer.json()
    assert (made["person"], made["model"], made["width"], made["height"]) == (True, "tiny", 96, 72)
    assert decoded(base64.b64decode(made["image"])).shape == (72, 96, 4)


def form(*parts: tuple[str, bytes]) -> dict[str, object]:
    """A form whose parts have these headers."""
    body = b"".join(
        b"--X\r\nContent-Disposition: form-data; " + h.encode() + b"\r\n\r\n" + d + b"\r\n" for h, d in parts
    )
    return {"content": body + b"--X--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=X"}}


@pytest.mark.parametrize(
    "head",
    [
        "name=image; filename*=utf-8''f%C3%B8to.png",  # requests with urllib3 up to 1.24
        'name="image"\r\nContent-Type: image/png',  # form-data of Node, given bytes
        'name="image"\r\nContent-Type: application/octet-stream',
        'name="image"',  # bytes that are no text
        'name="image"; filename=""',
    ],
)
def test_a_part_that_is_no_text_is_the_picture(client: httpx.Client, person_png: bytes, head: str) -> None:
    answer = client.post("/v1/cut-out", **form((head, person_png)))
    assert answer.status_code == 200 and answer.headers["standout-size"] == "96x72", answer.text
    assert client.post("/api/remove", **form((head.replace("image;", "file;"), person_png))).status_code == 200


@pytest.mark.parametrize("path", ["/v1/cut-out", "/v1/mask", "/api/remove", "/v1/remove-background", "/v1.0/removebg"])
def test_of_several_pictures_none_is_taken_in_silence(client: httpx.Client, person_png: bytes, path: str) -> None:
    name = {"/api/remove": "file", "/v1.0/removebg": "image_file"}.get(path, "image")
    two = [(name, ("a.png", person_png)), (name, ("b.png", b"other"))]
    for sent in (two, two[::-1]):
        answer = client.post(path, files=sent)
        assert answer.status_code in (400, 422) and "2 pictures" in answer.text
    if path.startswith("/v1/"):
        text = base64.b64encode(person_png).decode()
        assert client.post(path, files={"image": person_png}, data={"image": text}).status_code in (422, 400)


def test_one_picture_under_the_names_of_several_apis_is_one(client: httpx.Client, person_png: bytes) -> None:
    same = [("image", ("a.png", person_png)), ("file", ("a.png", person_png)), ("image", ("a.png", person_png))]
    for path in ("/v1/cut-out", "/api/remove", "/"):
        assert client.post(path, files=same).status_code == 200


def test_a_file_under_another_name_is_said(client: httpx.Client, person_png: bytes) -> None:
    answer = client.post("/v1/cut-out", files={"image": person_png, "photo2": person_png + b"\0"})
    assert answer.status_code == 422 and "There is no file field `photo2`" in answer.json()["detail"]


def test_an_option_that_comes_twice_is_refused(client: httpx.Client, person_png: bytes) -> None:
    for sent in (
        {"url": "/v1/cut-out?format=jpg", "data": {"format": "png"}, "files": {"image": person_png}},
        {"url": "/v1/cut-out?format=jpg&format=png", "content": person_png},
        {"url": "/v1/cut-out?keep-edge-colors=true&keep_edge_colors=false", "content": person_png},
        {"url": "/api/remove?om=true", "data": {"om": "false"}, "files": {"file": person_png}},
    ):
        answer = client.post(**sent)
        assert answer.status_code == 422 and "came twice" in answer.text, answer.text
    assert client.post("/v1/cut-out?crop=1", data={"crop": "1"}, files={"image": person_png}).status_code == 200


def test_what_nobody_can_write_is_said(client: httpx.Client, person_png: bytes) -> None:
    answer = client.post("/v1/cut-out", content=person_png, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    answer = client.post("/v1/cut-out?format=jpg", content=person_png)
    assert (answer.status_code, answer.json()["code"]) == (422, "cannot_write")
    answer = client.post("/v1/cut-out?format=jpg&background=white", content=person_png)
    assert answer.status_code == 200 and decoded(answer.content).shape == (72, 96, 3)


def test_backgrounds_are_words_or_an_uploaded_picture(client: httpx.Client, person_png: bytes) -> None:
    white = decoded(client.post("/v1/cut-out?background=white", content=person_png).content)
    assert white[5, 5].tolist() == [255, 255, 255]
    green = encoded(np.full((30, 30, 3), (0, 200, 0), np.uint8))
    answer = client.post("/v1/cut-out", files={"image": person_png, "background": green})
    assert decoded(answer.content)[5, 5].tolist() == [0, 200, 0]
    text = {name: base64.b64encode(data).decode() for name, data in (("i", person_png), ("b", green))}
    asked = {"image": text["i"], "background": f"data:image/png;base64,{text['b']}"}
    assert decoded(client.post("/v1/cut-out", json=asked).content)[5, 5].tolist() == [0, 200, 0]
    assert client.post("/v1/cut-out?background=blur:4", content=person_png).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../../etc/passwd", "pyproject.toml", "C:\\boot.ini", "README", "~", ".", "file:///etc/hosts"],
)
def test_no_path_of_the_disk_can_be_named(client: httpx.Client, person_png: bytes, path: str) -> None:
    answer = client.post("/v1/cut-out", data={"background": path}, files={"image": person_png})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_option")
    assert "did you mean" not in answer.text and "neither a file" not in answer.text


def test_neither_a_model_nor_a_specification_is_a_path(client: httpx.Client, person_png: bytes) -> None:
    for url, field in (("/v1/cut-out", "model"), ("/v1/id-photo", "spec"), ("/v1/id-photo", "model")):
        data = {"spec": "us-visa", field: "../../etc/x.toml"}
        data = data if url == "/v1/id-photo" else {field: "/etc/passwd"}
        answer = client.post(url, data=data, files={"image": person_png})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_option"), answer.text


def test_the_options_are_those_of_standout_photo() -> None:
    ours = set(PhotoFields.model_fields) - {"require_person"}
    theirs = set(inspect.signature(photo_choice).parameters) - {"device"}  # that is the server's business
    assert {"format" if name == "file_format" else name for name in theirs} == ours
    defaults = {name: parameter.default for name, parameter in inspect.signature(photo_choice).parameters.items()}
    for name in ours - {"format", "model", "max_pixels"}:
        assert PhotoFields.model_fields[name].default == defaults[name], name


def test_options_do_what_they_say(client: httpx.Client, person_png: bytes) -> None:
    crop = decoded(client.post("/v1/cut-out?crop=true&margin=0", content=person_png).content)
    assert abs(crop.shape[0] - 36) <= 4 and abs(crop.shape[1] - 32) <= 4
    inverted = decoded(client.post("/v1/cut-out?invert=1", content=person_png).content)
    assert inverted[5, 5, 3] == 255 and inverted[36, 48, 3] == 0
    dashes = client.post("/v1/cut-out?keep-edge-colors=true", content=person_png)
    assert dashes.status_code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("edge=900", "`edge` must be less than or equal to 200"),
        ("tint=red", "There is no option `tint`"),
        ("backgroundd=red", "did you mean `background`"),
        ("fit=wide", "`fit` must be 'cover', 'contain' or 'stretch'"),
        ("position=nowhere", "`position` must be made of"),
        ("background=withe", "`background` must be transparent, a color"),
        ("model=u2net", "`model` must be one of tiny, live, photo"),
        ("keep=1&at=5,5", "use one of them"),
    ],
)
def test_a_wrong_option_is_one_sentence(client: httpx.Client, person_png: bytes, query: str, words: str) -> None:
    answer = client.post(f"/v1/cut-out?{query}", content=person_png)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "bad_option")
    assert words in problem["detail"] and answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:standout:problem:bad_option" and problem["request_id"]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"content": b""}, 422, "missing_image"),
        ({"files": {"picture": b"x"}}, 422, "missing_image"),
        ({"content": b"no picture at all"}, 422, "bad_image"),
        ({"files": {"image": b""}}, 422, "bad_image"),
        ({"json": {"image": "***"}}, 422, "bad_image"),
        ({"json": {"image": 5}}, 422, "bad_option"),
        ({"json": ["image"]}, 400, "bad_json"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "bad_json"),
        ({"content": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, 400, "bad_json"),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type"),
        ({"content": b"x", "headers": {"Content-Encoding": "gzip"}}, 415, "unsupported_media_type"),
        ({"content": b"--", "headers": {"Content-Type": "multipart/form-data"}}, 400, "bad_multipart"),
    ],
)
def test_a_broken_body_has_a_code(client: httpx.Client, sent: dict, status: int, code: str) -> None:
    answer = client.post("/v1/cut-out", **sent)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.slow
def test_official_photos_with_their_report(client: httpx.Client) -> None:
    photo = (files("standout") / "assets" / "astronaut.jpg").read_bytes()
    data = {"spec": "us-visa", "model": "photo"}
    answer = client.post("/v1/id-photo", data=data, files={"image": photo})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg" and decoded(answer.content).shape == (600, 600, 3)
    assert answer.headers["standout-rules"]
    with_report = client.post("/v1/id-photo", data=data | {"format": "json"}, files={"image": photo}).json()
    assert with_report["report"]["specification"]["name"] == "us-visa"
    assert base64.b64decode(with_report["image"])[:2] == b"\xff\xd8"
    packed = client.post("/v1/id-photo", data=data | {"format": "zip"}, files={"image": photo})
    archive = zipfile.ZipFile(io.BytesIO(packed.content))
    assert sorted(archive.namelist()) == ["photo.jpg", "report.json"]
    assert json.loads(archive.read("report.json"))["rules"]
    strict = client.post("/v1/id-photo", data=data | {"strict": "true", "dpi": "300"}, files={"image": photo})
    if with_report["report"]["failed"]:
        assert (strict.status_code, strict.json()["code"]) == (422, "rules_failed")
        assert strict.json()["report"]["failed"] == with_report["report"]["failed"]


def test_no_face_is_said(client: httpx.Client, nobody_png: bytes) -> None:
    answer = client.post("/v1/id-photo?spec=us-visa", content=nobody_png)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_face")


def test_specifications_and_models_are_listed(client: httpx.Client) -> None:
    specs = client.get("/v1/specs").json()["specs"]
    assert "us-passport" in {spec["name"] for spec in specs}
    models = client.get("/v1/models").json()["models"]
    assert {model["name"] for model in models} == {"tiny", "photo", "live"}
    assert [model["name"] for model in models if model["default"]] == ["tiny"]
    assert models[0]["card"]["license"] == "Apache-2.0"
