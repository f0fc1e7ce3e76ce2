"""Save and restore everything a run needs to go on: variables, optimizer, counters. Written whole or not at all."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from standout.errors import ModelFileError, OutputError
from standout.imaging.files import atomic_write
from standout.workshop.model.weights import read_arrays


def save_weights(file: Path, model: keras.Model) -> None:
    """Writes the model's weights to `file` (.weights.h5) whole or not at all.

    HDF5 ends the process where it can't write a file to its end, so it writes to memory.
    """
    memory = _H5InMemory()
    model.save_weights(memory)
    with atomic_write(file) as stream:
        stream.write(memory.getbuffer())


class _H5InMemory(io.BytesIO):
    """What Keras takes for a file, which it asks for an ending."""

    def __str__(self) -> str:
        return "memory.weights.h5"


@contextmanager
def told_when_full(run: Path, model: keras.Model) -> Iterator[None]:
    """Says in one sentence that the disk of a run is full, and how much it takes to go on.

    Raises:
        OutputError: It was full within the block. What was saved before is whole.
    """
    try:
        yield
    except (OSError, OutputError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if getattr(cause, "errno", None) not in (errno.ENOSPC, errno.EDQUOT):
            raise
        # Best and last weights, the state, and the largest of them once more while it is replaced.
        weights = sum(v.numpy().nbytes for v in model.variables)
        state = weights + sum(v.numpy().nbytes for v in model.optimizer.variables)
        megabytes = (2 * weights + 2 * state) // 10**6 + 10
        raise OutputError(
            f"The disk of {run} is full; free {megabytes} MB and go on with --resume. What was saved before is whole."
        ) from error


def save_state(file: Path, model: keras.Model, counters: dict[str, float]) -> None:
    """Writes the model's and the optimizer's variables and the counters to an .npz."""
    arrays = {f"model/{i}": np.asarray(v) for i, v in enumerate(model.variables)}
    arrays |= {f"optimizer/{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    arrays |= {f"counter/{name}": np.asarray(value) for name, value in counters.items()}
    with atomic_write(file) as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def restore_state(file: Path, model: keras.Model) -> dict[str, float]:
    """Fills a built model and optimizer from `save_state`'s file, and returns the counters.

    Raises:
        ModelFileError: The file is missing, or belongs to another network.
    """
    try:
        arrays = read_arrays(file)
    except ModelFileError as error:
        raise ModelFileError(f"There is no training state to resume from: {error}") from error
    model.optimizer.build(model.trainable_variables)
    for kind, variables in (("model", model.variables), ("optimizer", model.optimizer.variables)):
        stored = sum(key.startswith(f"{kind}/") for key in arrays)
        if stored != len(variables):
            raise ModelFileError(
                f"{file} holds {stored} {kind} variables, this run has {len(variables)}; it is of another network."
            )
        for i, variable in enumerate(variables):
            array = arrays.get(f"{kind}/{i}")
            if array is None or array.shape != tuple(variable.shape):
                raise ModelFileError(f"{file} doesn't hold this network's variable {kind}/{i}; it is of another.")
            variable.assign(array)
    return {key.split("/")[1]: float(arrays[key]) for key in arrays if key.startswith("counter/")}
