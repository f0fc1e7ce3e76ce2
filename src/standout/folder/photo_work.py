"""What a worker does with each photo, and the fingerprint of how it does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from standout.compositing.matting import warm_up
from standout.folder.options import FolderOptions
from standout.imaging.decode import MAX_BYTES
from standout.imaging.defaults import MAX_PIXELS
from standout.inference.model import Model, find_model, load
from standout.pipeline.cut_out import run_to_file
from standout.pipeline.options import CutOutOptions, with_image
from standout.pipeline.result import Findings
from standout.work.fingerprint import fingerprint


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


def prepare(options: FolderOptions, threads: int, model_file: bytes | None = None) -> tuple[Model, CutOutOptions]:
    """What every photo needs, loaded once: the model, and options whose background image is decoded.

    Args:
        options: How the folder is processed.
        threads: How many threads this process may use.
        model_file: The content of the model's file, where that isn't at hand.

    Raises:
        StandoutError: Something can't work for any photo: the model, the background image, a missing extra.
    """
    import cv2

    cv2.setNumThreads(threads)
    source = options.model if model_file is None else model_file
    model = load(source, threads=threads, device=options.device, tta=options.tta)
    photo = with_image(options.photo, max_pixels=options.max_pixels, max_bytes=options.max_bytes)
    if photo.matting != "none":
        warm_up(photo.matting)
    return model, photo


def fingerprint_of(options: FolderOptions) -> str:
    """A fingerprint of everything that the finished file depends on besides the photo.

    Raises:
        ModelFileError: There is no such model.
    """
    # Limits decide whether there is a result, not which.
    photo = dataclasses.replace(options.photo, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES)
    model, _ = find_model(options.model)
    return fingerprint(photo, options.ending, model, options.tta)
