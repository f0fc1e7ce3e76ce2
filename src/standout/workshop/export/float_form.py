"""The float32 form of an int8 model as a file: for devices, and for programs other than ours, without int8 kernels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from standout.errors import ConfigError
from standout.imaging.files import atomic_write
from standout.inference.dequantize import dequantize, with_card
from standout.inference.model import find_model
from standout.inference.session import Session
from standout.model_card import ModelCard


def write_float(source: Path | str, output: Path) -> ModelCard:
    """Writes a model's float32 form; a model that is float32 already is copied.

    Args:
        source: A bundled model's name, or an ONNX file of `standout export`.
        output: The .onnx file.

    Returns:
        The card that was written: the source's, with `precision` float32.

    Raises:
        ConfigError: `output` is no .onnx file.
        ModelFileError: There is no such model, or the file is broken or no model of Standout.
        OutputError: The file can't be written.
    """
    if output.suffix.lower() != ".onnx":
        raise ConfigError(f"`output` must be an .onnx file; received {output.name!r}.")
    found, name = find_model(source)
    data = found if isinstance(found, bytes) else Path(found).read_bytes() if Path(found).is_file() else b""
    card = Session(data or found, device="cpu", name=name).card
    card = dataclasses.replace(card, precision="float32")
    written = with_card(dequantize(data), card)
    with atomic_write(output) as stream:
        stream.write(written)
    return card
