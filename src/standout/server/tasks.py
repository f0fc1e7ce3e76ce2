"""What crosses the border between the server and its workers: a task, and an answer or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from standout.server.layout import Layout

if TYPE_CHECKING:
    from standout.pipeline.options import CutOutKeywords

Rgba = tuple[int, int, int, int]


def _none() -> CutOutKeywords:
    return {}


@dataclass(frozen=True, kw_only=True)
class CutOut:
    """The people of a picture, finished.

    Attributes:
        image: The bytes of a picture file.
        keywords: What `standout.cut_out` takes; `background` is words of a stranger, not yet a path or a color.
        background: The bytes of an uploaded background picture, or a color; goes before the words.
        format: Of the answer: "png", "webp", "jpg", "tiff".
        model: One of the worker's; None is its default.
        tta: Passes through the network.
        require_person: Nobody is a refusal.
        with_matte: The answer brings `matte` along, a PNG of what is shown of the picture.
    """

    image: bytes = field(repr=False)
    keywords: CutOutKeywords = field(default_factory=_none)
    background: bytes | Rgba | None = field(default=None, repr=False)
    format: str = "png"
    model: str | None = None
    tta: int = 1
    require_person: bool = False
    with_matte: bool = False


@dataclass(frozen=True, kw_only=True)
class IdPhoto:
    """An official photo: `image`, and what `standout.make_id_photo` takes."""

    image: bytes = field(repr=False)
    spec: str
    background: str | None = None
    dpi: int | None = None
    max_kb: float | None = None
    format: str = "jpg"
    strict: bool = False
    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class LaidOut:
    """The people of a picture laid out as remove.bg lays them out.

    Attributes:
        image: The bytes of a picture file.
        background: The bytes of a picture, or a color, perhaps half transparent.
        format: "png", "jpg", "webp", "zip", or "auto": PNG where something is transparent, else JPEG.
        most_pixels: The picture is made smaller where it has more; None never.
        channels: All, or alpha alone.
        roi: Only people inside this region, in remove.bg's words.
        shadow: A soft shadow behind them.
        layout: Where they lie in the answer.
    """

    image: bytes = field(repr=False)
    background: bytes | Rgba | None = field(default=None, repr=False)
    format: str = "auto"
    most_pixels: int | None = None
    channels: Literal["rgba", "alpha"] = "rgba"
    roi: str | None = None
    shadow: bool = False
    layout: Layout = Layout()


Task = CutOut | IdPhoto | LaidOut


@dataclass(frozen=True)
class Answer:
    """What came of a task.

    Attributes:
        data: The bytes of the result.
        media_type: The media type of `data`.
        width, height: Pixels of the result.
        person: Whether anybody was found.
        model: The model's name.
        pixels: How many pixels the picture has that was read.
        stages: Seconds of each stage: read, model, compose, encode.
        notes: What was left out and why, a sentence each.
        matte: A PNG of alpha, where it was asked for.
        report: Of an official photo, as plain values.
        foreground: Where the people lie in a picture that was laid out: left, top, width, height.
    """

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    person: bool
    model: str
    pixels: int
    stages: Mapping[str, float]
    notes: tuple[str, ...] = ()
    matte: bytes = field(default=b"", repr=False)
    report: Mapping[str, Any] = field(default_factory=dict)
    foreground: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer: a code of `problems.CODES`, a sentence, and what else the client should see."""

    code: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ready:
    """What a worker has, as plain values.

    Attributes:
        models: name -> card.
        specs: Those of official photos.
    """

    models: Mapping[str, Mapping[str, Any]]
    specs: tuple[Mapping[str, Any], ...] = ()
