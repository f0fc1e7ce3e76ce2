"""Our own API: `/v1/cut-out`, `/v1/mask`, `/v1/id-photo`, `/v1/specs`, `/v1/models`."""

from __future__ import annotations

import base64
import io
import json
import urllib.parse
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from standout.server import examples, openapi
from standout.server.bodies import apart
from standout.server.fields import IdPhotoFields, PhotoFields, checked
from standout.server.forms import Body, decode_base64
from standout.server.problems import Problem
from standout.server.serving import Serving
from standout.server.tasks import Answer, CutOut, IdPhoto

router = APIRouter(prefix="/v1")

#: media type -> format, in the order in which `*/*` is understood.
_FORMATS = {"image/png": "png", "image/webp": "webp", "image/jpeg": "jpg", "image/tiff": "tiff"}
_JSON, _ANY_PICTURE = "application/json", ("image/*", "*/*")


@router.post("/cut-out", **openapi.picture_route(PhotoFields, examples.CUT_OUT))
async def cut_out(request: Request) -> Response:
    """The people of a picture without their background, or on another one.

    Send the picture as the field `image` of a form, as the body itself, or as base64 in JSON. Options go into the form,
    the JSON or the query. Nobody in the picture is an answer: 200, an empty picture, `Standout-Person: false`.
    """
    return await _picture(request, mask=False)


@router.post("/mask", **openapi.picture_route(PhotoFields, examples.MASK))
async def mask(request: Request) -> Response:
    """Alpha alone, as a gray picture: 255 is person. Takes what `/v1/cut-out` takes."""
    return await _picture(request, mask=True)


async def _picture(request: Request, *, mask: bool) -> Response:
    serving: Serving = request.app.state.serving
    async with serving.body(request) as body:
        image, background = await _image_of(serving, body), await _background_of(body)
        fields = checked(PhotoFields, body.fields, but=("image", "url"))
        wants = _wanted(request, fields.format)
        task = CutOut(
            image=image, background=background, format=wants.format, model=fields.model, tta=fields.looks,
            keywords={**fields.keywords, "mask": mask or fields.mask}, require_person=fields.require_person,
        )  # fmt: skip
        answer, wait_s = await serving.answer(request, task)
    headers = answer_headers(answer, wait_s)
    if wants.json:
        return await as_json(_as_json, answer, headers=headers)
    return Response(answer.data, media_type=answer.media_type, headers=headers)


@router.post("/id-photo", **openapi.id_photo_route(IdPhotoFields, examples.ID_PHOTO))
async def id_photo(request: Request) -> Response:
    """An official photo after a specification, and a report on its rules.

    The answer is the picture, with the verdict in `Standout-Rules`; as `json` or `zip` it brings the report along.
    """
    serving: Serving = request.app.state.serving
    async with serving.body(request) as body:
        image = await _image_of(serving, body)
        fields = checked(IdPhotoFields, body.fields, but=("image", "url"))
        packed = fields.format in ("json", "zip")
        wants = _wanted(request, None if packed else fields.format, default="jpg")
        task = IdPhoto(image=image, **fields.model_dump(exclude={"format"}), format=wants.format)
        answer, wait_s = await serving.answer(request, task)
    report = answer.report
    failed = report["failed"]
    headers = answer_headers(answer, wait_s) | {"Standout-Rules": ",".join(map(_header, failed)) or "kept"}
    if fields.format == "json" or (wants.json and fields.format is None):
        return await as_json(lambda: {**_as_json(answer), "report": report}, headers=headers)
    if fields.format == "zip":
        data = await apart(
            _zipped, {f"photo.{wants.format}": answer.data, "report.json": json.dumps(report, indent=1).encode()}
        )
        return Response(data, media_type="application/zip", headers=headers)
    return Response(answer.data, media_type=answer.media_type, headers=headers)


@router.get("/specs", **openapi.list_route("The specifications that `/v1/id-photo` knows.", examples.SPECS))
async def list_specs(request: Request) -> Response:
    """The specifications that `/v1/id-photo` knows."""
    serving: Serving = request.app.state.serving
    return JSONResponse({"specs": list(serving.pool.ready_info.specs)})


@router.get("/models", **openapi.list_route("The models that `model` may name.", examples.MODELS))
async def list_models(request: Request) -> Response:
    """The models that `model` may name, with their cards."""
    serving: Serving = request.app.state.serving
    default = serving.options.model_name
    cards = [
        {"name": name, "default": name == default, "card": card}
        for name, card in serving.pool.ready_info.models.items()
    ]
    return JSONResponse({"models": cards})


# ---- what comes in


