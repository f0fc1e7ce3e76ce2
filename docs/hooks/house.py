"""Draws docs/pictures/house.svg, the rooms of src/standout and who imports whom: `python docs/hooks/house.py`.

The arrows are those of `ROOMS` in tests/test_imports.py, without those that a way through other rooms stands for.
"""

from __future__ import annotations

import ast
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "pictures" / "house.svg"
TABLE = ROOT / "tests" / "test_imports.py"

WIDTH, HEIGHT, BOX = 1000, 520, (104, 34)
#: The middle of each room. One that is new has no place yet: the test says so.
PLACES = {
    "server": (246, 112), "cluster": (420, 112), "page": (72, 112),
    "id_photo": (72, 190), "webcam": (188, 190), "folder": (420, 190), "video": (540, 190),
    "pipeline": (246, 270), "work": (370, 270),
    "compositing": (300, 345), "inference": (450, 345),
    "model_card": (380, 415), "hardware": (510, 415),
    "workshop.label": (720, 112), "workshop.export": (830, 112), "workshop.train": (940, 112),
    "workshop.audit": (720, 190), "workshop.score": (830, 190),
    "workshop.data": (770, 270), "workshop.model": (885, 270),
    "workshop.config": (830, 345), "workshop.plots": (940, 345),
}  # fmt: skip
_STYLE = """
  text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #28282c }
  text { text-anchor: middle; dominant-baseline: central }
  .small { font-size: 11px; fill: #5a5a62 }
  rect { rx: 5px; stroke: #5f7d9c; fill: #e8eff6 }
  .page { fill: #ffffff; stroke: none }
  .bar { fill: #f4f4f1; stroke: #9a9a94 }
  .door { fill: none; stroke: #c98a63; stroke-dasharray: 4 3 }
  .workshop { fill: #fbe3d6; stroke: #c98a63 }
  path { fill: none; stroke: #46515c; stroke-width: 1.2; marker-end: url(#head) }
  .across { stroke: #b9793f }
"""


def rooms() -> dict[str, set[str]]:
    """`ROOMS` of the test, read and not run."""
    for node in ast.parse(TABLE.read_text("utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "ROOMS":
            text = ast.unparse(node.value) if node.value else ""
            return {room: set(row) for room, row in ast.literal_eval(text.replace("set()", "[]")).items()}
    raise LookupError(f"{TABLE.name} has no table ROOMS")


def reduced(table: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without arrows that a longer way stands for: who imports the pipeline may import what lies below it."""
    below: dict[str, set[str]] = {}
    for room, row in table.items():  # every row names rooms above it alone
        below[room] = set(row).union(*(below.get(target, set()) for target in row))
    return {
        room: {
            target
            for target in row
            if target in PLACES and not any(target in below.get(o, set()) for o in row - {target})
        }
        for room, row in table.items()
    }


def house(table: dict[str, set[str]]) -> str:
    """The house as an SVG."""
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>The rooms of Standout: arrows are imports, all downward</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<polygon points="0,0 8,4 0,8" fill="#46515c"/></marker></defs>',
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        '<rect class="door" x="660" y="78" width="336" height="300"/>',
        '<text class="small" x="742" y="394">workshop: needs Keras, the product never opens it</text>',
        *_bar(20, "cli: words to values, values to words; one module per command"),
        *_bar(
            460, "imaging: decode, encode, arrays   ·   errors   ·   option   ·   text_files   ·   caches   ·   privacy"
        ),
        '<text class="small" x="860" y="430">export writes person.onnx and its card:</text>',
        '<text class="small" x="860" y="445">the only bridge to inference is a file</text>',
    ]
    arrows = reduced(table)
    drawn += [_arrow(room, target) for room in sorted(arrows) for target in sorted(arrows[room])]
    drawn += [_box(room) for room in table if room != "workshop"]
    return "\n".join([*drawn, "</svg>\n"])


def _bar(y: int, words: str) -> list[str]:
    bar = f'<rect class="bar" x="20" y="{y}" width="{WIDTH - 24}" height="34"/>'
    return [bar, f'<text x="{WIDTH // 2}" y="{y + 17}">{escape(words)}</text>']


def _box(room: str) -> str:
    x, y = PLACES[room]
    kind = "workshop" if room.startswith("workshop.") else "room"
    corner = f'x="{x - BOX[0] // 2}" y="{y - BOX[1] // 2}" width="{BOX[0]}" height="{BOX[1]}"'
    return f'<rect class="{kind}" {corner}/><text x="{x}" y="{y}">{room.removeprefix("workshop.")}</text>'


def _arrow(room: str, target: str) -> str:
    (x, y), (to_x, to_y) = PLACES[room], PLACES[target]
    kind = "across" if room.startswith("workshop.") != target.startswith("workshop.") else "within"
    half = BOX[1] // 2
    return f'<path class="{kind}" d="M{x} {y + half} L{to_x + (x - to_x) // 12} {to_y - half}"/>'


if __name__ == "__main__":
    FILE.write_text(house(rooms()), "utf-8")
