"""The picture options that `standout photo` and `standout folder` share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from standout.cli.devices import DeviceOption, LooksOption
from standout.imaging.defaults import DEFAULT_QUALITY, MAX_PIXELS

if TYPE_CHECKING:
    from standout.pipeline.options import CutOutOptions


@dataclass(frozen=True)
class PhotoChoice:
    """What was asked for on the command line: how the picture looks, its format (`png`, …), and the model."""

    options: CutOutOptions
    file_format: str
    model: str
    device: str | None = None
    tta: int = 1


def takes_photo_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the parameters of `photo_choice`, after its own; it is called with `choice` in their place."""
    shared = inspect.signature(photo_choice, eval_str=True).parameters
    own = inspect.signature(command, eval_str=True).parameters

    @functools.wraps(command)
    def run(**given: Any) -> None:
        choice = photo_choice(**{name: given.pop(name) for name in shared})
        command(**given, choice=choice)

    parameters = [*(own[name] for name in own if name != "choice"), *shared.values()]
    named = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    # Typer reads both.
    run.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in named}
    return run


def photo_choice(
    background: Annotated[
        str,
        typer.Option(
            "--background", "-b", help="transparent, a color (white, #0a84ff), an image file, blur, or blur:RADIUS."
        ),
    ] = "transparent",
    fit: Annotated[str, typer.Option(help="How a background image fits: cover, contain or stretch.")] = "cover",
    position: Annotated[
        str, typer.Option(help="Part of a background image in view: top-left, … or 25%,80%.")
    ] = "center",
    lens: Annotated[bool, typer.Option("--lens", help="Blur like a lens: lights become discs.")] = False,
    keep: Annotated[str, typer.Option(help="all, largest, center, or people counted from the left: 1,3.")] = "all",
    at: Annotated[str | None, typer.Option(help="Keep the person at this point: 640,300 or 50%,30%.")] = None,
    matting: Annotated[str, typer.Option(help="Finer hair: none, closed-form or knn (extra `matting`).")] = "none",
    edge: Annotated[float, typer.Option(help="Move the edge outward (or inward, negative), pixels.")] = 0.0,
    feather: Annotated[float, typer.Option(help="Soften the edge over so many pixels.")] = 0.0,
    keep_edge_colors: Annotated[
        bool, typer.Option("--keep-edge-colors", help="Don't take the old background's color out of the edge.")
    ] = False,
    invert: Annotated[bool, typer.Option("--invert", help="Remove the people instead of the background.")] = False,
    crop: Annotated[bool, typer.Option("--crop", help="Crop to the people.")] = False,
    margin: Annotated[str, typer.Option(help="Room around them when cropping: 40 pixels, or 5%.")] = "5%",
    shadow: Annotated[bool, typer.Option("--shadow", help="A soft shadow behind the people.")] = False,
    mask: Annotated[bool, typer.Option("--mask", help="Write alpha alone, as a gray picture.")] = False,
    file_format: Annotated[
        str, typer.Option("--format", "-f", help="png, webp, jpg or tiff, where -o doesn't name a file.")
    ] = "png",
    quality: Annotated[int, typer.Option(min=1, max=100, help="Quality of JPEG and WebP, 1 to 100.")] = DEFAULT_QUALITY,
    keep_metadata: Annotated[bool, typer.Option("--keep-metadata", help="Keep GPS and other private EXIF.")] = False,
    max_pixels: Annotated[int, typer.Option(min=1, help="Refuse larger photos before decoding.")] = MAX_PIXELS,
    model: Annotated[str, typer.Option("--model", "-m", help="A bundled model's name or an ONNX file.")] = "photo",
    device: DeviceOption = None,
    looks: LooksOption = 1,
) -> PhotoChoice:
    """Checks the words and makes them values.

    Raises:
        ConfigError: One isn't allowed.
    """
    from standout.pipeline.options import CutOutOptions

    options = CutOutOptions(
        background=background,
        fit=fit,  # type: ignore[arg-type]  # the constructor checks the word
        position=position,
        bokeh=lens,
        edge=edge,
        feather=feather,
        invert=invert,
        crop=crop,
        margin=margin,
        shadow=shadow,
        keep=keep,
        at=at,
        matting=matting,  # type: ignore[arg-type]
        decontaminate=not keep_edge_colors,
        mask=mask,
        quality=quality,
        keep_metadata=keep_metadata,
        max_pixels=max_pixels,
    )
    return PhotoChoice(options, file_format, model, device, looks)
