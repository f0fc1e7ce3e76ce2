"""The plot of a run: loss and IoU over the steps."""

from __future__ import annotations

import csv
from pathlib import Path

from standout.imaging.files import atomic_write


def draw_history(run: Path) -> None:
    """Draws history.csv of a run folder as history.png."""
    from matplotlib.figure import Figure  # no pyplot: no global state, no window

    with (run / "history.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    steps = [int(row["step"]) for row in rows]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(steps, [float(row["loss"]) for row in rows], color="tab:red")
    left.set(title="loss (k·BCE − Dice), training", xlabel="step")
    for name in rows[0]:
        if name == "iou" or name.startswith("iou_"):
            values = [float(row[name] or "nan") for row in rows]
            width, label = (2.5, "all") if name == "iou" else (1.0, name.removeprefix("iou_"))
            right.plot(steps, values, linewidth=width, label=label)
    right.set(title="mean person IoU, held out", xlabel="step", ylim=(0, 1))
    right.legend(loc="lower right", fontsize="small")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    with atomic_write(run / "history.png") as stream:
        figure.savefig(stream, format="png", dpi=110)
