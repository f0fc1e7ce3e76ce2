"""`standout train`: a folder of pairs in, a run folder out."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def train(
    data: Annotated[Path, typer.Argument(help="A data set (docs/data.md has the forms), or a folder of such sets.")],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings; they win over --config.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="Run folder. [default: runs/DATE-TIME; with --resume the newest]")
    ] = None,
    person: Annotated[
        str,
        typer.Option(help="What is person: a category's name, or a value of label pictures (15, #c08080, any)."),
    ] = "",
    minutes: Annotated[float | None, typer.Option(min=0, help="Stop after so many minutes, over all sittings.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
) -> None:
    """Train DeepLabV3+ on photographs with masks. Ctrl-C saves; --resume goes on."""
    import logging

    from rich.console import Console
    from rich.logging import RichHandler

    from standout.config import given_settings, load_config
    from standout.errors import MissingExtra

    words = list(settings or []) + ([f"train.minutes={minutes}"] if minutes is not None else [])
    words += [f"data.person={person!r}"] if person else []
    resolved = load_config(config, words)
    # Told before TensorFlow is loaded, which takes seconds: wrong settings, and a missing extra.
    try:
        import albumentations  # noqa: F401
        import tensorflow  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra("Training", "train") from error
    from standout.train.fit import newest_run, resumed_config
    from standout.train.fit import train as fit

    console = Console(stderr=True)
    logging.basicConfig(
        level=logging.INFO, format="%(message)s", handlers=[RichHandler(console=console, show_path=False)]
    )
    for noisy in ("tensorflow", "absl", "h5py"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    if resume:
        run = run or newest_run(Path("runs"))
        resolved = resumed_config(run, resolved, given_settings(config, words))
    run = run or Path("runs") / datetime.now().strftime("%Y%m%d-%H%M%S")
    outcome = fit(data, run, resolved, resume=resume, command=" ".join(["standout", *sys.argv[1:]]))
    if not outcome.chief:
        return  # the chief tells
    if outcome.stopped_by:
        console.print(
            f"Stopped by {outcome.stopped_by} at step {outcome.step}; "
            f"go on with: standout train {data} --run {run} --resume"
        )
    else:
        console.print(
            f"Done: {outcome.step} steps, best quality {outcome.best_quality:.4f} (IoU − lost − haze). "
            f"Next: standout export {run} -o person.onnx"
        )
