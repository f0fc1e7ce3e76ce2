"""`load` a model by name or path; `Model.alpha` turns a frame into its alpha."""

from __future__ import annotations

import importlib.resources
import math
import os
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from standout.errors import ConfigError, ModelFileError
from standout.imaging.arrays import Alpha, Frame, check_frame, letterbox, resize
from standout.imaging.guided_filter import upsample_alpha
from standout.inference.devices import DeviceChoice, check_no_device
from standout.inference.hysteresis import apply_hysteresis
from standout.inference.session import Session
from standout.inference.tta import agree, merge_zoomed, on_frame, people_box
from standout.model_card import ModelCard


class Predictor(Protocol):
    """What the product needs of a model: `Model`, or anything that behaves like it."""

    @property
    def card(self) -> ModelCard: ...

    def alpha(self, frame: Frame, *, refine: bool = True) -> Alpha:
        """A new array, float32 (H, W) in [0, 1]."""
        ...


AnyModel = Predictor | str | Path | bytes | BinaryIO


def load(
    name_or_path: str | Path | bytes | BinaryIO = "photo",
    *,
    threads: int | None = None,
    device: DeviceChoice | None = None,
    tta: int = 1,
    input_size: int | None = None,
) -> Model:
    """Loads a model: a bundled one by its name, any other by its path or its bytes.

        >>> import numpy as np, standout
        >>> model = standout.load("live", threads=1)
        >>> model.alpha(np.zeros((48, 64, 3), np.uint8)).shape
        (48, 64)

    Args:
        name_or_path: "photo" (the default), "live", or an ONNX file written by `standout export`: its path, its bytes,
            or a file opened for reading bytes.
        threads: How many threads of the processor; None takes `STANDOUT_THREADS`, else its cores, at most 4.
        device: "auto", "cpu", "cuda", "tensorrt", "directml", "openvino", "qnn", "webgpu" or "coreml"; for some with a
            kind of hardware, as "openvino:gpu". By default `auto`: the first that is installed and works. onnxruntime's
            names of providers, and lists of them, are taken too.
        tta: Test-time augmentation of photos, at most so many passes through the network. 1: none. 2: a second pass
            at small people from nearer by, or in the mirror where nobody is small. 3: the nearer one in the mirror too.
        input_size: The longer side, in pixels, 32 … 2048, at which the network sees a frame; by default the one that
            its card names. Smaller is faster, larger finds smaller people. A file of fixed size keeps its own.

    Raises:
        ModelFileError: There is no such model, or the file is broken or no model of Standout.
        ConfigError: There is no such device, `tta` is not 1, 2 or 3, or `input_size` lies out of its range.
        DeviceError: The device that was asked for isn't installed, or doesn't compute here.
    """
    source, name = find_model(name_or_path)
    session = Session(source, threads=threads, device="auto" if device is None else device, name=name)
    return Model(session, tta=tta, input_size=input_size)


def model_of(model: AnyModel | None, *, device: DeviceChoice | None = None, default: str = "photo") -> Predictor:
    """The model itself, or the one that `load` gives for it, loaded once: the second call costs no loading.

    Raises:
        ConfigError: A device for a model that is loaded already.
        ModelFileError, DeviceError: Whatever `load` raises; or it is no model.
    """
    model = default if model is None else model
    if hasattr(model, "alpha") and hasattr(model, "card"):
        check_no_device(device)
        return model
    if isinstance(model, str | Path | bytes) and isinstance(device, str | None):
        return _loaded(model, device, None if isinstance(model, bytes) else _stamp(model))
    return load(model, device=device)


@lru_cache(maxsize=2)
def _loaded(name_or_path: str | Path | bytes, device: str | None, stamp: object) -> Model:  # noqa: ARG001 - part of the key
    """A model given by name is kept, unless its file has changed."""
    return load(name_or_path, device=device)


