"""The weights that training can begin with: a file of ours, an .npz (recipes/imagenet.py), a teacher's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from standout.errors import ModelFileError
from standout.workshop.config import Config, ModelOptions, read_run_record
from standout.workshop.model.deeplab import build_deeplab


def load_run(run: Path, weights: str = "best") -> tuple[keras.Model, Config, dict[str, Any]]:
    """The network of a run folder with its `best` or `last` weights, its settings, and all that config.json holds.

    Raises:
        ModelFileError: It is no run folder, or has no such weights yet.
    """
    config, record = read_run_record(run)
    model = build_deeplab(config.model)
    file = run / f"{weights}.weights.h5"
    try:
        model.load_weights(file)
    except Exception as error:
        raise ModelFileError(
            f"{file} can't be loaded ({_reason(error)}); let the run reach its first validation."
        ) from error
    return model, config, record


def copy_layers(teacher: keras.Model, student: keras.Model) -> int:
    """Gives the student's layers the weights of the teacher's layers of the same name and shapes; returns how many."""
    copied = 0
    known = {layer.name: layer for layer in teacher.layers if layer.weights}
    for layer in student.layers:
        source = known.get(layer.name)
        if source and [w.shape for w in source.weights] == [w.shape for w in layer.weights]:
            layer.set_weights(source.get_weights())
            copied += 1
    return copied


def load_start(model: keras.Model, config: ModelOptions) -> str:
    """Loads the weights that training begins with, and says in one line what they are.

    Raises:
        ModelFileError: The file is missing, or doesn't fit.
    """
    if not config.weights:
        return "random weights"
    file = Path(config.weights)
    if not file.is_file():
        raise ModelFileError(
            f"model.weights must be a .npz or .weights.h5 file; {file} is not there "
            "(recipes/imagenet.py writes ImageNet's for efficientnet_lite0)."
        )
    if file.suffix == ".npz":
        return load_npz(model, file)
    try:
        model.load_weights(file)
    except Exception as error:
        raise ModelFileError(f"{file} doesn't fit this network ({_reason(error)}).") from error
    return file.name


def load_npz(model: keras.Model, file: Path) -> str:
    """Fills layers by name from an .npz of `<layer>/<variable>` arrays.

    Raises:
        ModelFileError: It isn't such a file, has no layer of this network, or a shape differs.
    """
    return f"{file.name}, {_fill(model, read_arrays(file), str(file))} layers"


def read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file, by name; the file is closed.

    Raises:
        ModelFileError: It isn't such a file, or was cut off.
    """
    try:
        with file.open("rb") as stream, np.load(stream) as archive:  # np.load leaves a file open that it can't read
            return dict(archive)
    except Exception as error:
        # A damaged archive fails in a dozen ways: as a zip, in zlib, in a header, by a size that no memory has.
        raise ModelFileError(f"{file} is not an .npz file of arrays ({_reason(error)}).") from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _fill(model: keras.Model, arrays: dict[str, NDArray[Any]], source: str) -> int:
    names = {key.split("/")[0] for key in arrays}
    found = [layer for layer in model.layers if layer.name in names]
    if not found:
        raise ModelFileError(f"{source} has no layer of this encoder; its first is {min(names, default='none')!r}.")
    for layer in found:
        for variable in layer.weights:
            array = arrays.get(f"{layer.name}/{variable.name}")
            if array is None or array.shape != tuple(variable.shape):
                shape = None if array is None else array.shape
                raise ModelFileError(
                    f"{source}: {layer.name}/{variable.name} must have shape {tuple(variable.shape)}; received {shape}."
                )
            variable.assign(array)
    return len(found)
