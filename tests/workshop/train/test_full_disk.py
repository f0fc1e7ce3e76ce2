"""A full disk, or a loss that is no number, ends training in words, and what was saved before stays whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from kits import needs_tensorflow
from standout.errors import OutputError

pytestmark = needs_tensorflow


@pytest.fixture(scope="module")
def checkpoint() -> ModuleType:
    from standout.workshop.train import checkpoint

    return checkpoint


def network(value: float):
    import keras

    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="only")(inputs))
    model.compile(optimizer="adam")
    model.optimizer.build(model.trainable_variables)
    model.get_layer("only").kernel.assign(np.full((3, 2), value))
    return model


def test_weights_are_written_whole_and_read_again(checkpoint: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "best.weights.h5"
    checkpoint.save_weights(file, network(3.0))
    other = network(0.0)
    other.load_weights(file)
    assert np.asarray(other.get_layer("only").kernel).min() == 3
    assert os.listdir(tmp_path) == [file.name]


@pytest.mark.parametrize("what", ["weights", "state"])
def test_a_full_disk_is_one_sentence_and_the_file_before_stays(
    checkpoint: ModuleType, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"{what}.npz"

    def save(value: float) -> None:
        model = network(value)
        with checkpoint.told_when_full(tmp_path, model):
            if what == "weights":
                checkpoint.save_weights(file, model)
            else:
                checkpoint.save_state(file, model, {"step": value})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    save(1.0)
    before = file.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"is full; free \d+ MB and go on with --resume"):
        save(2.0)
    assert file.read_bytes() == before and os.listdir(tmp_path) == [file.name]


def test_another_fault_is_told_as_it_is(checkpoint: ModuleType, tmp_path: Path) -> None:
    model = network(1.0)
    with pytest.raises(OutputError, match="no folder"), checkpoint.told_when_full(tmp_path, model):
        checkpoint.save_weights(tmp_path / "gone" / "best.weights.h5", model)


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_the_last_state(tmp_path: Path) -> None:
    from standout.workshop.config import Config
    from standout.workshop.train.callbacks import Supervisor
    from standout.workshop.train.schedule import TrainingClock

    (tmp_path / "state.npz").write_bytes(b"the last good state")
    config = Config()
    supervisor = Supervisor(config, tmp_path, TrainingClock(config), None, 0.0, lambda step, values: None)  # type: ignore[arg-type]
    model = SimpleNamespace(stop_training=False)
    supervisor.set_model(model)
    supervisor.on_train_batch_end(1, {"loss": float("nan")})
    assert model.stop_training and "not a number" in supervisor.stopped_by
    assert (tmp_path / "state.npz").read_bytes() == b"the last good state" and len(os.listdir(tmp_path)) == 1
