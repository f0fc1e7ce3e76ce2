"""Nothing that grows with a body is done in the event loop, and nothing of it takes much time or memory."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from server_kit import Running, open_fake_engine, running
from standout.server import bodies
from standout.server.forms import Body, decode_base64, parse_json, parse_multipart, parse_urlencoded
from standout.server.options import ServerOptions
from standout.server.problems import Problem


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    options = ServerOptions(port=0, workers=1, max_megabytes=8, timeout_s=30)
    with running(options, open_engine=open_fake_engine) as one:
        yield one


def form(name: str, value: bytes, extra: str = "") -> bytes:
    head = f'--X\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
    return head.encode() + value + b"\r\n--X--\r\n"


@pytest.mark.parametrize("charset", ["punycode", "undefined", "idna", "utf-16", "unicode_escape", "nothing"])
def test_a_form_is_utf8_whatever_it_says(server: Running, charset: str) -> None:
    """Python's punycode is quadratic: these 4 MB would take three minutes, in which nobody is answered."""
    kind = f"multipart/form-data; boundary=X; charset={charset}"
    body = form("a-", b"-" + b"a" * 4_000_000)
    answer = server.client.post("/v1/cut-out", content=body, headers={"Content-Type": kind}, timeout=25)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_option")
    picture = form("image", b"x", '; filename="a"')
    assert server.client.post("/v1/cut-out", content=picture, headers={"Content-Type": kind}).status_code == 200


def test_a_hundred_thousand_unknown_names(server: Running) -> None:
    many = {"image": "aaaa", **{f"backgroun{i}": 1 for i in range(100_000)}}
    answer = server.client.post("/v1/cut-out", json=many, timeout=25)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")
    few = {"image": "aaaa", **{f"backgroun{i}" + "d" * 100_000: 1 for i in range(40)}}
    answer = server.client.post("/v1/cut-out", json=few, timeout=25)
    assert answer.status_code == 422 and len(answer.json()["errors"]) == 20 and len(answer.text) < 10_000
    query = "&".join(f"o{i}=1" for i in range(3000))
    assert server.client.post(f"/v1/cut-out?{query}", content=b"x", timeout=25).status_code == 400


@pytest.mark.parametrize("kind", ["multipart", "json", "urlencoded", "base64", "answer"])
def test_bodies_are_parsed_beside_the_event_loop(server: Running, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    where: list[str] = []

    def noting(function: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object) -> object:
            where.append(threading.current_thread().name)
            return function(*arguments)

        return noted

    if kind == "base64":
        monkeypatch.setattr("standout.server.v1.decode_base64", noting(decode_base64))
        answer = server.client.post("/v1/cut-out", json={"image": "aaaa"})
    elif kind == "answer":
        from standout.server import v1

        monkeypatch.setattr(v1, "_as_json", noting(v1._as_json))
        answer = server.client.post("/v1/cut-out?format=json", content=b"x")
    else:
        monkeypatch.setattr(bodies, f"parse_{kind}", noting(getattr(bodies, f"parse_{kind}")))
        sent = {
            "multipart": {"files": {"image": b"x"}},
            "json": {"json": {"image": "aaaa"}},
            "urlencoded": {"data": {"image": "aaaa"}},
        }[kind]
        answer = server.client.post("/v1/cut-out", **sent)
    assert answer.status_code == 200
    assert where and all(name.startswith("parse") for name in where)


N = 3_000_000
BODIES: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "objects": (parse_json, b'{"image":[' + b"{}," * (N // 3) + b"{}]}"),
    "depth": (parse_json, b'{"a":' + b"[" * N),
    "keys": (parse_json, b"{" + b",".join(b'"k%d":1' % i for i in range(N // 12)) + b"}"),
    "digits": (parse_json, b'{"edge":' + b"1" * N + b"}"),
    "boundaries": (lambda d: parse_multipart(d, "x; boundary=X"), form("image", b"\r\n--" * (N // 4), "; filename=a")),
    "parts": (lambda d: parse_multipart(d, "x; boundary=X"), form("a", b"")[:-4] * (N // 50)),
    "headers": (lambda d: parse_multipart(d, "x; boundary=X"), b"--X\r\n" + b"A: b\r\n" * (N // 6)),
    "escapes": (parse_urlencoded, b"image=" + b"%41" * (N // 3)),
    "escaped base64": (parse_urlencoded, b"image=" + b"%2B" * (N // 3)),
    "fields": (parse_urlencoded, b"&a=" * (N // 3)),
    "spaces": (lambda d: decode_base64(d.decode(), "image"), b"A " * (N // 2)),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_costs_a_few_times_its_bytes(name: str) -> None:
    parse, data = BODIES[name]
    tracemalloc.start()
    try:
        try:
            parse(data)
        except Problem as problem:
            assert problem.status in (400, 422)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(data)
    finally:
        tracemalloc.stop()


def test_json_is_one_flat_object() -> None:
    assert parse_json(b'{"edge": 1.5, "crop": true, "at": null}').fields == {"edge": 1.5, "crop": True, "at": None}
    for data in (
        b'{"a": {"b": 1}}',
        b'{"a": [1]}',
        b'{"a": 1, "a": 2}',
        b"[]",
        b"1",
        b"{",
        b"\xff",
        b'{"a": ' + b"1" * 9000 + b"}",
    ):
        with pytest.raises(Problem) as refused:
            parse_json(data)
        assert refused.value.status in (400, 422), data[:20]


def test_a_long_option_is_refused_and_a_long_picture_is_not() -> None:
    with pytest.raises(Problem, match="characters"):
        parse_json(json.dumps({"roi": "0 " * 20_000}).encode())
    assert parse_json(json.dumps({"image": "A" * 200_000}).encode()).fields["image"]
    assert parse_urlencoded(b"image=a%2Bb%2f%3D%41+c&crop=1").fields == {"image": "a+b/=A c", "crop": "1"}


def test_fields_that_contradict_each_other_are_refused() -> None:
    body = Body()
    body.add([("crop", "1"), ("crop", "1")])
    with pytest.raises(Problem, match="came twice"):
        body.add([("crop", "0")])
