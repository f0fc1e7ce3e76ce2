"""Float to int8: a third of the size, about half the time (docs/training-log.md holds what it costs in quality).

Static quantization by onnxruntime, written as QuantizeLinear/DequantizeLinear pairs (arXiv 1712.05877): weights per
channel, activations by the range that they have on photographs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from standout.errors import ModelFileError
from standout.imaging.arrays import Frame, letterbox
from standout.workshop.data.labels import read_image
from standout.workshop.data.pair import Pair
from standout.workshop.data.pairs import find_pairs
from standout.workshop.data.split import own_parts

#: What is worth quantizing; the upsampling, the sigmoid and the fill are a sliver of the time.
QUANTIZED = ("Conv", "Add", "Concat", "Clip", "Relu")
#: Nodes that stay float. 256 steps over the whole range of a logit would be steps of alpha that one can see.
FLOAT_NODES = ("scale_input", "logits", "logits_filled")
#: Photographs to calibrate on, and how many of them the result is compared with the float model on.
CALIBRATION, COMPARED = 60, 12
#: The largest share of pixels that may change sides of alpha 0.5.
TOLERANCE = 0.02


def quantize(proto: onnx.ModelProto, folder: Path, size_hw: tuple[int, int]) -> tuple[onnx.ModelProto, float]:
    """Quantizes a model.

    Args:
        proto: The float model, uint8 RGB (1, H, W, 3) to alpha.
        folder: Photographs as `find_pairs` reads them: those that were trained on, never those to be measured on.
        size_hw: (height, width) of the network.

    Returns:
        The int8 model with the same card, and the share of pixels that change sides of alpha 0.5, in 0 … 1.

    Raises:
        DataError: There are no photographs (`find_pairs`).
        ModelFileError: More than `TOLERANCE` of the pixels change sides.
    """
    pairs = own_parts(find_pairs(folder)[0])[0]
    chosen = pairs[:: max(1, len(pairs) // CALIBRATION)][:CALIBRATION]
    with tempfile.TemporaryDirectory() as scratch:
        given, prepared, quantized = (Path(scratch) / f"{name}.onnx" for name in ("float", "prepared", "int8"))
        onnx.save(proto, given)
        quant_pre_process(str(given), str(prepared), skip_symbolic_shape=True)
        names = [node.name for node in onnx.load(prepared).graph.node]
        quantize_static(
            str(prepared), str(quantized), _Reader(_frames(chosen, size_hw), proto.graph.input[0].name),
            quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8, op_types_to_quantize=list(QUANTIZED),
            nodes_to_exclude=[name for name in names if name.rsplit("/")[-1] in FLOAT_NODES],
            # Seven bits of weight: without VNNI, AVX2 adds pairs of products in 16 bits, where eight would overflow.
            reduce_range=True,
        )  # fmt: skip
        result = onnx.load(quantized)
    changed = _changed_sides(proto, result, _frames(chosen[:: max(1, len(chosen) // COMPARED)], size_hw))
    if changed > TOLERANCE:
        raise ModelFileError(
            f"The int8 model may change at most {TOLERANCE:.0%} of the pixels; it changes {changed:.1%}; "
            "export it without --int8."
        )
    return result, changed


def _frames(pairs: Sequence[Pair], size_hw: tuple[int, int]) -> Iterator[Frame]:
    for pair in pairs:
        yield np.ascontiguousarray(letterbox(read_image(pair.image), size_hw)[0])[None]


class _Reader(CalibrationDataReader):
    def __init__(self, frames: Iterator[Frame], name: str):
        self._frames, self._name = frames, name

    def get_next(self) -> dict[str, Any] | None:
        frame = next(self._frames, None)
        return None if frame is None else {self._name: frame}


def _changed_sides(before: onnx.ModelProto, after: onnx.ModelProto, frames: Iterator[Frame]) -> float:
    sessions = [
        onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
        for proto in (before, after)
    ]
    shares = []
    for frame in frames:
        first, second = (session.run(None, {session.get_inputs()[0].name: frame})[0] >= 0.5 for session in sessions)
        shares.append((first != second).mean())
    return float(np.mean(shares))
