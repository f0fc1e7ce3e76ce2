"""A run that is stopped loses nothing: it goes on as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kits import TINY_TRAINING as TINY
from kits import needs_tensorflow
from standout.cli import run as command

pytestmark = [*needs_tensorflow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def weights(run: Path) -> dict[str, np.ndarray]:
    with np.load(run / "state.npz") as archive:
        return {key: archive[key] for key in archive if not key.startswith("counter/seconds")}


def test_stop_and_resume_equals_an_uninterrupted_run(data, tmp_path, capfd):
    whole = tmp_path / "whole"
    assert command(["train", str(data), "--run", str(whole), "steps=6", *TINY]) == 0
    stopped = tmp_path / "stopped"
    interrupt_after(stopped, data, step=3)
    assert np.load(stopped / "state.npz")["counter/step"] < 6
    assert command(["train", str(data), "--run", str(stopped), "steps=6", *TINY, "--resume"]) == 0, "the same command"
    resumed = weights(stopped)
    for key, value in weights(whole).items():
        np.testing.assert_allclose(resumed[key], value, atol=1e-4, err_msg=key)
    capfd.readouterr()
    assert command(["train", str(data), "--run", str(stopped), "steps=6", *TINY, "--resume"]) == 0, (
        "what is done is done"
    )
    assert "Done: 6 steps" in capfd.readouterr().err
    record = json.loads((stopped / "config.json").read_text())
    assert len(record["commands"]) == 2 and len(record["data_hash"]) == 64 and record["config"]["train"]["batch"] == 2


def interrupt_after(run: Path, data: Path, step: int) -> None:
    """Stops a run under way with SIGTERM, from outside, as `kill` does it."""
    from standout.workshop.config import load_config
    from standout.workshop.train import callbacks, fit

    original = callbacks.Supervisor.on_train_batch_end

    def stop_at(self, batch, logs=None):
        if self.clock.step + 1 == step:
            os.kill(os.getpid(), signal.SIGTERM)
        original(self, batch, logs)

    callbacks.Supervisor.on_train_batch_end = stop_at
    try:
        outcome = fit.train(data, run, load_config(None, ["steps=6", *TINY]))
    finally:
        callbacks.Supervisor.on_train_batch_end = original
    assert (outcome.step, outcome.stopped_by) == (step, "SIGTERM")


def test_ctrl_c_in_a_terminal_saves_and_says_how_to_go_on(data, tmp_path):
    run = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "standout", "train", str(data), "--run", str(run), "steps=100000", *TINY],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 240
    while not (run / "state.npz").exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert "--resume" in err.replace("\n", " ") and process.returncode == 0
    assert not list(run.glob(".*"))
