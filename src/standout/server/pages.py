"""What a browser sees at `/`: the page built from web/ if the package has it, else a plain form.

Every answer has a strict Content-Security-Policy: scripts and styles of this server only, none inside the page.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.responses import Response

from standout import __version__
from standout.server.problems import Problem

#: Where the build of web/ puts the page.
FOLDER = Path(__file__).parent / "page"

#: `wasm-unsafe-eval` lets the network run in the browser; it allows no script that is written as text.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob: mediastream:; connect-src 'self' blob: data:; worker-src 'self' blob:; font-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FORM_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    # Threads in WebAssembly need both.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
_TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
}
_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
form { display: grid; gap: 1rem; margin: 2rem 0; }
label { display: grid; gap: .25rem; }
input, select, button { font: inherit; padding: .5rem; }
button { justify-self: start; padding: .6rem 1.4rem; cursor: pointer; }
table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
code, pre { font: .875rem/1.5 ui-monospace, monospace; } pre { overflow: auto; padding: .75rem; border: 1px solid; }
h2 { margin-top: 2.5rem; } h3 { margin-bottom: 0; } summary { cursor: pointer; }
"""
_FORM = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Standout</title><link rel="stylesheet" href="/style.css"></head><body>
<h1>Standout</h1>
<p>Separates people from their background, on this machine.</p>
<form method="post" action="/v1/cut-out" enctype="multipart/form-data">
<label>Picture <input type="file" name="image" accept="image/*,.heic,.heif,.avif,.tif,.tiff" required></label>
<label>Background <input name="background" value="transparent" list="backgrounds" maxlength="64"></label>
<datalist id="backgrounds"><option value="transparent"><option value="white"><option value="blur"></datalist>
<label>Format <select name="format"><option>png</option><option>webp</option><option>jpg</option><option>tiff</option>
</select></label>
<label><span><input type="checkbox" name="crop" value="true"> Crop to the people</span></label>
<button>Cut out</button>
</form>
<p><a href="/docs">For programs</a> · version {__version__}</p>
</body></html>
"""


def is_page(path: str) -> bool:
    """Whether a path belongs to what a browser shows: open without a key, and reachable by links of other sites."""
    return path in ("/", "/style.css", "/docs", "/favicon.ico") or (path.count("/") >= 1 and _file(path) is not None)


def answer(path: str) -> Response:
    """The page, or a file of it.

    Raises:
        Problem: `not_found`.
    """
    if path == "/style.css":
        return Response(_STYLE, media_type="text/css")
    file = _file("/index.html" if path == "/" else path)
    if file is None and path == "/":
        return html(_FORM)
    if file is None:
        raise Problem("not_found", "There is nothing here; `/docs` tells what there is.")
    kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    # The build names what is in assets/ by its content, so it never changes.
    kept = "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache"
    headers = {**_HEADERS, "Content-Security-Policy": POLICY, "Cache-Control": kept}
    return Response(file.read_bytes(), media_type=kind, headers=headers)


def html(text: str) -> Response:
    """A page without scripts."""
    return Response(text, media_type="text/html", headers={"Content-Security-Policy": _FORM_POLICY})


def _file(path: str) -> Path | None:
    """The file of the built page that a path names; only what was there when the server started, so no path escapes."""
    return _files().get(path)


def _files() -> dict[str, Path]:
    if not _KNOWN and FOLDER.is_dir():
        for file in FOLDER.rglob("*"):
            if file.is_file():
                _KNOWN["/" + file.relative_to(FOLDER).as_posix()] = file
    return _KNOWN


_KNOWN: dict[str, Path] = {}
