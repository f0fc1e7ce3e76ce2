"""The chain that makes the bundled models in one script: `photo`, and `live`, which is `photo` tuned for 256 pixels.

    python recipes/bundled.py DATA OUT --val VAL          # engine keras: `standout train`, photo.toml, live.toml
    python recipes/bundled.py DATA OUT --val VAL --only live --trained live.npz   # engine torch: recipes/torch_training
    python recipes/bundled.py DATA OUT --val VAL --tiny   # everything on tiny budgets, in about two minutes

DATA holds sets of photographs with masks and sets with nobody, those that `standout label` made among them. OUT gets
the runs, photo.onnx, live.onnx and their scores.

For each model:

1. Train, `photo` on from `--start` (weights/photo.weights.h5), `live` on from `photo`, which also teaches it.
2. Average what was trained and what it began with (arXiv 2203.05482; the shares: MODELS); new branches count 0.
3. Temperature: the logits times the factor at which alpha's mean absolute error on what training held out is least.
4. Export: `photo` at 512 px, filled by its half size, `live` at 256 px; both in int8.
5. Score on VAL, and put the scores into the cards. The published table: recipes/scores.py.

Cost: `photo` 12 hours on two cores, or 6 minutes of one H100 (as the bundled one was made: docs/training-log.md, run
14); `live` two hours on two cores (runs 17 and 18, from recipes/torch_training/live.py).
Expected on data/val, IoU and lost: `photo` webcam 0.983, 0.2 %; portraits 0.914, 2.0 %; street 0.926, 1.0 %; classroom
0.950, 0.3 %; everyday 0.724, 12 %; false people 3.3 %. `live` webcam 0.979, 0.7 %; portraits 0.888, 3.9 %; street
0.900, 2.7 %; classroom 0.938, 1.8 %; everyday 0.678, 20 %; false people 8.9 %.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import keras

RECIPES = Path(__file__).parent
WEIGHTS = "best.weights.h5"
#: Factors that are tried on the logits.
GAINS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
#: The one that is in weights/photo.weights.h5; training and averaging go on without.
START_GAIN = 3.0


class Recipe(NamedTuple):
    """How one of the models is made.

    Attributes:
        size: Longer side at the network, pixels.
        share: Of what was trained in the average; the rest is what it began with.
        export: What else its export takes.
    """

    size: int
    share: float
    export: tuple[str, ...] = ()


MODELS = {"photo": Recipe(512, 0.6, ("--two-scales",)), "live": Recipe(256, 0.8)}
TINY = {
    "size": 64, "val_size": 64, "steps": 3, "minutes": 0, "batch": 2, "warmup": 1, "validate_every": 2,
    "val_fraction": 0.3,
}  # fmt: skip


def standout(*words: object) -> None:
    """Runs a command of ours, of this environment; a failure ends the chain."""
    subprocess.run([sys.executable, "-P", "-m", "standout", *map(str, words)], check=True)


def averaged(trained: dict[str, np.ndarray], start: dict[str, np.ndarray], share: float) -> dict[str, np.ndarray]:
    """`share` of the first and the rest of the second, layer by layer.

    A convolution that has grown takes the start's weights for the channels that were there, and 0 for the new ones;
    what the start hasn't at all stays as it was trained.
    """
    mean = {}
    for name, new in trained.items():
        old = start.get(name)
        if old is not None and old.shape != new.shape:
            grown = np.zeros_like(new)
            grown[..., : old.shape[-2], :] = old
            old = grown
        mean[name] = new if old is None else share * new + (1 - share) * old
    return mean


def arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """A network's variables as {layer/variable: array}."""
    return {f"{layer.name}/{v.name.split('/')[-1]}": v.numpy() for layer in model.layers for v in layer.weights}


def assign(model: keras.Model, values: dict[str, np.ndarray]) -> None:
    for layer in model.layers:
        for variable in layer.weights:
            variable.assign(values[f"{layer.name}/{variable.name.split('/')[-1]}"])


def temperature(model: keras.Model, data: Path, size: int, most: int = 200) -> float:
    """The factor on the logits at which alpha's mean absolute error is least on photographs held out of training."""
    from standout.workshop.data.pairs import find_pairs
    from standout.workshop.data.split import some_of, split_pairs
    from standout.workshop.train.dataset import validation_set

    held = split_pairs([pair for pair in find_pairs(data)[0] if pair.mask is not None], 0.05)[1]
    images, labels, _ = validation_set(some_of(held, most), size)
    logits = model.predict(images.astype(np.float32) / 255, batch_size=4, verbose=0)[..., 0]
    sure, truth = labels[..., 1] < 128, labels[..., 0].astype(np.float32) / 255
    errors = [np.abs(1 / (1 + np.exp(-gain * logits)) - truth)[sure].mean() for gain in GAINS]
    return GAINS[int(np.argmin(errors))]


