"""`standout demo`: cuts the person out of the bundled photo."""

from __future__ import annotations

import importlib.resources
import sys
from typing import Annotated

import typer

from standout.cli.devices import DeviceOption

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write.")] = "astronaut.standout.png",
    model: Annotated[str, typer.Option("--model", "-m", help="A bundled model's name or an ONNX file.")] = "photo",
    device: DeviceOption = None,
) -> None:
    """Cut the person out of the bundled photo (NASA, public domain)."""
    from standout.cli.devices import load_model
    from standout.cli.photo import check_targets, finish_one, target_of
    from standout.pipeline.options import CutOutOptions

    with importlib.resources.as_file(importlib.resources.files("standout") / "assets" / "astronaut.jpg") as photo:
        target = target_of(str(photo), output, many=False)
        check_targets([(str(photo), target)], CutOutOptions())
        finish_one(str(photo), target, load_model(model, device), CutOutOptions())
    if target != "-":
        sys.stdout.write(f"The astronaut without her background: {target}\n")
