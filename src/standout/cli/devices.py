"""`--device` of every command that computes, and the line that says what was taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standout.cli.console import say

if TYPE_CHECKING:
    from standout.inference.model import Model

DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="Where the network runs: auto, cpu, cuda, tensorrt, openvino, coreml, directml, webgpu or qnn; "
        "`standout info` tells which work here.",
        show_default="auto",
    ),
]

LooksOption = Annotated[
    int,
    typer.Option(
        min=1, max=3,
        help="Passes through the network: 2 and 3 look again at small people from nearer by, and in the mirror.",
    ),
]  # fmt: skip


def load_model(model: str | Path, device: str | None, *, threads: int | None = None, tta: int = 1) -> Model:
    """Loads a model on the device that was asked for; where there was a choice, a line on stderr says what it is.

    Raises:
        ModelFileError: There is no such model.
        ConfigError: There is no such device.
        DeviceError: It isn't installed, or doesn't work.
    """
    from standout.inference.model import load

    loaded = load(model, threads=threads, device=device or "auto", tta=tta)
    say_device(loaded, device)
    return loaded


def say_device(loaded: Model, device: str | None) -> None:
    """The line about `auto`: said when it was asked for, or when something but the processor is installed."""
    from standout.inference.devices import has_accelerator, parse_device

    if (device is None and has_accelerator()) or (device and parse_device(device)[0] == "auto"):
        rest = f", which has {loaded.share:.0%} of the network" if loaded.share < 1 else ""
        say(f"computing on {loaded.device}{rest}: {loaded.reason}.")


def choose_device(model: str | Path, device: str | None) -> str:
    """The device that worker processes shall use: checked here once, so that what can't work fails before any work."""
    from standout.inference.devices import has_accelerator

    if device == "cpu" or (device is None and not has_accelerator()):
        return "cpu"
    kind = device.partition(":")[2] if device else ""
    chosen = load_model(model, device).device
    return f"{chosen}:{kind}" if kind else chosen
