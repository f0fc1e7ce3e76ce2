"""Draws docs/pictures/training-curve.png from the histories of the runs in docs/history: is the curve flat?

    python tools/training_curve.py

A run's history.csv, named <model>-<run>.csv; the runs of a model follow each other. After a run: copy it there.
"""

from __future__ import annotations

import csv
from pathlib import Path

from matplotlib.figure import Figure

DOCS = Path(__file__).parents[1] / "docs"
COLORS = {"iou_portraits": "#2f6fb3", "iou_street": "#d9662b", "iou_everyday": "#3f8f5f", "false_people": "#888888"}


def _number(history: Path) -> int:
    return int(history.stem.split("-")[1])


def main() -> None:
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    for axis, model in zip(figure.subplots(1, 2, sharey=True), ("photo", "live"), strict=True):
        before = 0.0
        for file in sorted(DOCS.glob(f"history/{model}-*.csv"), key=_number):
            with file.open(newline="", encoding="utf-8") as stream:
                rows = [row for row in csv.DictReader(stream) if row["iou"]]
            hours = [before + float(row["seconds"]) / 3600 for row in rows]
            for name, color in COLORS.items():
                label = name.removeprefix("iou_").replace("_", " ") if not before else None
                axis.plot(hours, [float(row[name]) for row in rows], ".-", color=color, label=label)
            axis.axvline(before, color="#dddddd", zorder=0)
            axis.text(before, 1.0, f" run {_number(file)}", color="#888888", va="top")
            before = hours[-1]
        axis.set(title=model, xlabel="hours of training", ylim=(0, 1), xlim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    figure.axes[0].set_ylabel("IoU of the photographs held out")
    figure.savefig(DOCS / "pictures" / "training-curve.png", dpi=110)


if __name__ == "__main__":
    main()
