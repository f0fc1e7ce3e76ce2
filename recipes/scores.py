"""Rewrite docs/benchmark.md's table of scores from a measurement made now, or from files of `standout evaluate --json`.

    python recipes/scores.py VAL [--model photo --model live]
    python recipes/scores.py VAL --from photo.json --from live.json

COCO's set is left out: its photographs are largely those of COCO's own validation, on which nothing may be published.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import standout
from standout.workshop.score.evaluate import evaluate

PAGE = Path(__file__).parents[1] / "docs" / "benchmark.md"
BEGIN, END = "<!-- scores: written by `make scores` -->", "<!-- end of scores -->"


#: Sets of which no score may be published, and cut-outs: what lies behind them means nothing.
UNPUBLISHED = {"coco", "mattes"}

Scores = Iterator[tuple[str, str, dict[str, Any]]]  # model, set, the set's scores as JSON


def _measured(models: list[str], val: Path) -> Scores:
    for model in models:
        for name, score in evaluate(standout.load(model).alpha, val).sets.items():
            yield model, name, score.as_json()


def _read(files: list[Path]) -> Scores:
    for file in files:
        report = json.loads(file.read_text("utf-8"))
        for name, body in report["sets"].items():
            yield Path(report["model"]).stem, name, body


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("val", type=Path)
    parser.add_argument("--model", action="append", help="[default: photo and live]")
    parser.add_argument("--from", dest="files", type=Path, action="append", help="what evaluate --json wrote")
    args = parser.parse_args()
    lines = [
        "| model | set | photos | person IoU (95 %) | lost | holes | haze | boundary F, 3 px | false people |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for model, name, body in _read(args.files) if args.files else _measured(args.model or ["photo", "live"], args.val):
        if name in UNPUBLISHED:
            continue
        iou = body.get("person_iou")
        cells = [
            model, name, str(body["photos"]), f"**{iou[0]:.3f}** ({iou[1]:.3f} … {iou[2]:.3f})" if iou else "–",
            *(f"{body[key][0]:.1%}" if key in body and iou else "–" for key in ("lost", "holes", "haze")),
            f"{body['boundary_f'][0]:.3f}" if "boundary_f" in body else "–",
            f"{body['false_people'][0]:.1%}" if "false_people" in body else "–",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after, "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
