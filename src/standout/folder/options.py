"""How a folder of photos is processed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from standout.compositing.background import AnyBackground
from standout.errors import ConfigError
from standout.imaging.encode import format_named
from standout.pipeline.options import CutOutOptions

#: More workers than this are a mistake.
MOST_WORKERS = 256


@dataclass(frozen=True, eq=False)
class FolderOptions(CutOutOptions):
    """How a folder is processed: the options of its photos, and these.

    Attributes:
        file_format: Format of the cut-outs: "png", "webp", "jpg" or "tiff".
        model: A bundled model's name, or an ONNX file.
        workers: Processes; None takes one per core, as far as memory reaches, and a single one on any other device.
        recursive: Look into the folders in the folder too; the output has the same folders.
        device: Where the network runs, as in `standout.load`.
        tta: Passes through the network, as in `standout.load`.
        limit_s: A photo that takes longer, seconds, is stopped and counted as failed: a broken file can keep a decoder
            busy for ever. 0: no limit.

    Example:
        >>> FolderOptions(file_format="gif")
        Traceback (most recent call last):
        standout.errors.ConfigError: `file_format` must be one of png, webp, jpg, tiff; received 'gif'.
    """

    file_format: str = "png"
    model: str | Path = "photo"
    workers: int | None = None
    recursive: bool = False
    device: str = "auto"
    tta: int = 1
    limit_s: float = 600.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "file_format", format_named(self.file_format, name="file_format"))
        if self.workers is not None and not 1 <= self.workers <= MOST_WORKERS:
            raise ConfigError(f"`workers` must lie in 1 … {MOST_WORKERS}; received {self.workers}.")
        if not 0 <= self.limit_s <= 86_400:
            raise ConfigError(f"`limit_s` must lie in 0 (no limit) … 86400 seconds; received {self.limit_s:g}.")
        self.check_format(self.file_format)

    @property
    def ending(self) -> str:
        """The ending of the cut-outs' names: ".png"."""
        return f".{self.file_format}"

    @property
    def photo(self) -> CutOutOptions:
        """What holds for each photo alone."""
        return CutOutOptions(**{field.name: getattr(self, field.name) for field in dataclasses.fields(CutOutOptions)})


def chosen_options(
    options: FolderOptions | None,
    background: AnyBackground | None,
    model: str | Path | None,
    device: str | None,
) -> FolderOptions:
    """The options with what was given beside them, which goes first."""
    chosen = options or FolderOptions()
    return dataclasses.replace(
        chosen,
        background=chosen.background if background is None else background,
        model=chosen.model if model is None else model,
        device=chosen.device if device is None else device,
    )
