"""`standout photo.jpg`: cuts the people out of photos."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standout.cli.console import say
from standout.cli.photo_options import PhotoChoice, takes_photo_options

if TYPE_CHECKING:
    from standout.inference.model import Predictor
    from standout.pipeline.options import CutOutOptions

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@takes_photo_options
def photo(
    photos: Annotated[list[str], typer.Argument(help="Photos; `-` reads one from standard input.")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A file, a folder, or `-` for standard output.")
    ] = None,
    *,
    choice: PhotoChoice,
) -> None:
    """Cut the people out of photos. Writes PHOTO.standout.png beside each photo, or where -o says."""
    # A damaged corner of a file's metadata is no news for the terminal; a damaged file is an error anyway.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    from standout.cli.console import silent_libraries
    from standout.cli.devices import load_model

    options, file_format = choice.options, choice.file_format
    jobs = [(source, target_of(source, output, file_format, many=len(photos) > 1)) for source in photos]
    check_targets(jobs, options, file_format)
    with silent_libraries():
        failed = run_jobs(jobs, load_model(choice.model, choice.device, tta=choice.tta), options, file_format)
    if failed:
        raise SystemExit(2 if failed == len(jobs) else 1)


def run_jobs(jobs: list[tuple[str, str]], model: Predictor, options: CutOutOptions, file_format: str = "png") -> int:
    """Finishes photo after photo, reports on stderr, and returns how many failed."""
    from standout.errors import StandoutError

    failed = 0
    for source, target in jobs:
        try:
            finish_one(source, target, model, options, file_format)
        except StandoutError as error:
            say(str(error))
            failed += 1
    return failed


def finish_one(source: str, target: str, model: Predictor, options: CutOutOptions, file_format: str = "png") -> None:
    """One photo, from file to file; `-` stands for the standard streams."""
    from standout.imaging.encode import encode
    from standout.pipeline.cut_out import run, run_to_file

    if target == "-":
        result = run(source, model, options, file_format=file_format)
        sys.stdout.buffer.write(encode(result.pixels, result.encoding))
        sys.stdout.buffer.flush()
    else:
        result = run_to_file(source, target, model, options)
    if not result.people:
        say(f"no person was found in `{source}`; the cut-out is empty.")
    for note in result.notes:
        say(f"`{source}`: {note}")


def target_of(source: str, output: str | None, file_format: str = "png", *, many: bool) -> str:
    """Where the cut-out of `source` goes: beside it, into the folder `output`, to the file `output`, or to `-`."""
    from standout.errors import OutputError
    from standout.imaging.encode import format_named
    from standout.imaging.files import fitting_name

    if output == "-":
        if many:
            raise OutputError("Standard output takes one photo; give a folder with `-o` for several.")
        return "-"
    ending = format_named(file_format, name="--format")
    stem = "photo" if source == "-" else Path(source).stem
    name = fitting_name(stem, f".standout.{ending}")
    if output is None:
        return "-" if source == "-" else str(Path(source).parent / name)
    if os.path.isdir(output) or output.endswith(("/", "\\")):
        return str(Path(output) / name)
    if many:
        raise OutputError(f"Several photos need a folder; `-o {output}` is none, so create it or end it with a slash.")
    return output


def check_targets(jobs: list[tuple[str, str]], options: CutOutOptions, file_format: str = "png") -> None:
    """Refuses outputs that can't be written, or would overwrite a photo or each other, before anything is read."""
    from standout.errors import OutputError
    from standout.imaging.encode import format_named, format_of

    sources = {Path(source).resolve() for source, _ in jobs if source != "-"}
    seen: dict[Path, str] = {}
    for source, target in jobs:
        options.check_format(format_named(file_format) if target == "-" else format_of(target))
        if target == "-":
            continue
        path = Path(target).resolve()
        if path in sources:
            raise OutputError(f"The output `{target}` would overwrite a photo; choose another name with `-o`.")
        if path in seen:
            raise OutputError(
                f"`{seen[path]}` and `{source}` would both be written to `{target}`; give each its own `-o`."
            )
        seen[path] = source
