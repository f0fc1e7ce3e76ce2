"""What the browser tests share: a plain web host, Chromium whose camera plays a person, pictures of the portrait."""

from __future__ import annotations

import functools
import importlib.resources
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import standout

#: Where Debian and others put Chromium.
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
PAGE = Path(standout.__file__).parent / "server" / "page"
WEB = Path(__file__).parents[1] / "web"


class _Quiet(SimpleHTTPRequestHandler):
    """A web host that compresses nothing and sends no special headers, as GitHub Pages."""

    isolated = False

    def log_message(self, *_: object) -> None:
        pass

    def end_headers(self) -> None:
        if self.isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


class _Isolated(_Quiet):
    isolated = True


@contextmanager
def host(folder: Path, *, isolated: bool = False) -> Iterator[str]:
    """Serves a folder; its address ends with a slash."""
    handler = functools.partial(_Isolated if isolated else _Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def portrait() -> NDArray[np.uint8]:
    """The bundled portrait (public domain), RGB."""
    data = (importlib.resources.files("standout") / "assets" / "astronaut.jpg").read_bytes()
    return np.ascontiguousarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1])


def jpeg(picture: NDArray[np.uint8], quality: int = 92) -> bytes:
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return bytes(data)


def write_camera(file: Path, *, width: int = 640, height: int = 360, frames: int = 60) -> Path:
    """A film for Chromium's fake camera: the portrait, swaying."""
    whole = cv2.resize(portrait(), (width + 40, width + 40), interpolation=cv2.INTER_CUBIC)
    with file.open("wb") as stream:
        for number in range(frames):
            left = round(20 + 20 * np.sin(2 * np.pi * number / frames))
            stream.write(jpeg(np.asarray(whole[10 : 10 + height, left : left + width], np.uint8), 90))
    return file


def two_people() -> NDArray[np.uint8]:
    """The portrait and its mirror image on one wall."""
    small = cv2.resize(portrait(), (300, 300), interpolation=cv2.INTER_AREA)[:, 40:260]
    wall = np.full((300, 700, 3), (120, 110, 105), np.uint8)
    wall[:, 30:250] = small
    wall[:, 450:670] = small[:, ::-1]
    return wall


#: Process ids of the browsers that these tests started and that haven't been closed.
_started: set[int] = set()


def launch(playwright: Any, *, camera: Path | None = None, more: tuple[str, ...] = ()) -> Any:
    """Chromium of the system; nothing is downloaded. `kill_browsers` ends it, should it hang."""
    arguments = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-fake-ui-for-media-stream", *more]
    if camera is not None:
        arguments += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera.resolve()}"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=90_000)
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    process = next(int(one["id"]) for one in processes if one["type"] == "browser")
    _started.add(process)
    browser.on("disconnected", lambda _: _started.discard(process))
    return browser


def kill_browsers() -> None:
    """Ends every browser of these tests: what waits for one gets an error instead of waiting for ever."""
    for process in list(_started):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def kill_driver() -> None:
    """Ends Playwright's own process, which is a child of this one."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and b"run-driver" in (folder / "cmdline").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)


def until(page: Any, expression: str, *, timeout_s: float = 60) -> None:
    """Waits until an expression is true on the page; Playwright's own way is forbidden by the page's policy."""
    ends = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        assert time.monotonic() < ends, (
            f"not in {timeout_s:g} s: {expression}; the page says: {page.inner_text('body')}"
        )
        page.wait_for_timeout(100)


def missing(reason: str) -> NoReturn:
    """Skips, or fails where browser tests are required."""
    if os.environ.get("STANDOUT_BROWSER_TESTS") == "required":
        pytest.fail(f"STANDOUT_BROWSER_TESTS=required, but {reason}")
    pytest.skip(reason)


def run(command: list[str], *, folder: Path = WEB, limit_s: float) -> str:
    """What a command says; it must succeed, and what isn't through in time is ended with all its children."""
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=30)
        pytest.fail(f"`{' '.join(command)}` wasn't through after {limit_s:g} s; it said: {said[-4000:]}")
    assert process.returncode == 0, f"`{' '.join(command)}` ended with {process.returncode}: {said[-6000:]}"
    return said
