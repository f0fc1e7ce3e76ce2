"""Settings: a frozen dataclass per stage, filled from a TOML file and then from `key=value` words.

An unknown key is an error that names its nearest neighbor, and a value of the wrong type is one too. A key is
written with its stage (`train.batch=4`) or, since no two stages share a name, without (`batch=4`).
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from standout.errors import ConfigError, ModelFileError
from standout.text_files import TextFileError, read_json, read_toml


@dataclass(frozen=True)
class ModelOptions:
    """The network. The defaults are a plain DeepLabV3+; recipes/photo.toml has those of the bundled networks."""

    encoder: str = "mobilenet_v2"  # a name of model/backbones.py: BACKBONES
    width: float = 1.0  # multiplies MobileNetV2's channels
    output_stride: int = 16  # of the encoder; 8 is finer and some 3 times slower, 32 coarser and a quarter quicker
    rates: tuple[int, ...] = (6, 12, 18)  # of ASPP at stride 16; doubled at stride 8
    aspp_channels: int = 128
    low_level_channels: int = 48  # stride-4 features are reduced to this
    decoder_channels: int = 128
    refine_channels: int = 0  # > 0: one more decoder step on stride-2 features
    context_channels: int = 0  # > 0: blocks at stride 32 that see the whole picture join ASPP
    context_blocks: int = 3  # how many
    dropout: float = 0.0  # after ASPP
    weights: str = ""  # .npz or .weights.h5 to start from; ImageNet's: recipes/imagenet.py


@dataclass(frozen=True)
class DataOptions:
    """What the network sees."""

    size: int = 256  # side of the square training picture, pixels, a multiple of 32
    val: str = ""  # a data set to validate on; otherwise part of DATA is held out
    person: str = ""  # the category that is person, or its value in label pictures: "rider", "15", "#c08080", "any"
    val_fraction: float = 0.05
    val_size: int = 0  # side of the validation letterbox; 0: `size`
    weights_by_set: dict[str, float] = field(default_factory=dict)  # how often each set is drawn; 1 by default
    paste_fraction: float = 0.22  # share of samples that are cut-out people on photographs without people
    negative_fraction: float = 0.06  # share of photographs with nobody
    clothes: float = 0.25  # share of samples whose clothes are recolored or retextured; badges on half as many
    held: float = 0.06  # share of samples with a thing put across somebody's outline
    light: float = 0.2  # share of samples lit as a webcam sees people: window behind, screen glow, one lamp, dark room
    augment: bool = True
    zoom_out: float = 0.35  # share of samples that show the whole photograph
    workers: int = 1  # processes that read and augment


@dataclass(frozen=True)
class TrainOptions:
    """How it is trained."""

    steps: int = 10_000  # the budget, unless `minutes` ends first
    minutes: float = 0.0  # 0: no limit of time
    batch: int = 8
    lr: float = 1e-3  # of ASPP and decoder, at the top of the cosine
    encoder_lr: float = 0.15  # the encoder's share of it
    warmup: int = 100  # steps
    weight_decay: float = 1e-4
    freeze: int = 1  # the first so many encoder stages stay as they are
    teacher: str = ""  # the run folder of a larger network, to start from where layers fit and to learn from
    distill: float = 1.0  # the loss gets this much of the cross-entropy with the teacher's alpha
    bce_weight: float = 2.0  # loss = k·BCE − Dice
    edge_weight: float = 0.0  # BCE counts 1 + this much within 2 px of a person's edge
    region_weight: float = 0.0  # of the worst squares of 16 px: holes in people, and ghosts
    matte_weight: float = 0.0  # of alpha's error and its gradient's: what hair is made of
    ema: float = 0.998  # decay of the averaged weights, which are what is validated and exported; 0: none
    validate_every: int = 250  # steps
    seed: int = 0
    mixed_precision: bool = True  # where it is faster: float16 on a GPU, bfloat16 on some CPUs
    memory_limit_mb: int = 3500  # of GPU memory, so that a 4 GB card will do


@dataclass(frozen=True)
class Config:
    """Everything that makes a run what it is."""

    model: ModelOptions = field(default_factory=ModelOptions)
    data: DataOptions = field(default_factory=DataOptions)
    train: TrainOptions = field(default_factory=TrainOptions)

    def to_dict(self) -> dict[str, Any]:
        """The settings as nested plain dictionaries."""
        return dataclasses.asdict(self)


#: Neither infinity nor "not a number" is a setting.
_HUGE = 1e12

_STAGES: dict[str, type] = {"model": ModelOptions, "data": DataOptions, "train": TrainOptions}


def load_config(file: Path | None = None, words: Iterable[str] = ()) -> Config:
    """Reads a TOML file, then `key=value` words, which win.

    Raises:
        ConfigError: The file can't be read, a key is unknown, a value is of another type or out of range.
    """
    values = _read_values(file, words)
    config = Config(**{stage: cls(**values[stage]) for stage, cls in _STAGES.items()})
    _check_ranges(config)
    return config


def given_settings(file: Path | None = None, words: Iterable[str] = ()) -> set[str]:
    """The settings ("stage.name") that a TOML file and `key=value` words name, whatever their values.

    Raises:
        ConfigError: A key is unknown, or a value has the wrong type or is out of range.
    """
    return {f"{stage}.{name}" for stage, inner in _read_values(file, words).items() for name in inner}


def _read_values(file: Path | None, words: Iterable[str]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {stage: {} for stage in _STAGES}
    if file is not None:
        for key, value in _read_toml(file).items():
            if isinstance(value, Mapping) and key in _STAGES:
                for name, inner in value.items():
                    _set(values, f"{key}.{name}", inner)
            else:
                _set(values, key, value)
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise ConfigError(f"A setting is written key=value; received {word!r}.")
        _set(values, key.strip(), _parse_word(text.strip()))
    return values


def config_from_dict(raw: Mapping[str, Any]) -> Config:
    """The inverse of `Config.to_dict`.

    Raises:
        ConfigError: It holds something else, or a value out of range.
    """
    values: dict[str, dict[str, Any]] = {stage: {} for stage in _STAGES}
    for stage, inner in raw.items():
        if not isinstance(inner, Mapping):
            raise ConfigError(f"`{stage}` must be a table of settings; received {inner!r}.")
        for name, value in inner.items():
            _set(values, f"{stage}.{name}", value)
    config = Config(**{stage: cls(**values[stage]) for stage, cls in _STAGES.items()})
    _check_ranges(config)
    return config


def read_run_record(run: Path) -> tuple[Config, dict[str, Any]]:
    """The settings of a run folder, and all else that its config.json holds.

    Raises:
        ModelFileError: It is no run folder, or the file was damaged.
    """
    file = run / "config.json"
    try:
        record = read_json(file)
        if not isinstance(record, dict) or not isinstance(record.get("config"), dict):
            raise ConfigError("it holds no `config`")
        return config_from_dict(record["config"]), record
    except (TextFileError, ConfigError) as error:
        raise ModelFileError(f"{run} is no run folder: {file} can't be read ({error}).") from error


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return read_toml(file)
    except TextFileError as error:
        raise ConfigError(f"The config file {file} can't be read: {error}.") from error


def _parse_word(text: str) -> Any:
    """A word's value: TOML if it reads as TOML, `a:1,b:2` as a table, otherwise the text itself."""
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except (tomllib.TOMLDecodeError, RecursionError):
        pass
    if text in ("True", "False"):
        return text == "True"
    if ":" in text and "/" not in text:
        try:
            return {name: float(number) for name, number in (item.split(":") for item in text.split(","))}
        except ValueError:
            return text
    return text


