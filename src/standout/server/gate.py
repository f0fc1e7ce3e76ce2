"""What every request passes first and every answer last: who may ask, an id, security headers, metrics, the log."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from standout.server.auth import Keys, RateLimiter, check_host, check_origin, client_of
from standout.server.logs import log
from standout.server.problems import Problem
from standout.server.serving import Serving

#: (problem, scope, request id) -> the answer, in the words of whoever's API the request is meant for.
Shape = Callable[[Problem, Scope, str], Response]

_OPEN = ("/health", "/ready", "/openapi.json", "/docs", "/api")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: What is still read of a body that was refused, so that its sender gets to read the answer.
_DRAIN_BYTES, _DRAIN_S = 64 << 20, 3.0
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Answers of the API are no pages: whatever a picture holds, nothing of it is run. Pages bring their own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cache-Control": "no-store",
}


class Gate:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, *, serving: Serving, shape: Shape, is_page: Callable[[str], bool]) -> None:
        self._app = app
        self._serving = serving
        self._shape = shape
        self._is_page = is_page
        self._keys = Keys(serving.options.api_keys, serving.options.rate)
        self._rates = RateLimiter(serving.options.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, scope = scope["method"], _as_routed(scope)
        headers = Headers(scope=scope)
        exchange = _Exchange(scope, headers, receive, send)
        self._serving.in_flight[0] += 1
        try:
            try:
                exchange.headers |= self._admit(scope, headers)
                await self._app(scope, exchange.receive, exchange.send)
            except Problem as problem:
                await self.respond(problem, scope, exchange)
        except ClientDisconnect:
            exchange.status = 499  # nobody is there to be answered
        except Exception:
            exchange.status = exchange.status or 500
            log.exception("fault", extra={"fields": {"request_id": exchange.id}})
            if exchange.ended_answer:
                return  # Starlette raises once more what it has answered
            if exchange.started_answer:
                raise  # uvicorn closes the connection: half an answer must not look whole
            await self.respond(Problem("fault", "A fault of this server; its log says where."), scope, exchange)
        finally:
            self._serving.in_flight[0] -= 1
            self._record(scope, method, exchange)

    def _admit(self, scope: Scope, headers: Headers) -> dict[str, str]:
        path = scope["path"]
        # `/` is a page for whoever looks at it, and rembg's address for whoever sends a picture there.
        reads = scope["method"] == "GET"
        page = reads and self._is_page(path)
        check_host(headers, self._serving.options, path)
        check_origin(headers, self._serving.options, is_page=page)
        if page or (reads and path in _OPEN):
            return {}
        address = client_of(scope["client"][0] if scope.get("client") else "")
        client = self._keys.check(headers, address)
        return self._rates.check(client if client is not None else address)

    async def respond(self, problem: Problem, scope: Scope, exchange: _Exchange) -> None:
        """Answers with a problem."""
        scope["state"]["problem"] = problem.code
        response = self._shape(problem, scope, exchange.id)
        await response(scope, exchange.receive, exchange.send)

    def _record(self, scope: Scope, method: str, exchange: _Exchange) -> None:
        metrics, seconds = self._serving.metrics, time.perf_counter() - exchange.started
        route = getattr(scope.get("route"), "path", None) or ("page" if self._is_page(scope["path"]) else "unknown")
        method = method if method in ("GET", "HEAD", "POST", "OPTIONS") else "other"
        metrics.requests.labels(route, method, str(exchange.status)).inc()
        metrics.seconds.labels(route).observe(seconds)
        problem = scope["state"].get("problem")
        if problem:
            metrics.refusals.labels(problem).inc()
        fields = {
            "request_id": exchange.id, "method": method, "route": route, "status": exchange.status,
            "ms": round(seconds * 1000, 1), "bytes_in": exchange.bytes_in, "bytes_out": exchange.bytes_out,
            **({"code": problem} if problem else {}), **scope["state"].get("log", {}),
        }  # fmt: skip
        log.info("request", extra={"fields": fields})


def _as_routed(scope: Scope) -> Scope:
    """A copy by which the request is routed: HEAD as GET (uvicorn sends no body then), without a slash at the end."""
    path = scope["path"]
    if path.endswith("/"):
        path = path.rstrip("/") or "/"
    return {**scope, "path": path, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}


class _Exchange:
    """One request and its answer, as they pass by."""

    def __init__(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        asked = headers.get("x-request-id", "")
        self.id = asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
        self.started = time.perf_counter()
        self.headers: dict[str, str] = {}
        self.status = 0
        self.started_answer = self.ended_answer = False
        self.bytes_in = self.bytes_out = 0
        self._expects = "expect" in headers
        self._body_to_come = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"], state["started"] = self.id, self.started

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.bytes_in += len(message.get("body", b""))
            self._body_to_come = bool(message.get("more_body"))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started_answer, self.status = True, message["status"]
            answer = MutableHeaders(scope=message)
            answer["X-Request-Id"] = self.id
            for name, value in (*_HEADERS.items(), *self.headers.items()):
                answer.setdefault(name, value)
        elif message["type"] == "http.response.body":
            self.bytes_out += len(message.get("body", b""))
            if not message.get("more_body") and self._body_to_come:
                # The answer goes out now; then what the client is still sending is read and thrown away, for a
                # connection that is closed in the midst of it takes the answer along.
                await self._send({**message, "more_body": True})
                await self._drain()
                message = {"type": "http.response.body", "body": b""}
            self.ended_answer = not message.get("more_body")
        await self._send(message)

    async def _drain(self) -> None:
        if self._expects and not self.bytes_in:
            return  # it waits to be asked for its body, and won't be
        left = _DRAIN_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                while self._body_to_come and left > 0:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        return
                    left -= len(message.get("body", b""))
                    self._body_to_come = bool(message.get("more_body"))
