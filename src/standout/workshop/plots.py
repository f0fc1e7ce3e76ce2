"""Figures from the reports' JSON, as PNG. Nothing is measured here."""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from standout.errors import MissingExtra

INK, MAIN, SECOND, PALE = "#28282c", "#2f6fb3", "#d9662b", "#b9c9da"


def check_matplotlib() -> None:
    """Told before long work and not after it.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtra("Drawing plots", "train")


@contextmanager
def _figures() -> Iterator[Any]:
    """Matplotlib without a window, in our colors; its settings are restored afterwards.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    check_matplotlib()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(
        {
            "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.titleweight": "bold",
            "axes.titlelocation": "left", "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": "#888888",
        }
    ):  # fmt: skip
        yield Figure


def _png(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()


def audit_contents(report: dict[str, Any]) -> bytes:
    """What the training pictures show: size, number, framing, cut sides, position, photographs with nobody."""
    training = report["summary"]["training"]
    with _figures() as figure_type:
        figure = figure_type(figsize=(11, 6), layout="constrained")
        axes = figure.subplots(2, 3).ravel()
        cut = training["cut_by"] | {"not cut": training["not_cut"]}
        who = {"with people": training["with_people"], "nobody": training["nobody"]}
        bars = (
            ("Person's share of the picture", training["sizes"]), ("Separate figures", training["figures"]),
            ("Framing of the largest figure", training["framing"]), ("Cut by the frame's side", cut),
            ("Usable photographs", who),
        )  # fmt: skip
        for axis, (title, counts) in zip(axes, bars, strict=False):
            drawn = axis.barh(list(counts), list(counts.values()), color=MAIN)
            axis.bar_label(drawn, padding=3)
            axis.invert_yaxis()
            axis.margins(x=0.15)
            axis.set_title(title)
        axes[5].set_title("Where people are")
        position = report["summary"]["position"]
        if position:
            picture = axes[5].imshow(position, cmap="magma", vmin=0, extent=(0, 1, 1, 0))
            figure.colorbar(picture, ax=axes[5], shrink=0.8)
        axes[5].set(xticks=[], yticks=[])
        return _png(figure)


def audit_qualities(report: dict[str, Any]) -> bytes:
    """How the pictures look, and how their masks fit: histograms over every picture."""
    wanted = (
        ("brightness", "Brightness (0 … 1)"), ("sharpness", "Sharpness"),
        ("color", "Colorfulness"), ("edge_agreement", "Edge agreement"),
    )  # fmt: skip
    with _figures() as figure_type:
        figure = figure_type(figsize=(11, 2.9), layout="constrained")
        for axis, (key, title) in zip(figure.subplots(1, 4), wanted, strict=True):
            values = [photo[key] for photo in report["photos"] if key in photo]
            if values:
                axis.hist(values, bins=30, color=MAIN)
            axis.set_title(title)
            axis.set_ylabel("pictures")
        return _png(figure)


def audit_sets(report: dict[str, Any]) -> bytes:
    """Photographs per set: with people, with nobody, unlabeled, faulty; and how many backgrounds they are worth."""
    sets = report["summary"]["sets"]
    with _figures() as figure_type:
        figure = figure_type(figsize=(11, 1.4 + 0.32 * len(sets)), layout="constrained")
        left_axis, right_axis = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
        start = [0] * len(sets)
        rows = [
            ("with people", MAIN, [s["with_people"] for s in sets.values()]),
            ("nobody", PALE, [s["nobody"] for s in sets.values()]),
            ("unlabeled", "#dddddd", [s["unlabeled"] for s in sets.values()]),
            ("faulty", SECOND, [s["photos"] - s["usable"] for s in sets.values()]),
        ]
        for label, color, widths in rows:
            left_axis.barh(list(sets), widths, left=start, color=color, label=label)
            start = [a + b for a, b in zip(start, widths, strict=True)]
        left_axis.invert_yaxis()
        left_axis.legend(frameon=False, fontsize=8)
        left_axis.set_title("Photographs per set")
        drawn = right_axis.barh(list(sets), [s["different_backgrounds"] for s in sets.values()], color=MAIN)
        right_axis.bar_label(drawn, padding=3)
        right_axis.margins(x=0.15)
        right_axis.set_title("Different backgrounds")
        return _png(figure)


def speed_chart(result: dict[str, Any]) -> bytes:
    """Milliseconds per image of every case of `standout benchmark`: median, with a whisker to the 95th percentile."""
    runs = result["runs"]
    with _figures() as figure_type:
        figure = figure_type(figsize=(9, 1.3 + 0.32 * len(runs)), layout="constrained")
        axis = figure.subplots()
        medians = [run["median_ms"] for run in runs]
        tails = [[0.0] * len(runs), [max(0.0, run["p95_ms"] - run["median_ms"]) for run in runs]]
        colors = [MAIN if run["path"] == "whole" else PALE for run in runs]
        axis.barh([run["case"] for run in runs], medians, xerr=tails, color=colors, ecolor=INK, capsize=2)
        for row, run in enumerate(runs):
            axis.text(run["p95_ms"], row, f"  {run['median_ms']:.1f}", va="center")
        axis.invert_yaxis()
        axis.margins(x=0.12)
        axis.set_xlabel("ms per image: median, whisker to the 95th percentile; pale: the network alone")
        axis.set_title(f"{result['model']} on {result['machine']['processor']}")
        return _png(figure)


def comparison_chart(rows: list[dict[str, Any]]) -> bytes:
    """How many times as long each case takes after as before, with its 95 % interval; gray where it is the same."""
    colors = {"same": "#999999", "unknown": "#cccccc", "faster": MAIN, "slower": SECOND}
    with _figures() as figure_type:
        figure = figure_type(figsize=(8, 1.4 + 0.32 * len(rows)), layout="constrained")
        axis = figure.subplots()
        for y, row in enumerate(rows):
            value, low, high = row["ratio"]
            spread = [[max(0.0, value - low)], [max(0.0, high - value)]]
            axis.errorbar([value], [y], xerr=spread, fmt="o", color=colors[row["verdict"]], capsize=3)
            axis.annotate(f"{value:.2f} {row['verdict']}", (high, y), (6, -3), textcoords="offset points")
        axis.axvline(1, color=INK, linewidth=0.8)
        axis.set(yticks=range(len(rows)), yticklabels=[row["case"] for row in rows])
        axis.invert_yaxis()
        axis.margins(x=0.25)
        axis.set_xlabel("time after ÷ time before; under 1 is faster")
        return _png(figure)


def scaling_chart(result: dict[str, Any], yardstick: dict[int, float]) -> bytes:
    """Images/s of benchmarks/augment.py by number of workers, beside a yardstick of workers -> images/s."""
    runs = result["runs"]
    workers = [run["workers"] for run in runs]
    with _figures() as figure_type:
        figure = figure_type(figsize=(7, 3.6), layout="constrained")
        axis = figure.subplots()
        axis.plot(workers, [run["steady"] for run in runs], "o-", color=MAIN, label="standout augment")
        for run in runs:
            axis.annotate(f"{run['steady']:.0f}", (run["workers"], run["steady"]), (6, -12), textcoords="offset points")
        ideal = [runs[0]["steady"] * n for n in workers]
        axis.plot(workers, ideal, "--", color=PALE, label="every core as good as the first")
        axis.plot(list(yardstick), list(yardstick.values()), "s:", color=SECOND, label="yardstick")
        axis.set(xlabel="worker processes", ylabel="images/s", ylim=(0, None), xticks=sorted({*workers, *yardstick}))
        axis.legend(frameon=False)
        axis.set_title(f"Augmentation to {result['size']} px on {result['machine']['processor']}")
        return _png(figure)


def rivals_chart(results: dict[str, Any]) -> bytes:
    """Mean person IoU against time for every network of benchmarks/rivals.py that could be run, a panel per set."""
    ran = {name: r for name, r in results.items() if "missing" not in r}
    sets = sorted({s for r in ran.values() for s, score in r["sets"].items() if "person_iou" in score}) or ["no people"]
    with _figures() as figure_type:
        figure = figure_type(figsize=(max(4.5, 3.9 * len(sets)), 4.0), layout="constrained")
        points: dict[str, Any] = {}
        for axis, set_name in zip(figure.subplots(1, len(sets), squeeze=False)[0], sets, strict=True):
            for marker, (name, r) in zip(itertools.cycle("osD^vPX"), ran.items(), strict=False):
                if "person_iou" not in r["sets"].get(set_name, {}):
                    continue
                mean, low, high = r["sets"][set_name]["person_iou"]
                color = SECOND if name.startswith("Standout") else MAIN
                spread = [[mean - low], [high - mean]]
                points[name] = axis.errorbar([r["ms"]], [mean], yerr=spread, fmt=marker, color=color, capsize=2)
            axis.set(xscale="log", xlabel="ms per 512×512 picture", ylabel="person IoU", title=set_name)
            axis.margins(x=0.15)
        # Names beside the points would lie on each other where networks are alike.
        if points:
            figure.legend(points.values(), points, loc="outside lower center", ncols=min(5, len(points)), fontsize=8)
        return _png(figure)


def history_chart(file: Path) -> bytes:
    """The course of a training run: loss and IoU over the steps of its history.csv.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    steps = [int(row["step"]) for row in rows]
    with _figures() as figure_of:
        figure = figure_of(figsize=(9, 3.6), layout="constrained")
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
        return _png(figure)
