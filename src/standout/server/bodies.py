"""A request's body: forms, JSON and plain pictures become the same `Body`, within limits that hold while bytes arrive.

Nothing is written to disk: parts of a form stay in memory, and so many bytes in all requests together are bounded.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import urllib.parse
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from standout.server.problems import Problem

MOST_FILES, MOST_FIELDS = 4, 64
#: Base64 and what is written around it.
_JSON_SHARE = 1.4


@dataclass
class Body:
    """What a request brings: text fields, and pictures by the name of their field ("" is a body that is a picture)."""

    fields: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


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
            raise Problem("queue_full", "Too many requests are arriving at once; come again.", {"Retry-After": "2"})
        self.held += count


@dataclass
class Account:
    intake: Intake
    bytes: int = 0

    def take(self, count: int) -> None:
        self.intake.take(count)
        self.bytes += count


class _InMemoryParser(MultiPartParser):
    """Keeps every part in memory: the body's limit bounds it, and no picture is written to disk."""

    spool_max_size = 1 << 40


async def read_body(request: Request, account: Account, *, max_bytes: int, timeout_s: float) -> Body:
    """Reads the whole body.

    Raises:
        Problem: `body_too_large`, `slow_body`, `bad_multipart`, `bad_json`, `unsupported_media_type`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type", "A compressed body isn't read; send it as it is.")
    as_text = kind in ("application/json", "application/x-www-form-urlencoded")
    limit = round(max_bytes * _JSON_SHARE) if as_text else max_bytes
    stream = _limited(request, account, limit)
    try:
        async with asyncio.timeout(timeout_s):
            if kind == "multipart/form-data":
                return await _multipart(request, stream, limit)
            data = b"".join([chunk async for chunk in stream])
    except TimeoutError:
        raise Problem(
            "slow_body", f"The body must arrive within {timeout_s:g} seconds; send a smaller picture.",
            {"Connection": "close"},
        ) from None  # fmt: skip
    if kind == "application/json":
        return await asyncio.to_thread(_json, data)
    if kind == "application/x-www-form-urlencoded" and _is_text(data):
        return _urlencoded(data)
    # `curl --data-binary` calls everything a form: what is no text is taken for the picture that it is.
    if kind in ("", "application/octet-stream", "application/x-www-form-urlencoded") or kind.startswith("image/"):
        return Body(files={"": data} if data else {})
    raise Problem(
        "unsupported_media_type",
        f"The body must be a form (multipart/form-data), a picture (image/…, application/octet-stream) or JSON; "
        f"received {kind[:60]!r}.",
    )


def decode_base64(text: object, name: str) -> bytes:
    """The bytes of a base64 text, with or without `data:image/…;base64,` before it.

    Raises:
        Problem: `bad_image`: it is none.
    """
    if not isinstance(text, str):
        raise Problem("bad_option", f"`{name}` must be a text in base64; received {type(text).__name__}.")
    head, comma, rest = text[:200].partition(",")
    start = len(head) + 1 if comma and head.strip().startswith("data:") else 0
    try:
        return base64.b64decode("".join(text[start:].split()), validate=True)
    except (binascii.Error, ValueError):
        raise Problem("bad_image", f"`{name}` must be a picture in base64; it can't be decoded.") from None


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


async def _multipart(request: Request, stream: AsyncGenerator[bytes, None], limit: int) -> Body:
    parser = _InMemoryParser(request.headers, stream, max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=limit)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Problem("bad_multipart", f"The form can't be read: {error.message.rstrip('.')}.") from None
    body = Body()
    for name, value in form.multi_items():
        if isinstance(value, str):
            body.fields[name] = value
        else:
            data = await value.read()
            await value.close()
            if data or value.filename:  # an empty file field of a web page is no file
                body.files[name] = data
    return body


def _json(data: bytes) -> Body:
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        raise Problem("bad_json", "The body isn't JSON that can be read; check quotes and brackets.") from None
    if not isinstance(parsed, dict):
        raise Problem("bad_json", f"The JSON must be an object; received {type(parsed).__name__}.")
    return Body(fields=parsed)


def _urlencoded(data: bytes) -> Body:
    try:
        pairs = urllib.parse.parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Problem("bad_request", f"The form can't be read; at most {MOST_FIELDS} fields in UTF-8 are.") from None
    return Body(fields=dict(pairs))


def _is_text(data: bytes) -> bool:
    return all(32 <= byte < 127 or byte in (9, 10, 13) for byte in data[:64])
