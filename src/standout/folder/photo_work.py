"""What a worker does with each photo, and the fingerprint of how it does it."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.resources
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from standout.compose.matting import warm_up
from standout.compose.parse import Background
from standout.errors import ConfigError
from standout.folder.workers import Job, Made
from standout.imaging.decode import MAX_BYTES, MAX_PIXELS, read
from standout.imaging.encode import FORMATS
from standout.inference.model import Model, load
from standout.photo.cut_out import PhotoOptions, photo_to_file

#: More workers than this are a mistake.
MOST_WORKERS = 256


@dataclass(frozen=True)
class FolderOptions:
    """How a folder is worked on.

    Attributes:
        photo: What becomes of each photo.
        file_format: Of the cut-outs: "png", "webp", "jpg" or "tiff".
        model: A bundled model's name, or an ONNX file.
        workers: Processes; None takes one per core, as far as memory reaches, and a single one on any other device.
        recursive: Look into the folders in the folder too; the output has the same folders.
        device: Where the network runs, as in `standout.load`.
        looks: Passes through the network, as in `standout.load`.
        limit_s: A photo that takes longer, seconds, is given up as failed: a broken file can keep a decoder busy for
            ever. 0: no limit.

    Example:
        >>> FolderOptions(PhotoOptions(), file_format="gif")
        Traceback (most recent call last):
        standout.errors.ConfigError: The format must be one of png, webp, jpg, jpeg, tif, tiff; received 'gif'.
    """

    photo: PhotoOptions = field(default_factory=PhotoOptions)
    file_format: str = "png"
    model: str | Path = "photo"
    workers: int | None = None
    recursive: bool = False
    device: str = "auto"
    looks: int = 1
    limit_s: float = 600.0

    def __post_init__(self) -> None:
        if self.ending not in FORMATS:
            allowed = ", ".join(ending.removeprefix(".") for ending in FORMATS)
            raise ConfigError(f"The format must be one of {allowed}; received {self.file_format!r}.")
        if self.workers is not None and not 1 <= self.workers <= MOST_WORKERS:
            raise ConfigError(f"`workers` must lie in 1 … {MOST_WORKERS}; received {self.workers}.")
        if not 0 <= self.limit_s <= 86_400:
            raise ConfigError(f"`limit_s` must lie in 0 (no limit) … 86400 seconds; received {self.limit_s:g}.")
        self.photo.check_format(FORMATS[self.ending])

    @property
    def ending(self) -> str:
        """Of the cut-outs' names: ".png"."""
        return "." + self.file_format.lower().removeprefix(".")


@dataclass(frozen=True)
class PhotoWork:
    """Photo files to finished files, with a model that is loaded once."""

    settings: FolderOptions

    def open(self, threads: int) -> Callable[[Job], Made]:
        """Loads what every photo needs; called in the worker, which may use so many threads.

        Raises:
            StandoutError: Something can't work for any photo: the model, the background image, a missing extra.
        """
        model, options = prepare(self.settings, threads)

        def make(job: Job) -> Made:
            finished = photo_to_file(job.source, job.target, model, options)
            return Made(bool(finished.nobody), finished.notes)

        return make


def prepare(settings: FolderOptions, threads: int) -> tuple[Model, PhotoOptions]:
    """What every photo needs, loaded once: the model, and options whose background image is decoded.

    Args:
        settings: How.
        threads: That this process may use.

    Raises:
        StandoutError: Something can't work for any photo: the model, the background image, a missing extra.
    """
    import cv2

    cv2.setNumThreads(threads)
    model = load(settings.model, threads=threads, device=settings.device, looks=settings.looks)
    options = with_background_read(settings.photo)
    if options.look.matting != "none":
        warm_up(options.look.matting)
    return model, options


def fingerprint_of(settings: FolderOptions) -> str:
    """A fingerprint of everything that the finished file depends on besides the photo: options, format, model.

    Raises:
        ModelFileError: There is no such model.
    """
    # Limits decide whether there is a result, not which.
    photo = dataclasses.replace(settings.photo, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES)
    parts = [_plain(photo), settings.ending, _model_digest(settings.model), settings.looks]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def with_background_read(options: PhotoOptions) -> PhotoOptions:
    """A background image is decoded once, not for every photo."""
    behind = options.look.behind
    if not isinstance(behind.image, Path):
        return options
    image = read(behind.image, max_pixels=options.max_pixels, max_bytes=options.max_bytes).frame
    look = dataclasses.replace(options.look, background=Background("image", image=image))
    return dataclasses.replace(options, look=look)


def _plain(value: Any) -> Any:
    """A value as JSON; files and arrays by their content."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return [value.dtype.str, *value.shape, hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()]
    if isinstance(value, Path):
        return _file_digest(value) if value.is_file() else str(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else repr(value)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _model_digest(model: str | Path) -> str:
    bundled = importlib.resources.files("standout") / "assets" / f"{model}.onnx"
    try:
        if isinstance(model, str) and os.sep not in model and bundled.is_file():
            return hashlib.sha256(bundled.read_bytes()).hexdigest()
        return _file_digest(Path(model))
    except (OSError, ValueError):
        load(model)  # says what is wrong with it
        raise