def _stamp(path: str | Path) -> tuple[int, int] | None:
    """(mtime_ns, size) of a file; None if there is none, as of a bundled model's name."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def bundled_names() -> list[str]:
    """The names of the models that came with Standout."""
    assets = importlib.resources.files("standout") / "assets"
    if not assets.is_dir():
        return []
    return sorted(entry.name.removesuffix(".onnx") for entry in assets.iterdir() if entry.name.endswith(".onnx"))


def find_model(name_or_path: str | Path | bytes | BinaryIO) -> tuple[Path | bytes, str]:
    """The model's file, or the bytes of the bundled one, and what to call it.

    Raises:
        ModelFileError: There is no such model.
    """
    if isinstance(name_or_path, bytes | bytearray | memoryview):
        return bytes(name_or_path), "the given model"
    if callable(getattr(name_or_path, "read", None)):
        data = name_or_path.read()  # type: ignore[union-attr]
        if not isinstance(data, bytes):
            raise ModelFileError(f"A model's file must be opened for reading bytes; it gave {type(data).__name__}.")
        return data, Path(str(getattr(name_or_path, "name", ""))).name or "the given model"
    if not isinstance(name_or_path, str | Path) or not str(name_or_path).strip():
        raise ModelFileError(
            f"The model must be a bundled one ({_bundled()}), or an ONNX file's path or bytes; "
            f"received {name_or_path!r:.80}."
        )
    text = str(name_or_path)
    looks_like_a_name = isinstance(name_or_path, str) and text.replace("-", "").replace("_", "").isalnum()
    if looks_like_a_name:
        bundled = importlib.resources.files("standout") / "assets" / f"{text}.onnx"
        if bundled.is_file():
            return bundled.read_bytes(), text
        if not Path(text).exists():
            raise ModelFileError(
                f"The model must be a bundled one ({_bundled()}) or the path of an ONNX file; received {text!r}."
            )
    return Path(text), Path(text).name


def _bundled() -> str:
    return ", ".join(f"`{name}`" for name in bundled_names()) or "none in this installation"


class Model:
    """A loaded network that separates people from their background; `load` makes it.

        >>> import numpy as np, standout
        >>> alpha = standout.load("live").alpha(np.zeros((48, 64, 3), np.uint8))
        >>> alpha.dtype.name, bool((alpha >= 0.5).any())
        ('float32', False)

    Attributes:
        card: The metadata stored in the model file.
        name: `photo`, `live`, or the file's name.
        tta: At most so many passes for a photo, as in `load`.
        input_size: The longer side at which the network sees a frame, in pixels.
        device: The device that it runs on: "cpu", "cuda", …
        reason: Why it runs there, in one sentence.
        share: The share of the network's nodes, 0 … 1, that run on the device itself; the processor does the others.
        providers: Where it runs, as onnxruntime calls it, first choice first.
    """

    def __init__(self, session: Session, *, tta: int = 1, input_size: int | None = None) -> None:
        if tta not in (1, 2, 3):
            raise ConfigError(f"`tta` must be 1, 2 or 3; received {tta!r}.")
        if input_size is not None and not (isinstance(input_size, int) and 32 <= input_size <= 2048):
            raise ConfigError(f"`input_size` must be a whole number from 32 to 2048; received {input_size!r}.")
        self.tta = tta
        fixed = max(session.size_hw) if session.size_hw is not None else None
        self.input_size: int = fixed or input_size or max(session.card.input_size)
        self._session = session
        self.card: ModelCard = session.card
        self.name: str = session.name
        self.device: str = session.device
        self.reason: str = session.reason
        self.share: float = session.share
        self.providers: tuple[str, ...] = session.providers

    def __repr__(self) -> str:
        return f"<Model {self.name} on {self.device}, {self.input_size} px>"

    def alpha(self, frame: Frame, *, refine: bool = True) -> Alpha:
        """How much of each pixel is person.

        Args:
            frame: uint8 RGB (H, W, 3), any size.
            refine: Bring alpha back to full resolution along the frame's own edges (`standout.imaging.guided_filter`);
                otherwise bilinearly.

        Returns:
            float32 (H, W) in [0, 1]. Never stretched to its own extremes: without people it is near 0 everywhere.

        Raises:
            InputError: `frame` is not uint8 RGB.
        """
        frame = check_frame(frame)
        small, alpha = self._look(frame)
        box = people_box(alpha, self.card.threshold) if self.card.zoom_gain and self.tta > 1 else None
        if box is not None and max(alpha.shape) >= self.card.zoom_gain * max(box.height, box.width):
            # Three passes are enough: the whole frame isn't seen in the mirror, too (docs/training-log.md, run 12).
            part = frame[on_frame(box, alpha, frame).slices]
            near = self._look(part)[1]
            alpha = merge_zoomed(alpha, box, self._with_mirror(part, near) if self.tta > 2 else near, frame)
            small = resize(frame, alpha.shape) if refine else small
        elif self.tta > 1:
            alpha = self._with_mirror(frame, alpha)
        return upsample_alpha(self._sure(alpha), frame, small if refine else None)

    def coarse(self, frame: Frame) -> Alpha:
        """Alpha at the network's own resolution, without the letterbox: (h, w) of the frame's proportions.

        One look, whatever the card says: for moving pictures, where the next frame is the second look.

        Raises:
            InputError: `frame` is not uint8 RGB.
        """
        return self._sure(self._look(check_frame(frame))[1])

    def network_size(self, height: int, width: int, *, zoom: float = 1.0) -> tuple[int, int]:
        """The (height, width) at which a frame of this size goes through the network, `zoom` times the usual one."""
        if self._session.size_hw is not None:
            return self._session.size_hw
        stride = self.card.multiple or self.card.output_stride
        scale = round(self.input_size * zoom) / max(height, width)
        # The small side's share of the network's work is saved for everything that isn't square.
        return _ceil_to(round(height * scale), stride), _ceil_to(round(width * scale), stride)

    def _sure(self, alpha: Alpha) -> Alpha:
        return apply_hysteresis(alpha, self.card.certainty, self.card.threshold)

    def _with_mirror(self, frame: Frame, alpha: Alpha) -> Alpha:
        """The alpha of this look and of one at the mirror image together, if the card wants that."""
        if not self.card.flip_scale:
            return alpha
        mirrored = self._look(frame, zoom=self.card.flip_scale, mirrored=True)[1]
        return agree(alpha, resize(mirrored, alpha.shape))

    def _look(self, frame: Frame, *, zoom: float = 1.0, mirrored: bool = False) -> tuple[Frame, Alpha]:
        """The frame at the network's size, and its alpha, both without the letterbox and neither mirrored."""
        canvas, box = letterbox(frame, self.network_size(*frame.shape[:2], zoom=zoom))
        # Mirrored only now: a photo of 12 megapixels would take 55 ms to turn around.
        seen = canvas[:, ::-1] if mirrored else canvas
        alpha: Alpha = self._session.run(np.ascontiguousarray(seen)[None])[0]
        if alpha.shape != canvas.shape[:2]:
            raise ModelFileError(
                f"`{self.name}` must return alpha of its input's size {canvas.shape[:2]}; "
                f"received {alpha.shape}; export it again."
            )
        alpha = np.ascontiguousarray(alpha[:, ::-1]) if mirrored else alpha
        return canvas[box.slices], alpha[box.slices]


def _ceil_to(value: int, stride: int) -> int:
    return max(stride, math.ceil(value / stride) * stride)
