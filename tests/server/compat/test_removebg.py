"""As remove.bg's clients speak: the documentation's curl lines, the Python package, the Go tool, the Node module."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from server_kit import Running, decoded, encoded, open_fake_engine, running
from standout.server.options import ServerOptions, parse_rate

URL = "/v1.0/removebg"


def asked(client: httpx.Client, image: bytes, **fields: Any) -> httpx.Response:
    """What the Python package `removebg` sends: a form with the file, the fields, and the key in a header."""
    headers = {"X-Api-Key": "any-key-at-all"}
    return client.post(URL, files={"image_file": image}, data={"size": "full", **fields}, headers=headers)


def code_of(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    (error,) = answer.json()["errors"]
    assert error["title"]
    return error["code"]


def test_the_documentations_curl(client: httpx.Client, person_png: bytes) -> None:
    # curl -H 'X-API-Key: …' -F 'image_file=@/path/to/file.jpg' -F 'size=auto' -f https://…/v1.0/removebg
    answer = client.post(
        URL, files={"image_file": ("file.jpg", person_png)}, data={"size": "auto"}, headers={"X-API-Key": "x"}
    )
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    assert (answer.headers["x-width"], answer.headers["x-height"], answer.headers["x-type"]) == ("96", "72", "person")
    assert float(answer.headers["x-credits-charged"]) == 0
    assert decoded(answer.content).shape == (72, 96, 4)


def test_json_in_and_json_out(client: httpx.Client, person_png: bytes) -> None:
    text = base64.b64encode(person_png).decode()
    asked = {"image_file_b64": text, "size": "full", "crop": True, "type_level": "none"}
    answer = client.post(URL, json=asked, headers={"Accept": "application/json"})
    data = answer.json()["data"]
    height, width = decoded(base64.b64decode(data["result_b64"])).shape[:2]
    assert (data["foreground_top"], data["foreground_left"]) == (0, 0)
    assert (data["foreground_width"], data["foreground_height"]) == (width, height)
    assert "x-type" not in answer.headers


def test_the_node_module_sends_empty_options_and_reads_headers(client: httpx.Client, person_png: bytes) -> None:
    # npm remove.bg 1.3.0: all options in JSON, those that weren't given as null; the answer's headers are read.
    text = base64.b64encode(person_png).decode()
    options = dict.fromkeys(("scale", "position", "crop_margin", "roi", "bg_color", "bg_image_url", "channels"))
    sent = {"size": "preview", "type": "auto", "crop": False, "add_shadow": None, **options, "image_file_b64": text}
    answer = client.post(URL, json=sent, headers={"X-Api-Key": "any", "Accept": "application/json"})
    assert answer.status_code == 200 and answer.json()["data"]["result_b64"]
    assert {"x-credits-charged", "x-type", "x-width", "x-height"} <= set(answer.headers)


def test_the_python_package_counts_its_balance(client: httpx.Client, person_png: bytes) -> None:
    # PyPI remove-bg-api 0.2.1 reads the balance when it starts, and takes whole credits off it with each picture.
    credits_left = client.get("/v1.0/account").json()["data"]["attributes"]["credits"]["total"]
    assert credits_left - int(asked(client, person_png).headers["X-Credits-Charged"]) > 0


def test_a_plain_form(client: httpx.Client, person_png: bytes) -> None:
    text = base64.b64encode(person_png).decode()
    answer = client.post(URL, data={"image_file_b64": text, "size": "full"})
    assert answer.status_code == 200 and decoded(answer.content).shape == (72, 96, 4)


@pytest.mark.parametrize(
    ("size", "most"),
    [("preview", 250_000), ("small", 250_000), ("regular", 250_000), ("medium", 1_500_000), ("hd", 4e6)],
)
def test_sizes(client: httpx.Client, size: str, most: float) -> None:
    picture = encoded(np.full((1000, 1600, 3), 230, np.uint8))
    answer = asked(client, picture, size=size)
    height, width = decoded(answer.content).shape[:2]
    assert height * width <= min(most, 1_600_000) and height * width > 0.97 * min(most, 1_600_000)
    assert (answer.headers["x-width"], answer.headers["x-height"]) == (str(width), str(height))
    assert width / height == pytest.approx(1.6, abs=0.01)


def test_the_default_size_is_the_preview(client: httpx.Client) -> None:
    picture = encoded(np.full((1000, 1000, 3), 230, np.uint8))
    answer = client.post(URL, files={"image_file": picture})
    assert decoded(answer.content).shape[:2] == (500, 500)


def test_only_the_region_of_interest_counts(client: httpx.Client) -> None:
    frame = np.full((100, 200, 3), (10, 20, 60), np.uint8)
    frame[20:80, 20:60] = frame[20:80, 140:180] = 240
    answer = asked(client, encoded(frame), roi="50% 0% 100% 100%")
    alpha = decoded(answer.content)[..., 3]
    assert alpha.shape == (100, 200) and alpha[50, 160] == 255 and not alpha[:, :100].any()
    pixels = decoded(asked(client, encoded(frame), roi="0px 0px 100px 100px").content)
    assert pixels[50, 40, 3] == 255 and not pixels[:, 100:, 3].any()
    assert code_of(asked(client, encoded(frame), roi="80px 0px 110px 10px")) == "unknown_foreground"


def test_crop_and_margins(client: httpx.Client, person_png: bytes) -> None:
    height, width = decoded(asked(client, person_png, crop="true").content).shape[:2]
    assert abs(height - 36) <= 6 and abs(width - 32) <= 6
    one = decoded(asked(client, person_png, crop="true", crop_margin="10px").content)
    assert one.shape[:2] == (height + 20, width + 20) and not one[:10, :, 3].any()
    two = decoded(asked(client, person_png, crop="true", crop_margin="10px 5px").content)
    assert two.shape[:2] == (height + 20, width + 10)
    four = decoded(asked(client, person_png, crop="true", crop_margin="1px 2px 3px 4px").content)
    assert four.shape[:2] == (height + 4, width + 6)
    share = decoded(asked(client, person_png, crop="true", crop_margin="50%").content)
    assert share.shape[:2] == (height + 2 * round(height * 0.5), width + 2 * round(width * 0.5))
    most = decoded(asked(client, person_png, crop="true", crop_margin="900px").content)
    assert most.shape == share.shape
    without = decoded(asked(client, person_png, crop_margin="10px").content)
    assert without.shape[:2] == (72, 96)


def box_of(rgba: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero((rgba[..., 3] > 8).any(1)), np.flatnonzero((rgba[..., 3] > 8).any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def test_scale_and_position(client: httpx.Client, person_png: bytes) -> None:
    scaled = decoded(asked(client, person_png, scale="50%").content)
    left, top, right, bottom = box_of(scaled)
    assert scaled.shape[:2] == (72, 96) and abs(bottom - top - 36) <= 2
    assert abs((left + right) / 2 - 48) <= 1 and abs((top + bottom) / 2 - 36) <= 1
    full = decoded(asked(client, person_png, scale="100%", position="0% 100%").content)
    assert box_of(full)[0] == 0 and box_of(full)[3] == 72
    corner = box_of(decoded(asked(client, person_png, position="0%").content))
    assert corner[:2] == (0, 0)
    original = box_of(decoded(asked(client, person_png, position="original").content))
    assert abs(original[0] - 32) <= 3 and abs(original[1] - 18) <= 3
    center = box_of(decoded(asked(client, person_png, position="center").content))
    assert abs((center[0] + center[2]) / 2 - 48) <= 1


def test_channels(client: httpx.Client, person_png: bytes) -> None:
    alpha = decoded(asked(client, person_png, channels="alpha").content)
    assert alpha.shape == (72, 96) and alpha[36, 48] == 255


@pytest.mark.parametrize(
    ("color", "expected"),
    [("81d4fa", (0x81, 0xD4, 0xFA)), ("#fff", (255, 255, 255)), ("green", (0, 128, 0)), ("f00f", (255, 0, 0))],
)
def test_background_colors(client: httpx.Client, person_png: bytes, color: str, expected: tuple[int, ...]) -> None:
    answer = asked(client, person_png, bg_color=color, format="png")
    assert tuple(decoded(answer.content)[3, 3][:3]) == expected


def test_half_transparent_backgrounds(client: httpx.Client, person_png: bytes) -> None:
    pixels = decoded(asked(client, person_png, bg_color="81d4fa77").content)
    assert pixels[3, 3].tolist() == [0x81, 0xD4, 0xFA, 0x77] and pixels[36, 48, 3] == 255


def test_a_background_picture(client: httpx.Client, person_png: bytes) -> None:
    green = encoded(np.full((30, 30, 3), (0, 200, 0), np.uint8))
    files = {"image_file": person_png, "bg_image_file": green}
    answer = client.post(URL, files=files, data={"size": "full"})
    assert answer.headers["content-type"] == "image/jpeg"  # format auto: nothing transparent is left
    assert abs(decoded(answer.content)[3, 3].astype(int) - (0, 200, 0)).max() <= 6


def test_formats(client: httpx.Client, person_png: bytes) -> None:
    for file_format, media in (("auto", "png"), ("png", "png"), ("jpg", "jpeg"), ("webp", "webp")):
        answer = asked(client, person_png, format=file_format)
        assert answer.headers["content-type"] == f"image/{media}"
    white = decoded(asked(client, person_png, format="jpg").content)
    assert white[3, 3].min() > 250


def test_the_zip_is_what_the_go_tool_puts_together(client: httpx.Client, person_png: bytes) -> None:
    answer = asked(client, person_png, format="zip")
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.namelist() == ["color.jpg", "alpha.png"]
    color, alpha = decoded(archive.read("color.jpg")), decoded(archive.read("alpha.png"))
    assert color.shape == (72, 96, 3) and alpha.shape == (72, 96)
    assert abs(color[36, 48].astype(int) - (250, 240, 230)).max() <= 6 and alpha[36, 48] == 255
    # Beside the edge the person's color goes on, so that nothing dark shines through.
    assert color[36, 28].min() > 150
    with_background = asked(client, person_png, format="zip", bg_color="red")
    assert "background.jpg" in zipfile.ZipFile(io.BytesIO(with_background.content)).namelist()


def test_the_account(client: httpx.Client) -> None:
    attributes = client.get("/v1.0/account", headers={"X-Api-Key": "x"}).json()["data"]["attributes"]
    assert set(attributes["credits"]) == {"total", "subscription", "payg", "enterprise"}
    assert attributes["credits"]["total"] > 0 and set(attributes["api"]) == {"free_calls", "sizes"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"size": "huge"}, "invalid_size"),
        ({"format": "gif"}, "invalid_format"),
        ({"channels": "rgb"}, "invalid_channels"),
        ({"type": "ship"}, "invalid_type"),
        ({"roi": "a b c d"}, "invalid_roi"),
        ({"roi": "0 0 10"}, "invalid_roi"),
        ({"roi": "0px 0px 500px 10px"}, "roi_exceeds_bounds"),
        ({"roi": "10px 0px 10px 10px"}, "roi_region_empty"),
        ({"crop": "true", "crop_margin": "wide"}, "invalid_crop_margin"),
        ({"crop": "true", "crop_margin": "1 2 3"}, "invalid_crop_margin"),
        ({"scale": "5%"}, "invalid_scale"),
        ({"position": "120%"}, "invalid_position"),
        ({"position": "left"}, "invalid_position"),
        ({"bg_color": "no-color"}, "invalid_bg_color"),
        ({"semitransparency": "maybe"}, "invalid_semitransparency"),
        ({"bg_color": "red", "bg_image_url": "http://x.example/a.png"}, "multiple_bg_sources"),
        ({"image_url": "http://x.example/a.png"}, "multiple_sources"),
        ({"bg_image_url": "x.png"}, "invalid_bg_image_url"),
        ({"bg_image_url": "http://x.example/a.png"}, "failed_bg_download"),
    ],
)
def test_error_codes(client: httpx.Client, person_png: bytes, fields: dict[str, str], code: str) -> None:
    assert code_of(asked(client, person_png, **fields)) == code


def test_error_codes_of_pictures(client: httpx.Client, nobody_png: bytes) -> None:
    assert code_of(client.post(URL, data={"size": "full"})) == "missing_source"
    assert code_of(client.post(URL, json={})) == "missing_source"
    assert code_of(asked(client, nobody_png)) == "unknown_foreground"
    assert code_of(asked(client, b"no picture")) == "invalid_file_type"
    assert code_of(asked(client, encoded(np.eye(90, dtype=np.uint8) * 255)[:60])) == "failed_to_read_image"
    assert code_of(client.post(URL, json={"image_file_b64": "***"})) == "failed_to_read_image"
    assert code_of(client.post(URL, json={"image_url": "x.png"})) == "invalid_image_url"
    assert code_of(client.post(URL, json={"image_url": "http://x.example/a.png"})) == "failed_image_download"
    large = encoded(np.zeros((2000, 1100, 3), np.uint8))
    assert code_of(asked(client, large)) == "resolution_too_high"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Running]:
    options = ServerOptions(
        port=0, workers=1, api_keys=("the-right-key",), rate=parse_rate("2/hour"), max_megabytes=0.1
    )
    with running(options, open_engine=open_fake_engine) as server:
        yield server


def test_keys_and_limits_in_their_words(guarded: Running) -> None:
    client = guarded.client
    for headers in ({}, {"X-Api-Key": "wrong"}):
        answer = client.post(URL, files={"image_file": b"x"}, headers=headers)
        assert answer.status_code == 403 and answer.json()["errors"][0]["code"] == "auth_failed"
    right = {"X-Api-Key": "the-right-key"}
    large = client.post(URL, files={"image_file": b"x" * 200_000}, headers=right)
    assert code_of(large) == "file_too_large"
    assert (large.headers["x-ratelimit-limit"], large.headers["x-ratelimit-remaining"]) == ("2", "1")
    assert client.get("/v1.0/account", headers=right).status_code == 200
    late = client.get("/v1.0/account", headers=right)
    assert late.status_code == 429 and late.json()["errors"][0]["code"] == "rate_limit_exceeded"
    assert int(late.headers["retry-after"]) > 60
