"""Train a network: from a folder of pairs to a run folder that holds everything about it.

A run folder:

    config.json     the settings as they were resolved; data hash, git revision, command, versions
    best.weights.h5 averaged weights with the best validation quality;  last.weights.h5  the newest
    state.npz       what --resume needs
    history.csv, history.png, previews/, tensorboard/
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from standout import __version__
from standout.errors import ConfigError, DataError, ModelFileError
from standout.imaging.files import atomic_write
from standout.workshop.config import Config, config_from_dict, read_run_record
from standout.workshop.data.check import MOST_AT_ONCE, CheckedPairs, check_pairs
from standout.workshop.data.pair import Pair
from standout.workshop.data.pairs import find, find_pairs, with_weights
from standout.workshop.data.split import own_parts, some_of, split_pairs
from standout.workshop.model.deeplab import build_deeplab, encoder_layers
from standout.workshop.model.losses import BCEDice
from standout.workshop.model.metrics import PersonIoU
from standout.workshop.model.weights import copy_layers, load_run, load_start
from standout.workshop.train.callbacks import Supervisor, TrainingProgress
from standout.workshop.train.checkpoint import restore_state
from standout.workshop.train.dataset import training_dataset, validation_set
from standout.workshop.train.devices import all_gpus, building_in, keep_freed_memory, set_up_devices
from standout.workshop.train.optimizer import StagedAdamW
from standout.workshop.train.schedule import TrainingClock
from standout.workshop.train.validation import WORST_QUALITY, Validation

log = logging.getLogger(__name__)

#: So many held-out pictures are validated on, at most: they are kept in memory.
MOST_VALIDATED = 1000

#: Settings that a resumed run may change: they decide how long and how often, not what.
RESUMABLE_CHANGES = {"train.steps", "train.minutes", "train.validate_every", "data.workers", "train.memory_limit_mb"}


@dataclass(frozen=True)
class TrainResult:
    """How a run ended."""

    run: Path
    step: int
    best_quality: float
    stopped_by: str  # "" where the budget was spent; otherwise the signal's name


def read_data(data: Path, config: Config) -> tuple[list[Pair], list[Pair], CheckedPairs]:
    """Finds, checks and splits the pairs.

    Raises:
        DataError: Too few good pairs are left.
    """
    found = find(data, person=config.data.person)
    checked = check_pairs(found.pairs, faults=found.faults, most_at_once=MOST_AT_ONCE)
    for fault in checked.faults:
        log.warning("left out (%s): %s", fault.kind, fault.text)
    for sentence in [*found.notes, *checked.rule_sentences()]:
        log.info("%s", sentence)
    if checked.put_off:
        log.info("%d pairs: each is checked when it is first drawn", len(checked.good))
    good = with_weights(checked.good, config.data.weights_by_set)
    if not any(pair.has_person for pair in good):
        left = f"; {len(checked.faults)} were left out, as said above" if checked.faults else ""
        raise DataError(f"There is no person to learn from in {data}: {len(good)} photograph(s) show nobody{left}.")
    train, val = _held_out(good, config)
    if len(val) > MOST_VALIDATED:
        log.info("%d pairs are held out; the same %d of them are validated on", len(val), MOST_VALIDATED)
        val = some_of(val, MOST_VALIDATED)
    return train, val, checked


def _held_out(good: list[Pair], config: Config) -> tuple[list[Pair], list[Pair]]:
    """What is trained on, and what is validated on: `data.val`, else the data set's own part, else a share of it.

    What the data set calls its test part is in neither.
    """
    if tested := sum(pair.split == "test" for pair in good):
        log.info("%d pairs of the data set's own test part are not used", tested)
    train, own = own_parts(good)
    if own:
        log.info("%d pairs that the data set holds out for validation are not trained on", len(own))
    if config.data.val:
        return train, _validated_on(config)
    if own:
        return train, own
    # What a machine has labeled, and boxes, are good enough to learn from, but no yardstick.
    weaker = [pair for pair in train if pair.unsure or pair.weak]
    whole = [pair for pair in train if not (pair.unsure or pair.weak)]
    rest, val = split_pairs(whole, config.data.val_fraction, seed=config.train.seed)
    return rest + weaker, val


def _validated_on(config: Config) -> list[Pair]:
    """The good pairs of `data.val`: its own val part if it has one, else all but its test part, else all."""
    held, faults = find_pairs(config.data.val, person=config.data.person)
    good = list(check_pairs(held, faults=faults, most_at_once=MOST_AT_ONCE).good)
    own = [pair for pair in good if pair.split == "val"]
    good = own or [pair for pair in good if pair.split != "test"] or good
    if not good:
        raise DataError(f"No pair of data.val={config.data.val} can be used; {len(faults)} were left out.")
    return good


def train(
    data: Path,
    run: Path,
    config: Config,
    *,
    resume: bool = False,
    command: str = "",
    progress: Callable[[TrainingProgress], None] | None = None,
) -> TrainResult:
    """Trains until the budget is spent or a signal comes.

    Args:
        data: A folder or CSV that `find_pairs` reads.
        run: The run folder, made if it isn't there.
        config: The settings; for a resumed run those of its config.json, but for the budget.
        resume: Go on where the run stopped.
        command: What the user typed, for the record.
        progress: Called every few steps.

    Raises:
        StandoutError: Data, settings or files are not usable.
    """
    if not resume and (run / "state.npz").exists():
        raise ConfigError(f"{run} holds a run already; pass --resume to continue it, or another --run.")
    device, policy = set_up_devices(
        memory_limit_mb=config.train.memory_limit_mb, mixed_precision=config.train.mixed_precision
    )
    strategy = all_gpus(config.train.batch)
    log.info("computing on %s", device)
    keep_freed_memory()
    keras.utils.set_random_seed(config.train.seed)
    train_pairs, val_pairs, checked = read_data(data, config)
    log.info(
        "%d pairs to train on, %d to validate on, %d left out", len(train_pairs), len(val_pairs), len(checked.faults)
    )

    with building_in(policy):
        model, teacher, start = _build(config, strategy)
    counters = {}
    if resume and (run / "state.npz").exists():
        counters = restore_state(run / "state.npz", model)
    elif resume:
        log.info("%s was stopped before its first save: it begins anew", run)
    clock = TrainingClock(config, int(counters.get("step", 0)), counters.get("seconds", 0.0))
    if clock.progress >= 1:
        log.info("the budget of %s is spent at step %d: raise `steps` or `minutes` to go on", run, clock.step)
        return TrainResult(run, clock.step, counters.get("best", WORST_QUALITY), "")
    (run / "previews").mkdir(parents=True, exist_ok=True)
    facts = {"start": start, "device": device, "train_pairs": len(train_pairs), "val_pairs": len(val_pairs)}
    _record_run(run, config, checked, command, facts, resume=resume)
    images, labels, sets = validation_set(val_pairs, config.data.val_size or config.data.size)
    validation = Validation(images, labels, sets, config.train.batch)
    tell = _tensorboard(run)
    supervisor = Supervisor(config, run, clock, validation, counters.get("best", WORST_QUALITY), tell, progress)
    feed = training_dataset(train_pairs, config, clock.step, teacher, unchecked=checked.put_off)
    steps = config.train.steps - clock.step
    try:
        model.fit(feed, epochs=1, steps_per_epoch=steps, callbacks=[supervisor], shuffle=False, verbose=0)
    finally:
        supervisor.close()
    if supervisor.stopped_by.startswith("a loss"):
        raise DataError(
            f"Training stopped at step {clock.step} at {supervisor.stopped_by}; start another run with a lower `lr`, "
            f"and with `weights={run / 'best.weights.h5'}` to keep what was learned."
        )
    return TrainResult(run, clock.step, supervisor.best, supervisor.stopped_by)


def _build(config: Config, strategy: AbstractContextManager[Any]) -> tuple[keras.Model, keras.Model | None, str]:
    """The compiled network, its teacher if it has one, and in words what it starts from."""
    # The teacher works within the feed, on one device; so it isn't shared.
    teacher = load_run(Path(config.train.teacher))[0] if config.train.teacher else None
    with strategy:
        model = build_deeplab(config.model, freeze=config.train.freeze)
        start = load_start(model, config.model)
        if teacher is not None:
            start = f"{start}; {copy_layers(teacher, model)} layers of the teacher {Path(config.train.teacher).name}"
        options = config.train
        loss = BCEDice(
            options.bce_weight, options.edge_weight, options.distill, options.region_weight, options.matte_weight
        )
        model.compile(optimizer=_optimizer(config), loss=loss, metrics=[PersonIoU()], jit_compile=False)
        # Here and not within the first step's graph, where every variable of the optimizer takes four times as long.
        model.optimizer.build(model.trainable_variables)
    return model, teacher, start


def _optimizer(config: Config) -> StagedAdamW:
    return StagedAdamW(
        encoder_layers(config.model), config.train.encoder_lr, learning_rate=config.train.lr,
        weight_decay=config.train.weight_decay, ema=config.train.ema,
    )  # fmt: skip


def resumed_config(run: Path, changes: Config, changed: set[str]) -> Config:
    """The settings of a run to go on with: its own, and the budget of `changes` where the user gave one.

    Raises:
        ModelFileError: `run` is no run folder.
        ConfigError: A setting that can't change under way has another value than in the run.
    """
    stored, new = read_run_record(run)[0].to_dict(), changes.to_dict()
    refused = []
    for key in sorted(changed):
        stage, name = key.split(".")
        before, now = stored[stage][name], new[stage][name]
        if before != now and key not in RESUMABLE_CHANGES:
            refused.append(f"{key} is {before!r} in the run, {now!r} here")
        stored[stage][name] = now
    if refused:
        raise ConfigError(f"A resumed run can change {sorted(RESUMABLE_CHANGES)} only; {'; '.join(refused)}.")
    return config_from_dict(stored)


def newest_run(folder: Path) -> Path:
    """The run folder of `folder` that was saved last.

    Raises:
        ModelFileError: There is none.
    """
    states = sorted(folder.glob("*/state.npz"), key=lambda file: file.stat().st_mtime)
    if not states:
        raise ModelFileError(f"There is no run to resume in {folder}/; name one with --run.")
    return states[-1].parent


def _record_run(
    run: Path, config: Config, checked: CheckedPairs, command: str, facts: dict[str, Any], *, resume: bool
) -> None:
    file = run / "config.json"
    sittings = read_run_record(run)[1].get("commands", []) if resume else []
    record = facts | {
        "config": config.to_dict(),
        "data_hash": checked.data_hash,
        "faults": [fault.text for fault in checked.faults],
        "revision": code_revision(),
        "commands": [*sittings, command or " ".join(sys.argv)],
        "versions": {"python": sys.version.split()[0], "keras": keras.__version__},
    }
    with atomic_write(file) as stream:
        stream.write(json.dumps(record, indent=1, ensure_ascii=False).encode())


def code_revision(file: Path = Path(__file__)) -> str:
    """The git revision of the checkout that this module belongs to, with a + where it was changed.

    Of an installed Standout its version: the repository around a virtual environment is the user's own, not ours.
    """

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *words], cwd=file.parent, capture_output=True, text=True, check=False)

    try:
        if git("ls-files", "--error-unmatch", file.name).returncode == 0:
            revision = git("rev-parse", "--short=12", "HEAD")
            if revision.returncode == 0:
                return revision.stdout.strip() + ("+" if git("diff", "--quiet", "HEAD").returncode else "")
    except OSError:  # no git
        pass
    return f"standout {__version__}"


def _tensorboard(run: Path):
    """A function that writes scalars where TensorBoard reads them."""
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(run / "tensorboard"))

    def write(step: int, values: dict[str, float]) -> None:
        with writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        writer.flush()

    return write
