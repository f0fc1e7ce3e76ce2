"""The float form of an int8 model: the network that the int8 one approximates, with the same card and contract."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from standout.inference.dequantize import dequantize, is_quantized
from standout.model_card import METADATA_KEY

CPU = ["CPUExecutionProvider"]


def quantized_graph(rng: np.random.Generator) -> tuple[bytes, dict[str, Any]]:
    """x → Q/DQ (0 … 2) → convolution with weights per channel → y; and the numbers in it."""
    weights = rng.integers(-127, 128, (4, 3, 1, 1)).astype(np.int8)
    scales = rng.uniform(0.01, 0.02, 4).astype(np.float32)
    numbers = {
        "scale": np.float32(2 / 255),
        "zero": np.uint8(0),
        "weights": weights,
        "scales": scales,
        "zeros": np.zeros(4, np.int8),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["a"]),
        helper.make_node("DequantizeLinear", ["weights", "scales", "zeros"], ["w"], axis=0),
        helper.make_node("Conv", ["a", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "quantized",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 5, 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 5, 5])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in numbers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model.SerializeToString(), numbers


def test_it_is_the_network_without_rounding_and_with_the_clipping_of_the_quantizer() -> None:
    data, numbers = quantized_graph(np.random.default_rng(0))
    x = np.linspace(-1, 3, 75, dtype=np.float32).reshape(1, 3, 5, 5)
    (y,) = onnxruntime.InferenceSession(dequantize(data), providers=CPU).run(None, {"x": x})
    weights = numbers["weights"][:, :, 0, 0] * numbers["scales"][:, None]
    np.testing.assert_allclose(y[0], np.einsum("oi,ihw->ohw", weights, np.clip(x[0], 0, 2)), atol=1e-5)


def test_a_float_model_stays_as_it_is() -> None:
    data, _ = quantized_graph(np.random.default_rng(0))
    once = dequantize(data)
    assert is_quantized(data) and not is_quantized(once) and dequantize(once) == once


@pytest.mark.slow
@pytest.mark.parametrize("name", ["live", "photo"])
def test_a_bundled_model_keeps_its_card_and_nearly_its_alpha(name: str) -> None:
    data = (files("standout") / "assets" / f"{name}.onnx").read_bytes()
    plain = dequantize(data)
    onnx.checker.check_model(onnx.load_from_string(plain))
    sessions = [onnxruntime.InferenceSession(form, providers=CPU) for form in (data, plain)]
    cards = [session.get_modelmeta().custom_metadata_map[METADATA_KEY] for session in sessions]
    assert cards[0] == cards[1]
    from PIL import Image

    with Image.open(str(files("standout") / "assets" / "astronaut.jpg")) as image:
        frame = np.asarray(image.convert("RGB").resize((256, 256)))[None]
    before, after = (session.run(None, {session.get_inputs()[0].name: frame})[0] for session in sessions)
    assert np.abs(before - after).mean() < 0.03 and ((before >= 0.5) != (after >= 0.5)).mean() < 0.03
