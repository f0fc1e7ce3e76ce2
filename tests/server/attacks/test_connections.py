"""Connections that say nothing, little, or nothing sensible keep nobody else from being answered."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from server_kit import Running, open_fake_engine, running
from standout.server.connections import Connections
from standout.server.logs import _Throttle
from standout.server.options import ServerOptions
from standout.server.protocol import protocol_with_bounds


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A server for 40 connections."""
    monkeypatch.setattr("standout.server.run.MOST_CONNECTIONS", 40)
    with running(ServerOptions(port=0, workers=1, max_megabytes=1), open_engine=open_fake_engine) as server:
        yield server


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def asked(port: int, path: str = "/health") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().status


def raw(port: int, data: bytes) -> bytes:
    """Everything that is answered until the server closes, or says nothing for two seconds."""
    answer = b""
    with connected(port) as sock, contextlib.suppress(OSError):
        sock.settimeout(2)
        sock.sendall(data)
        while piece := sock.recv(65536):
            answer += piece
        return answer + b"<closed>"
    return answer


@pytest.mark.parametrize("how", ["silent", "idle", "headers", "body"])
def test_a_crowd_that_only_waits_is_thinned_out(small: Running, how: str) -> None:
    words = {
        "silent": b"",
        "idle": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "headers": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        "body": b"POST /v1/cut-out HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nx",
    }[how]
    crowd = []
    try:
        for count in range(120):
            sock = connected(small.port)
            crowd.append(sock)
            sock.sendall(words)
            if count % 20 == 19:
                assert asked(small.port) == 200 and asked(small.port, "/ready") == 200
        assert small.client.post("/v1/cut-out", content=b"x").status_code == 200
    finally:
        for sock in crowd:
            sock.close()


class Fake:
    def __init__(self, address: str, *, idle: bool = True, sending: bool = True, unsent: int = 0) -> None:
        self.address, self.idle, self.sending, self.unsent = address, idle, sending, unsent
        self.open = True

    def abandon(self) -> None:
        self.open = False


def test_one_address_makes_room_for_itself_and_all_of_them_for_each_other() -> None:
    crowd = Connections(10, 1000)
    greedy = [Fake("a") for _ in range(8)]
    others = [Fake("b") for _ in range(4)]
    for one in greedy:
        crowd.add(one)
    # Half of all is what one address may have; its oldest go.
    assert [one.open for one in greedy] == [False] * 3 + [True] * 5
    for one in others:
        crowd.add(one)
    crowd.add(Fake("c"))
    crowd.add(Fake("d"))
    assert len(crowd) == 10 and all(one.open for one in others) and sum(one.open for one in greedy) == 4


def test_whoever_is_worked_for_is_not_closed() -> None:
    crowd = Connections(4, 1000)
    working = [Fake("a", idle=False, sending=False) for _ in range(2)]
    for one in working:
        crowd.add(one)
    late = Fake("a")
    crowd.add(late)
    assert all(one.open for one in working) and not late.open
    served, waits = Fake("b"), Fake("b")
    crowd.add(served)
    crowd.add(waits)
    crowd.served(served)
    last = Fake("b")
    crowd.add(last)
    assert (served.open, waits.open, last.open) == (True, False, True)


def test_answers_that_nobody_takes_are_bounded_together() -> None:
    crowd = Connections(10, 1000)
    readers = [Fake(str(i), unsent=400) for i in range(3)]
    for one in readers:
        crowd.add(one)
    crowd.check_unsent()
    assert [one.open for one in readers] == [False, True, True]
    crowd.check_unsent()
    assert sum(one.open for one in readers) == 2


def test_a_body_in_pieces_of_one_byte_is_refused(small: Running) -> None:
    head = b"POST /v1/cut-out HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(small.port, head + b"1\r\na\r\n" * 100_000)
    # The connection may be reset before the answer is read; it is closed either way.
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"<closed>")), answer[:300]
    assert asked(small.port) == 200 and small.serving.intake.held == 0
    few = raw(small.port, head + b"1\r\na\r\n" * 1000 + b"0\r\n\r\n")
    assert few.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 4, 4\r\n",
        b"Transfer-Encoding: gzip, chunked, gzip\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X: a\0b\r\n",
        b"X: a\r\n folded\r\n",
        b"X\r\n",
    ],
)
def test_a_length_that_two_could_read_differently_is_refused_and_the_connection_closed(
    small: Running, head: bytes
) -> None:
    hidden = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    answer = raw(small.port, b"POST /v1/cut-out HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n0\r\n\r\n" + hidden)
    assert answer.count(b"HTTP/1.1 ") == 1 and b'"status":"ok"' not in answer
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 415 ", b"HTTP/1.1 422 ")) and answer.endswith(b"<closed>")


