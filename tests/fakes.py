"""Stand-ins with the real interface: a tiny ONNX file that obeys the model contract, and a model in memory."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from standout.id_photo.faces import Face
from standout.imaging.arrays import Alpha, Frame, check_frame, resize
from standout.model_card import METADATA_KEY, ModelCard

#: Steepness of the stand-ins' sigmoid: brightness 0.5 is alpha 0.5, white is 0.9999, black 0.0001.
STEEPNESS = 18.0


def tiny_card(size: tuple[int, int] = (64, 64), *, name: str = "tiny") -> ModelCard:
    """The card of the stand-ins."""
    return ModelCard(name=name, input_size=size, output_stride=16, encoder="brightness", license="Apache-2.0")


def tiny_model(
    path: Path | str, size: tuple[int, int] = (64, 64), dynamic: bool = False, *, nobody: bool = False
) -> Path:
    """Writes an ONNX model in which whoever is bright is a person: alpha = sigmoid((mean RGB − 0.5) · 18).

    Args:
        path: The file to write.
        size: (height, width) of its input.
        dynamic: Leave height and width symbolic, so that any multiple of 16 works.
        nobody: Take nobody for a person, however bright.
    """
    import onnx
    from onnx import TensorProto, helper

    shape: list[int | str] = ["height", "width"] if dynamic else list(size)
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[3], keepdims=0),
        helper.make_node("Div", ["mean", "scale"], ["unit"]),
        helper.make_node("Sub", ["unit", "half"], ["centered"]),
        helper.make_node("Mul", ["centered", "steepness"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["alpha"]),
    ]
    constants = {"scale": 255.0, "half": 2.0 if nobody else 0.5, "steepness": STEEPNESS}
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
    """`inference.model.Model` without a file: whoever is bright is a person. Counts its calls."""

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


class FakeFaces:
    """`id_photo.faces.Mtcnn` that knows the answer: the faces that it was given."""

    def __init__(self, *faces: Face) -> None:
        self.faces = list(faces)

    def find(self, frame: Frame) -> list[Face]:
        """The faces, whatever the frame."""
        return self.faces


def face_at(
    eyes: tuple[float, float], pupils: float = 120.0, *, tilt: float = 0.0, nose: float = 0.0, side: float | None = None
) -> Face:
    """A face with usual proportions.

    Args:
        eyes: The middle between the pupils, (x, y).
        pupils: Their distance, pixels.
        tilt: Degrees, positive with the right-hand eye lower.
        nose: How far the tip of the nose is off the middle, share of `pupils`.
        side: Height of the box, pixels.
    """
    angle = np.radians(tilt)
    turn = pupils * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    own = np.array([[-0.5, 0], [0.5, 0], [nose, 0.65], [-0.4, 1.1], [0.4, 1.1]])
    half = (side or 2.4 * pupils) / 2
    x, y = eyes[0], eyes[1] + 0.5 * pupils
    return Face((x - half, y - half, x + half, y + half), 0.999, own @ turn.T + np.array(eyes))


def portrait(
    size: tuple[int, int] = (1200, 1000),
    eyes: tuple[float, float] = (500.0, 420.0),
    pupils: float = 120.0,
    tilt: float = 0.0,
) -> Frame:
    """A bright head with shoulders on dark blue, turned by `tilt` around the eyes; the pupils are red dots.

    The head reaches 2 · pupils above the eye line; its chin lies where `measure_head` expects that of `face_at`.
    """
    scale = 8  # of cv2's sub-pixel positions
    canvas = np.full((*size, 3), (10, 20, 60), np.uint8)
    middle = (eyes[0], eyes[1] - 0.05 * pupils)
    axes = (1.25 * pupils, 1.95 * pupils)

    def place(x: float, y: float) -> tuple[int, int]:
        angle = np.radians(tilt)
        dx, dy = x - eyes[0], y - eyes[1]
        across, down = dx * np.cos(angle) - dy * np.sin(angle), dx * np.sin(angle) + dy * np.cos(angle)
        return round((eyes[0] + across) * scale), round((eyes[1] + down) * scale)

    skin = (250, 240, 230)
    body = [place(eyes[0] + dx * pupils, eyes[1] + dy * pupils) for dx, dy in ((-2, 9), (-2, 2.6), (2, 2.6), (2, 9))]
    cv2.fillPoly(canvas, [np.array(body, np.int32)], skin, cv2.LINE_AA, 3)
    neck = [
        place(eyes[0] + dx * pupils, eyes[1] + dy * pupils) for dx, dy in ((-0.6, 3), (-0.6, 1), (0.6, 1), (0.6, 3))
    ]
    cv2.fillPoly(canvas, [np.array(neck, np.int32)], skin, cv2.LINE_AA, 3)
    longs = (round(axes[0] * scale), round(axes[1] * scale))
    cv2.ellipse(canvas, place(*middle), longs, tilt, 0, 360, skin, -1, cv2.LINE_AA, 3)
    for side in (-0.5, 0.5):
        cv2.circle(
            canvas, place(eyes[0] + side * pupils, eyes[1]), round(5 * scale), (255, 120, 120), -1, cv2.LINE_AA, 3
        )
    return canvas
