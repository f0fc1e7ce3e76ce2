"""An onnxruntime session that holds a model file to the contract.

The contract: one input uint8 RGB (1, H, W, 3), one output float32 alpha (1, H, W), scaling and sigmoid inside the
graph, a `ModelCard` in the metadata. H and W are numbers, or symbolic: then any multiple of the stride works.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from standout.errors import ConfigError, DeviceError, ModelFileError
from standout.hardware import usable_cores
from standout.imaging.arrays import Alpha, Frame
from standout.model_card import METADATA_KEY, ModelCard

#: The environment variable that sets the number of threads when the caller doesn't.
THREADS_VARIABLE = "STANDOUT_THREADS"
#: More threads than this bring little for a network of this size and disturb what else runs.
MOST_THREADS = 4
#: A network for people has a few million weights; a larger file is no model of ours.
MOST_MODEL_BYTES = 1 << 30


def thread_count(threads: int | None = None) -> int:
    """The number of threads: the argument, else `STANDOUT_THREADS`, else the processor's cores, at most 4.

    Raises:
        ConfigError: The argument or the variable is not a whole number of at least 1.
    """
    asked: object = threads
    if asked is None:
        asked = os.environ.get(THREADS_VARIABLE) or None
    if asked is None:
        return max(1, min(usable_cores(), MOST_THREADS))
    name = f"`{THREADS_VARIABLE}`" if threads is None else "`threads`"
    try:
        count = int(str(asked))
    except ValueError:
        count = 0
    if not 1 <= count <= 1024:
        raise ConfigError(f"{name} must be a whole number from 1 to 1024; received {asked!r}.")
    return count


class Session:
    """One loaded model file; safe to call from several threads.

    Args:
        source: The file, or its bytes.
        threads: As in `thread_count`.
        provider: An onnxruntime provider to prefer, by its full name or without `ExecutionProvider` ("CUDA").
        name: What messages call the model; its file name if absent.

    Raises:
        ModelFileError: The file is missing, broken or not one of ours.
        DeviceError: The provider is not in this onnxruntime.
    """

    def __init__(
        self, source: str | Path | bytes, *, threads: int | None = None, provider: str | None = None, name: str = ""
    ) -> None:
        self.name = name or (Path(source).name if isinstance(source, str | Path) else "model")
        data = source if isinstance(source, bytes) else _read(Path(source))
        self.threads = thread_count(threads)
        self._session = _open(data, self.name, self.threads, provider)
        self.card = self._read_card()
        self.size, self._input, self._output = self._check_contract()
        #: The providers in use, first choice first.
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())

    def run(self, batch: Frame) -> Alpha:
        """The graph itself.

        Args:
            batch: uint8 RGB (1, H, W, 3) of the model's size.

        Returns:
            float32 (1, H, W) in [0, 1].
        """
        (alpha,) = self._session.run([self._output], {self._input: batch})
        return np.asarray(np.clip(alpha, 0.0, 1.0), np.float32)

    def _read_card(self) -> ModelCard:
        metadata = self._session.get_modelmeta().custom_metadata_map
        if METADATA_KEY not in metadata:
            raise self._foreign("it carries no model card")
        return ModelCard.from_json(metadata[METADATA_KEY])

    def _check_contract(self) -> tuple[tuple[int, int] | None, str, str]:
        """The fixed (height, width) or None, and the names of input and output."""
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise self._foreign(f"it has {len(inputs)} inputs and {len(outputs)} outputs")
        (image,), (alpha,) = inputs, outputs
        if image.type != "tensor(uint8)" or len(image.shape) != 4 or image.shape[3] != 3:
            raise self._foreign(f"its input is {image.type} {image.shape}")
        if alpha.type != "tensor(float)" or len(alpha.shape) != 3:
            raise self._foreign(f"its output is {alpha.type} {alpha.shape}")
        height, width = image.shape[1:3]
        fixed = (height, width) if isinstance(height, int) and isinstance(width, int) else None
        if fixed is not None and fixed != self.card.input_size:
            raise self._foreign(f"its input is {fixed} and its card says {self.card.input_size}")
        return fixed, image.name, alpha.name

    def _foreign(self, reason: str) -> ModelFileError:
        return ModelFileError(
            f"`{self.name}` is not a Standout model: {reason}; "
            "allowed is a file written by `standout export` (uint8 RGB in, alpha out, with a model card)."
        )


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ModelFileError(f"The model must be an ONNX file; received the folder `{path}`.")
        if path.stat().st_size > MOST_MODEL_BYTES:
            raise ModelFileError(f"`{path}` is larger than 1 GiB and so no model of Standout's.")
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError(
            f"There is no model file `{path}`; give the path of an ONNX file written by `standout export`."
        ) from None
    except OSError as error:
        raise ModelFileError(f"The model file `{path}` can't be read: {error.strerror}.") from error


def _open(data: bytes, name: str, threads: int, provider: str | None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors reach the user as one sentence, not as a log of C++
    try:
        return onnxruntime.InferenceSession(data, options, providers=_providers(provider, onnxruntime))
    except DeviceError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"`{name}` is not an ONNX file that can be loaded (broken, cut off or of another kind); "
            "give a file written by `standout export`."
        ) from error


def _providers(asked: str | None, onnxruntime: Any) -> list[str]:
    """The asked provider and the processor behind it; the processor alone when nothing is asked."""
    cpu = "CPUExecutionProvider"
    if asked is None or asked.lower().removesuffix("executionprovider") == "cpu":
        return [cpu]
    available = {name.removesuffix("ExecutionProvider").lower(): name for name in onnxruntime.get_available_providers()}
    key = asked.removesuffix("ExecutionProvider").lower()
    if key not in available:
        raise DeviceError(
            f"The provider must be one of {', '.join(sorted(available))}; received {asked!r}, "
            "which this installation of onnxruntime doesn't have."
        )
    return [available[key], cpu]