def _set(values: dict[str, dict[str, Any]], key: str, value: Any) -> None:
    stage, dot, name = key.rpartition(".")
    homes = [stage] if dot else [s for s, cls in _STAGES.items() if key in _fields(cls)]
    if len(homes) != 1 or homes[0] not in _STAGES or name not in _fields(_STAGES[homes[0]]):
        known = [f"{s}.{f}" for s, cls in _STAGES.items() for f in _fields(cls)]
        short = {full.rpartition(".")[2]: full for full in known}
        near = difflib.get_close_matches(name, short, n=1, cutoff=0.6)
        hint = f"did you mean `{short[near[0]]}`?" if near else "known keys: " + ", ".join(sorted(short)) + "."
        raise ConfigError(f"Unknown setting `{key}`; {hint}")
    values[homes[0]][name] = _coerce(f"{homes[0]}.{name}", value, get_type_hints(_STAGES[homes[0]])[name])


def _fields(cls: type) -> set[str]:
    return {f.name for f in dataclasses.fields(cls)}


def _coerce(key: str, value: Any, wanted: Any) -> Any:
    origin = get_origin(wanted)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_coerce(key, item, get_args(wanted)[0]) for item in value)
    if origin is dict and isinstance(value, Mapping):
        return {str(name): _coerce(key, item, get_args(wanted)[1]) for name, item in value.items()}
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE:
        return float(value)
    if wanted is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(wanted, type) and isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)):
        return value
    name = wanted.__name__ if isinstance(wanted, type) and origin is None else str(wanted)
    raise ConfigError(f"`{key}` must be of type {name}; received {value!r}.")


