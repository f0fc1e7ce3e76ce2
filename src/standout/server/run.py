"""Runs the server: listens, tells where, drains when told to stop; and `check`, which asks it one thing and stops."""

from __future__ import annotations

import asyncio
import errno
import http.client
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from standout.errors import StandoutError
from standout.hardware import usable_cores
from standout.server.app import create_app
from standout.server.connections import Connections
from standout.server.logs import log, set_up_logs
from standout.server.options import ServerOptions
from standout.server.protocol import protocol_with_bounds

#: Connections at once, where the system lets a process open so many files, and the files that are wished for.
MOST_CONNECTIONS, _FILES = 900, 4096
#: Files besides connections: of each worker, and of addresses that are fetched.
_FILES_OF_WORKER, _FILES_OF_FETCHING = 8, 12
#: Answers that wait for their readers, all together.
_MOST_UNSENT_BYTES = 256 << 20


@dataclass(frozen=True)
class SelfCheck:
    """What `check` found: the status and the person of one picture, and how long it took."""

    status: int
    person: bool
    seconds: float
    bytes: int


def serve(options: ServerOptions, *, say: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM, and then until the requests that are there have been answered.

    Raises:
        StandoutError: The address can't be listened on, or no worker can start.
    """
    set_up_logs()
    asyncio.run(_serve(options, say))


def check(options: ServerOptions) -> SelfCheck:
    """Starts everything on a free port of this machine, sends the bundled photo through it, and stops.

    Raises:
        StandoutError: No worker can start.
    """
    set_up_logs()
    here = replace(options, host="127.0.0.1", port=0, allowed_hosts=())
    return asyncio.run(_check(here))


async def _serve(options: ServerOptions, say: Callable[[str], None]) -> None:
    app = _StartFailure(create_app(options))
    server, listening = make_server(options, app)
    address = _address(options, listening)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    await _started(server, running, app)
    say(f"Standout serves at {address}; Ctrl-C stops it.")
    if not options.is_loopback:
        say("Other computers' browsers show the page over plain http; a camera they give to https and localhost alone.")
    if not options.is_loopback:
        # Browsers give neither to plain http from another computer; docs/server.md has proxies with https.
        say("Its page cuts out photos over http, too; for the webcam and for work offline browsers want https.")
    log.info("started", extra={"fields": {"address": address}})
    await running
    log.info("stopped")


async def _check(options: ServerOptions) -> SelfCheck:
    app = _StartFailure(create_app(options))
    server, listening = make_server(options, app)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    await _started(server, running, app)
    try:
        key = options.api_keys[0] if options.api_keys else None
        return await asyncio.to_thread(_ask, listening.getsockname()[1], key, options.timeout_s)
    finally:
        server.should_exit = True
        await running


def _ask(port: int, key: str | None, timeout_s: float) -> SelfCheck:
    import time

    photo = (files("standout") / "assets" / "astronaut.jpg").read_bytes()
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    headers = {"Content-Type": "image/jpeg", **({"X-Api-Key": key} if key else {})}
    connection.request("POST", "/v1/cut-out", photo, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.status != 200:
        sentence = json.loads(data).get("detail", "no reason was given")
        raise StandoutError(f"The server answered its own request with status {answer.status}: {sentence}")
    seconds = time.perf_counter() - started
    return SelfCheck(answer.status, answer.headers["Standout-Person"] == "true", seconds, len(data))


async def _started(server: uvicorn.Server, running: asyncio.Task[None], app: _StartFailure) -> None:
    while not server.started:
        if running.done():
            raise app.failure or StandoutError("The server stopped while it was starting; its log says why.")
        await asyncio.sleep(0.02)


def make_server(options: ServerOptions, app: ASGIApp) -> tuple[uvicorn.Server, socket.socket]:
    """uvicorn with our limits, and the socket that it shall serve: `server.serve(sockets=[socket])`.

    Raises:
        StandoutError: The address can't be listened on.
    """
    most, backlog = _most_connections(options.worker_count(usable_cores()))
    crowd = Connections(most, _MOST_UNSENT_BYTES)
    config = uvicorn.Config(
        app,
        http=protocol_with_bounds(options.body_timeout_s, options.timeout_s, crowd),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Only a server that has been told of a proxy believes what stands in X-Forwarded-For.
        proxy_headers=bool(options.allowed_hosts),
        backlog=backlog,
        timeout_keep_alive=65,  # longer than clients and proxies keep theirs, so that none is closed under a request
        timeout_graceful_shutdown=int(options.timeout_s) + 1,
    )
    return _Server(config), _listen(options.host.strip("[]"), options.port)


def _most_connections(workers: int) -> tuple[int, int]:
    """How many connections there may be at once, and how many may wait to be accepted.

    asyncio accepts all that wait before it looks at the first; out of files it would write a traceback for each.
    """
    try:
        import resource
    except ImportError:  # Windows counts sockets apart from files
        return MOST_CONNECTIONS, 128
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES:
        soft = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    open_now = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 32
    left = max(16, soft - open_now - _FILES_OF_WORKER * workers - _FILES_OF_FETCHING)
    backlog = min(128, left // 4)
    return min(MOST_CONNECTIONS, left - backlog), backlog


class _Server(uvicorn.Server):
    """Ends with the exit code 0 when it is told to stop; uvicorn's own would end by the signal once more."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except (
            SystemExit
        ):  # uvicorn would end the process; whoever called wants the sentence of `_StartFailure.failure`
            self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


class _StartFailure:
    """Keeps what a start failed for: uvicorn only stops, and whoever called wants the sentence."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.failure: StandoutError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, _without_text(send))
        except StandoutError as error:
            self.failure = error


def _without_text(send: Send) -> Send:
    """Starlette sends the whole traceback of a failed start as its message, which uvicorn would log."""

    async def without_text(message: Message) -> None:
        await send({"type": message["type"]} if message["type"].endswith("failed") else message)

    return without_text


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
        listening.setblocking(False)
        return listening
    except OSError as error:
        why = "something else listens there" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise StandoutError(f"{host}:{port} can't be listened on: {why}; choose another port.") from None


def _address(options: ServerOptions, listening: socket.socket) -> str:
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"http://{host}:{listening.getsockname()[1]}"
