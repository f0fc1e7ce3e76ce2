"""The bytes of a body as fields and pictures: forms, JSON, base64. Runs beside the event loop, and within bounds.

What grows with the body takes C's time or is refused: so many parts, fields and brackets, no codec but UTF-8.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from standout.server.problems import Problem

MOST_FILES, MOST_FIELDS = 4, 64
#: Characters of an option; a picture in base64 has the body's limit.
_MOST_CHARACTERS = 10_000
PICTURES = ("image", "background", "image_base64", "image_file_b64")
#: Of a form that is encoded as an address, besides the letters of base64 that must be escaped.
_MOST_ESCAPES = 100_000
_BASE64_ESCAPES = ((b"%2B", b"+"), (b"%2b", b"+"), (b"%2F", b"/"), (b"%2f", b"/"), (b"%3D", b"="), (b"%3d", b"="))
_HAS_FILE_NAME = re.compile(rb";\s*filename\*?\s*=", re.IGNORECASE)


@dataclass
class Body:
    """What a request brings: text fields, and pictures by the name of their field ("" is a body that is a picture)."""

    fields: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, values: Iterable[tuple[str, Any]]) -> None:
        """Takes fields, none of which may contradict another.

        Raises:
            Problem: `bad_option`.
        """
        for name, value in values:
            if self.fields.setdefault(name, value) != value:
                raise Problem("bad_option", f"`{name[:60]}` came twice with different values; send it once.")
            if isinstance(value, str) and len(value) > _MOST_CHARACTERS and name not in PICTURES:
                raise Problem("bad_option", f"`{name[:60]}` must have at most {_MOST_CHARACTERS:,} characters.")
        if len(self.fields) > MOST_FIELDS:
            raise Problem("bad_request", f"A request has at most {MOST_FIELDS} fields; received more.")

    def file(self, *names: str) -> bytes | None:
        """The one picture under any of these names; the same one twice is one.

        Raises:
            Problem: `bad_option`: there are several.
        """
        found = {self.files[name] for name in names if name in self.files}
        if len(found) > 1:
            raise _several(len(found))
        return found.pop() if found else None


def parse_multipart(data: bytes, content_type: str) -> Body:
    """A form of parts. A part is a picture if it has a file's name, an image's type, or isn't text.

    Raises:
        Problem: `bad_multipart`, `bad_option`.
    """
    _, options = parse_options_header(content_type)
    if b"boundary" not in options:
        raise Problem("bad_multipart", "The form can't be read: its Content-Type names no boundary.")
    form = _Form()
    try:
        parser = MultipartParser(options[b"boundary"], form.callbacks)  # type: ignore[arg-type]
        parser.write(data)
        parser.finalize()
    except (FormParserError, ValueError):
        raise Problem("bad_multipart", "The form can't be read: its parts are broken.") from None
    return form.body


class _Form:
    """Collects the parts that python-multipart finds."""

    def __init__(self) -> None:
        self.body = Body()
        self.callbacks = {
            "on_part_begin": self._begin, "on_part_data": self._data, "on_part_end": self._end,
            "on_header_field": self._header_name, "on_header_value": self._header_value, "on_header_end": self._header,
        }  # fmt: skip
        self._parts = 0

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_FILES + MOST_FIELDS:
            raise _too_many()
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._content = bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._content += memoryview(data)[start:end]

    def _end(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"")
        options = parse_options_header(disposition)[1]
        if b"name" not in options:
            raise Problem("bad_multipart", "The form can't be read: a part has no name.")
        name, content = options[b"name"].decode("utf-8", "replace"), bytes(self._content)
        kind = self._headers.get(b"content-type", b"").lower()
        named = _HAS_FILE_NAME.search(disposition) is not None
        text = None if named or kind.startswith((b"image/", b"application/octet-stream")) else _as_text(content)
        if text is not None:
            self.body.add([(name, text)])
        elif content or options.get(b"filename"):  # an empty file field of a web page is no file
            if self.body.files.setdefault(name, content) != content:
                raise _several(2, name)
        if len(self.body.files) > MOST_FILES:
            raise _too_many()


def parse_json(data: bytes) -> Body:
    """A flat object.

    Raises:
        Problem: `bad_json`, `bad_option`.
    """
    # Before a tree of objects is built: a picture in base64 has none of these, and options have few.
    if data.count(b"{") + data.count(b"[") > MOST_FIELDS or data.count(b",") > 16 * MOST_FIELDS:
        raise Problem("bad_json", f"The JSON must be one flat object of at most {MOST_FIELDS} fields.")
    body = Body()

    def flat(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name, value in pairs:
            if isinstance(value, dict | list):
                raise Problem("bad_json", f"`{name[:60]}` must be a text, a number, true, false or null.")
        body.fields.clear()
        body.add(pairs)
        return body.fields

    try:
        parsed = json.loads(data, object_pairs_hook=flat)
    except (ValueError, RecursionError):
        raise Problem("bad_json", "The body isn't JSON that can be read; check quotes and brackets.") from None
    if not isinstance(parsed, dict):
        raise Problem("bad_json", f"The JSON must be an object; received {type(parsed).__name__}.")
    return body


def parse_urlencoded(data: bytes) -> Body:
    """A form written as the query of an address.

    Raises:
        Problem: `bad_request`, `bad_option`.
    """
    body = Body()
    if data.count(b"&") > MOST_FIELDS:
        raise Problem("bad_request", f"A request has at most {MOST_FIELDS} fields; received more.")
    pairs = [pair.partition(b"=") for pair in data.split(b"&") if pair]
    try:
        body.add((_unescaped(name), _unescaped(value)) for name, _, value in pairs)
    except ValueError:
        raise Problem(
            "bad_request", "The form can't be read: it isn't UTF-8, or nearly every letter is escaped."
        ) from None
    return body


def _unescaped(part: bytes) -> str:
    part = part.replace(b"+", b" ")
    for escaped, letter in _BASE64_ESCAPES:
        part = part.replace(escaped, letter)
    if part.count(b"%") > _MOST_ESCAPES:
        raise ValueError
    return urllib.parse.unquote_to_bytes(part).decode()


def decode_base64(text: object, name: str) -> bytes:
    """The bytes of a base64 text, with or without `data:image/…;base64,` before it.

    Raises:
        Problem: `bad_image`: it is none.
    """
    if not isinstance(text, str):
        raise Problem("bad_option", f"`{name}` must be a text in base64; received {type(text).__name__}.")
    head, comma, rest = text[:200].partition(",")
    start = len(head) + 1 if comma and head.strip().startswith("data:") else 0
    try:
        return base64.b64decode(text[start:].encode("ascii").translate(None, b" \t\r\n\f\v"), validate=True)
    except (binascii.Error, ValueError):
        raise Problem("bad_image", f"`{name}` must be a picture in base64; it can't be decoded.") from None


def _as_text(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _several(count: int, name: str = "") -> Problem:
    where = f" named `{name[:60]}`" if name else ""
    return Problem("bad_option", f"The form has {count} pictures{where}; send one picture in each request.")


def _too_many() -> Problem:
    return Problem("bad_multipart", f"The form has more than {MOST_FILES} files or {MOST_FIELDS} fields; send fewer.")
