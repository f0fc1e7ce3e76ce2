"""An int8 model as the float model that it stands for, for devices that have no int8 convolutions.

Our int8 models hold pairs of QuantizeLinear and DequantizeLinear (arXiv 1712.05877). CUDA, WebGPU, CoreML and the
browser have no kernels for what lies between: each pair would run by itself, or on the processor. Here a pair around an
activation becomes the clipping that it also does (quantizing leaves ReLU6 to it), and a dequantized weight becomes the
weight in float32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standout.model_card import METADATA_KEY, ModelCard

#: The fields of ONNX (onnx.proto) that are read or written; protobuf keeps all others as they are.
#: message -> (name, number, type, repeated); a type is a scalar of protobuf or another message.
_FIELDS: dict[str, tuple[tuple[str, int, str, bool], ...]] = {
    "Model": (("graph", 7, "Graph", False), ("metadata_props", 14, "Entry", True)),
    "Entry": (("key", 1, "string", False), ("value", 2, "string", False)),
    "Graph": (("node", 1, "Node", True), ("initializer", 5, "Tensor", True), ("output", 12, "ValueInfo", True)),
    "ValueInfo": (("name", 1, "string", False),),
    "Node": (
        ("input", 1, "string", True),
        ("output", 2, "string", True),
        ("name", 3, "string", False),
        ("op_type", 4, "string", False),
        ("attribute", 5, "Attribute", True),
    ),
    "Attribute": (("name", 1, "string", False), ("i", 3, "int64", False)),
    "Tensor": (
        ("dims", 1, "int64", True),
        ("data_type", 2, "int32", False),
        ("float_data", 4, "float", True),
        ("int32_data", 5, "int32", True),
        ("name", 8, "string", False),
        ("raw_data", 9, "bytes", False),
    ),
}
_SCALARS = {"int64": 3, "int32": 5, "float": 2, "string": 9, "bytes": 12}
_MESSAGE, _OPTIONAL, _REPEATED = 11, 1, 3
#: TensorProto.DataType -> dtype, of what quantized models hold.
_TYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32}
_FLOAT = 1


def is_quantized(data: bytes) -> bool:
    """Whether an ONNX file holds quantized layers."""
    return any(node.op_type == "DequantizeLinear" for node in _parse(data).graph.node)


def with_card(data: bytes, card: ModelCard) -> bytes:
    """The same ONNX file with another model card."""
    model = _parse(data)
    entries = [entry for entry in model.metadata_props if entry.key == METADATA_KEY]
    entry = entries[0] if entries else model.metadata_props.add(key=METADATA_KEY)
    entry.value = card.to_json()
    return bytes(model.SerializeToString())


def dequantize(data: bytes) -> bytes:
    """The float32 form of an ONNX file with QuantizeLinear and DequantizeLinear; any other file as it is.

    Metadata (the model card), inputs and outputs stay; the largest change of alpha is that of int8 rounding.
    """
    model = _parse(data)
    graph = model.graph
    if not any(node.op_type == "DequantizeLinear" for node in graph.node):
        return data
    constants = {tensor.name: tensor for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    kept = []
    for node in graph.node:
        if node.op_type == "QuantizeLinear":
            continue  # its DequantizeLinear becomes the clipping
        if node.op_type != "DequantizeLinear":
            kept.append(node)
        elif node.input[0] in constants:
            values = _dequantized(node, [_array(constants[name]) for name in node.input])
            graph.initializer.append(_tensor(node.output[0], values))
        else:
            source = makers[node.input[0]].input[0]
            scale, *zero = (_array(constants[name]) for name in node.input[1:])
            kind = zero[0].dtype if zero else np.dtype(np.uint8)
            limits = (np.array([np.iinfo(kind).min, np.iinfo(kind).max], np.float32) - (zero[0] if zero else 0)) * scale
            names = [f"{node.output[0]}/{end}" for end in ("low", "high")]
            graph.initializer.extend(_tensor(name, limit) for name, limit in zip(names, limits, strict=True))
            node.op_type = "Clip"
            node.ClearField("attribute")
            node.input[:] = [source, *names]
            kept.append(node)
    used = {name for node in kept for name in node.input} | {output.name for output in graph.output}
    tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    _replace(graph.node, kept)
    _replace(graph.initializer, tensors)
    return bytes(model.SerializeToString())


def _dequantized(node: Any, inputs: list[NDArray[Any]]) -> NDArray[np.float32]:
    """(values − zero point) · scale, the latter two per tensor or along an axis."""
    values, scale, *zero = inputs
    if scale.ndim == 1 and scale.size > 1:
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
        shape = [1] * values.ndim
        shape[axis] = -1
        scale, zero = scale.reshape(shape), [array.reshape(shape) for array in zero]
    point = zero[0].astype(np.float32) if zero else np.float32(0)
    return np.asarray((values.astype(np.float32) - point) * scale, np.float32)


def _array(tensor: Any) -> NDArray[Any]:
    dtype = np.dtype(_TYPES[tensor.data_type])
    if tensor.raw_data:
        values = np.frombuffer(tensor.raw_data, dtype.newbyteorder("<"))
    else:
        values = np.array(tensor.float_data if dtype == np.float32 else tensor.int32_data, dtype)
    return values.reshape(tuple(tensor.dims))


def _tensor(name: str, values: NDArray[np.float32]) -> Any:
    tensor = _messages()["Tensor"]()
    tensor.name, tensor.data_type = name, _FLOAT
    tensor.dims.extend(np.shape(values))
    tensor.raw_data = np.ascontiguousarray(values, "<f4").tobytes()
    return tensor


def _replace(field: Any, items: list[Any]) -> None:
    copies = []
    for item in items:
        copy = type(item)()
        copy.CopyFrom(item)
        copies.append(copy)
    del field[:]
    field.extend(copies)


def _parse(data: bytes) -> Any:
    model = _messages()["Model"]()
    model.ParseFromString(data)
    return model


@lru_cache
def _messages() -> dict[str, Any]:
    """The classes of `_FIELDS`; the package `onnx` is 20 MB that the product needs for nothing else."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="standout/onnx.proto", package="standout.onnx", syntax="proto2")
    for message, fields in _FIELDS.items():
        made = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            field = made.field.add(name=name, number=number, label=_REPEATED if repeated else _OPTIONAL)
            field.type = _SCALARS.get(kind, _MESSAGE)
            if kind not in _SCALARS:
                field.type_name = f".standout.onnx.{kind}"
    pool = descriptor_pool.DescriptorPool()
    found = pool.Add(file) or pool.FindFileByName(file.name)
    return {name: message_factory.GetMessageClass(found.message_types_by_name[name]) for name in _FIELDS}
