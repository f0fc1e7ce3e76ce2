"""A foreign API's call as a row of a table: what it takes, which of our tasks that is, how the answer is worded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from standout.server import openapi
from standout.server.bodies import apart
from standout.server.forms import Body, decode_base64
from standout.server.problems import Problem
from standout.server.serving import Serving
from standout.server.tasks import Answer, Task
from standout.server.v1 import answer_headers


@dataclass(frozen=True)
class Asked:
    """A request in a foreign dialect."""

    request: Request
    serving: Serving
    body: Body

    async def picture(self, files: tuple[str, ...], base64: tuple[str, ...] = (), url: str = "") -> bytes | None:
        """The one picture under any of these names; None if there is none.

        Raises:
            Problem: `bad_option` for several; whatever a picture in base64 or at an address raises.
        """
        texts = [name for name in base64 if self.body.fields.get(name)]
        address = self.body.fields.get(url)
        file = self.body.file(*files)
        if (file is not None) + len(texts) + bool(address) > 1:
            raise Problem("bad_option", "The request has several pictures; send one.")
        if texts:
            return await apart(decode_base64, self.body.fields[texts[0]], texts[0])
        return await self.serving.fetch(str(address)) if address else file


#: The task, and headers that tell more of it.
Read = Callable[[Asked], Awaitable[tuple[Task, Mapping[str, str]]]]
Write = Callable[[Asked, Answer, dict[str, str]], Awaitable[Response]]


async def as_png(_asked: Asked, answer: Answer, headers: dict[str, str]) -> Response:
    """The picture alone."""
    return Response(answer.data, media_type=answer.media_type, headers=headers)


def add(
    router: APIRouter, path: str, words: str, read: Read, write: Write = as_png, *, get: bool = False, **about: Any
) -> None:
    """Adds a call to a dialect.

    Args:
        router: The dialect's.
        path: The call's.
        words: What it does, for the OpenAPI document.
        read: Makes the task of a request.
        write: Makes the response of an answer.
        get: It is a GET, without a body.
        about: The rest of the document: see `openapi.foreign`; nothing leaves the path out of it.
    """

    async def call(request: Request) -> Response:
        serving: Serving = request.app.state.serving
        if get:
            body = Body()
            body.add(request.query_params.multi_items())
            return await _called(Asked(request, serving, body), read, write)
        async with serving.body(request) as body:
            return await _called(Asked(request, serving, body), read, write)

    described = openapi.foreign(**about) if about else {"include_in_schema": False}
    router.add_api_route(path, call, methods=["GET" if get else "POST"], description=words, **described)


async def _called(asked: Asked, read: Read, write: Write) -> Response:
    task, told = await read(asked)
    answer, wait_s = await asked.serving.answer(asked.request, task)
    return await write(asked, answer, {**answer_headers(answer, wait_s), **told})
