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
    from standout.cli.console import progress_bar, say, say_faults
    from standout.workshop.data.check import rules_in_words
    from standout.workshop.data.convert import write_pairs
    from standout.workshop.data.pairs import find

    found = find(source, person=person)
    with progress_bar("Converting") as progress:
        result = write_pairs(found.pairs, target, source=str(source), faults=found.faults, progress=progress)
    say_faults(result.faults)
    for note in [*found.notes, *rules_in_words(result.rules)]:
        say(note)
    for name, count in result.counts.items():
        say(f"{name}: {count} photographs.")
    written = sum(result.counts.values())
    say(f"Wrote {written} of {len(found.pairs)} photographs to {target}. Next: standout audit {target}")
    if result.faults:
        raise typer.Exit(1)
