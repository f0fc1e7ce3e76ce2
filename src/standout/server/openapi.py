"""The parts of the OpenAPI document that routes are declared with: our bodies are read by hand, within limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from standout.server.problems import CODES

#: What a route may answer, by status, as FastAPI takes it.
Responses = dict[int | str, dict[str, Any]]

TEXT, BINARY = {"type": "string"}, {"type": "string", "format": "binary"}
BASE64 = {"type": "string", "format": "byte"}
PICTURES = ("image/png", "image/webp", "image/jpeg", "image/tiff")
_ANSWER_HEADERS = {
    "Standout-Person": {"description": "Whether anybody was found.", "schema": {"type": "string"}, "example": "true"},
    "Standout-Model": {"description": "The model.", "schema": {"type": "string"}, "example": "photo"},
    "Standout-Size": {"description": "Pixels of the answer.", "schema": {"type": "string"}, "example": "1024x1536"},
    "Server-Timing": {
        "description": "Milliseconds of each stage.", "schema": {"type": "string"},
        "example": "wait;dur=0.2, read;dur=12.1, model;dur=95.0, compose;dur=20.3, encode;dur=31.9",
    },
    "X-Request-Id": {"description": "In the log too.", "schema": {"type": "string"}, "example": "5f0c3a9b1d2e4f60"},
}  # fmt: skip


def picture_route(fields: type[BaseModel], example: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords for a route that takes a picture and gives one."""
    return {
        "response_model": None,
        "responses": {200: _answer((*PICTURES, "application/json")), **problems()},
        "openapi_extra": _takes_picture(fields, example),
    }


def id_photo_route(fields: type[BaseModel], example: Mapping[str, Any]) -> dict[str, Any]:
    """As `picture_route`, with a report."""
    ok = _answer((*PICTURES, "application/json", "application/zip"))
    ok["headers"] = _ANSWER_HEADERS | {
        "Standout-Rules": {
            "description": "The rules that fail, or `kept`.", "schema": {"type": "string"}, "example": "kept",
        }
    }  # fmt: skip
    return {
        "response_model": None,
        "responses": {200: ok, **problems()},
        "openapi_extra": _takes_picture(fields, example),
    }


def list_route(words: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords for a route that lists something."""
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {
        "response_model": None,
        "responses": {200: {"description": words, "content": content}, **problems(few=True)},
    }


def problems(*, few: bool = False) -> Responses:
    """Every status that a route may refuse with, and the codes behind it."""
    by_status: dict[int, list[str]] = {}
    for code, (status, _) in CODES.items():
        by_status.setdefault(status, []).append(code)
    wanted = {400, 401, 403, 405, 421, 429, 500, 503} if few else set(by_status)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": "; ".join(f"`{code}`: {CODES[code][1]}" for code in codes), "content": content}
        for status, codes in sorted(by_status.items())
        if status in wanted
    }


def foreign(
    *,
    name: str,
    error: Mapping[str, Any],
    bodies: Mapping[str, Any] | None = None,
    query: Iterable[Mapping[str, Any]] = (),
    answers: Iterable[str] = ("image/png",),
    headers: Iterable[str] = (),
    few: bool = False,
) -> dict[str, Any]:
    """Keywords for a route of somebody else's API.

    Args:
        name: Whose.
        error: The properties of its refusals.
        bodies: What it takes, by media type.
        query: Its parameters.
        answers: The media types of its answers; JSON may be any object.
        headers: Of its answers.
        few: It takes no picture, and refuses for few reasons.
    """
    refusal = {"schema": {"type": "object", "properties": dict(error)}}
    refused = {"description": f"As {name} says it.", "content": {"application/json": refusal}}
    content = {kind: {"schema": {"type": "object"} if kind == "application/json" else BINARY} for kind in answers}
    said = {header: {"schema": TEXT} for header in headers}
    extra: dict[str, Any] = {"parameters": list(query)} if query else {}
    if bodies:
        extra["requestBody"] = {"required": True, "content": dict(bodies)}
    return {
        "response_model": None,
        "responses": {
            200: {"description": "The answer.", "content": content, "headers": said},
            **dict.fromkeys(problems(few=few), refused),
        },
        "openapi_extra": extra,
    }


def query_parameters(fields: type[BaseModel]) -> list[dict[str, Any]]:
    """The options as parameters of the query."""
    schema = fields.model_json_schema()
    return [
        {
            "name": name, "in": "query", "required": False,
            "description": one.get("description", ""), "schema": without_null(one),
        }
        for name, one in schema["properties"].items()
    ]  # fmt: skip


def form(properties: Mapping[str, Any], required: Iterable[str] = ()) -> dict[str, Any]:
    """A form's schema."""
    return {"schema": {"type": "object", "properties": dict(properties), "required": list(required)}}


def _takes_picture(fields: type[BaseModel], example: Mapping[str, Any]) -> dict[str, Any]:
    schema = fields.model_json_schema()
    options = {name: without_null(one) for name, one in schema["properties"].items()}
    needed = schema.get("required", [])
    in_form = {**options, "image": {**BINARY, "description": "The picture."}}
    in_json = {
        **options,
        "image": {"type": "string", "format": "byte", "description": "The picture in base64."},
    }
    return {
        "parameters": [p | {"required": False} for p in query_parameters(fields)],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": form(in_form, ["image", *needed]),
                "application/json": {**form(in_json, ["image", *needed]), "example": dict(example)},
                "image/*": {"schema": BINARY},
                "application/octet-stream": {"schema": BINARY},
            },
        },
    }


def _answer(kinds: Iterable[str]) -> dict[str, Any]:
    as_json = {"schema": {"$ref": "#/components/schemas/PictureAsJson"}}
    content = {kind: as_json if kind == "application/json" else {"schema": BINARY} for kind in kinds}
    return {"description": "The picture.", "content": content, "headers": _ANSWER_HEADERS}


def without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`x | None` as plain `x`: in a form or a query, none is left out."""
    schema = {key: value for key, value in schema.items() if key not in ("title", "description")}
    choices = [choice for choice in schema.pop("anyOf", []) if choice.get("type") != "null"]
    if choices:
        schema = {**choices[0], **{key: value for key, value in schema.items() if key != "default"}}
    return schema


def complete(document: dict[str, Any], *, with_keys: bool) -> dict[str, Any]:
    """What FastAPI doesn't know: our schemas, and how keys are sent."""
    from standout.server.problems import problem_schema

    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {}).update({"Problem": problem_schema(), "PictureAsJson": _PICTURE_AS_JSON})
    parts["schemas"].pop("HTTPValidationError", None)
    parts["schemas"].pop("ValidationError", None)
    if with_keys:
        parts["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        document["security"] = [{"key": []}, {"bearer": []}]
    return document


_PICTURE_AS_JSON = {
    "type": "object",
    "required": ["image", "media_type", "person", "model", "width", "height"],
    "properties": {
        "image": {"type": "string", "description": "The picture in base64.", "example": "iVBORw0KGgo…"},
        "media_type": {"type": "string", "example": "image/png"},
        "person": {"type": "boolean", "example": True},
        "model": {"type": "string", "example": "photo"},
        "width": {"type": "integer", "example": 1024},
        "height": {"type": "integer", "example": 1536},
        "notes": {"type": "array", "items": {"type": "string"}},
        "report": {"type": "object", "description": "Of an official photo."},
    },
}
