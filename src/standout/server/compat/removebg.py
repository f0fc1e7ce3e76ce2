"""remove.bg's API: `POST /v1.0/removebg`, `GET /v1.0/account`."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from standout.server import openapi
from standout.server.compat import removebg_fields as parse
from standout.server.compat.dialect import Asked, add, as_png
from standout.server.problems import Problem
from standout.server.tasks import Answer, LaidOut
from standout.server.v1 import as_json, wants_json

router = APIRouter(prefix="/v1.0", tags=["remove.bg"])
PATHS = ("/v1.0/removebg", "/v1.0/account", "/v1.0/improve")

#: field with an address -> (what it isn't, what can't be had), in their codes.
_ADDRESSES = {
    "image_url": ("invalid_image_url", "failed_image_download"),
    "bg_image_url": ("invalid_bg_image_url", "failed_bg_download"),
}


async def _task(asked: Asked) -> tuple[LaidOut, Mapping[str, str]]:
    fields, files = asked.body.fields, asked.body.files
    task = parse.task_of(fields, has_background_file="bg_image_file" in files)
    if sum(bool(one) for one in (fields.get("image_url"), fields.get("image_file_b64"), "image_file" in files)) > 1:
        raise parse.refusal("multiple_sources")
    image = await _fetched(asked, "image_url")
    if image is None:
        try:
            image = await asked.picture(("image_file",), ("image_file_b64",))
        except Problem:
            raise parse.refusal("failed_to_read_image") from None
    if image is None:
        raise parse.refusal("missing_source")
    behind = files.get("bg_image_file") or await _fetched(asked, "bg_image_url") or task.background
    told = {"X-Credits-Charged": "0"}
    if str(fields.get("type_level", "1")) != "none":
        told["X-Type"] = "person"
    return replace(task, image=image, background=behind), told


async def _fetched(asked: Asked, name: str) -> bytes | None:
    url = str(asked.body.fields.get(name) or "")
    invalid, failed = _ADDRESSES[name]
    if url and not url.startswith(("http://", "https://")):
        raise parse.refusal(invalid)
    try:
        return await asked.serving.fetch(url) if url else None
    except Problem as problem:
        raise parse.refusal(failed, problem.detail) from None


async def _answer(asked: Asked, answer: Answer, headers: dict[str, str]) -> Response:
    headers |= {"X-Width": str(answer.width), "X-Height": str(answer.height)}
    if not wants_json(asked.request.headers.get("accept", "")):
        return await as_png(asked, answer, headers)
    where = zip(("left", "top", "width", "height"), answer.foreground, strict=True)
    told = {f"foreground_{name}": value for name, value in where}
    return await as_json(
        lambda: {"data": {"result_b64": base64.b64encode(answer.data).decode(), **told}}, headers=headers
    )


def shape(problem: Problem, _request_id: str) -> Response:
    """A refusal as remove.bg words it."""
    code, status = parse.code_of(problem)
    title = parse.TITLES.get(code, problem.title)
    detail = {} if problem.detail == title else {"detail": problem.detail}
    return JSONResponse({"errors": [{"title": title, "code": code, **detail}]}, status, dict(problem.headers))


_ITEM = {"type": "object", "properties": dict.fromkeys(("title", "code", "detail"), openapi.TEXT)}
_SAID: dict[str, Any] = {"name": "remove.bg", "error": {"errors": {"type": "array", "items": _ITEM}}}

add(
    router, "/removebg",
    "remove.bg: the people of a picture, laid out as its parameters say. Nobody is `unknown_foreground`.",
    _task, _answer, **_SAID,
    bodies={
        "multipart/form-data": openapi.form({
            **parse.SCHEMA, "image_file": openapi.BINARY, "bg_image_file": openapi.BINARY,
        }),
        "application/json": openapi.form(parse.SCHEMA),
        "application/x-www-form-urlencoded": openapi.form(parse.SCHEMA),
    },
    answers=("image/png", "image/jpeg", "image/webp", "application/zip", "application/json"),
    headers=("X-Credits-Charged", "X-Width", "X-Height", "X-Type"),
)  # fmt: skip


@router.get("/account", **openapi.foreign(**_SAID, answers=("application/json",), few=True))
async def account() -> Response:
    """remove.bg: the balance. Nothing is charged here, so it never gets less."""
    credits_left = {"total": 1_000_000, "subscription": 0, "payg": 0, "enterprise": 1_000_000}
    attributes = {"credits": credits_left, "api": {"free_calls": 1_000_000, "sizes": "all"}}
    return JSONResponse({"data": {"attributes": attributes}})
