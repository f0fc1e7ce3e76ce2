"""rembg's server (`rembg s`): `GET` and `POST /api/remove`, and `POST /` for clients that know only an address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from standout.server import openapi
from standout.server.compat.models import our_model
from standout.server.fields import checked
from standout.server.forms import Body
from standout.server.problems import Problem
from standout.server.serving import Serving
from standout.server.tasks import CutOut
from standout.server.v1 import answer_headers

router = APIRouter(tags=["rembg"])

PATHS = ("/api/remove",)


class RembgFields(BaseModel):
    """rembg's parameters under its own names; what it doesn't know itself is ignored, as it does."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field("u2net", max_length=256, description="Any of rembg's names, or one of `/v1/models`.")
    a: bool = Field(False, description="Alpha matting: `matting=closed-form`, where `--matting` is on.")
    af: int = Field(240, ge=0, le=255, description="Accepted; our matting finds its band by itself.")
    ab: int = Field(10, ge=0, le=255, description="As `af`.")
    ae: int = Field(10, ge=0, description="As `af`.")
    om: bool = Field(False, description="Only the mask.")
    ppm: bool = Field(False, description="Accepted; the mask is always cleaned.")
    dc: bool = Field(False, description="Accepted; edges are always freed of the old background's color.")
    vm: bool = Field(False, description="As `a`.")
    bgc: str | None = Field(None, max_length=64, description="`R,G,B,A`.", examples=["255,255,255,255"])
    extras: str | None = Field(None, max_length=10_000, description="Accepted and ignored; it can name no file here.")


_FILE = {"file": {"type": "string", "format": "binary", "description": "The picture."}}
_OPTIONS = {
    name: openapi.without_null(one)
    for name, one in RembgFields.model_json_schema()["properties"].items()
    if name not in ("bgc", "extras")
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": "As rembg says it.", "content": {"application/json": {"schema": {"type": "object"}}}}
    for status in openapi.problems()
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture.", "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
}
_POST: dict[str, Any] = {
    "response_model": None,
    "responses": _ANSWER | _ERRORS,
    "openapi_extra": {
        "parameters": [p for p in openapi.query_parameters(RembgFields) if p["name"] in ("bgc", "extras")],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": openapi.form({**_FILE, **_OPTIONS}, ["file"])},
        },
    },
}
_GET: dict[str, Any] = {
    "response_model": None,
    "responses": _ANSWER | _ERRORS,
    "openapi_extra": {
        "parameters": [
            {
                "name": "url", "in": "query", "required": True, "schema": {"type": "string"},
                "description": "Of the picture; needs `--allow-urls`.",
            },
            *openapi.query_parameters(RembgFields),
        ]
    },
}  # fmt: skip


@router.post("/api/remove", **_POST)
async def remove(request: Request) -> Response:
    """rembg: the background of an uploaded picture is removed; a PNG."""
    serving: Serving = request.app.state.serving
    async with serving.body(request) as body:
        return await _removed(serving, request, _file_of(body), body.fields)


@router.post("/", include_in_schema=False)
async def remove_at_root(request: Request) -> Response:
    """For clients that take the base address for the whole one."""
    return await remove(request)


@router.get("/api/remove", **_GET)
async def remove_from_url(request: Request) -> Response:
    """rembg: as POST, with the picture at an address."""
    serving: Serving = request.app.state.serving
    asked = Body()
    asked.add(request.query_params.multi_items())
    url = asked.fields.get("url")
    if not url:
        raise Problem("bad_option", "The query parameter `url` is missing.", extra={"loc": ["query", "url"]})
    return await _removed(serving, request, await serving.fetch(url), asked.fields)


async def _removed(serving: Serving, request: Request, image: bytes, asked: dict[str, Any]) -> Response:
    fields = checked(RembgFields, {name: value for name, value in asked.items() if name in RembgFields.model_fields})
    model, told = our_model(serving, None if "model" not in asked else fields.model)
    matting: Literal["none", "closed-form"] = "closed-form" if fields.a or fields.vm else "none"
    task = CutOut(
        image=image, model=model, keywords={"mask": fields.om, "matting": matting},
        background=None if fields.om else parse_bgc(fields.bgc),
    )  # fmt: skip
    notes: dict[str, str] = {}
    try:
        answer, wait_s = await serving.answer(request, task)
    except Problem as problem:
        if problem.code != "matting_off":
            raise
        # Alpha matting is a wish that rembg grants; where it isn't loaded it is left out, and said.
        notes["Standout-Notes"] = "alpha matting was left out: this server was started without `--matting`"
        answer, wait_s = await serving.answer(request, replace(task, keywords={"mask": fields.om}))
    return Response(answer.data, media_type="image/png", headers=answer_headers(answer, wait_s) | told | notes)


def parse_bgc(text: str | None) -> tuple[int, int, int, int] | None:
    """Reads `R,G,B,A`, each 0 … 255; `R,G,B` is opaque.

    Raises:
        Problem: `bad_option`.
    """
    if not text:
        return None
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (3, 4) or not all(0 <= number <= 255 for number in numbers):
        raise Problem("bad_option", f"`bgc` must be `R,G,B,A`, each 0 … 255; received {text[:40]!r}.")
    red, green, blue, alpha = (*numbers, 255)[:4]
    return red, green, blue, alpha


def _file_of(body: Body) -> bytes:
    found = body.file("file", "image", "image_file", "")
    if found is not None:
        return found
    raise Problem("missing_image", "Field required", extra={"loc": ["body", "file"]})


def shape(problem: Problem, _request_id: str) -> Response:
    """A refusal as rembg's framework words it: a sentence, or a list for what is missing or out of range."""
    detail: Any = problem.detail
    if problem.status == 422 and problem.code in ("bad_option", "missing_image"):
        where = list(problem.extra.get("loc", ["query"]))
        kind = "missing" if problem.code == "missing_image" or "loc" in problem.extra else "value_error"
        detail = [{"type": kind, "loc": where, "msg": problem.detail, "input": None}]
    status = 400 if problem.code in ("bad_image", "bad_url", "urls_not_allowed") else problem.status
    return JSONResponse({"detail": detail, "code": problem.code}, status, dict(problem.headers))
