"""Stand-ins with the real interface: a tiny ONNX file that obeys the model contract, and a model in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from standout.card import METADATA_KEY, ModelCard
from standout.pixels import Alpha, Frame, check_frame, resize

#: Steepness of the stand-ins' sigmoid: brightness 0.5 is alpha 0.5, white is 0.9999, black 0.0001.
STEEPNESS = 18.0


def tiny_card(size: tuple[int, int] = (64, 64), *, name: str = "tiny") -> ModelCard:
    """The card of the stand-ins."""
    return ModelCard(name=name, input_size=size, output_stride=16, encoder="brightness", licence="Apache-2.0")


def tiny_model(path: Path | str, size: tuple[int, int] = (64, 64), dynamic: bool = False) -> Path:
    """Writes an ONNX model in which whoever is bright is a person: alpha = sigmoid((mean RGB − 0.5) · 18).

    Args:
        path: The file to write.
        size: (height, width) of its input.
        dynamic: Leave height and width symbolic, so that any multiple of 16 works.
    """
    import onnx
    from onnx import TensorProto, helper

    shape: list[int | str] = ["height", "width"] if dynamic else list(size)
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[3], keepdims=0),
        helper.make_node("Div", ["mean", "scale"], ["unit"]),
        helper.make_node("Sub", ["unit", "half"], ["centred"]),
        helper.make_node("Mul", ["centred", "steepness"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["alpha"]),
    ]
    constants = {"scale": 255.0, "half": 0.5, "steepness": STEEPNESS}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, *shape, 3])],
        [helper.make_tensor_value_info("alpha", TensorProto.FLOAT, [1, *shape])],
        [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: tiny_card(size).to_json()})
    onnx.save(model, str(path))
    return Path(path)


class FakeModel:
    """`runtime.predict.Model` without a file: whoever is bright is a person. Counts its calls."""

    def __init__(self, size: tuple[int, int] = (64, 64)) -> None:
        self.card = tiny_card(size)
        self.name = self.card.name
        self.providers = ("CPUExecutionProvider",)
        self.calls = 0

    def coarse(self, frame: Frame) -> Alpha:
        """Alpha at the network's resolution, without the letterbox."""
        self.calls += 1
        frame = check_frame(frame)
        scale = min(self.card.input_size[0] / frame.shape[0], self.card.input_size[1] / frame.shape[1], 1.0)
        small = resize(frame, (max(1, round(frame.shape[0] * scale)), max(1, round(frame.shape[1] * scale))))
        unit = small.astype(np.float32).mean(axis=2) / 255
        alpha: Alpha = (1 / (1 + np.exp(-STEEPNESS * (unit - 0.5)))).astype(np.float32)
        return alpha

    def alpha(self, frame: Frame, *, refine: bool = True) -> Alpha:
        """Alpha of the frame's size; `refine` is accepted and means nothing here."""
        return np.clip(resize(self.coarse(frame), frame.shape[:2]), 0, 1)
