"""ModelCard <-> JSON: what a model is, where it comes from, what it scored. It travels inside the ONNX file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from standout.errors import ModelFileError
from standout.text_files import TextFileError, parse_json

#: The key of the ONNX metadata under which the card lies.
METADATA_KEY = "standout.card"


@dataclass(frozen=True)
class ModelCard:
    """Metadata stored in a model file.

    Attributes:
        name: `photo`, `live`, or the name of the run.
        input_size: (height, width) of the network's input, pixels. The graph takes uint8 RGB
            (1, height, width, 3) and returns alpha, float32 (1, height, width) in [0, 1].
        output_stride: The encoder's output stride: input side by side of its last features.
        multiple: What a picture's height and width at the network must be multiples of; 0: the output stride.
        scales: The graph looks at the picture at these scales: the first for details, the second fills large people.
        flip_scale: Test-time augmentation of photos, not of video frames: a pass over the mirrored photo, at this
            multiple of `input_size`; 0: none.
        zoom_gain: Test-time augmentation of photos: a pass over the people alone where they can be magnified by at
            least this; the mirrored pass then sees this part instead of the whole photo. 0: none.
        encoder: The encoder's name.
        precision: What it computes in, float32 or int8.
        threshold: The alpha from which a pixel counts as person.
        certainty: A connected piece of person in which no pixel's alpha reaches this is a guess and is left out;
            0 keeps every piece. Chosen on photographs held out of training.
        parameters: Number of weights.
        data: One line per source: name, number of photographs, origin and license.
        data_hash: SHA-256 over the manifest of the training set.
        revision: Git revision of the code that trained it, or its version where it was installed.
        samples: Pictures that training has seen, those of the runs it went on from included if a card file says so.
        scores: Set name -> metric -> value, as `standout evaluate` prints them.
        speed: Time and memory, with the machine named.
        calibration: Whether the threshold is the best one, as `standout evaluate --calibrate` says.
        start: The weights that training began with, and their license.
        license: The license of the model file.
        limits: What it can't do, a sentence each.

    Example:
        >>> card = ModelCard("mine", (256, 256), threshold=0.4)
        >>> ModelCard.from_json(card.to_json()) == card
        True
    """

    name: str
    input_size: tuple[int, int]
    output_stride: int = 16
    multiple: int = 0
    scales: tuple[float, ...] = (1.0,)
    flip_scale: float = 0.0
    zoom_gain: float = 0.0
    encoder: str = ""
    precision: str = "float32"
    threshold: float = 0.5
    certainty: float = 0.0
    parameters: int = 0
    data: tuple[str, ...] = ()
    data_hash: str = ""
    revision: str = ""
    samples: int = 0
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    speed: str = ""
    calibration: str = ""
    start: str = ""
    license: str = "Apache-2.0"
    limits: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The card as one JSON object."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Reads a card; keys of a newer version are left out.

        Raises:
            ModelFileError: The text is no card, or a value is of another type or out of range.
        """
        try:
            raw = parse_json(text)
        except TextFileError as error:
            raise ModelFileError(f"The model card must be a JSON object; received {text[:60]!r} ({error}).") from error
        if not isinstance(raw, dict) or not {"name", "input_size"} <= raw.keys():
            raise ModelFileError(
                f"The model card must be a JSON object with `name` and `input_size`; received {text[:60]!r}."
            )
        values = {f.name: raw[f.name] for f in dataclasses.fields(cls) if f.name in raw}
        for key in ("input_size", "data", "limits", "scales"):
            if isinstance(values.get(key), list):
                values[key] = tuple(values[key])
        card = cls(**values)
        check_card(card)
        return card


#: No network of ours looks at larger pictures, and one of this size already takes minutes.
_LARGEST_SIDE = 8192


def check_card(card: ModelCard) -> None:
    """Refuses a card of which something would fail, or take the machine's memory, later on.

    Raises:
        ModelFileError: It names the first value that is out of range.
    """
    sides = card.input_size
    texts = ("name", "encoder", "precision", "data_hash", "revision", "speed", "calibration", "start", "license")
    rules: list[tuple[bool, str, str]] = [
        (isinstance(sides, tuple) and len(sides) == 2 and all(_whole(side, 1, _LARGEST_SIDE) for side in sides),
         "input_size", f"two whole numbers, height and width, 1 … {_LARGEST_SIDE}"),
        (_whole(card.output_stride, 1, 128), "output_stride", "a whole number, 1 … 128"),
        (_whole(card.multiple, 0, 1024), "multiple", "a whole number, 0 … 1024"),
        (isinstance(card.scales, tuple) and len(card.scales) > 0 and all(_number(s, 0.05, 8) for s in card.scales),
         "scales", "a list of numbers, 0.05 … 8"),
        (_number(card.flip_scale, 0, 8), "flip_scale", "a number, 0 … 8"),
        (_number(card.zoom_gain, 0, 1000), "zoom_gain", "a number, 0 … 1000"),
        (_number(card.threshold, 0, 1), "threshold", "a number, 0 … 1"),
        (_number(card.certainty, 0, 1), "certainty", "a number, 0 … 1"),
        (_whole(card.parameters, 0, 10**12), "parameters", "a whole number"),
        (_whole(card.samples, 0, 10**15), "samples", "a whole number"),
        *((isinstance(getattr(card, key), str), key, "a text") for key in texts),
        *((isinstance(lines := getattr(card, key), tuple) and all(isinstance(line, str) for line in lines), key,
           "a list of texts") for key in ("data", "limits")),
        (isinstance(card.scores, dict) and all(isinstance(scores, dict) for scores in card.scores.values()),
         "scores", "an object of objects"),
        (_is_json(card.scores), "scores", "made of numbers, texts and lists"),
    ]  # fmt: skip
    for holds, key, allowed in rules:
        if not holds:
            received = repr(getattr(card, key))[:60]
            raise ModelFileError(
                f"The model card's `{key}` must be {allowed}; received {received}; export the model again."
            )


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
