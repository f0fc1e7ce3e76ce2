"""remove.bg's API: `POST /v1.0/removebg`, `GET /v1.0/account`."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from standout.server import openapi
from standout.server.bodies import apart
from standout.server.compat import removebg_fields as parse
from standout.server.forms import Body, decode_base64
from standout.server.problems import Problem
from standout.server.serving import Serving
from standout.server.tasks import Answer
from standout.server.v1 import answer_headers, as_json, wants_json

router = APIRouter(prefix="/v1.0", tags=["remove.bg"])

PATHS = ("/v1.0/removebg", "/v1.0/account", "/v1.0/improve")

_BINARY = {"type": "string", "format": "binary"}
_ERROR = {
    "type": "object",
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("title", "code", "detail")},
            },
        }
    },
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": "As remove.bg says it.", "content": {"application/json": {"schema": _ERROR}}}
    for status in openapi.problems()
}
_HEADERS = {name: {"schema": {"type": "string"}} for name in ("X-Credits-Charged", "X-Width", "X-Height", "X-Type")}
_ROUTE: dict[str, Any] = {
    "response_model": None,
    "responses": {
        200: {
            "description": "The picture; with `Accept: application/json` as base64.",
            "headers": _HEADERS,
            "content": {
                **{kind: {"schema": _BINARY} for kind in ("image/png", "image/jpeg", "image/webp", "application/zip")},
                "application/json": {"schema": {"type": "object"}},
            },
        },
        **_ERRORS,
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": openapi.form({**parse.SCHEMA, "image_file": _BINARY, "bg_image_file": _BINARY}),
                "application/json": openapi.form(parse.SCHEMA),
                "application/x-www-form-urlencoded": openapi.form(parse.SCHEMA),
            },
        }
    },
}


@router.post("/removebg", **_ROUTE)
async def removebg(request: Request) -> Response:
    """remove.bg: the people of a picture, laid out as its parameters say. Nobody is `unknown_foreground`."""
    serving: Serving = request.app.state.serving
    async with serving.body(request) as body:
        options = parse.options_of(body.fields, has_background_file="bg_image_file" in body.files)
        image = await _source(serving, body)
        background = await _background(serving, body)
        answer, wait_s = await serving.answer(
            request, replace(options, image=image, background=background or options.background)
        )
    headers = answer_headers(answer, wait_s) | {
        "X-Credits-Charged": "0",
        "X-Width": str(answer.width),
        "X-Height": str(answer.height),
    }
    if str(body.fields.get("type_level", "1")) != "none":
        headers["X-Type"] = "person"
    if wants_json(request.headers.get("accept", "")):
        return await as_json(_as_json, answer, headers=headers)
    return Response(answer.data, media_type=answer.media_type, headers=headers)


@router.get(
    "/account",
    response_model=None,
    responses=openapi.balance(_ERRORS),
)
async def account() -> Response:
    """remove.bg: the balance. Nothing is charged here, so it never gets less."""
    credits_left = {"total": 1_000_000, "subscription": 0, "payg": 0, "enterprise": 1_000_000}
    attributes = {"credits": credits_left, "api": {"free_calls": 1_000_000, "sizes": "all"}}
    return JSONResponse({"data": {"attributes": attributes}})


async def _source(serving: Serving, body: Body) -> bytes:
    """The one source."""
    url, text = body.fields.get("image_url"), body.fields.get("image_file_b64")
    plain = body.files.get("image_file")
    given = [one for one in (url, text, plain) if one]
    if len(given) > 1:
        raise parse.refusal("multiple_sources")
    if plain is not None:
        return plain
    if text:
        try:
            return await apart(decode_base64, text, "image_file_b64")
        except Problem:
            raise parse.refusal("failed_to_read_image") from None
    if url:
        return await _fetched(serving, str(url), "invalid_image_url", "failed_image_download")
    raise parse.refusal("missing_source")


async def _background(serving: Serving, body: Body) -> bytes | None:
    if "bg_image_file" in body.files:
        return body.files["bg_image_file"]
    url = body.fields.get("bg_image_url")
    return await _fetched(serving, str(url), "invalid_bg_image_url", "failed_bg_download") if url else None


async def _fetched(serving: Serving, url: str, invalid: str, failed: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise parse.refusal(invalid)
    try:
        return await serving.fetch(url)
    except Problem as problem:
        raise parse.refusal(failed, problem.detail) from None


def _as_json(answer: Answer) -> dict[str, Any]:
    data = {"result_b64": base64.b64encode(answer.data).decode()}
    where = zip(("left", "top", "width", "height"), answer.foreground, strict=True)
    return {"data": data | {f"foreground_{name}": value for name, value in where}}


def shape(problem: Problem, _request_id: str) -> Response:
    """A refusal as remove.bg words it."""
    code, status = parse.code_of(problem)
    title = problem.extra.get("title") or parse.TITLES.get(code, problem.title)
    detail = {} if problem.detail == title else {"detail": problem.detail}
    return JSONResponse({"errors": [{"title": title, "code": code, **detail}]}, status, dict(problem.headers))
