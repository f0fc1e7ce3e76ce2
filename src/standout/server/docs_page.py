"""`/docs`: the OpenAPI document as a page that needs neither the internet nor a script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from standout.server.problems import CODES


def docs_page(document: Mapping[str, Any]) -> str:
    """The whole page."""
    info = document["info"]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f'<title>{escape(info["title"])}</title><link rel="stylesheet" href="/style.css"></head><body>',
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>",
        f"<p>{escape(info['description'])}</p>",
        '<p>For tools: <a href="/openapi.json">openapi.json</a>. By hand:</p>',
        f"<pre>{escape(_CURL)}</pre>",
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts += _operation(path, method, operation)
    parts += ["<h2>Refusals</h2>", *_codes(), "</body></html>"]
    return "\n".join(parts)


_CURL = """curl -F image=@photo.jpg http://127.0.0.1:7000/v1/cut-out -o photo.png
curl -F image=@photo.jpg -F background=white -F format=jpg http://127.0.0.1:7000/v1/cut-out -o white.jpg
curl -H "X-Api-Key: KEY" -F image=@photo.jpg http://127.0.0.1:7000/v1/mask -o mask.png"""


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    tags = f" <small>({escape(', '.join(operation['tags']))})</small>" if operation.get("tags") else ""
    yield f"<h2><code>{method.upper()} {escape(path)}</code>{tags}</h2>"
    yield f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>"
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        yield f"<p>Takes {escape(', '.join(content))}.</p>"
    fields = next((one["schema"] for one in content.values() if "properties" in one["schema"]), None)
    rows = [(name, one) for name, one in fields["properties"].items()] if fields else []
    inside = {name for name, _ in rows}
    rows += [
        (p["name"], p["schema"] | {"description": p.get("description", "")})
        for p in operation.get("parameters", [])
        if p["name"] not in inside
    ]
    if rows:
        described = {p["name"]: p.get("description", "") for p in operation.get("parameters", [])}
        yield "<table><tr><th>Name</th><th>Values</th><th>What it is</th></tr>"
        for name, schema in rows:
            words = schema.get("description") or described.get(name, "")
            yield f"<tr><td><code>{escape(name)}</code></td><td>{_values(schema)}</td><td>{escape(words)}</td></tr>"
        yield "</table>"
    for kind, one in content.items():
        if "example" in one:
            text = json.dumps(one["example"], indent=1)
            yield f"<details><summary>Example, {escape(kind)}</summary><pre>{escape(text)}</pre></details>"
    answers = ", ".join(operation["responses"].get("200", {}).get("content", {}))
    yield f"<p>Answers with {escape(answers or 'nothing')}; refuses with {', '.join(_refusals(operation))}.</p>"


def _refusals(operation: Mapping[str, Any]) -> list[str]:
    return [status for status in operation["responses"] if status != "200"]


def _values(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        words = ", ".join(str(value) for value in schema["enum"])
    else:
        words = {"binary": "file", "byte": "base64"}.get(schema.get("format", ""), schema.get("type", ""))
        low, high = schema.get("minimum"), schema.get("maximum")
        words += f" {low:g} … {high:g}" if low is not None and high is not None else ""
    default = schema.get("default")
    return escape(words) + (f"; <code>{escape(str(default).lower())}</code>" if default not in (None, "") else "")


def _codes() -> Iterator[str]:
    yield "<table><tr><th>Code</th><th>Status</th><th>What it is</th></tr>"
    for code, (status, title) in CODES.items():
        yield f"<tr><td><code>{code}</code></td><td>{status}</td><td>{escape(title)}</td></tr>"
    yield "</table>"
