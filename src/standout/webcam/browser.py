"""A preview in the browser where there is no window: a small server on this machine alone, from the standard library.

Every address begins with a secret, so that neither another user of the machine nor a web page that guesses the port
sees the camera; and requests that name another host, or come from another site, are refused.
"""

from __future__ import annotations

import hmac
import importlib.resources
import json
import os
import re
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2

from standout.errors import ConfigError, DeviceError, StandoutError
from standout.imaging.arrays import Frame
from standout.webcam.latest import LatestValue

#: The environment variable that fixes the secret, for scripts that must know the address beforehand.
KEY_VARIABLE = "STANDOUT_WEBCAM_KEY"
#: `stream` is shrunk to this width; `full` and `frame.jpg` aren't.
STREAM_WIDTH = 960
_QUALITY = 80
#: A command is a word and a file name.
_LONGEST_COMMAND = 4096
_BOUNDARY = "frame"

#: The stream alone, for OBS's browser source: browsers show one within a page only.
_PICTURE = b"""<!doctype html><title>Standout</title><body style="margin:0;background:#000">
<img src="full" alt="" style="width:100vw;height:100vh;object-fit:contain">"""

#: Takes one command, returns what there is to say; raises StandoutError.
Command = Callable[[str], str]


class PreviewServer:
    """Serves the newest frame as a moving picture, and takes commands.

    Args:
        command: Called with what was posted to `control`.
        status: Called for `status`: what the page shows, as JSON.
        port: 0 takes a free one.

    Raises:
        DeviceError: The port is taken.
    """

    own_view = True

    def __init__(self, command: Command, status: Callable[[], dict[str, Any]], *, port: int = 0) -> None:
        self.key = os.environ.get(KEY_VARIABLE) or secrets.token_urlsafe(12)
        if not re.fullmatch(r"[A-Za-z0-9_-]{8,128}", self.key):
            raise ConfigError(
                f"`{KEY_VARIABLE}` must be 8 … 128 of the letters a … z and A … Z, digits, - and _; "
                f"received {self.key!r}."
            )
        self.command, self.status = command, status
        self.stopped = threading.Event()
        self._frames = LatestValue[Frame]()
        self._encoded: dict[int | None, tuple[int, bytes]] = {}
        self._encoding, self._counting = threading.Lock(), threading.Lock()
        self._viewers = 0
        try:
            self._server = _Server(("127.0.0.1", port), self)
        except (OSError, OverflowError) as error:
            raise DeviceError(f"Port {port} can't be used ({error}); give another with `port`.") from error
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="preview").start()

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self._server.server_port}/{self.key}/"

    def show(self, frame: Frame) -> None:
        """Makes a frame, uint8 RGB (H, W, 3), the one that is seen. It is encoded only if somebody looks."""
        self._frames.put(frame)

    def wait(self) -> None:
        """Nothing to do: browsers are served by threads."""

    def watchers(self) -> int:
        """How many browsers look at the stream."""
        return self._viewers

    def close(self) -> None:
        """Ends the streams and frees the port."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def viewer(self, change: int) -> None:
        """Counts a viewer that came (1) or went (-1)."""
        with self._counting:
            self._viewers += change

    def next_jpeg(self, after: int, width: int | None) -> tuple[int, bytes] | None:
        """The newest frame as JPEG, at most `width` wide, with its number; encoded once for all who look."""
        found = self._frames.get(after, timeout_s=0.5)
        if found is None:
            return None
        with self._encoding:
            if self._encoded.get(width, (0, b""))[0] != found[0]:
                self._encoded[width] = found[0], _jpeg(found[1], width)
            return self._encoded[width]

    def still(self) -> bytes | None:
        """The newest frame in full size as JPEG."""
        found = self._frames.get()
        return _jpeg(found[1]) if found else None


def _jpeg(frame: Frame, width: int | None = None) -> bytes:
    if width is not None and frame.shape[1] > width:
        height = round(frame.shape[0] * width / frame.shape[1])
        frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], preview: PreviewServer) -> None:
        self.preview = preview
        super().__init__(address, _Handler)

    def handle_error(self, *_: Any) -> None:
        """A browser that goes away in the middle of a picture is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        self._keep_alive_only_without_body()
        preview, page = self.server.preview, self._page()
        if page == "":
            self._send(
                200, (importlib.resources.files("standout") / "assets" / "webcam.html").read_bytes(), "text/html"
            )
        elif page == "picture":
            self._send(200, _PICTURE, "text/html")
        elif page in ("stream", "full"):
            self._stream(STREAM_WIDTH if page == "stream" else None)
        elif page == "frame.jpg":
            jpeg = preview.still()
            self._send(
                200 if jpeg else 503, jpeg or b"There is no frame yet.\n", "image/jpeg" if jpeg else "text/plain"
            )
        elif page == "status":
            self._send(200, json.dumps(preview.status()).encode(), "application/json")
        else:
            self._send(404, b"Not found; the address with its key stands in the terminal.\n", "text/plain")

    def do_POST(self) -> None:
        length = self._keep_alive_only_without_body()
        if self._page() != "control":
            self._send(404, b"Not found; the address with its key stands in the terminal.\n", "text/plain")
            return
        if length is None or length > _LONGEST_COMMAND:
            self._send(413, f"A command has at most {_LONGEST_COMMAND} bytes.\n".encode(), "text/plain")
            return
        text = self.rfile.read(length).decode("utf-8", "replace")
        try:
            self._send(200, f"{self.server.preview.command(text)}\n".encode(), "text/plain")
        except StandoutError as error:
            self._send(400, f"{error}\n".encode(), "text/plain")

    def _keep_alive_only_without_body(self) -> int | None:
        """The length of the request's body; None if nobody can tell it.

        Where there is a body, this is the connection's last request: a body that isn't read would be taken for the next
        request, one that no browser has checked.
        """
        lengths = self.headers.get_all("Content-Length", ["0"])
        told = (
            len(lengths) == 1 and re.fullmatch(r"[0-9]{1,15}", lengths[0]) and "Transfer-Encoding" not in self.headers
        )
        length = int(lengths[0]) if told else None
        if length != 0:
            self.close_connection = True
        return length

    def _page(self) -> str | None:
        """What is asked for behind the key; None for whoever doesn't know it, or asks through another site."""
        own = {f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in own or (origin and origin.removeprefix("http://") not in own):
            return None
        _, _, rest = self.path.partition("/")
        key, slash, page = rest.partition("/")
        known = hmac.compare_digest(key.encode("utf-8", "replace"), self.server.preview.key.encode())
        return page.partition("?")[0] if known and slash else None

    def _stream(self, width: int | None) -> None:
        preview, number = self.server.preview, 0
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        preview.viewer(1)
        try:
            while not preview.stopped.is_set():
                found = preview.next_jpeg(number, width)
                if found is None:
                    continue
                number, jpeg = found
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
        finally:
            preview.viewer(-1)

    def _send(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The terminal belongs to the status line."""
