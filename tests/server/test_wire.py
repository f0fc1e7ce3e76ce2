"""What happens on the wire: slow, large and vanishing clients, many at once, and a server that is told to stop."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from server_kit import Running, encoded, open_fake_engine, running
from standout.server.options import ServerOptions

#: Processes are started, photographs are worked on: seconds each.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    options = ServerOptions(port=0, workers=1, queue=2, max_megabytes=1, body_timeout_s=1.5, timeout_s=20)
    with running(options, open_engine=open_fake_engine) as one:
        yield one


def connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def head(length: int, kind: str = "image/png", path: str = "/v1/cut-out") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def answer_of(sock: socket.socket) -> tuple[int, bytes]:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, answer.read()


def until(true, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_body_that_says_it_is_too_large_is_refused_before_a_byte_of_it(server: Running) -> None:
    with connected(server) as sock:
        sock.sendall(head(10**9))
        status, data = answer_of(sock)
    assert status == 413 and b"body_too_large" in data


def test_a_body_without_a_length_is_counted_while_it_arrives(server: Running) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 100_000

    answer = server.client.post("/v1/cut-out", content=endless())
    # The whole body was sent; its sender still got to read why it was refused.
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert server.serving.intake.held == 0


def test_a_form_with_too_many_parts_is_refused(server: Running) -> None:
    many = [(f"image{i}", (f"{i}.png", b"x")) for i in range(10)]
    answer = server.client.post("/v1/cut-out", files=many)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_multipart")
    answer = server.client.post("/v1/cut-out", files={"image": b"x"}, data={f"f{i}": "x" for i in range(100)})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_who_sends_a_body_too_slowly_is_told(server: Running) -> None:
    with connected(server) as sock:
        sock.sendall(head(1000) + b"only this")
        status, data = answer_of(sock)
    assert status == 408 and b"slow_body" in data
    assert server.serving.intake.held == 0


def test_who_never_ends_the_headers_is_cut_off(server: Running) -> None:
    with connected(server) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with contextlib.suppress(OSError):
            for _ in range(100):
                sock.sendall(b"X-More: yes\r\n")
                time.sleep(0.1)
        with contextlib.suppress(ConnectionError):
            assert sock.recv(1000) == b""


def test_a_full_server_says_so_and_when_to_come_again(server: Running) -> None:
    with ThreadPoolExecutor(8) as threads:
        busy = [threads.submit(server.client.post, "/v1/cut-out", content=b"sleep:1.5") for _ in range(3)]
        until(lambda: server.serving.pool.full)
        answer = server.client.post("/v1/cut-out", content=b"x" * 900_000)
        assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
        assert int(answer.headers["retry-after"]) >= 1
        assert server.client.get("/health").status_code == 200 and server.client.get("/ready").status_code == 200
        assert [one.result().status_code for one in busy] == [200] * 3


def test_a_client_that_hangs_up_frees_its_place(server: Running) -> None:
    pool = server.serving.pool
    with ThreadPoolExecutor(1) as threads:
        busy = threads.submit(server.client.post, "/v1/cut-out", content=b"sleep:3")
        until(lambda: pool.busy == 1)
        gone = connected(server)
        gone.sendall(head(5) + b"plain")
        until(lambda: pool.waiting == 1)
        gone.close()
        until(lambda: pool.waiting == 0)
        assert pool.busy == 1
        assert busy.result().status_code == 200


def test_a_dead_worker_costs_one_request(server: Running) -> None:
    answer = server.client.post("/v1/cut-out", content=b"die")
    assert (answer.status_code, answer.json()["code"]) == (503, "worker_died")
    assert server.client.post("/v1/cut-out", content=b"plain").status_code == 200
    assert "standout_worker_deaths_total 1.0" in server.client.get("/metrics").text


def test_two_hundred_clients_at_once_are_answered_or_refused(server: Running) -> None:
    def client(_: int) -> list[int]:
        statuses = []
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(3):
            connection.request("POST", "/v1/cut-out", b"sleep:0.01", {"Content-Type": "image/png"})
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(200) as threads:
        statuses = [status for found in threads.map(client, range(200)) for status in found]
    assert len(statuses) == 600 and set(statuses) <= {200, 429} and 200 in statuses
    assert server.serving.in_flight == [0] and server.serving.intake.held == 0


def test_the_answer_to_one_request_is_never_another_ones(server: Running) -> None:
    """Two on one connection: what is left of a refused body isn't taken for the next request."""
    smuggled = b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with connected(server) as sock:
        body = smuggled * 5
        last = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        sock.sendall(head(len(body), "text/plain") + body + last)
        with sock.makefile("rb") as file:
            everything = file.read()
    assert everything.count(b"HTTP/1.1 ") == 2
    assert everything.startswith(b"HTTP/1.1 415 ") and everything.endswith(b"}") and b'"status":"ok"' in everything


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(model_file: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-m", "standout", "serve", "--port", "0", "--workers", "1", "--model", str(model_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().partition(" at ")[2].partition(";")[0]
        assert address.startswith("http://127.0.0.1:")
        picture = encoded(np.full((1500, 2000, 3), 200, np.uint8))
        with ThreadPoolExecutor(1) as threads:
            asked = threads.submit(httpx.post, f"{address}/v1/cut-out", content=picture, timeout=100)
            until(lambda: "standout_in_flight 2.0" in httpx.get(f"{address}/metrics").text or asked.done(), 100)
            process.send_signal(how)
            assert asked.result().status_code == 200
        assert process.wait(100) == 0
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{address}/health")
