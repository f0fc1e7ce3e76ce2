"""A model for browsers: computed in float32, its weights stored in 8 or 16 bits and expanded when it is loaded.

onnxruntime's WebAssembly has no fast 8-bit arithmetic: there, an int8 graph takes longer than a float one
(docs/browser.md). But a download counts. So the graph is that of float32, and each large weight is an integer tensor
with `Cast` and `Mul` behind it, which onnxruntime folds into a float tensor once, when the session is made. NumPy and
onnx are enough for this: no Keras.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from standout.errors import ConfigError, ModelFileError
from standout.imaging.files import atomic_write
from standout.inference.model import find_model
from standout.model_card import METADATA_KEY, ModelCard
from standout.workshop.export.browser_constants import browser_constants

STORAGES = ("int8", "float16")

#: Smaller tensors (biases, constants) are not quantized; those of some length are stored in 16 bits.
_SMALL, _HALF = 256, 16
#: The largest mean difference of alpha from the model it was made of, on noise and on a gradient.
TOLERANCE = 0.02
_QUANTIZE, _DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"


@dataclass(frozen=True)
class WebModel:
    """A web model and how far it is from the one it was made of.

    Attributes:
        proto: uint8 RGB (1, H, W, 3) to alpha float32 (1, H, W), the card inside.
        difference: Mean difference of alpha on made-up pictures, in [0, 1].
    """

    proto: onnx.ModelProto
    difference: float


def write_web(source: Path | str, output: Path, *, storage: str = "int8") -> WebModel:
    """Writes a web model as `output`, and beside it its card as JSON, with what the browser must know of our rules.

    Args:
        source: A bundled model's name, or an ONNX file of `standout export`.
        output: The .onnx file.
        storage: How the weights are stored, "int8" or "float16".

    Raises:
        ConfigError: There is no such storage, or `output` is no .onnx file.
        ModelFileError: There is no such model, or the result differs too much from it.
    """
    if output.suffix != ".onnx":
        raise ConfigError(f"`output` must end in .onnx; received {output}.")
    web = to_web(find_model(str(source))[0], storage=storage)
    card = ModelCard.from_json(next(p.value for p in web.proto.metadata_props if p.key == METADATA_KEY))
    with atomic_write(output) as stream:
        stream.write(web.proto.SerializeToString())
    with atomic_write(output.with_suffix(".json")) as stream:
        facts = {**json.loads(card.to_json()), "constants": browser_constants()}
        text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
        stream.write(text.encode() + b"\n")
    return web


def to_web(source: Path | bytes, *, storage: str = "int8") -> WebModel:
    """Makes a web model of any model file of ours.

    Args:
        source: An ONNX file of `standout export`, int8 or float32; or its bytes.
        storage: How the weights are stored, "int8" or "float16". An int8 model keeps its own integers either way.

    Raises:
        ConfigError: There is no such storage.
        ModelFileError: The file is no ONNX, or the result differs too much from it.
    """
    if storage not in STORAGES:
        raise ConfigError(f"`storage` must be one of {', '.join(STORAGES)}; received {storage!r}.")
    try:
        before = onnx.load_from_string(source if isinstance(source, bytes) else source.read_bytes())
    except FileNotFoundError:
        raise ModelFileError(f"There is no model file `{source!s}`; give one of `standout export`.") from None
    except Exception as error:
        raise ModelFileError("The model must be an ONNX file of `standout export`; this one can't be read.") from error
    if not any(entry.key == METADATA_KEY for entry in before.metadata_props):
        raise ModelFileError("The model must carry a card; give an ONNX file of `standout export`.")
    after = _Rewriter(before).rewrite(storage)
    difference = _difference(before, after)
    if difference > TOLERANCE:
        raise ModelFileError(
            f"The web model may differ from its origin by {TOLERANCE:g} on average; it differs by {difference:.3f}; "
            "nothing was written."
        )
    return WebModel(after, difference)


class _Rewriter:
    """One graph on its way from quantized arithmetic to float arithmetic on stored integers."""

    def __init__(self, proto: onnx.ModelProto) -> None:
        self._proto, self._graph = proto, proto.graph
        self._constants: dict[str, NDArray[Any]] = {i.name: numpy_helper.to_array(i) for i in proto.graph.initializer}
        self._producer = {name: node for node in self._graph.node for name in node.output}
        self._alias: dict[str, str] = {}
        self._initializers: list[onnx.TensorProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._done: set[str] = set()

    def rewrite(self, storage: str) -> onnx.ModelProto:
        body: list[onnx.NodeProto] = []
        for node in self._graph.node:
            if node.op_type == _DEQUANTIZE and node.input[0] in self._constants:
                self._stored_integers(node)
            elif node.op_type == _QUANTIZE:
                self._alias[node.output[0]] = self._clipped(node, body)
            elif node.op_type == _DEQUANTIZE:
                self._alias[node.output[0]] = self._final(node.input[0])
            else:
                copy = onnx.NodeProto()
                copy.CopyFrom(node)
                for index, name in enumerate(copy.input):
                    copy.input[index] = self._final(name)
                body.append(copy)
        self._keep_constants(body, storage)
        graph = helper.make_graph(
            self._nodes + body, "standout-web", list(self._graph.input), list(self._graph.output), self._initializers
        )
        for output in graph.output:
            if self._final(output.name) != output.name:
                raise ModelFileError("A web model can't be made of a graph whose output is quantized.")
        opset = next(entry.version for entry in self._proto.opset_import if entry.domain in ("", "ai.onnx"))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        helper.set_model_props(
            model, {p.key: p.value for p in self._proto.metadata_props if p.key.startswith("standout")}
        )
        return model

    def _final(self, name: str) -> str:
        while name in self._alias:
            name = self._alias[name]
        return name

    def _stored_integers(self, node: onnx.NodeProto) -> None:
        """A quantized constant: as float32 if it is small, else as it is, with the arithmetic that expands it."""
        name, output = node.input[0], node.output[0]
        integers, scale = self._constants[name], self._constants[node.input[1]]
        zero = self._constants[node.input[2]] if len(node.input) > 2 else np.zeros_like(scale, integers.dtype)
        axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
        if scale.ndim == 1 and scale.size > 1:
            shape = [1] * integers.ndim
            shape[axis] = scale.size
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        if integers.size < _SMALL or integers.dtype != np.int8 or np.any(zero):
            values = (integers.astype(np.float32) - zero.astype(np.float32)) * scale.astype(np.float32)
            self._keep(np.asarray(values, np.float32), output)
            return
        self._expand(integers, np.asarray(scale, np.float32), output)

    def _expand(self, stored: NDArray[Any], scale: NDArray[np.float32] | None, output: str) -> None:
        """Adds a stored tensor and the nodes that make a float32 tensor of it."""
        self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(stored), f"{output}/stored"))
        cast = output if scale is None else f"{output}/float"
        self._nodes.append(helper.make_node("Cast", [f"{output}/stored"], [cast], to=TensorProto.FLOAT))
        if scale is not None:
            self._keep(scale, f"{output}/scale")
            self._nodes.append(helper.make_node("Mul", [cast, f"{output}/scale"], [output]))

    def _keep(self, values: NDArray[np.float32], output: str) -> None:
        """Adds a small tensor: in half the bytes where that loses nothing that counts (scales, biases)."""
        half = values.astype(np.float16)
        close = np.abs(half.astype(np.float32) - values) <= 1e-3 * np.abs(values) + 1e-5 * np.abs(values).max(initial=0)
        if values.size >= _HALF and bool(close.all()):
            self._initializers.append(numpy_helper.from_array(half, f"{output}/half"))
            self._nodes.append(helper.make_node("Cast", [f"{output}/half"], [output], to=TensorProto.FLOAT))
        else:
            self._initializers.append(numpy_helper.from_array(values, output))

    def _clipped(self, node: onnx.NodeProto, body: list[onnx.NodeProto]) -> str:
        """What comes in, without its quantization.

        onnxruntime's quantizer drops a ReLU whose zero is the smallest integer: the integer's range does its work.
        """
        source = self._final(node.input[0])
        producer = self._producer.get(node.input[0])
        zero = self._constants[node.input[2]]
        smallest = np.iinfo(zero.dtype).min
        if producer is None or producer.op_type != "Conv" or int(zero) != smallest:
            return source
        most = (np.iinfo(zero.dtype).max - int(zero)) * np.float32(self._constants[node.input[1]])
        output = f"{source}/clipped"
        for name, value in ((f"{output}/0", np.float32(0)), (f"{output}/most", np.float32(most))):
            self._initializers.append(numpy_helper.from_array(np.asarray(value), name))
        body.append(helper.make_node("Clip", [source, f"{output}/0", f"{output}/most"], [output]))
        return output

    def _keep_constants(self, body: list[onnx.NodeProto], storage: str) -> None:
        """The constants that are still used; large float ones in fewer bits."""
        used = {name for node in body for name in node.input}
        known = {i.name for i in self._initializers}
        for name, values in self._constants.items():
            if name not in used or name in known:
                continue
            if values.dtype != np.float32 or values.size < _SMALL or values.ndim < 2:
                self._initializers.append(numpy_helper.from_array(values, name))
            elif storage == "float16":
                self._expand(values.astype(np.float16), None, name)
            else:
                scale = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True) / np.float32(127)
                scale = np.maximum(scale, np.float32(1e-12))
                self._expand(np.rint(values / scale).astype(np.int8), scale.astype(np.float32), name)


def _difference(before: onnx.ModelProto, after: onnx.ModelProto) -> float:
    """The mean difference of alpha on noise and on a gradient, at a size that every model of ours takes."""
    sessions = []
    for proto in (before, after):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        sessions.append(
            onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        )
    shape = sessions[0].get_inputs()[0].shape
    height, width = (
        side if isinstance(side, int) else default for side, default in zip(shape[1:3], (192, 256), strict=True)
    )
    noise = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8)[None, None, :, None], noise.shape)
    differences = []
    for frame in (noise, np.ascontiguousarray(ramp)):
        first, second = (session.run(None, {session.get_inputs()[0].name: frame})[0] for session in sessions)
        differences.append(float(np.abs(first - second).mean()))
    return max(differences)
