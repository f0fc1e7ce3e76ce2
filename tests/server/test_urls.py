"""No address that a request names leads into a private network."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from standout.server.problems import Problem
from standout.server.urls import Fetcher, is_public

LOCAL = ipaddress.ip_address("127.0.0.1")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "192.0.0.8", "192.0.0.170", "192.88.99.1", "168.63.129.16", "::ffff:168.63.129.16", "2002:a83f:8110::",
        "3fff::1", "5f00::1", "64:ff9b:1:7f00:0:100:808:808", "64:ff9b:1::808:808", "100.100.100.200", "fec0::1",
        "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)  # fmt: skip
def test_private_addresses_however_they_are_written(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/a", "gopher://example.org/", "data:image/png;base64,AAAA",
        "//example.org", "http://", "http:///x", "http://user:secret@example.org/", "http://example.org:22/", "http://example.org:99999/",
        "http://exa mple.org/", "http://example.org/\r\nX-Evil: 1", "http://exämple.org/", "javascript:alert(1)", "",
        "http://example.org/" + "x" * 3000,
    ],
)  # fmt: skip
def test_addresses_that_are_not_asked(url: str) -> None:
    def never(*_: object) -> list:
        raise AssertionError("a name was looked up")

    with pytest.raises(Problem) as refused:
        Fetcher(1000, resolve=never).fetch(url)
    assert refused.value.code == "bad_url" and "secret" not in refused.value.detail


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/", "http://0/"],
)
def test_loopback_by_any_name(url: str) -> None:
    with pytest.raises(Problem) as refused:
        Fetcher(1000, 3).fetch(url)
    assert refused.value.code == "bad_url"


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    both = [ipaddress.ip_address("8.8.8.8"), LOCAL]
    with pytest.raises(Problem, match="public internet"):
        Fetcher(1000, resolve=lambda *_: both).fetch("http://two-faced.example/")


class Site(BaseHTTPRequestHandler):
    """Answers by path."""

    seen: list[str] = []

    def do_GET(self) -> None:
        Site.seen.append(f"{self.headers['Host']}{self.path}")
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        self.send_response(404 if self.path == "/missing" else 200)
        if self.path == "/short":
            self.send_header("Content-Length", "500")
        self.end_headers()
        if self.path == "/large":
            self.wfile.write(b"x" * 5000)
        elif self.path == "/slow":
            for _ in range(100):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        else:
            self.wfile.write(b"a picture")

    def log_message(self, *_: object) -> None: ...


@contextmanager
def site() -> Iterator[str]:
    Site.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://pictures.example:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def local(max_bytes: int = 1000, timeout_s: float = 10, **names: str) -> Fetcher:
    """A fetcher for which every name is this machine, which it may ask, but those given, which are what they are."""

    def resolve(host: str, _port: int) -> list:
        return [ipaddress.ip_address(names.get(host.replace(".", "_"), "127.0.0.1"))]

    return Fetcher(max_bytes, timeout_s, resolve=resolve, allowed=lambda address: address == LOCAL)


def test_a_picture_is_fetched_by_its_name_from_the_address_that_was_looked_up() -> None:
    with site() as base:
        assert local().fetch(f"{base}/a.png?x=1") == b"a picture"
        assert Site.seen == [f"{base.removeprefix('http://')}/a.png?x=1"]


def test_redirects_are_checked_anew_and_counted() -> None:
    with site() as base:
        assert local().fetch(f"{base}/to//a.png") == b"a picture"
        for target in ("http://inner.example/x", "file:///etc/passwd", "http://metadata.example/latest"):
            with pytest.raises(Problem) as refused:
                local(inner_example="10.0.0.1", metadata_example="169.254.169.254").fetch(f"{base}/to/{target}")
            assert refused.value.code == "bad_url"
        with pytest.raises(Problem, match="leads on more than 3 times"):
            local().fetch(f"{base}/to//to//to//to//to//a.png")


def test_bytes_and_seconds_are_limited() -> None:
    with site() as base:
        with pytest.raises(Problem) as refused:
            local().fetch(f"{base}/large")
        assert refused.value.code == "body_too_large"
        with pytest.raises(Problem) as refused:
            local(timeout_s=0.5).fetch(f"{base}/slow")
        assert refused.value.code == "bad_url"
        with pytest.raises(Problem, match="took too long"):
            local(timeout_s=0.5).fetch(f"{base}/slow")
        with pytest.raises(Problem, match="ends before its length"):
            local().fetch(f"{base}/short")
        with pytest.raises(Problem, match="status 404"):
            local().fetch(f"{base}/missing")


def test_a_name_that_means_another_machine_a_moment_later_changes_nothing() -> None:
    answers = iter([[LOCAL], [ipaddress.ip_address("10.0.0.1")]])
    with site() as base:
        fetcher = Fetcher(1000, resolve=lambda *_: next(answers), allowed=lambda address: address == LOCAL)
        assert fetcher.fetch(f"{base}/a.png") == b"a picture"  # one look-up, and the connection goes to its answer


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Problem, match="can't be fetched"):
        local().fetch(f"http://pictures.example:{port}/")