def scaled(values: dict[str, np.ndarray], gain: float) -> dict[str, np.ndarray]:
    """The same network with its logits times `gain`."""
    return {name: v * gain if name in ("logits/kernel", "logits/bias") else v for name, v in values.items()}


def export_and_score(name: str, final: Path, options: argparse.Namespace) -> None:
    """Steps 4 and 5: a model from the run folder `final`, its scores in its card."""
    from standout.imaging.files import atomic_write
    from standout.inference.dequantize import with_card
    from standout.inference.model import load
    from standout.workshop.export.bundle import read_scores

    recipe = MODELS[name]
    file, scores = options.out / f"{name}.onnx", options.out / f"{name}-scores.json"
    side = 128 if options.tiny else recipe.size
    cards = [word for card in ("data", name) for word in ("--card", RECIPES / f"{card}-card.toml")]
    int8 = [] if options.tiny else ["--int8", options.data]  # three steps are no network that bears rounding
    standout("export", final, "-o", file, "--size", side, *recipe.export, *int8, *cards)
    standout("evaluate", options.val, "--model", file, "--json", scores)
    card = dataclasses.replace(load(file).card, scores=read_scores(scores))
    data = with_card(file.read_bytes(), card)
    with atomic_write(file) as stream:
        stream.write(data)


def make(name: str, start: dict[str, np.ndarray], options: argparse.Namespace) -> dict[str, np.ndarray]:
    """Steps 1 to 3: trains a model on from `start`, and leaves it in OUT/final-NAME.

    Args:
        name: "photo" or "live".
        start: The weights to go on from, without a temperature.

    Returns:
        The averaged weights, without a temperature.
    """
    from standout.workshop.config import load_config
    from standout.workshop.model.deeplab import build_deeplab
    from standout.workshop.model.weights import load_run

    recipe, run, final = MODELS[name], options.out / f"run-{name}", options.out / f"final-{name}"
    begin = options.out / f"start-{name}"
    settings = [f"weights={begin / WEIGHTS}", *(f"{key}={value}" for key, value in TINY.items() if options.tiny)]
    if name == "live":
        settings.append(f"teacher={begin}")
    config = load_config(RECIPES / f"{name}.toml", settings)
    record: dict[str, Any] = {"config": config.to_dict(), "data_hash": "", "revision": ""}
    model = build_deeplab(config.model)
    assign(model, {**arrays(model), **start})
    save_run(begin, model, record)
    if options.trained is not None:
        with np.load(options.trained) as file:
            trained = dict(file)
    else:
        standout("train", options.data, "--config", RECIPES / f"{name}.toml", "--run", run, *settings)
        model, _, record = load_run(run)
        trained = arrays(model)
    values = averaged(trained, start, recipe.share)
    assign(model, values)
    gain = options.gain or temperature(model, options.data, 64 if options.tiny else recipe.size)
    print(f"{name}: logits × {gain}")
    assign(model, scaled(values, gain))
    save_run(final, model, record)
    halved(final / WEIGHTS, final / "half.weights.h5")
    if options.trained is None:
        shutil.copy(run / "history.csv", final)
    return values


def save_run(folder: Path, model: keras.Model, record: dict[str, Any]) -> None:
    """A network as a run folder, which can be exported, go on being trained, and teach."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(record), "utf-8")
    model.save_weights(folder / WEIGHTS)


def halved(source: Path, out: Path) -> None:
    """The same weights in float16, half as large for the repository; a network of float32 loads them as they are."""
    import h5py

    with h5py.File(source) as full, h5py.File(out, "w") as half:
        half.attrs.update(full.attrs)

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                made = half.require_group(name)
            else:
                values = item[()]
                made = half.create_dataset(
                    name, data=values.astype(np.float16) if values.dtype == np.float32 else values
                )
            made.attrs.update(item.attrs)

        full.visititems(copy)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--val", type=Path, required=True, help="what is scored; never trained on")
    parser.add_argument("--start", type=Path, default=RECIPES.parent / "weights" / "photo.weights.h5")
    parser.add_argument("--only", choices=MODELS, help="make this one alone, on from `--start`")
    parser.add_argument(
        "--trained", type=Path, help="with --only: weights as {layer/variable: array} (.npz), instead of training here"
    )
    parser.add_argument("--gain", type=float, help="the factor on the logits, instead of measuring it")
    parser.add_argument("--tiny", action="store_true", help="a few steps on tiny pictures")
    options = parser.parse_args()
    if options.trained is not None and options.only is None:
        parser.error("--trained needs --only: the weights are of one model")
    from standout.workshop.config import load_config
    from standout.workshop.model.deeplab import build_deeplab

    model = build_deeplab(load_config(RECIPES / "photo.toml", [f"weights={options.start}"]).model)
    model.load_weights(options.start)
    values = scaled(arrays(model), 1 / START_GAIN)
    for name in [options.only] if options.only else MODELS:
        values = make(name, values, options)
        export_and_score(name, options.out / f"final-{name}", options)


if __name__ == "__main__":
    main()