def _check_ranges(config: Config) -> None:
    model, data, train = config.model, config.data, config.train
    rules: list[tuple[bool, str, object]] = [
        (model.output_stride in (8, 16, 32), "model.output_stride must be 8, 16 or 32", model.output_stride),
        (model.width > 0, "model.width must be positive", model.width),
        (len(model.rates) > 0 and min(model.rates, default=0) > 0, "model.rates must be positive", model.rates),
        (0 <= model.dropout < 1, "model.dropout must lie in [0, 1)", model.dropout),
        (data.size >= 32 and data.size % 32 == 0, "data.size must be a positive multiple of 32", data.size),
        (data.val_size >= 0 and data.val_size % 32 == 0, "data.val_size must be a multiple of 32", data.val_size),
        (0 < data.val_fraction < 1, "data.val_fraction must lie between 0 and 1", data.val_fraction),
        (min(data.paste_fraction, data.negative_fraction) >= 0 and data.paste_fraction + data.negative_fraction <= 1,
         "data.paste_fraction + data.negative_fraction must be shares, 1 at most together",
         (data.paste_fraction, data.negative_fraction)),
        (max(data.clothes, data.held, data.light) <= 1 and min(data.clothes, data.held, data.light) >= 0,
         "data.clothes, data.held and data.light must be shares", (data.clothes, data.held, data.light)),
        (data.workers >= 0, "data.workers must be 0 or more", data.workers),
        (min(data.weights_by_set.values(), default=0) >= 0, "data.weights_by_set must be 0 or more",
         data.weights_by_set),
        (train.steps > 0, "train.steps must be positive", train.steps),
        (train.minutes >= 0, "train.minutes must be 0 or more", train.minutes),
        (train.batch > 0, "train.batch must be positive", train.batch),
        (train.lr > 0, "train.lr must be positive", train.lr),
        (0 <= train.ema < 1, "train.ema must lie in [0, 1)", train.ema),
        (train.freeze >= 0, "train.freeze must be 0 or more", train.freeze),
        (train.validate_every > 0, "train.validate_every must be positive", train.validate_every),
        (train.distill >= 0, "train.distill must be 0 or more", train.distill),
        (min(train.edge_weight, train.region_weight, train.matte_weight) >= 0,
         "train.edge_weight, train.region_weight and train.matte_weight must be 0 or more",
         (train.edge_weight, train.region_weight, train.matte_weight)),
        (train.bce_weight > 0, "train.bce_weight must be positive", train.bce_weight),
    ]  # fmt: skip
    for holds, rule, received in rules:
        if not holds:
            raise ConfigError(f"{rule}; received {received!r}.")
