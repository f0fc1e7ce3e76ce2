"""`standout train`: a folder of pairs in, a run folder out."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standout.cli.console import progress_bar, say

if TYPE_CHECKING:
    from standout.cli.console import Move
    from standout.workshop.train.callbacks import TrainingProgress

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def train(
    data: Annotated[Path, typer.Argument(help="A data set (docs/data.md has the forms), or a folder of such sets.")],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings; they win over --config.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="Run folder.", show_default="runs/DATE-TIME; with --resume the newest")
    ] = None,
    person: Annotated[
        str,
        typer.Option(help="What is person: a category's name, or a value of label pictures (15, #c08080, any)."),
    ] = "",
    minutes: Annotated[float | None, typer.Option(min=0, help="Stop after so many minutes, over all sittings.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
) -> None:
    """Train DeepLabV3+ on photographs with masks. Ctrl-C saves; --resume goes on."""
    from standout.errors import MissingExtra
    from standout.workshop.config import given_settings, load_config

    words = list(settings or []) + ([f"train.minutes={minutes}"] if minutes is not None else [])
    words += [f"data.person={person!r}"] if person else []
    resolved = load_config(config, words)
    # Told before TensorFlow is loaded, which takes seconds: wrong settings, and a missing extra.
    try:
        import albumentations  # noqa: F401
        import tensorflow  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra("Training", "train") from error
    from standout.workshop.train.fit import newest_run, resumed_config
    from standout.workshop.train.fit import train as fit

    _say_what_is_logged()
    if resume:
        run = run or newest_run(Path("runs"))
        resolved = resumed_config(run, resolved, given_settings(config, words))
    run = run or Path("runs") / datetime.now().strftime("%Y%m%d-%H%M%S")
    typed = " ".join(["standout", *sys.argv[1:]])
    with progress_bar("Training") as move:
        outcome = fit(data, run, resolved, resume=resume, command=typed, progress=_shown_by(move))
    if outcome.stopped_by:
        say(
            f"Stopped by {outcome.stopped_by} at step {outcome.step}; "
            f"go on with: standout train {data} --run {run} --resume"
        )
    else:
        say(
            f"Done: {outcome.step} steps, best quality {outcome.best_quality:.4f} (IoU − lost − haze). "
            f"Next: standout export {run} -o person.onnx"
        )


def _say_what_is_logged() -> None:
    """What the library logs while it trains is said, with the time: a log of hours is read afterwards."""
    import logging

    class Said(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(self.format(record))

    handler = Said()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("tensorflow", "absl", "h5py"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def _shown_by(move: Move) -> Callable[[TrainingProgress], None]:
    """Shows how far a run is by the bar; in a log file, which wants lines and no bar, by a line every 50 steps."""

    def progress(now: TrainingProgress) -> None:
        note = f"{now.images_per_second:.1f} images/s, loss {now.loss:.4f}, IoU {now.iou:.4f}"
        move(now.step, round(now.step / now.done) if now.done else None, note)
        if not sys.stderr.isatty() and now.step % 50 == 0:
            left = f", {now.seconds_left / 60:.0f} min left" if math.isfinite(now.seconds_left) else ""
            say(f"step {now.step}: {note}{left}")

    return progress
