"""From a picture to its `Result`: decode, alpha, composite. Photo, folder, server and cluster call `run`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from standout.compositing.composite import composite, composite_matte
from standout.compositing.options import CompositeKeywords, CompositeOptions
from standout.compositing.select import find_people
from standout.errors import InputError
from standout.imaging.arrays import Alpha
from standout.imaging.decode import AnyPicture, picture_of
from standout.imaging.encode import format_named, format_of, write_picture
from standout.imaging.files import atomic_write
from standout.imaging.memory import enough_memory
from standout.imaging.picture import Picture
from standout.inference.clean_alpha import clean_alpha
from standout.inference.model import AnyModel, Predictor, model_of
from standout.pipeline.options import CutOutKeywords, CutOutOptions, options_with, with_image
from standout.pipeline.result import Result, depth_note

#: With a smaller share of the pixels than this at the model's threshold, nobody counts as found.
NOBODY_BELOW = 1e-4


def cut_out(
    source: AnyPicture,
    *,
    options: CutOutOptions | None = None,
    model: AnyModel | None = None,
    device: str | None = None,
    **keywords: Unpack[CutOutKeywords],
) -> Result:
    """Cuts the people out of a picture.

        >>> import numpy as np, standout
        >>> standout.cut_out(np.zeros((48, 64, 3), np.uint8)).image.mode
        'RGBA'
        >>> result = standout.cut_out(np.zeros((48, 64, 3), np.uint8), background="white", keep="largest", crop=True)
        >>> result.image.mode, result.people
        ('RGB', 0)

    Args:
        source: A path, the bytes of a file, a file opened for reading bytes, a Pillow picture, or an array (gray, RGB
            or RGBA; uint8, uint16 or floats in [0, 1]).
        options: How, in one object that can be used many times; by default the people on transparency.
        model: From `standout.load`, or what it takes; the bundled "photo" if absent.
        device: Where a model given by name, path or bytes runs; see `standout.load`.
        **keywords: The fields of `standout.CutOutOptions`, each by its name: `background`, `fit`, `position`,
            `bokeh`, `edge`, `feather`, `invert`, `crop`, `margin`, `shadow`, `keep`, `at`, `matting`,
            `decontaminate`, `mask`, `quality`, `keep_metadata`, `max_pixels`, `max_bytes`. They go before `options`.

    Returns:
        The picture, upright, of the photo's size unless cropped: RGBA, or RGB with a background. Transparency that was
        there stays. `Result.people` is 0 where nobody was found; then the cut-out is empty.

    Raises:
        InputError: The picture can't be used, or the person asked for isn't there.
        ConfigError: An option isn't allowed.
        ModelFileError: The model can't be used.
        MissingExtra: `matting` without pymatting.
    """
    if isinstance(source, str) and source == "-":
        raise InputError("`source` must be a picture; received '-', and standard input is for the command line alone.")
    options = options_with(options or CutOutOptions(), keywords)
    return run(source, model_of(model, device=device), options)


@enough_memory()
def run(
    source: AnyPicture, model: Predictor, options: CutOutOptions | None = None, *, file_format: str = "png"
) -> Result:
    """As `cut_out`, with a model that is loaded.

    Args:
        source: As `cut_out` takes it, and `-` for standard input.
        model: From `standout.load`.
        options: How; by default the people on transparency.
        file_format: What it will be written as: "png", "webp", "jpg" or "tiff".

    Raises:
        InputError: The photo can't be used, or the person asked for isn't there.
        OutputError: The format can't hold the result.
        MissingExtra: `matting` without pymatting.
    """
    options = options or CutOutOptions()
    clock = _Clock()
    with clock("read"):
        file_format = format_named(file_format)
        options.check_format(file_format)
        options = with_image(options, max_pixels=options.max_pixels, max_bytes=options.max_bytes)
        options.check_format(file_format)
        picture = picture_of(source, max_pixels=options.max_pixels, max_bytes=options.max_bytes)
    with clock("model"):
        alpha, people = people_of(picture, model)
    with clock("compose"):
        return _compose(picture, alpha, people, options, model.card.threshold, file_format, clock.seconds)


@enough_memory()
def run_to_file(
    source: AnyPicture, target: str | Path, model: Predictor, options: CutOutOptions | None = None
) -> Result:
    """As `run`, into a file that appears whole or not at all; its ending chooses the format.

    Raises:
        InputError, OutputError, MissingExtra: Whatever `run` raises; or the file can't be written.
    """
    result = run(source, model, options, file_format=format_of(target))
    with atomic_write(target) as file:
        write_picture(file, result.pixels, result.encoding)
    return result


def people_of(picture: Picture, model: Predictor) -> tuple[Alpha, int]:
    """Finds the people in a decoded picture.

    Returns:
        Clean alpha, float32 (H, W) in [0, 1], a new array, 0 everywhere if nobody was found; and how many people there
        are, where people who touch count as one.
    """
    alpha = model.alpha(picture.frame)
    threshold = model.card.threshold
    if np.count_nonzero(alpha >= threshold) < NOBODY_BELOW * alpha.size:
        return np.zeros_like(alpha), 0
    return clean_alpha(alpha), max(1, len(find_people(alpha, threshold=threshold)))


def compose(
    frame: AnyPicture,
    alpha: NDArray[Any],
    *,
    options: CompositeOptions | None = None,
    **keywords: Unpack[CompositeKeywords],
) -> Result:
    """Lays what an alpha shows of a picture over a background; no network is asked.

        >>> import numpy as np, standout
        >>> frame, alpha = np.full((4, 4, 3), 50, np.uint8), np.tile(np.array([0, 0, 1, 1], np.float32), (4, 1))
        >>> np.asarray(standout.compose(frame, alpha, background="red"))[0].tolist()
        [[255, 0, 0], [255, 0, 0], [50, 50, 50], [50, 50, 50]]

    Args:
        frame: RGB (H, W, 3), or whatever `cut_out` takes.
        alpha: floats in [0, 1], (H, W), as from `Model.alpha`, or a mask of True and False. Used as it is: see
            `standout.clean_alpha` for a network's.
        options: How, in one object; by default the person on transparency.
        **keywords: The fields of `standout.CompositeOptions`, each by its name. They go before `options`.

    Raises:
        InputError: The arrays can't be used or don't fit together, or the person asked for isn't there.
        ConfigError: An option isn't allowed.
        MissingExtra: `matting` without pymatting.
    """
    options = with_image(options_with(options or CompositeOptions(), keywords))
    picture = picture_of(frame, name="frame")
    if isinstance(alpha, np.ndarray) and alpha.dtype.kind in "fb":
        alpha = alpha.astype(np.float32)  # a copy: the arrays of the caller stay as they are
    people = len(find_people(alpha)) if isinstance(alpha, np.ndarray) and alpha.ndim == 2 and alpha.size else 0
    return _compose(picture, alpha, people, options, 0.5, "png", {})


def _compose(
    picture: Picture,
    alpha: Alpha,
    people: int,
    options: CompositeOptions,
    threshold: float,
    file_format: str,
    seconds: dict[str, float],
) -> Result:
    cut = options if isinstance(options, CutOutOptions) else CutOutOptions()
    if cut.mask:
        made = composite_matte(picture, alpha, options, threshold=threshold)
    else:
        made = composite(picture, alpha, options, threshold=threshold, overwrite=True)
    encoding = picture.encoding(file_format, quality=cut.quality, keep_metadata=cut.keep_metadata)
    if cut.mask:
        encoding = dataclasses.replace(encoding, icc=None)  # a gray picture can't carry a profile of RGB colors
    lost = depth_note(made.pixels, file_format)
    behind = options.background.image
    of_background = behind.notes if isinstance(behind, Picture) else ()
    notes = picture.notes + tuple(f"the background: {note}" for note in of_background) + made.notes
    notes += (lost,) if lost else ()
    return Result(made.pixels, people, notes, made.box, picture.size[::-1], encoding, made.matte, seconds)


class _Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started
