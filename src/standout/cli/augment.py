"""`standout augment DATA OUT`: augmented pairs on disk, that `standout train` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def augment(
    data: Annotated[Path, typer.Argument(help="A data set (docs/data.md has the forms), or a folder of such sets.")],
    out: Annotated[Path, typer.Argument(help="Folder to write: new, empty, or one of these to go on with.")],
    count: Annotated[int, typer.Option(min=1, max=9_999_999, help="Images to write.")],
    person: Annotated[
        str,
        typer.Option(help="What is person: a category's name, or a value of label pictures (15, #c08080, any)."),
    ] = "",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")] = None,
    size: Annotated[int, typer.Option(help="Side of the square output, pixels, a multiple of 32.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other images.")] = 0,
    zoom_out: Annotated[float, typer.Option(help="Share of images that show the whole photograph.")] = 0.35,
    png: Annotated[bool, typer.Option("--png", help="Lossless images, four times as large as JPEG.")] = False,
) -> None:
    """Augments photographs and their masks together: crops, turns, light, blur, noise.

    Stopped, it goes on where it was when called again. Every number of workers writes the same files.
    Exits with 1 when pairs had to be left out.
    """
    import dataclasses
    import time

    from standout.cli.console import progress_bar, say, say_faults
    from standout.errors import DataError, MissingExtra

    try:
        from standout.workshop.data.augment_folder import begin, in_a_row, write_samples
        from standout.workshop.data.augment_plan import AugmentOptions, Plan
    except ModuleNotFoundError as error:
        raise MissingExtra("Augmentation", "train") from error
    from standout.hardware import hardware_threads
    from standout.workshop.data.check import check_pairs
    from standout.workshop.data.pair import Fault
    from standout.workshop.data.pairs import find
    from standout.workshop.data.split import own_parts

    # Wrong settings are told before the pictures are read.
    AugmentOptions(size, seed, zoom_out, "png" if png else "jpg")
    found = find(data, person=person)
    with progress_bar("Checking pairs") as progress:
        checked = check_pairs(found.pairs, faults=found.faults, progress=progress)
    for note in [*found.notes, *checked.rule_sentences()]:
        say(note)
    trained = own_parts(checked.good)[0] if checked.good else []
    if left := len(checked.good) - len(trained):
        say(f"{left} pairs of the data set's own val and test parts are not augmented.")
        checked = dataclasses.replace(checked, good=tuple(trained))
    weak = tuple(
        Fault(pair, "boxes alone", f"{pair.image.name}: augmented pairs need a mask; train on boxes as they are")
        for pair in checked.good
        if pair.weak
    )
    if weak:
        good = tuple(pair for pair in checked.good if not pair.weak)
        checked = dataclasses.replace(checked, good=good, faults=(*checked.faults, *weak))
    say_faults(checked.faults)
    if not checked.good:
        raise DataError(f"No usable pair in {data}: all {len(checked.faults)} were left out, as said above.")
    options = AugmentOptions(size, seed, zoom_out, "png" if png else "jpg", in_a_row(out, count, len(checked.good)))
    plan = Plan(checked.good, options, out)
    waiting = begin(plan, count, checked.data_hash, data / "sets.toml")
    if len(waiting) < count:
        say(f"{count - len(waiting)} of {count} images are there already.")
    start = time.perf_counter()
    with progress_bar("Augmenting") as progress:
        write_samples(plan, waiting, workers=workers or hardware_threads(), progress=progress)
    seconds = time.perf_counter() - start
    say(
        f"Wrote {len(waiting)} images of {len(checked.good)} pairs to {out} in {seconds:.0f} s "
        f"({len(waiting) / max(seconds, 1e-3):.0f} images/s). Next: standout train {out}"
    )
    if checked.faults:
        raise typer.Exit(1)
