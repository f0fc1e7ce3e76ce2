"""A request's body: forms, JSON and plain pictures become the same `Body`, within limits that hold while bytes arrive.

Nothing is written to disk: parts of a form stay in memory, and so many bytes in all requests together are bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request

from standout.server.forms import Body, parse_json, parse_multipart, parse_urlencoded
from standout.server.problems import Problem

_Result = TypeVar("_Result")

#: Base64 and what is written around it.
_JSON_SHARE = 1.4


class Intake:
    """Counts the bytes that all requests hold together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    @contextmanager
    def account(self) -> Iterator[Account]:
        """An account of one request; what it holds is given free at its end."""
        account = Account(self)
        try:
            yield account
        finally:
            self.held -= account.bytes

    def take(self, count: int) -> None:
        if self.held + count > self._most:
            raise Problem("queue_full", "Too many requests are arriving at once; try again.", {"Retry-After": "2"})
        self.held += count


@dataclass
class Account:
    intake: Intake
    bytes: int = 0

    def take(self, count: int) -> None:
        self.intake.take(count)
        self.bytes += count


#: Bodies are parsed beside the event loop, few at a time: what one of them costs is bounded.
_PARSING = ThreadPoolExecutor(2, "parse")


async def apart(function: Callable[..., _Result], *arguments: Any) -> _Result:
    """Calls what takes its time with bytes of a stranger beside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_PARSING, function, *arguments)


async def read_body(request: Request, account: Account, *, max_bytes: int, timeout_s: float) -> Body:
    """Reads the whole body.

    Returns:
        Fields of the body and of the query, and pictures.

    Raises:
        Problem: `body_too_large`, `slow_body`, `bad_multipart`, `bad_json`, `bad_option`, `unsupported_media_type`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type", "A compressed body isn't read; send it as it is.")
    as_text = kind in ("application/json", "application/x-www-form-urlencoded")
    limit = round(max_bytes * _JSON_SHARE) if as_text else max_bytes
    try:
        async with asyncio.timeout(timeout_s):
            data = b"".join([chunk async for chunk in _limited(request, account, limit)])
    except TimeoutError:
        raise Problem(
            "slow_body", f"The body must arrive within {timeout_s:g} seconds; send a smaller picture.",
            {"Connection": "close"},
        ) from None  # fmt: skip
    body = await apart(_parsed, data, kind, request.headers.get("content-type", ""))
    body.add(request.query_params.multi_items())
    return body


def _parsed(data: bytes, kind: str, content_type: str) -> Body:
    if kind == "multipart/form-data":
        return parse_multipart(data, content_type)
    if kind == "application/json":
        return parse_json(data)
    if kind == "application/x-www-form-urlencoded" and _is_text(data):
        return parse_urlencoded(data)
    # `curl --data-binary` calls everything a form: what is no text is taken for the picture that it is.
    if kind in ("", "application/octet-stream", "application/x-www-form-urlencoded") or kind.startswith("image/"):
        return Body(files={"": data} if data else {})
    raise Problem(
        "unsupported_media_type",
        f"The body must be a form (multipart/form-data), a picture (image/…, application/octet-stream) or JSON; "
        f"received {kind[:60]!r}.",
    )


async def _limited(request: Request, account: Account, limit: int) -> AsyncGenerator[bytes, None]:
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > limit:
            raise _too_large(limit)
        account.take(len(chunk))
        if chunk:
            yield chunk


def _too_large(limit: int) -> Problem:
    return Problem(
        "body_too_large", f"The body must have at most {limit / 1e6:g} MB; received more, so send a smaller picture."
    )


def _is_text(data: bytes) -> bool:
    return all(32 <= byte < 127 or byte in (9, 10, 13) for byte in data[:64])
