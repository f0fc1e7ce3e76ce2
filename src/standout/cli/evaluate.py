"""`standout evaluate DATA`: the scores of a model on photographs with masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standout.cli.devices import DeviceOption, LooksOption

if TYPE_CHECKING:
    from rich.console import Console

    from standout.workshop.score.intervals import Interval
    from standout.workshop.score.report import Evaluation, SetScore

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def evaluate(
    data: Annotated[
        Path, typer.Argument(help="A data set with masks (docs/data.md has the forms), or a folder of such sets.")
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="`photo`, `live`, or an ONNX file.")] = "photo",
    device: DeviceOption = None,
    looks: LooksOption = 1,
    person: Annotated[
        str,
        typer.Option(help="What is person: a category's name, or a value of label pictures (15, #c08080, any)."),
    ] = "",
    threshold: Annotated[float, typer.Option(help="Alpha from which a pixel counts as person.")] = 0.5,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything to this JSON file.")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write a line per photograph to this file.")] = None,
    worst: Annotated[Path | None, typer.Option(help="Write the worst photographs to this contact sheet.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Photographs on that sheet.")] = 12,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Is 0.5 the best threshold? Prints the IoU at each.")
    ] = False,
) -> None:
    """Scores a model: person IoU, Dice, boundary F (3 px), MAE, see-through people, haze, false people where nobody is.

    Each set is scored by itself; photographs without a masks/ folder count as photographs with nobody.
    Exits with 1 when pairs had to be left out.
    """
    from standout.cli.console import progress_bar, results, write_file
    from standout.cli.devices import load_model
    from standout.workshop.score.evaluate import evaluate as score
    from standout.workshop.score.worst import worst_sheet

    loaded = load_model(model, device, tta=looks)
    with progress_bar("Scoring") as progress:
        report = score(loaded.alpha, data, threshold=threshold, calibrate=calibrate, person=person, progress=progress)
    console = results()
    _print_scores(console, report, f"{loaded.name} on {data}")
    if calibrate:
        _print_calibration(console, report)
    if json_file:
        write_file(json_file, report.to_json(model=loaded.name, data=str(data)))
    if csv_file:
        write_file(csv_file, report.to_csv())
    if worst:
        write_file(worst, worst_sheet(report, loaded.alpha, count))
    written = [str(file) for file in (json_file, csv_file, worst) if file]
    if written:
        console.print(f"Written: {', '.join(written)}")
    if report.left_out:
        raise typer.Exit(1)


def _print_scores(console: Console, report: Evaluation, title: str) -> None:
    from rich.markup import escape

    console.print(escape(title), style="bold")
    _print_table(console, "set", report.sets)
    _print_solidity(console, report.sets)
    _print_table(console, "size", report.by_size())
    _print_table(console, "figures", report.by_figures())
    console.print(
        "Of the alpha as users get it (after clean_alpha; raw: before it). "
        f"Means per photograph, 95 % intervals; person from alpha {report.threshold:g}; BF: boundary F (3 px); "
        "lost: share of a person's core (6 px inside the mask) that is see-through (alpha below 0.9); "
        "holes: photographs that lose over 5 % of it; "
        "haze: photographs where over 1 % of the background 12 px from anybody keeps alpha above 0.1; "
        "false people: share of the photographs with nobody in which over 0.5 % of the pixels were taken for person; "
        "size: person's share of the picture; figures: separate pieces of the mask.",
    )
    for note in report.notes:
        console.print(escape(note))
    if report.left_out:
        console.print(f"Left out, {len(report.left_out)} bad:", style="bold red")
        for fault in report.left_out:
            console.print(f"  {escape(fault.pair.set)}: {fault.kind}: {escape(fault.text)}")


def _print_table(console: Console, heading: str, scores: dict[str, SetScore]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    if not scores:
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(heading, no_wrap=True, overflow="fold")
    for column in ("photos", "person IoU", "Dice", "BF", "MAE", "false people", "ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, score in scores.items():
        table.add_row(
            escape(name), str(score.photos), _cell(score.iou), _mean(score.dice), _mean(score.boundary_f),
            _mean(score.mae), _percent(score.false_people), f"{score.ms:.0f}",
        )  # fmt: skip
    console.print(table)


def _print_solidity(console: Console, scores: dict[str, SetScore]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("solidity", no_wrap=True, overflow="fold")
    for column in ("lost", "holes", "haze", "raw lost", "raw haze"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, score in scores.items():
        if score.lost is not None:
            shares = (score.lost, score.holes, score.haze, score.raw_lost, score.raw_haze)
            table.add_row(escape(name), *map(_percent, shares))
    if table.row_count:
        console.print(table)


def _cell(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.value:.3f} [{interval.low:.3f} {interval.high:.3f}]"


def _mean(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.value:.3f}"


def _percent(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.value:.1%}"


def _print_calibration(console: Console, report: Evaluation) -> None:
    from rich.table import Table

    table = Table(title="Threshold", title_justify="left")
    for column in ("alpha ≥", "person IoU", "false people"):
        table.add_column(column, justify="right")
    for row in report.calibration():
        false = "–" if row.false_people is None else f"{row.false_people:.1%}"
        table.add_row(f"{row.threshold:.2f}", _cell(row.iou), false)
    console.print(table)
    console.print(report.calibration_verdict())
