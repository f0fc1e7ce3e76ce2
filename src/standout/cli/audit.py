"""`standout audit DATA`: what a data set is good for, before it is trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from standout.workshop.audit.audit import Audit

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_MARKS = {"stop": ("✗", "bold red"), "warn": ("!", "yellow"), "good": ("✓", "green")}


@app.command()
def audit(
    data: Annotated[
        Path,
        typer.Argument(help="A data set (docs/data.md has the forms), or a folder of such sets."),
    ],
    html_file: Annotated[
        Path | None, typer.Option("--html", help="Write a page with plots and contact sheets.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure and faulty file.")] = None,
    person: Annotated[
        str,
        typer.Option(help="What is person: a category's name, or a value of label pictures (15, #c08080, any)."),
    ] = "",
    names: Annotated[int, typer.Option(min=0, help="Files named on screen for each kind of fault.")] = 8,
) -> None:
    """Looks for faults, duplicates, leaks and gaps in a data set, and says what to do.

    Exits with 1 where training on it would be wasted.
    """
    import json

    from standout.cli.console import check_outputs, progress_bar, results, write_file
    from standout.workshop.audit.audit import audit as look

    check_outputs(html_file, json_file)
    if html_file:
        from standout.workshop.plots import check_matplotlib

        check_matplotlib()
    with progress_bar("Looking at pictures") as progress:
        result = look(data, person=person, progress=progress)
    _print(results(), result, names)
    if json_file:
        write_file(json_file, json.dumps(result.as_json(), ensure_ascii=False, indent=1))
    if html_file:
        from standout.cli.audit_page import audit_page

        write_file(html_file, audit_page(result))
    if result.unfit:
        raise typer.Exit(1)


def _print(console: Console, result: Audit, names: int) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("set")
    for column in ("photos", "usable", "people", "nobody", "backgrounds", "edges"):
        table.add_column(column, justify="right")
    for name, s in result.summary["sets"].items():
        agreement = f"{s['edge_agreement'][2]:.2f}" if s["edge_agreement"] else "–"
        different = f"{s['different_backgrounds']:.0f}" if s["backgrounds_seen"] else "–"
        cells = (s["photos"], s["usable"], s["with_people"], s["nobody"], different, agreement)
        table.add_row(escape(name), *map(str, cells))
    console.print(table)
    for kind, stems in result.as_json()["by_kind"].items():
        shown = ", ".join(stems[:names]) + (f" … ({len(stems)} in all)" if len(stems) > names else "")
        console.print(f"[bold]{escape(kind)}[/bold] ({len(stems)}): {escape(shown)}")
    console.print()
    for sentence in result.sentences:
        mark, style = _MARKS[sentence.level]
        console.print(f"[{style}]{mark}[/{style}] {escape(sentence.text)} {escape(sentence.advice)}")
    verdict = "Training on this would be wasted." if result.unfit else "Fit for training."
    console.print(f"\n[bold]{verdict}[/bold]")
