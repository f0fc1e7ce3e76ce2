"""The audit's HTML page: one file with its figures and contact sheets inside."""

from __future__ import annotations

import base64
import html
from typing import Any

import cv2
import numpy as np

from standout.errors import InputError
from standout.imaging.arrays import Frame
from standout.imaging.contact_sheet import Tile, contact_sheet, mark_edge
from standout.workshop.audit.audit import Audit
from standout.workshop.audit.summary import Duplicate
from standout.workshop.data.labels import open_pair, read_image
from standout.workshop.data.pair import Fault, Pair
from standout.workshop.plots import audit_contents, audit_qualities, audit_sets

#: Pictures on a contact sheet.
_MOST = 12
_SHOWN_FINDINGS = 400

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#28282c;background:#fafaf8;
max-width:1080px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2.2rem}img{max-width:100%}table{border-collapse:collapse;font-size:14px}
td,th{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #ddd;vertical-align:top}
td.n,th.n{text-align:right}.s{padding:.35rem .8rem;margin:.3rem 0;border-left:5px solid}
.stop{border-color:#c22;background:#fbeaea}.warn{border-color:#d98e2b;background:#fdf5e8}.good{border-color:#3a8f4d;background:#edf6ee}
"""


def audit_page(audit: Audit) -> str:
    """The page as HTML that needs no other file.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    report = audit.as_json()
    parts = [
        f"<h1>Audit of {html.escape(audit.root.name)}</h1>",
        "<p><b>Training on this would be wasted.</b></p>" if audit.unfit else "<p><b>Fit for training.</b></p>",
        *(_sentence(s["level"], s["text"], s["advice"]) for s in report["verdict"]),
        "<h2>Sets</h2>", _image(audit_sets(report), "photographs per set"), _sets_table(report["summary"]["sets"]),
        "<h2>What the training pictures show</h2>", _image(audit_contents(report), "contents"),
        "<h2>How the pictures look and the masks fit</h2>", _image(audit_qualities(report), "qualities"),
        *_sheets(audit),
        "<h2>Findings</h2>", _findings_table(report["findings"]),
    ]  # fmt: skip
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Audit of {html.escape(audit.root.name)}</title><style>{_STYLE}</style></head><body>"
        + "\n".join(parts)
        + "</body></html>\n"
    )


def _sentence(level: str, text: str, advice: str) -> str:
    return f'<div class="s {level}">{html.escape(text)} <em>{html.escape(advice)}</em></div>'


def _image(data: bytes, alt: str, kind: str = "png") -> str:
    return f'<img alt="{html.escape(alt)}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


def _sets_table(sets: dict[str, Any]) -> str:
    heads = "".join(
        f'<th class="n">{h}</th>' for h in ("photos", "usable", "people", "nobody", "median width × height")
    )
    rows = []
    for name, s in sets.items():
        size = f"{s['width'][2]:.0f} × {s['height'][2]:.0f}" if s["width"] else "–"
        cells = (s["photos"], s["usable"], s["with_people"], s["nobody"], size)
        rows.append(f"<tr><td>{html.escape(name)}</td>" + "".join(f'<td class="n">{c}</td>' for c in cells) + "</tr>")
    return f"<table><tr><th>set</th>{heads}</tr>{''.join(rows)}</table>"


def _findings_table(findings: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(f['kind'])}</td><td>{html.escape(f['set'])}</td><td>{html.escape(f['stem'])}</td>"
        f"<td>{html.escape(f['text'])}</td></tr>"
        for f in findings[:_SHOWN_FINDINGS]
    )
    more = len(findings) - _SHOWN_FINDINGS
    note = f"<p>… and {more} more, all of them in the JSON report.</p>" if more > 0 else ""
    return f"<table><tr><th>kind</th><th>set</th><th>stem</th><th>what it is</th></tr>{rows}</table>{note}"


def _sheets(audit: Audit) -> list[str]:
    """Contact sheets: the masks that fit their picture worst, every kind of mask fault, and pictures that are alike."""
    measured = sorted((f for f in audit.facts if f.agreement is not None), key=lambda f: f.agreement or 0)
    groups = {"Masks that lie worst on the picture's edges": [
        (f.pair, f"edge agreement {f.agreement:.2f}") for f in measured[:_MOST]
    ]}  # fmt: skip
    kinds = sorted({k for f in audit.facts for k in f.faults if k.startswith("mask") or k in ("pinholes", "specks")})
    for kind in kinds:
        groups[kind.capitalize()] = [(f.pair, f.faults[kind]) for f in audit.facts if kind in f.faults][:_MOST]
    parts = []
    for title, pairs in groups.items():
        tiles = [tile for pair, text in pairs if (tile := _tile(pair, text))]
        parts += _sheet(title, tiles)
    alike = sorted(audit.duplicates, key=lambda like: (not like.leak, like.exact))[: _MOST // 2]
    return parts + _sheet("Pictures that are alike", [tile for like in alike for tile in _twins(like)])


def _sheet(title: str, tiles: list[Tile]) -> list[str]:
    if not tiles:
        return []
    page = contact_sheet(tiles, cell=240)
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(page[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return [f"<h2>{html.escape(title)}</h2>", _image(data.tobytes(), title, "jpeg")]


def _twins(like: Duplicate) -> list[Tile]:
    text = ("same" if like.exact else f"alike {like.alike:.3f}") + (", LEAK" if like.leak else "")
    return [tile for pair in (like.first, like.second) if (tile := _tile(pair, f"{pair.set}, {text}"))]


def _tile(pair: Pair, text: str) -> Tile | None:
    opened = open_pair(pair)
    if isinstance(opened, Fault):  # a fault of the label alone is shown on the photograph
        try:
            return Tile(read_image(pair.image), f"{pair.stem}\n{text}")
        except InputError:
            return None
    mask = opened.label.person > 127
    frame: Frame = mark_edge(opened.frame, mask) if mask.any() else opened.frame
    return Tile(frame, f"{pair.stem}\n{text}")
