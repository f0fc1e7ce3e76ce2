"""`standout convert SRC DST`: a data set of any form as pairs of images/ and masks/."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A data set; docs/data.md has the forms.")],
    target: Annotated[Path, typer.Argument(metavar="DST", help="A folder to write: new, or one to go on with.")],
    person: Annotated[
        str,
        typer.Option(help="What is person: a category's name, or a value of label pictures (15, #c08080, any)."),
    ] = "",
) -> None:
    """Write COCO, LabelMe, YOLO, VOC, Supervisely, cut-outs or shards as pairs: 255 person, 128 unsure.

    Stopped, it goes on where it was when called again. Exits with 1 when something had to be left out.
    """
    from rich.console import Console
    from rich.markup import escape

    from standout.cli.console import progress_bar
    from standout.data.convert import write_pairs
    from standout.data.pairs import find_pairs

    console = Console(stderr=True)
    pairs, faults = find_pairs(source, person=person)
    with progress_bar("Converting") as progress:
        result = write_pairs(pairs, target, source=str(source), faults=faults, progress=progress)
    for fault in result.faults:
        console.print(f"Left out ({fault.kind}): {escape(fault.text)}", highlight=False, soft_wrap=True)
    for name, count in result.counts.items():
        console.print(f"{escape(name)}: {count} photographs", highlight=False)
    console.print(
        f"Wrote {sum(result.counts.values())} of {len(pairs)} photographs to {escape(str(target))}. "
        f"Next: standout audit {escape(str(target))}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    if result.faults:
        raise typer.Exit(1)
