"""`standout export`: a run folder in, an ONNX model out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def export(
    run: Annotated[
        Path,
        typer.Argument(
            help="A run folder of `standout train`; with --web or --float a model file or `photo`, `live`, too."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .onnx file to write.")],
    size: Annotated[
        int, typer.Option(help="Longest side that photos are scaled to, pixels.", show_default="as validated")
    ] = 0,
    weights: Annotated[str, typer.Option(help="best or last")] = "best",
    card: Annotated[
        list[Path] | None,
        typer.Option(help="TOML with data, licenses and limits for the model card; may be given twice."),
    ] = None,
    scores: Annotated[Path | None, typer.Option(help="JSON of `standout evaluate --json`, for the model card.")] = None,
    two_scales: Annotated[
        bool, typer.Option("--two-scales", help="Look at half the size too: a quarter slower, fewer holes.")
    ] = False,
    int8: Annotated[
        Path | None,
        typer.Option(
            help="Quantize, calibrated on photographs of this folder (of the training set): a third of the size, "
            "about half the time."
        ),
    ] = None,
    web: Annotated[
        bool,
        typer.Option(
            "--web",
            help="For browsers: float32 arithmetic, weights stored in 8 bits; writes the card beside it as JSON.",
        ),
    ] = False,
    as_float: Annotated[
        bool,
        typer.Option("--float", help="Computed in float32, also where the model is int8: for devices without int8."),
    ] = False,
    storage: Annotated[str, typer.Option(help="With --web: weights in int8 or float16.")] = "int8",
) -> None:
    """Export a run to ONNX, with scaling and sigmoid inside, checked against Keras."""
    from standout.errors import ConfigError, MissingExtra

    if weights not in ("best", "last"):
        raise ConfigError(f"--weights must be best or last; received {weights!r}.")
    if as_float and (int8 or web):
        raise ConfigError(f"--float and {'--int8' if int8 else '--web'} exclude each other; leave out one of the two.")
    if as_float and not run.is_dir():
        _float(run, output)
        return
    if web and not run.is_dir():
        _web(run, output, storage)
        return
    try:
        import onnx  # noqa: F401
        import tensorflow  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra("Exporting", "train") from error
    from standout.workshop.export.bundle import export_run

    exported = export_run(
        run,
        output,
        size_hw=(size, size) if size else None,
        weights=weights,
        card_files=card or (),
        scores_file=scores,
        two_scales=two_scales,
        int8=int8,
    )
    typer.echo(
        f"{output}: {exported.card.parameters / 1e6:.2f} million weights, {output.stat().st_size / 1e6:.1f} MB, "
        f"largest difference from Keras {exported.difference:.1e}"
        + (f", {exported.changed:.2%} of the pixels change sides in int8" if int8 else "")
        + f". Try: standout photo.jpg --model {output}"
    )
    if web:
        _web(output, output, storage)


def _float(model: Path, output: Path) -> None:
    """Writes the float32 form of a model file."""
    from standout.workshop.export.float_form import write_float

    card = write_float(str(model), output)
    size = output.stat().st_size / 1e6
    typer.echo(f"{output}: {card.parameters / 1e6:.2f} million weights in float32, {size:.1f} MB.")


def _web(model: Path, output: Path, storage: str) -> None:
    """Rewrites a model for browsers."""
    from standout.errors import MissingExtra

    try:
        from standout.workshop.export.web import write_web
    except ModuleNotFoundError as error:
        raise MissingExtra("Exporting", "train") from error
    written = write_web(model, output, storage=storage)
    typer.echo(
        f"{output}: {output.stat().st_size / 1e6:.1f} MB, weights in {storage}, differs from {model} by "
        f"{written.difference:.4f} on average on made-up pictures; card in {output.with_suffix('.json')}."
    )
