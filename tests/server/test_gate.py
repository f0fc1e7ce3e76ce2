"""Who gets in, what every answer carries, what is counted and logged. The server is real, its engine a fake."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import httpx
import pytest

from server_kit import Running, open_fake_engine, running
from standout.server.logs import JsonFormatter
from standout.server.options import ServerOptions, parse_rate

KEY = "a-key-of-ours"


@pytest.fixture(scope="module")
def keyed() -> Iterator[Running]:
    options = ServerOptions(
        port=0, workers=1, api_keys=("another-key", KEY), cors=("https://shop.example",),
        allowed_hosts=("cut.example",), max_megabytes=1,
    )  # fmt: skip
    with running(options, open_engine=open_fake_engine) as server:
        yield server


@pytest.fixture(scope="module")
def open_server() -> Iterator[Running]:
    with running(ServerOptions(port=0, workers=1), open_engine=open_fake_engine) as server:
        yield server


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "missing_key"),
        ({"X-Api-Key": "wrong"}, 401, "wrong_key"),
        ({"X-Api-Key": KEY + "x"}, 401, "wrong_key"),
        ({"X-Api-Key": KEY[:-1]}, 401, "wrong_key"),
        ({"Authorization": "Bearer wrong"}, 401, "wrong_key"),
        ({"Authorization": "Bearer"}, 401, "missing_key"),
        ({"Authorization": "Basic ***"}, 401, "missing_key"),
    ],
)
def test_without_a_right_key_nobody_gets_in(keyed: Running, headers: dict[str, str], status: int, code: str) -> None:
    answer = keyed.client.post("/v1/cut-out", content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Basic" in answer.headers["www-authenticate"]
    assert keyed.client.get("/metrics", headers=headers).status_code == 401


def test_a_key_is_sent_in_any_of_four_ways(keyed: Running) -> None:
    for headers in ({"X-Api-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
        assert keyed.client.post("/v1/cut-out", content=b"x", headers=headers).status_code == 200
    assert keyed.client.post("/v1/cut-out", content=b"x", auth=("any", KEY)).status_code == 200
    # A client that knows nothing but an address:
    answer = httpx.post(f"http://any:{KEY}@127.0.0.1:{keyed.port}/api/remove", files={"file": b"x"})
    assert answer.status_code == 200


def test_health_and_the_page_need_no_key(keyed: Running) -> None:
    for path in ("/health", "/ready", "/", "/style.css", "/docs", "/openapi.json"):
        assert keyed.client.get(path).status_code == 200, path


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "https://shop.example.evil"])
def test_pages_of_other_sites_are_refused_even_a_simple_post(open_server: Running, origin: str) -> None:
    answer = open_server.client.post("/v1/cut-out", content=b"x", headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert "access-control-allow-origin" not in answer.headers
    assert open_server.client.get("/health", headers={"Origin": origin}).status_code == 403


def test_what_other_sites_embed_or_link_is_refused_but_the_page(open_server: Running) -> None:
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert open_server.client.get("/api/remove?url=http://x.example/a.png", headers=cross).status_code == 403
    assert open_server.client.get("/", headers=cross).status_code == 200
    assert open_server.client.post("/", files={"file": b"x"}, headers=cross).status_code == 403


def test_our_own_page_may_ask(open_server: Running) -> None:
    own = {"Origin": f"http://127.0.0.1:{open_server.port}", "Sec-Fetch-Site": "same-origin"}
    assert open_server.client.post("/v1/cut-out", content=b"x", headers=own).status_code == 200


def test_an_allowed_origin_may_ask_and_its_browser_lets_it(keyed: Running) -> None:
    origin = {"Origin": "https://shop.example"}
    preflight = keyed.client.options(
        "/v1/cut-out",
        headers=origin | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"},
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    answer = keyed.client.post("/v1/cut-out", content=b"x", headers=origin | {"X-Api-Key": KEY})
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == "https://shop.example"
    exposed = answer.headers["access-control-expose-headers"]
    for name in ("Standout-Person", "Standout-Notes", "Retry-After", "X-RateLimit-Remaining", "X-Request-Id"):
        assert name in exposed
    other = keyed.client.options(
        "/v1/cut-out", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    )
    assert other.status_code == 400 and "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7000", "127.0.0.1.evil.example", "2130706433", ""])
def test_a_foreign_name_for_loopback_is_refused(open_server: Running, host: str) -> None:
    answer = open_server.client.get("/health", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "wrong_host")


def test_own_names_are_accepted(open_server: Running, keyed: Running) -> None:
    for host in ("localhost", "127.0.0.1:7000", "LOCALHOST:1", "[::1]:7000"):
        assert open_server.client.get("/health", headers={"Host": host}).status_code == 200
    assert keyed.client.get("/health", headers={"Host": "cut.example"}).status_code == 200


def test_each_key_has_a_rate_of_its_own() -> None:
    options = ServerOptions(port=0, workers=1, api_keys=("first-key", "second-key"), rate=parse_rate("2/hour"))
    with running(options, open_engine=open_fake_engine) as server:

        def ask(key: str) -> httpx.Response:
            return server.client.get("/v1/models", headers={"X-Api-Key": key})

        assert [ask("first-key").status_code for _ in range(3)] == [200, 200, 429]
        refused = ask("first-key")
        assert refused.json()["code"] == "too_many_requests" and 0 < int(refused.headers["retry-after"]) <= 1801
        assert ask("second-key").headers["x-ratelimit-remaining"] == "1"
        assert server.client.get("/health").status_code == 200


def test_every_answer_has_security_headers_and_an_id(open_server: Running) -> None:
    for path in ("/health", "/nothing-here", "/v1/models", "/", "/style.css"):
        answer = open_server.client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer" and answer.headers["x-frame-options"] == "DENY"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe-inline" not in policy and "'unsafe-eval'" not in policy
        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
        assert "server" not in answer.headers
    own = open_server.client.get("/health", headers={"X-Request-Id": "my-id.7"})
    assert own.headers["x-request-id"] == "my-id.7"
    odd = open_server.client.get("/health", headers={"X-Request-Id": "x" * 100})
    assert re.fullmatch(r"[0-9a-f]{16}", odd.headers["x-request-id"])


def test_what_is_not_there_is_said(open_server: Running) -> None:
    for method, path, status, code in (
        ("GET", "/nothing-here", 404, "not_found"),
        ("GET", "/../../etc/passwd", 404, "not_found"),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404, "not_found"),
        ("POST", "/nothing-here", 404, "not_found"),
        ("DELETE", "/v1/cut-out", 405, "method_not_allowed"),
        ("GET", "/v1/cut-out", 405, "method_not_allowed"),
        ("GET", "/v1.0/removebg", 405, None),
        ("POST", "/v1.0/improve", 404, None),
    ):
        answer = open_server.client.request(method, path)
        assert answer.status_code == status, (method, path, answer.text)
        assert code is None or answer.json()["code"] == code
    assert open_server.client.put("/api/remove").headers["allow"] == "GET, POST, HEAD"
    assert open_server.client.get("/v1/remove-background").headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/health", "/ready", "/metrics", "/docs", "/openapi.json", "/v1/models"])
def test_head_is_get_without_its_body(open_server: Running, path: str) -> None:
    asked, seen = open_server.client.head(path), open_server.client.get(path)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-type"] == seen.headers["content-type"]
    if path not in ("/metrics",):
        assert asked.headers["content-length"] == str(len(seen.content))
    assert open_server.client.head("/nothing-here").status_code == 404


def test_a_slash_at_the_end_is_served(open_server: Running) -> None:
    assert open_server.client.post("/v1/cut-out/", content=b"x").status_code == 200
    assert open_server.client.post("/api/remove/", files={"file": b"x"}).status_code == 200
    assert open_server.client.get("/health/").status_code == 200


@pytest.mark.parametrize(
    ("path", "field", "names"),
    [
        ("/v1/cut-out", "image", {"type", "title", "status", "detail", "code", "request_id"}),
        ("/api/remove", "file", {"detail", "code"}),
        ("/v1.0/removebg", "image_file", {"errors"}),
    ],
)
def test_a_fault_of_the_server_is_json_too(
    open_server: Running, monkeypatch: pytest.MonkeyPatch, path: str, field: str, names: set[str]
) -> None:
    async def fault(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(open_server.serving, "answer", fault)
    answer = open_server.client.post(path, files={field: b"x"})
    assert answer.status_code == 500
    assert "json" in answer.headers["content-type"] and set(answer.json()) == names
    assert "secret" not in answer.text and answer.headers["x-request-id"]


def test_metrics_tell_what_happened(open_server: Running) -> None:
    client = open_server.client
    client.post("/v1/cut-out", content=b"a picture")
    client.post("/v1/cut-out", content=b"")
    text = client.get("/metrics").text
    assert re.search(r'standout_requests_total\{method="POST",route="/v1/cut-out",status="200"\} [1-9]', text)
    assert re.search(r'standout_refusals_total\{code="missing_image"\} [1-9]', text)
    assert re.search(r'standout_stage_seconds_count\{stage="model"\} [1-9]', text)
    for name in ("standout_queue", "standout_in_flight", "standout_workers_busy", "standout_pixels_total"):
        assert re.search(rf"^{name} [\d.]+$", text, re.MULTILINE), name
    assert re.search(r'standout_worker_memory_bytes\{worker="0"\} [1-9]', text)


def test_the_log_is_json_and_knows_no_picture_name_address_or_key(
    keyed: Running, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("standout.server")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    try:
        files = {"file": ("anna-at-the-beach.jpg", b"fault")}
        headers = {"X-Api-Key": KEY, "X-Request-Id": "the-id"}
        keyed.client.post("/api/remove?extras=private-words", files=files, headers=headers)
        keyed.client.get("/v1/models", headers={"X-Api-Key": "wrong-secret"})
    finally:
        logger.removeHandler(caplog.handler)
    lines = [JsonFormatter().format(record) for record in caplog.records]
    told = [json.loads(line) for line in lines]
    answered = next(line for line in told if line["event"] == "request" and line["request_id"] == "the-id")
    assert (answered["route"], answered["status"], answered["code"]) == ("/api/remove", 500, "fault")
    assert answered["bytes_in"] > 0 and answered["ms"] > 0
    everything = "\n".join(lines)
    for secret in ("anna", "beach", "private", KEY, "wrong-secret", "secret-of-the-picture", "127.0.0.1"):
        assert secret not in everything
    assert "RuntimeError" in everything  # the place of a fault is told


def test_listening_beyond_loopback_needs_a_key_or_a_word() -> None:
    from standout.errors import ConfigError

    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(ConfigError, match="so a key is needed"):
            ServerOptions(host=host)
        assert ServerOptions(host=host, no_key=True).host == host
        assert ServerOptions(host=host, api_keys=("long-enough",)).host == host
    for host in ("127.0.0.1", "127.8.8.8", "localhost", "::1"):
        assert ServerOptions(host=host).is_loopback
    with pytest.raises(ConfigError, match="at least 8"):
        ServerOptions(api_keys=("short",))
    for origin in (
        "https://shop.example/x",
        "*",
        "null",
        "http://localhost:*",
        "https://*.shop.example",
        "https://a b",
    ):
        with pytest.raises(ConfigError, match="`cors` takes an origin"):
            ServerOptions(cors=(origin,))
    assert ServerOptions(cors=("http://localhost:5173", "https://shop.example")).cors
    assert "long-enough" not in repr(ServerOptions(api_keys=("long-enough",)))
