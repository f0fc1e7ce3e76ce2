"""The browser preview shows the newest frame to whoever has the key, on this machine alone, and takes commands."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from standout.errors import ConfigError, DeviceError
from standout.webcam.browser import KEY_VARIABLE, STREAM_WIDTH, PreviewServer


class Page:
    """A preview and a browser."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.server = PreviewServer(self.command, lambda: {"state": "live", "text": "30 fps"})
        _, _, self.host, self.key, _ = self.server.url.split("/")

    def command(self, text: str) -> str:
        self.told.append(text)
        if text == "nonsense":
            raise ConfigError("The command must be …")
        return f"did {text}"

    def ask(
        self, page: str, *, method: str = "GET", body: str | None = None, key: str | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(self.host, timeout=10)
        path = f"/{self.key if key is None else key}/{page}"
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        result = answer.status, answer.read(), dict(answer.getheaders())
        connection.close()
        return result


@pytest.fixture
def page() -> Iterator[Page]:
    page = Page()
    yield page
    page.server.close()


def test_it_serves_the_newest_frame_as_jpeg_in_full_size(page: Page) -> None:
    assert page.ask("frame.jpg")[0] == 503
    for level in (0, 200):
        page.server.show(np.full((720, 1280, 3), (level, 100, 50), np.uint8))
    code, jpeg, headers = page.ask("frame.jpg")
    assert code == 200 and headers["Content-Type"] == "image/jpeg" and headers["Cache-Control"] == "no-store"
    picture = cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert picture.shape == (720, 1280, 3)
    assert np.abs(picture[300, 300].astype(int) - (200, 100, 50)).max() <= 4


@pytest.mark.parametrize("name, shape", [("stream", (540, STREAM_WIDTH, 3)), ("full", (720, 1280, 3))])
def test_the_stream_is_moving_jpeg_and_its_viewers_are_counted(
    name: str, shape: tuple[int, int, int], page: Page
) -> None:
    assert page.server.watchers() == 0
    page.server.show(np.full((720, 1280, 3), 10, np.uint8))
    connection = http.client.HTTPConnection(page.host, timeout=10)
    connection.request("GET", f"/{page.key}/{name}")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type", "").startswith("multipart/x-mixed-replace")
    levels = []
    for level in (10, 240):
        page.server.show(np.full((720, 1280, 3), level, np.uint8))
        picture = read_part(answer)
        while level == 240 and picture.mean() < 100:  # the first one once more
            picture = read_part(answer)
        levels.append(picture.mean())
        assert picture.shape == shape
    assert levels == pytest.approx([10, 240], abs=3)
    assert page.server.watchers() == 1
    answer.close()
    connection.close()
    until = time.monotonic() + 10
    while page.server.watchers() and time.monotonic() < until:
        page.server.show(np.zeros((72, 128, 3), np.uint8))
        time.sleep(0.02)
    assert page.server.watchers() == 0


def read_part(stream: http.client.HTTPResponse) -> np.ndarray:
    """The next picture of a multipart stream."""
    length = 0
    while line := stream.readline():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        if line == b"\r\n" and length:
            picture = cv2.imdecode(np.frombuffer(stream.read(length), np.uint8), cv2.IMREAD_COLOR)
            return np.asarray(picture)
    raise AssertionError("the stream ended")


def test_nobody_gets_in_without_the_key_or_from_another_site(page: Page) -> None:
    assert page.ask("status")[0] == 200
    for key in ("", "guess", page.key[:-1]):
        assert page.ask("status", key=key)[0] == 404
        assert page.ask("frame.jpg", key=key)[0] == 404
        assert page.ask("control", key=key, method="POST", body="quit")[0] == 404
    assert page.ask("status", Host="evil.example")[0] == 404  # DNS rebinding
    assert page.ask("control", method="POST", body="quit", Origin="http://evil.example")[0] == 404
    assert page.told == []


def test_it_listens_on_this_machine_alone(page: Page) -> None:
    assert page.server._server.server_address[0] == "127.0.0.1"


def test_commands_and_status_by_requests(page: Page) -> None:
    code, body, _ = page.ask("control", method="POST", body="background white", Origin=f"http://{page.host}")
    assert (code, body) == (200, b"did background white\n")
    assert page.ask("control", method="POST", body="nonsense")[:2] == (400, "The command must be …\n".encode())
    assert page.ask("control", method="POST", body="x" * 5000)[0] == 413
    assert page.ask("elsewhere", method="POST", body="next")[0] == 404
    assert json.loads(page.ask("status")[1])["text"] == "30 fps"
    assert page.told == ["background white", "nonsense"]


def test_the_page_is_whole_and_needs_no_network(page: Page) -> None:
    code, body, headers = page.ask("")
    assert code == 200 and headers["Content-Type"].startswith("text/html")
    html = body.decode()
    assert b'<img src="full"' in page.ask("picture")[1]
    assert 'src="stream"' in html and "http://" not in html and "https://" not in html


def test_the_key_can_be_fixed_for_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "studio-1")
    server = PreviewServer(str, dict)
    assert server.url.endswith("/studio-1/")
    server.close()
    for wrong in ("slash/in/it", "короткий", "a", "1234567", "new-line\n"):
        monkeypatch.setenv(KEY_VARIABLE, wrong)
        with pytest.raises(ConfigError, match=KEY_VARIABLE):
            PreviewServer(str, dict)


@pytest.mark.parametrize("first", ["POST /nokey/x", "POST /{key}/elsewhere", "GET /{key}/status", "GET /nokey/"])
@pytest.mark.parametrize("length", ["Content-Length: {length}", "Transfer-Encoding: chunked", "Content-Length: ²"])
def test_the_body_of_a_request_is_never_taken_for_the_next_request(page: Page, first: str, length: str) -> None:
    hidden = f"POST /{page.key}/control HTTP/1.1\r\nHost: {page.host}\r\nContent-Length: 4\r\n\r\nquit"
    head = f"{first} HTTP/1.1\r\nHost: {page.host}\r\nOrigin: http://evil.example\r\n{length}\r\n\r\n"
    request = head.format(key=page.key, length=len(hidden)) + hidden
    with socket.create_connection(("127.0.0.1", int(page.host.split(":")[1])), timeout=10) as connection:
        connection.sendall(request.encode())
        while connection.recv(65536):  # until the server closes the connection
            pass
    assert page.told == []


def test_a_chunked_command_is_refused(page: Page) -> None:
    head = f"POST /{page.key}/control HTTP/1.1\r\nHost: {page.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(page.host.split(":")[1])), timeout=10) as connection:
        connection.sendall(head.encode() + b"4\r\nquit\r\n0\r\n\r\n")
        assert b" 413 " in connection.recv(65536)
    assert page.told == []


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(DeviceError, match="give another with `port`"):
            PreviewServer(str, dict, port=other.getsockname()[1])
