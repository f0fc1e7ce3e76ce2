"""Nobody gets past the key, the rate, the name and the origin: every route, in every method."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from server_kit import Running, open_fake_engine, running
from standout.server.options import ServerOptions, parse_rate

KEY = "a-key-of-ours"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
#: What may be looked at without a key: the page, its documentation, and whether the server is well.
OPEN = ("/", "/style.css", "/docs", "/api", "/openapi.json", "/health", "/ready")
#: Paths of no route, and routes written otherwise.
ODD = (
    "/nothing-here",
    "//",
    "/v1/cut-out/",
    "//v1/cut-out",
    "/v1/../v1/cut-out",
    "/%2e/",
    "/docs/",
    "/V1/cut-out",
    "/*",
)


@pytest.fixture(scope="module")
def keyed() -> Iterator[Running]:
    with running(ServerOptions(port=0, workers=1, api_keys=(KEY,)), open_engine=open_fake_engine) as server:
        yield server


def every_path(server: Running) -> list[str]:
    described = server.client.get("/openapi.json").json()["paths"]
    assert {"/v1/cut-out", "/api/remove", "/v1.0/removebg", "/metrics"} <= set(described)
    return sorted({*described, *OPEN, *ODD, "/favicon.ico", "/index.html", "/assets/x.js"})


def ask(server: Running, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    sent = {"content": b"x"} if method not in ("GET", "HEAD", "OPTIONS", "TRACE") else {}
    return server.client.request(method, path, headers=headers, **sent)


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong-key"}, {"Authorization": "Bearer wrong-key"}])
def test_every_route_in_every_method_without_a_right_key(headers: dict[str, str]) -> None:
    options = ServerOptions(port=0, workers=1, api_keys=(KEY,), rate=parse_rate("1000/second"))
    with running(options, open_engine=open_fake_engine) as server:
        passed = {
            (method, path)
            for path in every_path(server)
            for method in METHODS
            if ask(server, method, path, headers).status_code not in (401, 403)
        }
        pages = {(m, p) for m, p in passed if m in ("GET", "HEAD") and server.client.get(p).status_code == 200}
        allowed = {
            (method, path) for method in ("GET", "HEAD") for path in (*OPEN, "/favicon.ico", "//", "/docs/", "/%2e/")
        }
        assert passed - pages <= allowed
        assert {("POST", "/"), ("POST", "//"), ("PUT", "/"), ("POST", "/health"), ("POST", "/docs")}.isdisjoint(passed)
        assert server.serving.pool.ready_info is not None and "standout_pixels_total 0.0" in metrics(server)


def metrics(server: Running) -> str:
    return server.client.get("/metrics", headers={"X-Api-Key": KEY}).text


def test_over_the_rate_no_route_answers() -> None:
    options = ServerOptions(port=0, workers=1, api_keys=(KEY,), rate=parse_rate("1/hour"))
    with running(options, open_engine=open_fake_engine) as server:
        paths = every_path(server)
        headers = {"X-Api-Key": KEY}
        assert server.client.get("/v1/models", headers=headers).status_code == 200
        passed = {
            (method, path)
            for path in paths
            for method in METHODS
            if ask(server, method, path, headers).status_code != 429
        }
        assert all(method in ("GET", "HEAD") for method, _ in passed)
        assert {path for _, path in passed} <= {*OPEN, "/favicon.ico", "//", "/docs/", "/%2e/", "/index.html"}


def test_wrong_keys_have_a_rate_before_they_are_compared() -> None:
    options = ServerOptions(port=0, workers=1, api_keys=(KEY,), rate=parse_rate("5/hour"))
    with running(options, open_engine=open_fake_engine) as server:
        statuses = [
            server.client.get("/v1/models", headers={"X-Api-Key": f"guess-number-{i}"}).status_code for i in range(8)
        ]
        assert statuses == [401] * 5 + [429] * 3
        # Otherwise the answer to the right one would stand out among the refusals.
        late = server.client.get("/v1/models", headers={"X-Api-Key": KEY})
        assert late.status_code == 429 and int(late.headers["retry-after"]) > 0
        assert server.client.get("/health").status_code == 200


def test_wrong_keys_have_a_rate_where_none_is_set(keyed: Running) -> None:
    statuses = [keyed.client.get("/metrics", headers={"X-Api-Key": f"guess-{i}"}).status_code for i in range(70)]
    assert statuses[0] == 401 and statuses[-1] == 429


def test_rembgs_address_refuses_in_rembgs_words() -> None:
    with running(ServerOptions(port=0, workers=1, api_keys=(KEY,)), open_engine=open_fake_engine) as server:
        answer = server.client.post("/", files={"file": b"x"})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/json")
        assert answer.json() == {"detail": server.client.post("/api/remove").json()["detail"], "code": "missing_key"}
        assert server.client.post("/", files={"file": b"x"}, headers={"X-Api-Key": KEY}).status_code == 200


def test_without_a_proxy_nobody_chooses_the_address_that_is_counted() -> None:
    def statuses(**options: object) -> list[int]:
        rated = ServerOptions(port=0, workers=1, rate=parse_rate("2/hour"), **options)  # type: ignore[arg-type]
        with running(rated, open_engine=open_fake_engine) as server:
            forged = [{"X-Forwarded-For": f"203.0.113.{i}"} for i in range(4)]
            return [server.client.get("/v1/models", headers=one).status_code for one in forged]

    assert statuses() == [200, 200, 429, 429]
    # A proxy is told of by the name that it calls the server by; then each of its clients has a rate.
    assert statuses(allowed_hosts=("cut.example",)) == [200] * 4


def test_a_health_check_by_a_loopback_name_is_answered_behind_a_proxy() -> None:
    options = ServerOptions(
        host="0.0.0.0", port=0, workers=1, api_keys=(KEY,), allowed_hosts=("cut.example",)
    )  # fmt: skip
    with running(options, open_engine=open_fake_engine) as server:
        for name in ("127.0.0.1:7000", "localhost", "[::1]:7000"):
            for path in ("/health", "/ready"):
                assert server.client.get(path, headers={"Host": name}).status_code == 200
            assert server.client.get("/v1/models", headers={"Host": name, "X-Api-Key": KEY}).status_code == 421
        assert server.client.get("/health", headers={"Host": "evil.example"}).status_code == 421
