"""`standout label PHOTOS OUT`: masks for photographs that have none, where several networks agree."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from standout.cli.cluster_options import (
    CpusPerWorker,
    GpusPerWorker,
    MaxWorkers,
    MinWorkers,
    OnCluster,
    RayAddress,
    RetryFailed,
    cluster_options,
)
from standout.errors import InputError, OutputError

if TYPE_CHECKING:
    from standout.workshop.label.process import LabelReport

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def label(
    source: Annotated[
        str,
        typer.Argument(metavar="PHOTOS", help="A folder of photographs, or of sets with images/ (and boxes/) in them."),
    ],
    target: Annotated[str, typer.Argument(metavar="OUT", help="Gets the labeled sets, card.toml and sheets/.")],
    judge: Annotated[
        list[str], typer.Option(help="own=MODEL (photo, live, an ONNX file), deeplab=FILE, selfie=FILE; at least two.")
    ],
    labeled: Annotated[
        Path | None, typer.Option("--with", help="Sets that have masks: OUT gets links to them, to train on all.")
    ] = None,
    agreement: Annotated[float, typer.Option(help="Person IoU from which a judge agrees; two must.")] = 0.87,
    band: Annotated[
        int, typer.Option(help="Draw the edge anew by matting, so many pixels on each side; 0 leaves it unsure.")
    ] = 3,
    prefix: Annotated[str, typer.Option(help="Before the names of the sets in OUT.")] = "",
    drop: Annotated[
        Path | None, typer.Option(help="A text file of photographs that you don't want, a path or a name a line.")
    ] = None,
    correct: Annotated[
        Path | None, typer.Option(help="A folder of masks that you have drawn, named as the photographs.")
    ] = None,
    sheet: Annotated[int, typer.Option(min=0, help="Photographs on each set's sheet, least agreed first.")] = 60,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; one per core by default.", show_default=False)
    ] = None,
    cluster: OnCluster = False,
    ray_address: RayAddress = None,
    min_workers: MinWorkers = None,
    max_workers: MaxWorkers = None,
    cpus_per_worker: CpusPerWorker = 1,
    gpus_per_worker: GpusPerWorker = 0.0,
    retry_failed: RetryFailed = False,
) -> None:
    """Label photographs where several networks agree. Look at the sheets, then --drop or --correct, and run it again.

    Exits with 1 when photographs could not be used.
    """
    from standout.cli.console import progress_bar
    from standout.workshop.label.agreement import AgreementRule
    from standout.workshop.label.judges import parse_judge
    from standout.workshop.label.process import LabelOptions, label_photos

    spread = cluster_options(
        cluster, workers if cluster else None, source, target, address=ray_address, min_workers=min_workers,
        max_workers=max_workers, cpus_per_worker=cpus_per_worker, gpus_per_worker=gpus_per_worker,
        retry_failed=retry_failed and cluster,
    )  # fmt: skip
    paths = _known_paths(source, target) if drop or correct else {}
    options = LabelOptions(
        tuple(parse_judge(text) for text in judge),
        AgreementRule(agreement=agreement, band=band),
        prefix,
        frozenset(_dropped(drop, paths)) if drop else frozenset(),
        _corrected(correct, paths) if correct else {},
        sheet,
    )
    if labeled is not None:
        _link_sets(labeled, Path(target))
    with progress_bar("Labeling") as move:
        report = label_photos(
            source, target, options=options, cluster=spread, workers=workers, retry_failed=retry_failed,
            progress=lambda _, ended, total: move(ended, total),
        )  # fmt: skip
    _print(report, target)
    if report.photos.failed:
        raise SystemExit(1)


def _known_paths(source: str, target: str) -> dict[str, list[str]]:
    """Path, name and stem of each photograph -> the paths that they may mean."""
    from standout.cluster.sources import find_sources
    from standout.cluster.storage import Place

    known: dict[str, list[str]] = {}
    for photo in find_sources(source, Place(target), recursive=True).photos:
        path = PurePosixPath(photo.path)
        if path.parent.name in ("masks", "unsure"):
            continue
        for name in {photo.path, path.name, path.stem}:
            known.setdefault(name, []).append(photo.path)
    return known


def _the_one(name: str, known: dict[str, list[str]], where: Path) -> str:
    found = known.get(name, [])
    if len(found) != 1:
        why = "there is no such photograph" if not found else f"{len(found)} photographs have this name; write its path"
        raise InputError(f"`{where}` must name photographs of PHOTOS; received {name!r}: {why}.")
    return found[0]


def _dropped(file: Path, known: dict[str, list[str]]) -> list[str]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The list `{file}` can't be read: {error}.") from error
    return [_the_one(line.strip(), known, file) for line in lines if line.strip() and not line.startswith("#")]


def _corrected(folder: Path, known: dict[str, list[str]]) -> dict[str, bytes]:
    if not folder.is_dir():
        raise InputError(f"The corrected masks must be a folder; received `{folder}`.")
    masks = {}
    for file in sorted(path for path in folder.rglob("*.png") if path.is_file()):
        inner = file.relative_to(folder).with_suffix("").as_posix()
        name = next((path for path in known if PurePosixPath(path).with_suffix("").as_posix() == inner), file.stem)
        masks[_the_one(name, known, folder)] = file.read_bytes()
    return masks


def _link_sets(labeled: Path, out: Path) -> None:
    if not labeled.is_dir():
        raise InputError(f"--with must be a folder of sets; received `{labeled}`.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for folder in sorted(labeled.iterdir()):
            if (folder / "images").is_dir() and not (out / folder.name).exists():
                (out / folder.name).symlink_to(folder.resolve())
    except OSError as error:
        raise OutputError(f"`{out}` can't get links to the sets of `{labeled}`: {error.strerror or error}.") from error


def _print(report: LabelReport, target: str) -> None:
    from standout.cli.console import results

    console = results()
    for name in sorted(report.looked_at):
        console.print(f"{name}: {report.kept[name]} of {report.looked_at[name]} kept", markup=False)
    for why, count in sorted(report.why_not.items(), key=lambda item: -item[1]):
        console.print(f"  left out: {count} × {why}", markup=False)
    for outcome in report.photos.failed:
        console.print(f"  {outcome.error}", markup=False)
    console.print(f"Written to {target}: {', '.join(report.written)}. Look at the sheets.", markup=False)
