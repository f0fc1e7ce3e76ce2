"""Keras DeepLabV3+ -> ONNX: batch-norm folded, channels first, any height and width that the stride divides.

We write the graph ourselves: every layer of ours is one or two ONNX nodes, and the result takes pictures of any
proportions. (Keras' own export fails on `UpSampling2D` with an unknown size, and with a known one it fixes the shape.)
Scaling and the sigmoid are inside: uint8 RGB in (N, H, W, 3), alpha float32 out (N, H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from keras import layers
from onnx import TensorProto, helper, numpy_helper

from standout.errors import ModelFileError
from standout.model_card import METADATA_KEY, ModelCard
from standout.workshop.model.blocks import BatchNormalization, BroadcastLike, FrozenNorm

OPSET = 17

# Two scales. At full size the network sees edges, but not the whole of a person who fills the picture; at half size it
# does. So the half scale may only add: from logit FILL_FROM on it fills what the whole one leaves out. It adds no more
# than FILL_CAP, below the logit of the card's `certainty`: a piece that only the half scale sees stays a guess, and
# is dropped. A quarter more work; chosen on photographs held out (docs/training-log.md, "The fill, for run 14").
FILL_FROM, FILL_SLOPE, FILL_CAP = 4.0, 2.0, 8.0


def to_onnx(model: keras.Model, card: ModelCard) -> onnx.ModelProto:
    """Translates a network of `build_deeplab`; the card goes into the metadata.

    Raises:
        ModelFileError: A layer has no translation.
    """
    graph = _Graph(model)
    graph.translate(two_scales=len(card.scales) == 2)
    stride = card.multiple or card.output_stride
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes, "deeplab_v3_plus",
            [helper.make_tensor_value_info("frame", TensorProto.UINT8, ["batch", "height", "width", 3])],
            [helper.make_tensor_value_info("alpha", TensorProto.FLOAT, ["batch", "height", "width"])],
            graph.initializers,
            doc_string=f"uint8 RGB in, alpha in [0, 1] out; height and width are multiples of {stride}",
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="standout",
        ir_version=9,
    )  # fmt: skip
    helper.set_model_props(proto, {METADATA_KEY: card.to_json()})
    onnx.checker.check_model(proto, full_check=True)
    return proto


class _Graph:
    """Collects nodes while it walks the Keras graph in the order in which it was built."""

    def __init__(self, model: keras.Model):
        self.model = model
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.names: dict[int, str] = {}  # id of a Keras tensor -> name of the ONNX value
        self.prefix = ""  # of the nodes' names: each scale has its own nodes, all share the weights
        self.constants: set[str] = set()
        self.consumers: dict[int, list[keras.Layer]] = {}
        for layer in model.layers:
            for tensor in _inputs(layer):
                self.consumers.setdefault(id(tensor), []).append(layer)
        self.translators: dict[type, Callable[[Any, list[str]], str]] = {
            layers.Rescaling: self._rescaling,
            layers.Conv2D: self._conv,
            layers.DepthwiseConv2D: self._depthwise,
            BatchNormalization: self._norm,
            FrozenNorm: self._norm,
            layers.ReLU: self._relu,
            layers.Add: lambda layer, names: self._node("Add", names, layer.name),
            layers.Concatenate: lambda layer, names: self._node("Concat", names, layer.name, axis=1),
            layers.GlobalAveragePooling2D: lambda layer, names: self._node("GlobalAveragePool", names, layer.name),
            layers.UpSampling2D: self._upsample,
            BroadcastLike: self._broadcast,
            layers.Dropout: lambda _, names: names[0],  # does nothing outside training
        }

    def translate(self, *, two_scales: bool) -> None:
        frame = self._node("Cast", ["frame"], "frame_float", to=TensorProto.FLOAT)
        frame = self._node("Transpose", [frame], "frame_nchw", perm=[0, 3, 1, 2])
        x = self._node("Mul", [frame, self._constant("unit", np.float32(1 / 255))], "frame_unit")
        logits = self._network(x)
        if two_scales:
            small = self._node("AveragePool", [x], "frame_half", kernel_shape=[2, 2], strides=[2, 2])
            self.prefix = "half/"
            scales = self._constant("half_scales", np.array([1, 1, 2, 2], np.float32))
            half = self._resize(self._network(small), scales, "logits_half")
            self.prefix = ""
            logits = self._fill(logits, half)
        alpha = self._node("Sigmoid", [logits], "alpha_nchw")
        self.nodes.append(helper.make_node("Squeeze", [alpha, self._constant("channel", np.array([1]))], ["alpha"]))

    def _fill(self, logits: str, half: str) -> str:
        """Where the half scale is sure of a person and the whole one is not, the half scale's logit (see FILL_FROM)."""
        cap = self._constant("fill_cap", np.float32(FILL_CAP))
        gain = self._node("Sub", [self._node("Min", [half, cap], "fill_capped"), logits], "fill_difference")
        above = self._node("Sub", [half, self._constant("fill_from", np.float32(FILL_FROM))], "fill_above")
        steep = self._node("Mul", [above, self._constant("fill_slope", np.float32(FILL_SLOPE))], "fill_steep")
        filled = self._node(
            "Mul", [self._node("Relu", [gain], "fill_gain"), self._node("Sigmoid", [steep], "fill_gate")], "fill"
        )
        return self._node("Add", [logits, filled], "logits_filled")

    def _network(self, x: str) -> str:
        """The nodes of the whole network on the value `x`; returns its logits."""
        self.names = {id(self.model.inputs[0]): x}
        for layer in self.model.layers:
            if isinstance(layer, layers.InputLayer):
                continue
            translate = self.translators.get(type(layer))
            if translate is None:
                raise ModelFileError(f"Layer {layer.name} of type {type(layer).__name__} has no translation to ONNX.")
            self.names[id(layer.output)] = translate(layer, [self.names[id(tensor)] for tensor in _inputs(layer)])
        return self.names[id(self.model.outputs[0])]

    # ------------------------------------------------------------ pieces

    def _constant(self, name: str, value: Any) -> str:
        if name in self.constants:
            return name
        self.constants.add(name)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(np.shape(value)), name))
        return name

    def _node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        name = self.prefix + name
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def _rescaling(self, layer: Any, names: list[str]) -> str:
        # Not "_scale": onnxruntime's quantizer names a tensor's scale so, and takes a constant of that name for it.
        factor = self._constant(f"{layer.name}_factor", np.float32(layer.scale))
        offset = self._constant(f"{layer.name}_offset", np.float32(layer.offset))
        return self._node("Add", [self._node("Mul", [names[0], factor], f"{layer.name}_mul"), offset], layer.name)

    def _conv(self, layer: Any, names: list[str]) -> str:
        return self._any_conv(layer, names, np.asarray(layer.kernel).transpose(3, 2, 0, 1), group=1)

    def _depthwise(self, layer: Any, names: list[str]) -> str:
        kernel = np.asarray(layer.kernel).transpose(2, 3, 0, 1)  # (h, w, C, 1) -> (C, 1, h, w)
        return self._any_conv(layer, names, kernel, group=kernel.shape[0])

    def _any_conv(self, layer: Any, names: list[str], kernel: np.ndarray, *, group: int) -> str:
        bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(kernel.shape[0], np.float32)
        after = self.consumers.get(id(layer.output), [])
        if len(after) == 1 and isinstance(after[0], layers.BatchNormalization):
            factor, shift = _norm_factors(after[0])
            kernel, bias = kernel * factor[:, None, None, None], bias * factor + shift
        inputs = [names[0], self._constant(f"{layer.name}/kernel", kernel), self._constant(f"{layer.name}/bias", bias)]
        name = self._node(
            "Conv", inputs, layer.name, kernel_shape=list(kernel.shape[2:]), strides=list(layer.strides),
            dilations=list(layer.dilation_rate), pads=_pads(layer), group=group,
        )  # fmt: skip
        return self._node("Relu", [name], f"{name}_relu") if layer.activation is keras.activations.relu else name

    def _norm(self, layer: Any, names: list[str]) -> str:
        # Folded into the convolution before it, the only place where our networks have one.
        before = _inputs(layer)[0]._keras_history.operation
        if (
            not isinstance(before, layers.Conv2D | layers.DepthwiseConv2D)
            or len(self.consumers[id(before.output)]) != 1
        ):
            raise ModelFileError(f"Batch-norm {layer.name} must follow a convolution that feeds nothing else.")
        return names[0]

    def _relu(self, layer: Any, names: list[str]) -> str:
        if layer.max_value is None:
            return self._node("Relu", names, layer.name)
        bounds = [
            self._constant(f"{layer.name}_{end}", np.float32(value))
            for end, value in (("min", 0), ("max", layer.max_value))
        ]
        return self._node("Clip", [names[0], *bounds], layer.name)

    def _upsample(self, layer: Any, names: list[str]) -> str:
        scales = self._constant(f"{layer.name}_scales", np.array([1, 1, *layer.size], np.float32))
        return self._resize(names[0], scales, layer.name)

    def _resize(self, value: str, scales: str, name: str) -> str:
        return self._node(
            "Resize", [value, "", scales], name, mode="linear", coordinate_transformation_mode="half_pixel"
        )

    def _broadcast(self, layer: Any, names: list[str]) -> str:
        pooled, like = names
        channels = int(layer.output.shape[-1])
        shape = self._node("Shape", [like], f"{layer.name}_like_shape")
        batch = self._node("Slice", [shape, *self._range(layer.name, "n", 0, 1)], f"{layer.name}_batch")
        size = self._node("Slice", [shape, *self._range(layer.name, "hw", 2, 4)], f"{layer.name}_size")
        width = self._constant(f"{layer.name}_channels", np.array([channels], np.int64))
        target = self._node("Concat", [batch, width, size], f"{layer.name}_shape", axis=0)
        return self._node("Expand", [pooled, target], layer.name)

    def _range(self, layer: str, what: str, start: int, end: int) -> list[str]:
        return [
            self._constant(f"{layer}_{what}_start", np.array([start], np.int64)),
            self._constant(f"{layer}_{what}_end", np.array([end], np.int64)),
        ]


def _inputs(layer: Any) -> list[Any]:
    return list(layer._inbound_nodes[0].input_tensors) if layer._inbound_nodes else []


def _norm_factors(norm: Any) -> tuple[np.ndarray, np.ndarray]:
    """A batch-norm as y = factor · x + shift."""
    factor = np.asarray(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    return factor, np.asarray(norm.beta) - np.asarray(norm.moving_mean) * factor


def _pads(layer: Any) -> list[int]:
    """ONNX pads [top, left, bottom, right] of TensorFlow's "same", for heights and widths that the stride divides."""
    if layer.padding == "valid":
        return [0, 0, 0, 0]
    begin, end = [], []
    for kernel, stride, dilation in zip(layer.kernel_size, layer.strides, layer.dilation_rate, strict=True):
        total = max(0, (kernel - 1) * dilation + 1 - stride)
        begin.append(total // 2)
        end.append(total - total // 2)
    return begin + end


def save_onnx(proto: onnx.ModelProto, file: Path) -> None:
    """Writes the model whole or not at all."""
    from standout.imaging.files import atomic_write

    with atomic_write(file) as stream:
        stream.write(proto.SerializeToString())
