"""withoutBG's service, which its GIMP plugin calls, and its cloud, which its Python package calls.

`/health` and `/ready` are in `app`, `/v1/models` in `v1`.
"""

from __future__ import annotations

import base64
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from standout.server import examples, openapi
from standout.server.bodies import apart
from standout.server.forms import Body, decode_base64
from standout.server.problems import Problem
from standout.server.serving import Serving
from standout.server.tasks import CutOut
from standout.server.v1 import answer_headers, as_json

router = APIRouter(tags=["withoutBG"])

#: withoutBG's cloud: path -> (alpha instead of the cut-out, the key of the base64 in the JSON answer; "": a PNG).
_CLOUD = {
    "/v1.0/image-without-background": (False, ""),
    "/v1.0/image-without-background-base64": (False, "img_without_background_base64"),
    "/v1.0/alpha-channel": (True, ""),
    "/v1.0/alpha-channel-base64": (True, "alpha_base64"),
}
PATHS = ("/v1/remove-background", "/available-credit", *_CLOUD)

_BINARY = {"type": "string", "format": "binary"}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}, "code": {"type": "string"}}}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": "As withoutBG says it.", "content": {"application/json": {"schema": _ERROR}}}
    for status in openapi.problems()
}
_OK: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A PNG; for JSON both pictures as data URLs.",
        "content": {
            "image/png": {"schema": _BINARY},
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "processed": {"type": "string"},
                        "alphaMatte": {"type": "string"},
                        "latencyMs": {"type": "number"},
                    },
                }
            },
        },
    }
}
_ROUTE: dict[str, Any] = {
    "response_model": None,
    "responses": _OK | _ERRORS,
    "openapi_extra": {
        "parameters": [
            {
                "name": "output", "in": "query", "required": False,
                "schema": {"type": "string", "enum": ["cutout", "processed", "matte"], "default": "cutout"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    **openapi.form({"image": {"type": "string", "format": "byte"}}, ["image"]),
                    "example": {"image": examples.DARK_PNG},
                },
                "multipart/form-data": openapi.form({"image": _BINARY}, ["image"]),
                "image/*": {"schema": _BINARY},
                "application/octet-stream": {"schema": _BINARY},
            },
        },
    },
}  # fmt: skip


@router.post("/v1/remove-background", **_ROUTE)
async def remove_background(request: Request) -> Response:
    """withoutBG: a cut-out or its matte as a PNG; a request in JSON is answered with both."""
    serving: Serving = request.app.state.serving
    output = request.query_params.get("output", "cutout").lower()
    if output not in ("cutout", "processed", "matte"):
        raise Problem("bad_option", "Query param 'output' must be 'cutout' or 'matte'.", status_override=400)
    async with serving.body(request) as body:
        image, in_json = await _image_of(body)
        task = CutOut(image=image, keywords={"mask": output == "matte" and not in_json}, with_matte=in_json)
        answer, wait_s = await serving.answer(request, task)
    milliseconds = round(sum(answer.stages.values()) * 1000, 1)
    headers = answer_headers(answer, wait_s) | {"X-Latency-Ms": str(milliseconds)}
    if not in_json:
        return Response(answer.data, media_type="image/png", headers=headers)

    def pictures() -> dict[str, Any]:
        both = {"processed": _data_url(answer.data), "alphaMatte": _data_url(answer.matte)}
        return {**both, "latencyMs": milliseconds}

    return await as_json(pictures, headers=headers)


def _cloud_route(path: str) -> dict[str, Any]:
    key = _CLOUD[path][1]
    text = {"type": "string", "format": "byte"}
    answer = {"type": "object", "required": [key], "properties": {key: text}}
    content: dict[str, Any] = {"application/json": {"schema": answer}} if key else {"image/png": {"schema": _BINARY}}
    body: dict[str, Any] = {"multipart/form-data": openapi.form({"file": _BINARY}, ["file"])}
    if key:
        one = openapi.form({"image_base64": text}, ["image_base64"])
        body = {"application/json": {**one, "example": {"image_base64": examples.DARK_PNG}}}
    return {
        "path": path,
        "response_model": None,
        "responses": {200: {"description": "A PNG.", "content": content}, **_ERRORS},
        "openapi_extra": {"requestBody": {"required": True, "content": body}},
    }


@router.post(**_cloud_route("/v1.0/image-without-background"))
@router.post(**_cloud_route("/v1.0/image-without-background-base64"))
@router.post(**_cloud_route("/v1.0/alpha-channel"))
@router.post(**_cloud_route("/v1.0/alpha-channel-base64"))
async def cloud(request: Request) -> Response:
    """withoutBG's cloud: a cut-out or its alpha, as a PNG or as base64 in JSON."""
    serving: Serving = request.app.state.serving
    mask, key = _CLOUD[request.url.path]
    async with serving.body(request) as body:
        image = await _cloud_image(body)
        answer, wait_s = await serving.answer(request, CutOut(image=image, keywords={"mask": mask}))
    headers = answer_headers(answer, wait_s)
    if not key:
        return Response(answer.data, media_type="image/png", headers=headers)
    return await as_json(lambda: {key: base64.b64encode(answer.data).decode()}, headers=headers)


@router.get(
    "/available-credit",
    response_model=None,
    responses=openapi.balance(_ERRORS),
)
async def available_credit() -> Response:
    """withoutBG's cloud: the balance. Nothing is charged here, so it never gets less."""
    return JSONResponse({"credit": 1_000_000})


async def _cloud_image(body: Body) -> bytes:
    if (found := body.file("file", "image", "")) is not None:
        return found
    for name in ("image_base64", "image"):
        if name in body.fields:
            return await apart(decode_base64, body.fields[name], name)
    raise Problem("missing_image", "Send the picture as the form's `file`, or in base64 as `image_base64` in JSON.")


async def _image_of(body: Body) -> tuple[bytes, bool]:
    """The picture, and whether it came as JSON."""
    if (found := body.file("image", "")) is not None and "image" not in body.fields:
        return found, False
    if found is not None:
        raise Problem("bad_option", "The request has several pictures; send one: a file or base64.")
    if "image" in body.fields:
        return await apart(decode_base64, body.fields["image"], "image"), True
    raise Problem("missing_image", "Multipart field 'image' not found.")


def _data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def shape(problem: Problem, _request_id: str) -> Response:
    """A refusal as withoutBG words it: `error` for pictures, `detail` for JSON; both are sent."""
    status = 400 if problem.status in (415, 422) else problem.status
    words = f"Invalid image input: {problem.detail}" if problem.code == "bad_image" else problem.detail
    body = {"error": words, "detail": words, "code": problem.code}
    return JSONResponse(body, status, dict(problem.headers))
