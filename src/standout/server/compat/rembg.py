"""rembg's server (`rembg s`): `GET` and `POST /api/remove`, and `POST /` for clients that know only an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from standout.server import openapi
from standout.server.compat.dialect import Asked, add
from standout.server.fields import checked
from standout.server.problems import Problem
from standout.server.tasks import CutOut, Rgba

router = APIRouter(tags=["rembg"])
PATHS = ("/api/remove",)


class RembgFields(BaseModel):
    """rembg's parameters under its own names; what it doesn't know itself is ignored, as it does."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field("", max_length=256, description="Any of rembg's names, or one of `/v1/models`.")
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


async def _task(asked: Asked) -> tuple[CutOut, Mapping[str, str]]:
    get = asked.request.method == "GET"
    image = await asked.picture(() if get else ("file", "image", "image_file", ""), url="url" if get else "")
    if image is None and get:
        raise Problem("bad_option", "The query parameter `url` is missing.", extra={"loc": ["query", "url"]})
    if image is None:
        raise Problem("missing_image", "Field required", extra={"loc": ["body", "file"]})
    known = {name: value for name, value in asked.body.fields.items() if name in RembgFields.model_fields}
    fields = checked(RembgFields, known)
    told = {}
    name = fields.model.strip()
    ours = name if name in asked.serving.pool.ready_info.models else None
    if name and ours is None:
        plain = name.isascii() and name.isprintable() and len(name) <= 64
        told["Standout-Model-Asked"] = name if plain else "unknown"
    matting = (fields.a or fields.vm) and asked.serving.options.matting
    if (fields.a or fields.vm) and not matting:
        # A wish that rembg grants; where it isn't loaded it is left out, and said.
        told["Standout-Notes"] = "alpha matting was left out: this server was started without `--matting`"
    task = CutOut(
        image=image, model=ours, background=None if fields.om else parse_bgc(fields.bgc),
        keywords={"mask": fields.om, "matting": "closed-form" if matting else "none"},
    )  # fmt: skip
    return task, told


def parse_bgc(text: str | None) -> Rgba | None:
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


def shape(problem: Problem, _request_id: str) -> Response:
    """A refusal as rembg's framework words it: a sentence, or a list for what is missing or out of range."""
    detail: Any = problem.detail
    if problem.status == 422 and problem.code in ("bad_option", "missing_image"):
        where = list(problem.extra.get("loc", ["query"]))
        kind = "missing" if problem.code == "missing_image" or "loc" in problem.extra else "value_error"
        detail = [{"type": kind, "loc": where, "msg": problem.detail, "input": None}]
    status = 400 if problem.code in ("bad_image", "bad_url", "urls_not_allowed") else problem.status
    return JSONResponse({"detail": detail, "code": problem.code}, status, dict(problem.headers))


_PARAMETERS = openapi.query_parameters(RembgFields)
_IN_QUERY = [parameter for parameter in _PARAMETERS if parameter["name"] in ("bgc", "extras")]
_FORM = {p["name"]: p["schema"] for p in _PARAMETERS if p not in _IN_QUERY} | {"file": openapi.BINARY}
_URL = {"name": "url", "in": "query", "required": True, "schema": openapi.TEXT, "description": "Needs `--allow-urls`."}
_SAID: dict[str, Any] = {"name": "rembg", "error": {"detail": {}, "code": openapi.TEXT}}

add(
    router, "/api/remove", "rembg: the background of an uploaded picture is removed; a PNG.", _task, **_SAID,
    bodies={"multipart/form-data": openapi.form(_FORM, ["file"])}, query=_IN_QUERY,
)  # fmt: skip
add(
    router, "/api/remove", "rembg: as POST, with the picture at an address.", _task, get=True, **_SAID,
    query=[_URL, *_PARAMETERS],
)  # fmt: skip
add(router, "/", "", _task)