@pytest.mark.parametrize("head", [b"X: " + b"a" * 60_000, b"A: b\r\n" * 10_000, b"X: " + b"a" * 500_000])
def test_headers_have_an_end(small: Running, head: bytes) -> None:
    answer = raw(small.port, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n")
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"<closed>"))
    long = raw(small.port, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert long == b"" or long.startswith((b"HTTP/1.1 400", b"<closed>"))
    assert raw(small.port, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").startswith(
        b"HTTP/1.1 200"
    )


def test_what_is_no_http_is_refused_in_json(small: Running) -> None:
    answer = raw(small.port, b"what is this\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400") and answer.endswith(b"<closed>")
    assert json.loads(answer.partition(b"\r\n\r\n")[2][: -len(b"<closed>")])["code"] == "bad_request"


def test_another_protocol_is_offered_in_vain(small: Running, caplog: pytest.LogCaptureFixture) -> None:
    for upgrade in ("websocket", "h2c"):
        headers = {"Connection": "Upgrade", "Upgrade": upgrade}
        assert small.client.get("/health", headers=headers).status_code == 200
    assert "pip install" not in caplog.text


@pytest.mark.slow
def test_a_body_that_nobody_reads_ends_the_connection(small: Running) -> None:
    with connected(small.port) as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n")
        sock.settimeout(0.2)
        end, answer = time.monotonic() + 20, b""
        while time.monotonic() < end:
            try:
                sock.sendall(b"x")
                piece = sock.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
            if not piece:
                break
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200") and time.monotonic() < end


def test_a_slow_reader_that_goes_on_gets_all_of_its_answer() -> None:
    size = 4_000_000

    async def app(scope: object, receive: object, send) -> None:  # type: ignore[no-untyped-def]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
        await send({"type": "http.response.body", "body": b"x" * size})

    def read(address: tuple[str, int]) -> int:
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            sock.connect(address)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            count = 0
            while piece := sock.recv(50_000):
                count += len(piece)
                time.sleep(0.015)
            return count

    async def test() -> None:
        http_class = protocol_with_bounds(5, 0.3, Connections(100, 1 << 30))
        config = uvicorn.Config(app, http=http_class, ws="none", lifespan="off", log_config=None, port=0)
        server = uvicorn.Server(config)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            task = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            assert await asyncio.to_thread(read, listening.getsockname()) > size
            server.should_exit = True
            await task

    asyncio.run(asyncio.wait_for(test(), 60))


def test_a_flood_of_lines_is_throttled_and_counted() -> None:
    throttle = _Throttle(most=3, seconds=10)

    def passes(words: str, at: float, level: int = logging.WARNING) -> logging.LogRecord | None:
        record = logging.LogRecord("x", level, "", 0, words, (), None)
        record.created = at
        return record if throttle.filter(record) else None

    assert sum(passes("out of files", 1.0) is not None for _ in range(1000)) == 3
    assert passes("another", 1.0) and all(passes("request", 1.0, logging.INFO) for _ in range(100))
    later = passes("out of files", 12.0)
    assert later is not None and later.fields == {"left_out": 997}  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are POSIX's")
def test_out_of_files_nobody_is_shut_out_and_the_log_stays_small(model_file: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    serve = f"{sys.executable} -m standout serve --port 0 --workers 1 --model {model_file}"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            ["bash", "-c", f"ulimit -n 90; exec {serve}"], stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    crowd = []
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline().partition(" at ")[2].partition(";")[0].rpartition(":")[2])
        for _ in range(4):
            crowd += [connected(port) for _ in range(60)]
            assert asked(port) == 200
    finally:
        for sock in crowd:
            sock.close()
        process.terminate()
        process.wait(60)
        process.stdout.close()
    lines = log.read_bytes().splitlines()
    assert len(lines) < 100 and all(json.loads(line)["event"] for line in lines)
