"""The judges: networks that each say, pixel by pixel, where the people are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import ConfigError, InputError, MissingExtra
from standout.imaging.arrays import Alpha, Frame
from standout.inference.model import bundled_names, load

#: Called with a frame, gives its alpha, float32 (H, W) in [0, 1].
Judge = Callable[[Frame], Alpha]

#: Class of DeepLab's map: the persons of PASCAL VOC.
_PERSON_OF_VOC = 15


@dataclass(frozen=True)
class JudgeFile:
    """A judge that isn't loaded yet; pickled on its way to the workers, which needn't have its file.

    Attributes:
        kind: `own` (a bundled model or an ONNX file of ours), `deeplab` (DeepLabV3 of COCO + VOC, int8 TensorFlow Lite)
            or `selfie` (MediaPipe selfie segmentation, TensorFlow Lite).
        name: The name of the file, or of the bundled model.
        content: The bytes of the file; None for a bundled model.
    """

    kind: str
    name: str
    content: bytes | None = field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """The beginning of the SHA-256 of its file; of a bundled model, its name."""
        return hashlib.sha256(self.content).hexdigest()[:12] if self.content is not None else self.name

    def load(self, threads: int) -> Judge:
        """The judge itself.

        Raises:
            ModelFileError: It is no model of Standout.
            InputError: It is no TensorFlow Lite network of this kind.
            MissingExtra: There is nothing that runs TensorFlow Lite.
        """
        return _LOADERS[self.kind](self, threads)


def parse_judge(text: str) -> JudgeFile:
    """A judge as it is named on the command line: `own=photo`, `deeplab=FILE`.

    Raises:
        ConfigError: There is no such kind.
        InputError: There is no such file.

    Example:
        >>> parse_judge("own=photo")
        JudgeFile(kind='own', name='photo')
        >>> parse_judge("guess=photo")
        Traceback (most recent call last):
        standout.errors.ConfigError: A judge must be own=MODEL, deeplab=FILE or selfie=FILE; received 'guess=photo'.
    """
    kind, separator, name = text.partition("=")
    if kind not in _LOADERS or not separator or not name:
        raise ConfigError(f"A judge must be own=MODEL, deeplab=FILE or selfie=FILE; received {text!r}.")
    if kind == "own" and name in bundled_names():
        return JudgeFile(kind, name)
    try:
        return JudgeFile(kind, Path(name).name, Path(name).read_bytes())
    except OSError as error:
        raise InputError(f"The judge `{name}` can't be read: {error.strerror or error}.") from error


def mirrored_too(judge: Judge) -> Judge:
    """The mean of what a judge says of a frame and of its mirror image."""

    def both(frame: Frame) -> Alpha:
        mirrored = np.ascontiguousarray(frame[:, ::-1])
        return np.asarray((judge(frame) + judge(mirrored)[:, ::-1]) / 2, np.float32)

    return both


def _own(file: JudgeFile, threads: int) -> Judge:
    source = file.name if file.content is None else file.content
    return mirrored_too(load(source, threads=threads, device="cpu").alpha)


def _deeplab(file: JudgeFile, threads: int) -> Judge:
    run, (side, _) = _tflite(file, threads, channels=None)

    def judge(frame: Frame) -> Alpha:
        """The class map is scaled bilinearly, so edges are soft."""
        height, width = frame.shape[:2]
        scale = side / max(height, width)
        h, w = max(1, round(height * scale)), max(1, round(width * scale))
        canvas = np.full((side, side, 3), 127, np.uint8)
        canvas[:h, :w] = cv2.resize(frame, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        person = (run(canvas) == _PERSON_OF_VOC)[:h, :w].astype(np.float32)
        return np.asarray(cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    return mirrored_too(judge)


def _selfie(file: JudgeFile, threads: int) -> Judge:
    run, (height, width) = _tflite(file, threads, channels=1)

    def judge(frame: Frame) -> Alpha:
        pixels = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        alpha = cv2.resize(run(pixels)[..., 0], frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return np.clip(alpha, 0, 1).astype(np.float32)

    return judge


_LOADERS: dict[str, Callable[[JudgeFile, int], Judge]] = {"own": _own, "deeplab": _deeplab, "selfie": _selfie}


def _tflite(
    file: JudgeFile, threads: int, *, channels: int | None
) -> tuple[Callable[..., NDArray[Any]], tuple[int, int]]:
    """A TensorFlow Lite network as a function of one picture, and the (height, width) of its input."""
    try:
        net = _interpreter()(model_content=file.content, num_threads=threads)
        net.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise InputError(f"The judge `{file.name}` must be a TensorFlow Lite network; it can't be loaded.") from error
    given, taken = net.get_input_details()[0], net.get_output_details()[0]
    shape, out = tuple(given["shape"]), tuple(taken["shape"])
    fits = len(shape) == 4 and shape[3] == 3 and (channels is None and len(out) == 3 or channels == out[-1])
    if not fits:
        raise InputError(
            f"The judge `{file.name}` must map pictures to a {file.kind} map; it maps {shape} to {out}: "
            "is it the file of another network?"
        )

    def run(pixels: NDArray[Any]) -> NDArray[Any]:
        net.set_tensor(given["index"], pixels[None])
        net.invoke()
        return np.asarray(net.get_tensor(taken["index"])[0])

    return run, (int(shape[1]), int(shape[2]))


def _interpreter() -> Any:
    """LiteRT's, or TensorFlow's where that is installed anyway."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tensorflow.lite import Interpreter
        except ImportError as error:
            raise MissingExtra("A judge in TensorFlow Lite", "label") from error
    return Interpreter
