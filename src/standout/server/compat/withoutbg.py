"""withoutBG's service, which its GIMP plugin calls, and its cloud, which its Python package calls.

`/health` and `/ready` are in `app`, `/v1/models` in `v1`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from standout.server import examples, openapi
from standout.server.compat.dialect import Asked, add, as_png
from standout.server.problems import Problem
from standout.server.tasks import Answer, CutOut
from standout.server.v1 import as_json

router = APIRouter(tags=["withoutBG"])

#: withoutBG's cloud: path -> (alpha instead of the cut-out, the key of the base64 in the JSON answer; "": a PNG).
_CLOUD = {
    "/v1.0/image-without-background": (False, ""),
    "/v1.0/image-without-background-base64": (False, "img_without_background_base64"),
    "/v1.0/alpha-channel": (True, ""),
    "/v1.0/alpha-channel-base64": (True, "alpha_base64"),
}
PATHS = ("/v1/remove-background", "/available-credit", *_CLOUD)


async def _local_task(asked: Asked) -> tuple[CutOut, Mapping[str, str]]:
    output = str(asked.body.fields.get("output", "cutout")).lower()
    if output not in ("cutout", "processed", "matte"):
        raise Problem("bad_option", "Query param 'output' must be 'cutout' or 'matte'.", status_override=400)
    image = await asked.picture(("image", ""), ("image",))
    if image is None:
        raise Problem("missing_image", "Multipart field 'image' not found.")
    both = "image" in asked.body.fields  # a request in JSON is answered with both pictures
    return CutOut(image=image, keywords={"mask": output == "matte" and not both}, with_matte=both), {}


async def _local_answer(asked: Asked, answer: Answer, headers: dict[str, str]) -> Response:
    milliseconds = round(sum(answer.stages.values()) * 1000, 1)
    headers["X-Latency-Ms"] = str(milliseconds)
    if not answer.matte:
        return await as_png(asked, answer, headers)

    def pictures() -> dict[str, Any]:
        return {"processed": _url(answer.data), "alphaMatte": _url(answer.matte), "latencyMs": milliseconds}

    return await as_json(pictures, headers=headers)


async def _cloud_task(asked: Asked) -> tuple[CutOut, Mapping[str, str]]:
    image = await asked.picture(("file", "image", ""), ("image_base64", "image"))
    if image is None:
        raise Problem("missing_image", "Send the picture as the form's `file`, or in base64 as `image_base64` in JSON.")
    return CutOut(image=image, keywords={"mask": _CLOUD[asked.request.url.path][0]}), {}


async def _cloud_answer(asked: Asked, answer: Answer, headers: dict[str, str]) -> Response:
    key = _CLOUD[asked.request.url.path][1]
    if not key:
        return await as_png(asked, answer, headers)
    return await as_json(lambda: {key: base64.b64encode(answer.data).decode()}, headers=headers)


def _url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def shape(problem: Problem, _request_id: str) -> Response:
    """A refusal as withoutBG words it: `error` for pictures, `detail` for JSON; both are sent."""
    status = 400 if problem.status in (415, 422) else problem.status
    words = f"Invalid image input: {problem.detail}" if problem.code == "bad_image" else problem.detail
    body = {"error": words, "detail": words, "code": problem.code}
    return JSONResponse(body, status, dict(problem.headers))


_SAID: dict[str, Any] = {"name": "withoutBG", "error": dict.fromkeys(("error", "detail", "code"), openapi.TEXT)}
_IN_JSON = {name: openapi.form({name: openapi.BASE64}, [name]) for name in ("image", "image_base64")}
_OUTPUT = {
    "name": "output", "in": "query", "required": False,
    "schema": {"type": "string", "enum": ["cutout", "processed", "matte"], "default": "cutout"},
}  # fmt: skip

add(
    router, "/v1/remove-background",
    "withoutBG: a cut-out or its matte as a PNG; a request in JSON is answered with both.",
    _local_task, _local_answer, **_SAID, query=[_OUTPUT],
    bodies={
        "application/json": {**_IN_JSON["image"], "example": {"image": examples.DARK_PNG}},
        "multipart/form-data": openapi.form({"image": openapi.BINARY}, ["image"]),
        "image/*": {"schema": openapi.BINARY}, "application/octet-stream": {"schema": openapi.BINARY},
    },
    answers=("image/png", "application/json"),
)  # fmt: skip
for _path, (_, _key) in _CLOUD.items():
    _json = {"application/json": {**_IN_JSON["image_base64"], "example": {"image_base64": examples.DARK_PNG}}}
    add(
        router, _path, "withoutBG's cloud: a cut-out or its alpha, as a PNG or as base64 in JSON.",
        _cloud_task, _cloud_answer, **_SAID, answers=("application/json",) if _key else ("image/png",),
        bodies=_json if _key else {"multipart/form-data": openapi.form({"file": openapi.BINARY}, ["file"])},
    )  # fmt: skip


@router.get("/available-credit", **openapi.foreign(**_SAID, answers=("application/json",), few=True))
async def available_credit() -> Response:
    """withoutBG's cloud: the balance. Nothing is charged here, so it never gets less."""
    return JSONResponse({"credit": 1_000_000})
