"""The chain that makes the bundled models, `photo` and `live`, in one script: they are one network at two sizes.

    python recipes/bundled.py DATA OUT --val VAL                   # engine keras: `standout train`, recipes/photo.toml
    python recipes/bundled.py DATA OUT --val VAL --trained X.npz   # trained elsewhere: recipes/torch_training
    python recipes/bundled.py DATA OUT --val VAL --tiny            # everything on tiny budgets, in about a minute

DATA holds sets of photographs with masks and sets with nobody, those that `standout label` made among them. OUT gets
the run, photo.onnx, live.onnx and their scores.

1. Train, on from `--start` (weights/photo.weights.h5).
2. Average: 60 % of what was trained, 40 % of what it began with (arXiv 2203.05482); new branches count 0.
3. Temperature: the logits times the factor at which alpha's mean absolute error on what training held out is least.
4. Export: `photo` at 512 px, filled by its half size, `live` at 256 px; both in int8.
5. Score on VAL, and put the scores into the cards. README's table: recipes/scores.py.

Cost: 12 hours on two cores, or 6 minutes of one H100 (as the bundled ones were made: docs/training-log.md, run 14).
Expected on data/val, IoU and lost: `photo` webcam 0.983, 0.2 %; portraits 0.914, 2.0 %; street 0.926, 1.0 %; classroom
0.950, 0.3 %; everyday 0.724, 12 %; false people 3.3 %. `live` webcam 0.977, 0.8 %; portraits 0.894, 4.6 %; street
0.891, 4.8 %.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

RECIPES = Path(__file__).parent
SHARE = 0.6
#: Factors that are tried on the logits.
GAINS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
#: Name -> size, and what else its export takes.
MODELS = {"photo": (512, ["--two-scales"]), "live": (256, [])}
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
    from standout.data.pairs import find_pairs
    from standout.data.split import some_of, split_pairs
    from standout.train.dataset import validation_set

    held = split_pairs([pair for pair in find_pairs(data)[0] if pair.mask is not None], 0.05)[1]
    images, labels, _ = validation_set(some_of(held, most), size)
    logits = model.predict(images.astype(np.float32) / 255, batch_size=4, verbose=0)[..., 0]
    sure, truth = labels[..., 1] < 128, labels[..., 0].astype(np.float32) / 255
    errors = [np.abs(1 / (1 + np.exp(-gain * logits)) - truth)[sure].mean() for gain in GAINS]
    return GAINS[int(np.argmin(errors))]


def export_and_score(final: Path, options: argparse.Namespace) -> None:
    """Steps 4 and 5: both models from the run folder `final`, their scores in their cards."""
    from standout.export.bundle import read_scores
    from standout.imaging.files import atomic_write
    from standout.inference.dequantize import with_card
    from standout.inference.model import load

    for name, (size, more) in MODELS.items():
        file, scores = options.out / f"{name}.onnx", options.out / f"{name}-scores.json"
        side = 128 if options.tiny else size
        cards = [word for card in ("data", name) for word in ("--card", RECIPES / f"{card}-card.toml")]
        int8 = [] if options.tiny else ["--int8", options.data]  # three steps are no network that bears rounding
        standout("export", final, "-o", file, "--size", side, *more, *int8, *cards)
        standout("evaluate", options.val, "--model", file, "--json", scores)
        card = dataclasses.replace(load(file).card, scores=read_scores(scores))
        data = with_card(file.read_bytes(), card)
        with atomic_write(file) as stream:
            stream.write(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--val", type=Path, required=True, help="what is scored; never trained on")
    parser.add_argument("--start", type=Path, default=RECIPES.parent / "weights" / "photo.weights.h5")
    parser.add_argument(
        "--trained", type=Path, help="weights as {layer/variable: array} (.npz), instead of training here"
    )
    parser.add_argument("--tiny", action="store_true", help="a few steps on tiny pictures")
    options = parser.parse_args()
    out: Path = options.out
    run = out / "run"

    # 1. Train.
    settings = [f"weights={options.start}", *(f"{key}={value}" for key, value in TINY.items() if options.tiny)]
    if options.trained is None:
        standout("train", options.data, "--config", RECIPES / "photo.toml", "--run", run, *settings)

    # 2. Average.  3. Temperature.
    from standout.config import load_config
    from standout.model.deeplab import build_deeplab
    from standout.model.weights import load_run

    if options.trained is None:
        model, _, record = load_run(run)
        trained = arrays(model)
    else:
        config = load_config(RECIPES / "photo.toml", settings)
        model, record = build_deeplab(config.model), {"config": config.to_dict(), "data_hash": "", "revision": ""}
        with np.load(options.trained) as file:
            trained = dict(file)
    model.load_weights(options.start)
    values = averaged(trained, arrays(model), SHARE)
    assign(model, values)
    gain = temperature(model, options.data, 64 if options.tiny else 512)
    print(f"logits × {gain}")
    for name in ("logits/kernel", "logits/bias"):
        values[name] = values[name] * gain
    assign(model, values)
    final = out / "final"
    final.mkdir(parents=True, exist_ok=True)
    (final / "config.json").write_text(json.dumps(record), "utf-8")
    if (run / "history.csv").is_file():
        shutil.copy(run / "history.csv", final)
    model.save_weights(final / "best.weights.h5")

    export_and_score(final, options)


if __name__ == "__main__":
    main()
