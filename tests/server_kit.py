"""A real server on a free port of this machine, in a thread; pictures as bytes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx
import numpy as np
from PIL import Image

from server_fakes import FakeEngine as FakeEngine
from server_fakes import open_fake_engine as open_fake_engine
from server_fakes import open_nothing as open_nothing
from standout.server.app import create_app
from standout.server.options import ServerOptions
from standout.server.run import make_server
from standout.server.urls import Fetcher


@dataclass
class Running:
    """A server that runs, and a client for it."""

    port: int
    client: httpx.Client
    app: Any
    server: Any
    thread: threading.Thread

    @property
    def serving(self) -> Any:
        app = self.app
        while not hasattr(app, "_serving"):
            app = app.app
        return app._serving


@contextmanager
def running(
    options: ServerOptions | None = None, *, open_engine: Any = None, fetcher: Fetcher | None = None
) -> Iterator[Running]:
    """Serves until the block ends."""
    options = options or ServerOptions(port=0, workers=1, threads=1)
    app = create_app(options, open_engine=open_engine, fetcher=fetcher)
    server, listening = make_server(options, app)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(server.serve(sockets=[listening]))
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    end = time.monotonic() + 120
    while not server.started and thread.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    assert server.started, failed
    port = listening.getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        try:
            yield Running(port, client, app, server, thread)
        finally:
            server.should_exit = True
            thread.join(60)
            listening.close()
    assert not failed, failed


def encoded(frame: np.ndarray, file_format: str = "PNG", **options: Any) -> bytes:
    """A picture as the bytes of a file."""
    buffer = BytesIO()
    Image.fromarray(frame).save(buffer, file_format, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """The pixels of a picture file."""
    return np.asarray(Image.open(BytesIO(data)))
