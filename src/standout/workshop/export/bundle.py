"""From a run folder to a model file: load the averaged weights, translate, check, write."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from standout.errors import ConfigError, ModelFileError
from standout.model_card import ModelCard, check_card
from standout.text_files import TextFileError, read_csv, read_json, read_toml
from standout.workshop.export.onnx import save_onnx, to_onnx
from standout.workshop.export.parity import check_parity
from standout.workshop.model.deeplab import input_multiple
from standout.workshop.model.weights import load_run

T = TypeVar("T")

#: The keys that a card file may fill in; the rest is known from the run.
CARD_KEYS = (
    "calibration", "certainty", "data", "flip_scale", "license", "limits", "name", "samples", "scores", "speed",
    "start", "threshold", "zoom_gain",
)  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """What an export was.

    Attributes:
        card: The model card that was written.
        difference: The largest difference of alpha between Keras and the float ONNX graph.
        changed: The share of pixels that int8 moves to the other side of alpha 0.5; 0 for float32.
    """

    card: ModelCard
    difference: float
    changed: float


def export_run(
    run: Path,
    output: Path,
    *,
    size_hw: tuple[int, int] | None = None,
    weights: str = "best",
    card_files: Sequence[Path] = (),
    scores_file: Path | None = None,
    two_scales: bool = False,
    int8: Path | None = None,
) -> Exported:
    """Exports a run to ONNX.

    Args:
        run: A run folder.
        output: The .onnx file to write.
        size_hw: (height, width) that pictures are letterboxed to; the run's validation size by default.
        weights: `best` or `last`.
        scores_file: What `standout evaluate --json` wrote of this run, for the card; otherwise the card has the IoU on
            what was held out while training.
        two_scales: The graph looks at the picture at half its size too, and fills what it sees there of people who are
            too large for the whole size: a quarter more work.
        card_files: TOML with what only people know: data, licenses, limits; a later file wins.
        int8: Photographs of the training set to calibrate an int8 model on; None: float32.

    Raises:
        ModelFileError: The run is not complete, the export differs from Keras, or int8 from float32; nothing is
            written then.
        DataError: `int8` holds no photographs.
        ConfigError: The size doesn't fit the stride, or the card file isn't one.
    """
    model, config, record = load_run(run, weights)
    side = config.data.val_size or config.data.size
    size_hw = size_hw or (side, side)
    stride = max(input_multiple(config.model), 16) * (2 if two_scales else 1)
    if min(size_hw) <= 0 or size_hw[0] % stride or size_hw[1] % stride:
        raise ConfigError(f"`size_hw` must be multiples of {stride}; received {size_hw[0]}×{size_hw[1]}.")
    card = ModelCard(
        name=run.name, input_size=size_hw, multiple=stride, scales=(1.0, 0.5) if two_scales else (1.0,),
        output_stride=config.model.output_stride, encoder=config.model.encoder,
        parameters=model.count_params(), data_hash=record["data_hash"], revision=record["revision"],
        samples=_samples(run, config.train.batch), start=record.get("start", ""), scores=_validation_scores(run),
        precision="int8" if int8 else "float32",
    )  # fmt: skip
    for file in card_files:
        card = dataclasses.replace(card, **_read_card_file(file))
    if scores_file:
        card = dataclasses.replace(card, scores=read_scores(scores_file))
    proto = to_onnx(model, card)
    difference, changed = check_parity(model, proto, size_hw, stride, two_scales=two_scales), 0.0
    if int8:
        from standout.workshop.export.quantize import quantize

        proto, changed = quantize(proto, int8, size_hw)
    save_onnx(proto, output)
    return Exported(card, difference, changed)


def _history(run: Path) -> list[dict[str, str]]:
    file = run / "history.csv"
    if not file.is_file():
        return []
    try:
        return read_csv(file)[1]
    except TextFileError as error:
        raise ModelFileError(f"{file} can't be read: {error}.") from error


def _samples(run: Path, batch: int) -> int:
    rows = _history(run)
    return _figure(run, rows[-1], "step", int) * batch if rows else 0


def _validation_scores(run: Path) -> dict[str, dict[str, Any]]:
    rows = [row for row in _history(run) if row.get("iou")]
    if not rows:
        return {}
    best = max(_figure(run, row, "iou", float) for row in rows)
    return {"held out while training": {"person_iou": round(best, 4)}}


def _figure(run: Path, row: dict[str, str], column: str, kind: Callable[[str], T]) -> T:
    try:
        return kind(row[column])
    except (KeyError, ValueError) as error:
        raise ModelFileError(
            f"{run / 'history.csv'} must hold a number in every `{column}`; received {row.get(column)!r}."
        ) from error


def read_scores(file: Path) -> dict[str, dict[str, Any]]:
    """What a model card holds of a report of `standout evaluate --json`.

    Returns:
        Scores per set, by the person's share of the picture, and by the number of figures.

    Raises:
        ConfigError: The file is no such report.
    """
    try:
        report = read_json(file)
        scores = {
            **report["sets"],
            **{f"person takes {size}": score for size, score in report["by_size"].items()},
            **{f"figures: {figures}": score for figures, score in report["by_figures"].items()},
        }
        check_card(ModelCard("", (1, 1), scores=scores))
    except (TextFileError, ModelFileError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"The scores must be a file of `standout evaluate --json`; {file} is not ({error})."
        ) from error
    return scores


def _read_card_file(file: Path) -> dict[str, Any]:
    try:
        raw = read_toml(file)
    except TextFileError as error:
        raise ConfigError(f"The card file {file} can't be read: {error}.") from error
    unknown = sorted(set(raw) - set(CARD_KEYS))
    if unknown:
        raise ConfigError(f"The card file {file} may hold {', '.join(CARD_KEYS)}; received {', '.join(unknown)}.")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    try:
        check_card(ModelCard(**{"name": "", "input_size": (1, 1)} | values))
    except ModelFileError as error:
        raise ConfigError(f"The card file {file} can't be used: {error}") from error
    return values