async def _image_of(serving: Serving, body: Body) -> bytes:
    """The picture: a file, the body itself, base64, or an address."""
    known = {name: body.files[name] for name in ("image", "background", "") if name in body.files}
    # Some clients send the same picture under the names of several APIs.
    if unknown := [name for name, data in body.files.items() if name not in known and data not in known.values()]:
        if len(body.files) == 1:
            raise Problem("missing_image", f"Send the picture as the file field `image`; received `{unknown[0][:60]}`.")
        raise Problem("bad_option", f"There is no file field `{unknown[0][:60]}`; there are image and background.")
    image, text, url = body.file("image", ""), body.fields.get("image"), body.fields.get("url")
    if sum(one is not None for one in (image, text, url)) > 1:
        raise Problem("bad_option", "The request has several pictures; send one: a file, base64 or an address.")
    if image is not None:
        return image
    if text is not None:
        return await apart(decode_base64, text, "image")
    if url:
        return await serving.fetch(str(url))
    raise Problem(
        "missing_image", "Send a picture: a file field `image`, the body itself, or base64 as `image` in JSON."
    )


async def _background_of(body: Body) -> bytes | None:
    """An uploaded background; its words are left in the fields."""
    if "background" in body.files:
        return body.files["background"]
    text = body.fields.get("background")
    if isinstance(text, str) and text.startswith("data:"):
        del body.fields["background"]
        return await apart(decode_base64, text, "background")
    return None


class _Wanted:
    def __init__(self, file_format: str, as_json: bool) -> None:
        self.format, self.json = file_format, as_json


def _wanted(request: Request, asked: str | None, default: str = "png") -> _Wanted:
    """The format of the answer: `format`, else the best of `Accept`.

    Raises:
        Problem: `not_acceptable`.
    """
    header = request.headers.get("accept", "*/*")
    in_json = wants_json(header)
    if asked == "json":
        return _Wanted(default, True)
    if asked is not None or in_json:
        return _Wanted(asked or default, in_json)
    for kind, _ in _accepted(header):
        if kind in _FORMATS:
            return _Wanted(_FORMATS[kind], False)
        if kind in _ANY_PICTURE:
            return _Wanted(default, False)
    raise Problem("not_acceptable", f"`Accept` must allow one of {', '.join((*_FORMATS, _JSON))}.")


def wants_json(accept: str) -> bool:
    """Whether an `Accept` prefers JSON: axios and Angular name it first and take everything, which is no wish.

    Example:
        >>> wants_json("application/json, text/plain, */*"), wants_json("application/json"), wants_json("*/*")
        (False, True, False)
    """
    weights = dict(reversed(_accepted(accept)))
    picture = max((weight for kind, weight in weights.items() if kind in _FORMATS or kind in _ANY_PICTURE), default=0.0)
    return max(weights.get(_JSON, 0.0), weights.get("application/*", 0.0)) > picture


def _accepted(header: str) -> list[tuple[str, float]]:
    """The media types of an `Accept` and how much each is wanted, the most wanted first."""
    weighed = []
    for place, part in enumerate(header.split(",")):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        if weight > 0 and kind:
            weighed.append((-weight, place, kind))
    return [(kind, -weight) for weight, _, kind in sorted(weighed)]


# ---- what goes out


def answer_headers(answer: Answer, wait_s: float) -> dict[str, str]:
    """What headers tell of a picture: whether somebody was found, the model, the size, the time of each stage."""
    stages = {"wait": wait_s, **answer.stages}
    headers = {
        "Standout-Person": str(answer.person).lower(),
        "Standout-Model": _header(answer.model),
        "Standout-Size": f"{answer.width}x{answer.height}",
        "Server-Timing": ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in stages.items()),
    }
    if answer.notes:
        headers["Standout-Notes"] = _header(" ".join(answer.notes))
    return headers


async def as_json(make: Callable[..., Any], *arguments: Any, headers: Mapping[str, str]) -> Response:
    """JSON with pictures in it, made beside the event loop."""
    return await apart(lambda: JSONResponse(make(*arguments), headers=headers))


def _header(text: str) -> str:
    """Text for a header: what isn't plain ASCII is percent-encoded."""
    return urllib.parse.quote(text, safe=" !#$&'()*+-./:;<=>?@[]^_`{|}~")


def _as_json(answer: Answer) -> dict[str, Any]:
    return {
        "image": base64.b64encode(answer.data).decode(),
        "media_type": answer.media_type,
        "person": answer.person,
        "model": answer.model,
        "width": answer.width,
        "height": answer.height,
        "notes": list(answer.notes),
    }


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()
