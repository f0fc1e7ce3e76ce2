"""`standout id-photo`: an official photo, a sheet to print, and a report on the rules."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standout.cli.console import say
from standout.cli.devices import DeviceOption

if TYPE_CHECKING:
    from standout.id_photo.make import PhotoFile

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def id_photo(
    photo: Annotated[str | None, typer.Argument(help="A portrait; `-` reads it from standard input.")] = None,
    spec: Annotated[
        str | None, typer.Option("--spec", "-s", help="Required: a name that --list-specs shows, or a TOML file.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="The file (PHOTO.SPEC.jpg if absent), or `-`.")
    ] = None,
    background: Annotated[
        str | None, typer.Option("--background", "-b", help="A color, or `keep` for the photo's own.")
    ] = None,
    dpi: Annotated[int | None, typer.Option(help="Dots per inch of the print; the specification's by default.")] = None,
    max_kb: Annotated[
        float | None, typer.Option("--max-kb", min=1, help="Ceiling of the file, thousands of bytes.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Also write a sheet of copies with cut marks: .png or .pdf.")
    ] = None,
    paper: Annotated[str, typer.Option(help="Paper of the sheet: 10x15, 13x18, 4x6in, a4, a5 or letter.")] = "10x15",
    gap: Annotated[float, typer.Option("--gap", help="Between copies on the sheet, mm; 0 lets them touch.")] = 2.0,
    mirror: Annotated[bool, typer.Option("--mirror", help="Mirror the sheet, for transfer paper.")] = False,
    report: Annotated[Path | None, typer.Option("--report", help="Also write the report as JSON.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Write no photo and exit with 1 if a rule fails.")] = False,
    list_specs: Annotated[bool, typer.Option("--list-specs", help="List the specifications.")] = False,
    show_spec: Annotated[bool, typer.Option("--show-spec", help="Print the file of --spec, with its sources.")] = False,
    specs: Annotated[
        Path | None, typer.Option("--specs", help="A folder with specifications of your own ($STANDOUT_SPECS).")
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="A bundled model's name or an ONNX file.")] = "photo",
    device: DeviceOption = None,
) -> None:
    """Make an official photo: straightened, cropped to a specification, on a plain background.

    Says for every rule whether it is kept, broken, or can't be told from a photo. Writes it even if a rule is broken,
    unless --strict; without a face, or with several, it writes nothing and exits with 2.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")  # a damaged corner of metadata is no news for the terminal
    if list_specs:
        sys.stdout.write(_spec_lines(specs))
        return
    from standout.errors import ConfigError
    from standout.id_photo.specs import load_spec, spec_text

    if spec is None:
        raise ConfigError(
            "`--spec` is missing: which document is the photo for? For example `--spec us-passport`; "
            "--list-specs shows all."
        )
    if show_spec:
        sys.stdout.write(spec_text(spec, folder=specs))
        return
    if photo is None:
        raise ConfigError(
            "A photo is missing: `standout id-photo PHOTO --spec NAME -o OUT.jpg`; see also --list-specs."
        )
    chosen = load_spec(spec, folder=specs)
    target = _target(photo, output, chosen.name)
    _check(photo, target, sheet, paper, report)
    from standout.cli.devices import load_model
    from standout.id_photo.make import make_id_photo

    made = make_id_photo(photo, chosen, background=background, dpi=dpi, model=load_model(model, device))
    for note in made.notes:
        say(f"`{photo}`: {note}")
    file = made.encode(_format(target), max_kb=max_kb)
    broken = strict and bool(file.report.failed)
    page = None if sheet is None or broken else made.sheet(paper, gap_mm=gap, mirrored=mirror).encode(sheet.suffix)
    _write(file, None if broken else target, sheet, page)
    if report is not None:
        _write_bytes(report, file.report.to_json().encode())
    lines = file.report.text(shutil.get_terminal_size((100, 24)).columns) + "\n"
    (sys.stderr if target == "-" else sys.stdout).write(lines)
    if broken:
        say(f"nothing was written, for --strict: {', '.join(file.report.failed)}.")
        raise SystemExit(1)


def _spec_lines(folder: Path | None) -> str:
    from standout.id_photo.specs import list_specs

    lines = []
    for spec in list_specs(folder=folder):
        size = f"{spec.width_mm:g} × {spec.height_mm:g} mm" if spec.width_mm and spec.height_mm else ""
        if spec.width_px:
            size += f"{', ' if size else ''}{spec.width_px} × {spec.height_px} px"
        altered = "  ! forbids altered photos" if spec.replacing == "forbidden" else ""
        lines.append(f"{spec.name:<20} {size:<30} {spec.title}{altered}")
    return "\n".join(lines) + "\n"


def _target(photo: str, output: str | None, name: str) -> str:
    from standout.imaging.files import fitting_name

    file = fitting_name("photo" if photo == "-" else Path(photo).stem, f".{name}.jpg")
    if output is not None:
        return str(Path(output) / file) if os.path.isdir(output) or output.endswith(("/", "\\")) else output
    return "-" if photo == "-" else str(Path(photo).parent / file)


def _format(target: str) -> str:
    from standout.imaging.encode import format_of

    return "jpg" if target == "-" else format_of(target)


def _check(photo: str, target: str, sheet: Path | None, paper: str, report: Path | None) -> None:
    """Refuses outputs that can't be written or would overwrite something, before anything is computed."""
    from standout.errors import OutputError
    from standout.id_photo.print_sheet import check_paper, check_sheet_suffix

    _format(target)
    if sheet is not None:
        check_sheet_suffix(sheet.suffix)
        check_paper(paper)
    taken = {} if photo == "-" else {Path(photo).resolve(): "the photo"}
    for path, name in ((target, "the output"), (sheet, "the sheet"), (report, "the report")):
        if path is None or str(path) == "-":
            continue
        place = Path(path).resolve()
        if place in taken:
            raise OutputError(f"`{path}` is already {taken[place]}; give {name} a name of its own.")
        if not place.parent.is_dir():
            raise OutputError(f"`{path}` can't be written: there is no folder `{place.parent}`; create it first.")
        taken[place] = name


def _write(file: PhotoFile, target: str | None, sheet: Path | None, page: bytes | None) -> None:
    if target == "-":
        sys.stdout.buffer.write(file.data)
        sys.stdout.buffer.flush()
    elif target is not None:
        _write_bytes(Path(target), file.data)
    if sheet is not None and page is not None:
        _write_bytes(sheet, page)


def _write_bytes(path: Path, data: bytes) -> None:
    from standout.imaging.files import atomic_write

    with atomic_write(path) as stream:
        stream.write(data)
