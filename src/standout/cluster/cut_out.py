"""Cutting people out as the work of a step: the same result as `standout folder`, from bytes to bytes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from standout.cluster.photo import Photo, Product
from standout.cluster.step import Step
from standout.cluster.storage import Place
from standout.folder.options import FolderOptions
from standout.folder.photo_work import fingerprint_of, prepare
from standout.imaging.encode import encode
from standout.inference.model import bundled_names
from standout.pipeline.cut_out import run
from standout.pipeline.options import with_image


@dataclass(frozen=True)
class CutOutWork:
    """The people of each photo, cut out.

    Attributes:
        options: How the folder is processed. A background image is in there as pixels: the workers' machines
            needn't have its file.
        model: What the manifest calls the model: its name and the beginning of its file's SHA-256.
        fingerprint: What `standout.folder.photo_work.fingerprint_of` returned.
        model_file: The content of a model of one's own, for the same reason; None of a bundled one.
    """

    options: FolderOptions
    model: str
    fingerprint: str
    model_file: bytes | None = None

    @classmethod
    def of(cls, options: FolderOptions, *, on_gpu: bool = False) -> CutOutWork:
        """Reads the files that the options name.

        Args:
            options: How the folder is processed.
            on_gpu: Whether each worker has a GPU, or a share of one, so that `device="auto"` may look for it.

        Raises:
            ModelFileError: There is no such model.
            InputError: The background image can't be used.
        """
        fingerprint = fingerprint_of(options)
        device = "cpu" if options.device == "auto" and not on_gpu else options.device
        options = with_image(options, max_pixels=options.max_pixels, max_bytes=options.max_bytes)
        options = dataclasses.replace(options, device=device)
        if str(options.model) in bundled_names():
            return cls(options, str(options.model), fingerprint)
        content = Path(options.model).read_bytes()
        name = f"{Path(options.model).name}@{hashlib.sha256(content).hexdigest()[:12]}"
        return cls(options, name, fingerprint, content)

    @property
    def ending(self) -> str:
        """Of the cut-outs' names."""
        return self.options.ending

    @property
    def max_bytes(self) -> int:
        """Size of a photo's file that is allowed."""
        return self.options.photo.max_bytes

    def fingerprint_of(self, path: str) -> str:  # noqa: ARG002
        """The same for all photos."""
        return self.fingerprint

    def named_after(self, path: str) -> str:
        """The photo's own path."""
        return path

    def open(self, threads: int) -> Callable[[Photo, bytes], Product]:
        """Loads the model.

        Raises:
            StandoutError: The model can't be used here, or an extra is missing.
        """
        model, options = prepare(self.options, threads, self.model_file)

        def do(photo: Photo, data: bytes) -> Product:
            result = run(data, model, options, file_format=self.options.file_format)
            height, width = result.pixels.shape[:2]
            content = encode(result.pixels, result.encoding)
            return Product({photo.output: content}, result.people > 0, (height, width), result.notes)

        return do


def cut_out_step(
    source: str | Path, target: str | Path, *, options: FolderOptions | None = None, threads: int = 1
) -> Step:
    """The step that an engine of your own drives: call it with paths relative to `source`.

    Args:
        source: The folder or URL of the photos.
        target: The folder or URL of the cut-outs.
        options: How the folder is processed.
        threads: How many threads each process may use.

    Raises:
        StandoutError: The model, the background image or one of the places can't be used.
    """
    work = CutOutWork.of(options or FolderOptions())
    return Step(work, Place(source).address, Place(target).address, threads)
