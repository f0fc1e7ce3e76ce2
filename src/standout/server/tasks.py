"""What crosses the border between the server and its workers: a task, and an answer or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """One picture and what is to become of it.

    Attributes:
        kind: Which function of the engine: "photo", "id_photo", "removebg", "matte_and_cutout".
        image: The bytes of a picture file.
        options: Plain values under the names of the API.
        background: The bytes of an uploaded background picture.
    """

    kind: str
    image: bytes = field(repr=False)
    options: Mapping[str, Any]
    background: bytes | None = field(default=None, repr=False)


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
        extra: What only some kinds tell: plain values.
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
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer: a code of `problems.CODES`, a sentence, and what else the client should see."""

    code: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ready:
    """A worker's first word: it works, and this is what it has, as plain values.

    Attributes:
        models: name -> card.
        specs: Those of official photos.
    """

    models: Mapping[str, Mapping[str, Any]]
    specs: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Unusable:
    """A worker's first and last word: it can't work at all."""

    detail: str
