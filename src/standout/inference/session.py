"""An onnxruntime session that holds a model file to the contract.

The contract: one input uint8 RGB (1, H, W, 3), one output float32 alpha (1, H, W), scaling and sigmoid inside the
graph, a `ModelCard` in the metadata. H and W are numbers, or symbolic: then any multiple of the stride works.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from standout.errors import ConfigError, ModelFileError
from standout.hardware import usable_cores
from standout.imaging.arrays import Alpha, Frame
from standout.inference.accelerate import open_on, session_options
from standout.inference.devices import DeviceChoice, device_name, parse_device
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
        threads: How many threads, as `thread_count` chooses them.
        device: The device to compute on, one of `devices.CHOICES`.
        name: What messages call the model; its file name if absent.

    Raises:
        ModelFileError: The file is missing, broken or no model of Standout.
        ConfigError: There is no such device.
        DeviceError: The device isn't installed, or doesn't work.
    """

    def __init__(
        self, source: str | Path | bytes, *, threads: int | None = None, device: DeviceChoice = "auto", name: str = ""
    ) -> None:
        device = device_name(device)
        wanted, kind = parse_device(device)
        self._source, self._asked = source, (threads, device)
        self.name = name or (Path(source).name if isinstance(source, str | Path) else "model")
        data = source if isinstance(source, bytes) else _read(Path(source))
        self.threads = thread_count(threads)
        # The processor reads the file in any case: what is wrong with it is the file's fault then, and no device's.
        self._session = _open(data, self.name, self.threads)
        self.card = self._read_card()
        self.size_hw, self._input, self._output = self._check_contract()
        opened = open_on(wanted, kind, self._session, data, self.card, self.threads)
        self._session, self.size_hw = opened.session, self.size_hw or opened.size_hw
        #: Where it runs, why there, and the share of the network's nodes that runs there.
        self.device, self.reason, self.share = opened.device.name, opened.reason, opened.share
        #: The providers in use, first choice first.
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())
        # The processor computes for several threads at once; not all others can.
        self._turn: contextlib.AbstractContextManager[Any] = (
            contextlib.nullcontext() if self.device == "cpu" else threading.Lock()
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """A session is pickled as its file, and opened again where it arrives: on another device, if need be."""
        data = self._source if isinstance(self._source, bytes) else _read(Path(self._source))
        return _reopen, (data, *self._asked, self.name)

    def run(self, batch: Frame) -> Alpha:
        """The graph itself.

        Args:
            batch: uint8 RGB (1, H, W, 3) of the model's size.

        Returns:
            float32 (1, H, W) in [0, 1].
        """
        with self._turn:
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
            "expected a file written by `standout export` (uint8 RGB in, alpha out, with a model card)."
        )


def _reopen(data: bytes, threads: int | None, device: str, name: str) -> Session:
    return Session(data, threads=threads, device=device, name=name)


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


def _open(data: bytes, name: str, threads: int) -> Any:
    import onnxruntime

    if data.startswith(b"version https://git-lfs"):
        raise ModelFileError(f"`{name}` is a pointer of Git LFS, not the model; `git lfs pull` brings the file itself.")
    try:
        return onnxruntime.InferenceSession(data, session_options(threads), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelFileError(_why_not(name, str(error), onnxruntime.__version__)) from error


def _why_not(name: str, error: str, version: str) -> str:
    """What is wrong with a file that onnxruntime refuses: its words differ by version, their subject doesn't."""
    low = error.lower()
    if ("ir version" in low or "opset" in low) and ("support" in low or "guarantee" in low):
        return (
            f"`{name}` is newer than the onnxruntime {version} here; run `pip install --upgrade onnxruntime`, or "
            "export the model again with this installation."
        )
    if ("external" in low and ("data" in low or "initializer" in low)) or "cannot get file size" in low:
        return (
            f"`{name}` keeps its weights in another file, and Standout reads a model from one; save it as one file, as "
            "`standout export` does (onnx.save with save_as_external_data=False)."
        )
    return (
        f"`{name}` is not an ONNX file that can be loaded (broken, cut off or of another kind); "
        "give a file written by `standout export`."
    )
