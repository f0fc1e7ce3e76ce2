"""Rewrite the table of scores in README.md from a measurement made now.

python recipes/scores.py VAL [--model photo --model live]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import standout
from standout.score.evaluate import evaluate

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- scores: written by `make scores` -->", "<!-- end of scores -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("val", type=Path)
    parser.add_argument("--model", action="append", help="[default: photo and live]")
    args = parser.parse_args()
    lines = [
        "| model | set | photos | person IoU (95 %) | Dice | boundary F, 3 px | MAE | false people |",
        "|---|---|---|---|---|---|---|---|",
    ]
    scored = [
        (model, name, score)
        for model in args.model or ["photo", "live"]
        for name, score in evaluate(standout.load(model).alpha, args.val).sets.items()
    ]
    for model, name, score in scored:
        body = score.as_json()
        iou = body.get("person_iou")
        cells = [
            model, name, str(body["photos"]), f"**{iou[0]:.3f}** ({iou[1]:.3f} … {iou[2]:.3f})" if iou else "–",
            *(f"{body[key][0]:.3f}" if key in body else "–" for key in ("dice", "boundary_f", "mae")),
            f"{body['false_people'][0]:.1%}" if "false_people" in body else "–",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    text = README.read_text("utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after, "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
