"""What a request can be refused for: one table of codes, and the answer that carries one (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

#: code -> (status, title). The codes are part of the API: they stay.
CODES: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The request can't be understood"),
    "bad_multipart": (400, "The form is broken"),
    "bad_json": (400, "The JSON is broken"),
    "missing_key": (401, "A key is needed"),
    "wrong_key": (401, "The key is not valid"),
    "foreign_origin": (403, "Pages of other sites may not call this server"),
    "urls_not_allowed": (403, "This server fetches no addresses"),
    "not_found": (404, "There is nothing here"),
    "method_not_allowed": (405, "This method isn't allowed here"),
    "not_acceptable": (406, "No format that is asked for can be written"),
    "slow_body": (408, "The request didn't arrive in time"),
    "body_too_large": (413, "The request is too large"),
    "picture_too_large": (413, "The picture has too many pixels"),
    "unsupported_media_type": (415, "This kind of body isn't read"),
    "wrong_host": (421, "Unknown Host header"),
    "missing_image": (422, "There is no picture in the request"),
    "bad_image": (422, "The picture can't be read"),
    "bad_option": (422, "An option is unknown or out of range"),
    "bad_url": (422, "The address can't be fetched"),
    "no_person": (422, "Nobody was found"),
    "no_face": (422, "No official photo can be made of this"),
    "rules_failed": (422, "The photo breaks rules of the specification"),
    "cannot_write": (422, "The result can't be written so"),
    "matting_off": (422, "This server was started without matting"),
    "missing_extra": (422, "A part that this needs isn't installed here"),
    "too_many_requests": (429, "Too many requests with this key"),
    "queue_full": (429, "All workers are busy"),
    "fault": (500, "A fault of this server"),
    "worker_died": (503, "The process that worked on it ended"),
    "not_ready": (503, "The server isn't ready"),
    "out_of_memory": (503, "The picture needs more memory than there is"),
    "timeout": (504, "It took too long"),
}


@dataclass(eq=False)
class Problem(Exception):
    """A refusal: a code of `CODES`, a sentence for people, and what more the client should know."""

    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    #: Instead of the code's own.
    status_override: int | None = None

    @property
    def status(self) -> int:
        return self.status_override or CODES[self.code][0]

    @property
    def title(self) -> str:
        return CODES[self.code][1]


def problem_response(problem: Problem, request_id: str = "") -> Response:
    """The problem as `application/problem+json`."""
    body = {
        "type": f"urn:standout:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **({"request_id": request_id} if request_id else {}),
        **problem.extra,
    }
    data = json.dumps(body, ensure_ascii=False).encode()
    return Response(data, problem.status, dict(problem.headers), media_type="application/problem+json")


def problem_schema() -> dict[str, Any]:
    """JSON Schema of a problem, for the OpenAPI document."""
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "example": "urn:standout:problem:bad_image"},
            "title": {"type": "string", "example": CODES["bad_image"][1]},
            "status": {"type": "integer", "example": 422},
            "detail": {"type": "string", "example": "The input is empty."},
            "code": {"type": "string", "enum": list(CODES), "example": "bad_image"},
            "request_id": {"type": "string", "example": "5f0c3a9b1d2e4f60"},
        },
    }
