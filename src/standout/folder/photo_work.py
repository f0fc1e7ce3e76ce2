"""What a worker does with each photo, and the fingerprint of how it does it."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.resources
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from standout.compositing.matting import warm_up
from standout.folder.options import FolderOptions
from standout.imaging.decode import MAX_BYTES
from standout.imaging.defaults import MAX_PIXELS
from standout.inference.model import Model, load
from standout.pipeline.cut_out import run_to_file
from standout.pipeline.options import CutOutOptions, with_image
from standout.pipeline.result import Findings


@dataclass(frozen=True)
class Job:
    """A photo and the file that it becomes; both absolute."""

    source: Path
    target: Path


@dataclass(frozen=True)
class PhotoWork:
    """Photo files to finished files, with a model that is loaded once."""

    options: FolderOptions

    def open(self, threads: int) -> Callable[[Job], Findings]:
        """Loads what every photo needs; called in the worker, which may use so many threads.

        Raises:
            StandoutError: Something can't work for any photo: the model, the background image, a missing extra.
        """
        model, options = prepare(self.options, threads)

        def make(job: Job) -> Findings:
            job.target.parent.mkdir(parents=True, exist_ok=True)
            result = run_to_file(job.source, job.target, model, options)
            return Findings(people=result.people, notes=result.notes)

        return make


def prepare(options: FolderOptions, threads: int) -> tuple[Model, CutOutOptions]:
    """What every photo needs, loaded once: the model, and options whose background image is decoded.

    Args:
        options: How the folder is processed.
        threads: How many threads this process may use.

    Raises:
        StandoutError: Something can't work for any photo: the model, the background image, a missing extra.
    """
    import cv2

    cv2.setNumThreads(threads)
    model = load(options.model, threads=threads, device=options.device, looks=options.looks)
    photo = with_image(options.photo, max_pixels=options.max_pixels, max_bytes=options.max_bytes)
    if photo.matting != "none":
        warm_up(photo.matting)
    return model, photo


def fingerprint_of(options: FolderOptions) -> str:
    """A fingerprint of everything that the finished file depends on besides the photo: options, format, model.

    Raises:
        ModelFileError: There is no such model.
    """
    # Limits decide whether there is a result, not which.
    photo = dataclasses.replace(options.photo, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES)
    parts = [_plain(photo), options.ending, _model_digest(options.model), options.looks]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


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
