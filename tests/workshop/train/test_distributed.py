"""Two worker processes learn what one does, and only the chief writes."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kits import needs_tensorflow, write_nobody, write_pairs
from standout.errors import ConfigError
from standout.workshop.config import load_config
from standout.workshop.data.loader import batches
from standout.workshop.data.pairs import find_pairs
from standout.workshop.data.samples import Samples

pytestmark = needs_tensorflow

TINY = [
    "width=0.35", "aspp_channels=8", "decoder_channels=8", "low_level_channels=4", "size=32", "batch=4", "workers=0",
    "freeze=0", "validate_every=2", "ema=0.5", "val_fraction=0.2", "warmup=2", "steps=6", "lr=0.003",
    "mixed_precision=false",
]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_pairs(root / "people", 12, size=48)
    write_nobody(root / "nobody", 3, size=48)
    return root


def start(data: Path, run: Path, tf_config: str = "") -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "standout", "train", str(data), "--run", str(run), *TINY]
    environment = os.environ | {"TF_CONFIG": tf_config}
    return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def history(run: Path, column: str) -> list[float]:
    with (run / "history.csv").open() as stream:
        return [float(row[column]) for row in csv.DictReader(stream)]


@pytest.mark.slow
def test_two_workers_learn_what_one_does_and_the_chief_alone_writes(data: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        cluster = {"worker": [f"127.0.0.1:{s.getsockname()[1]}" for s in (first, second)]}
    configs = [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": i}}) for i in (0, 1)]
    # Each gets a folder of its own, so that a second writer would be seen.
    runs = [tmp_path / "one", tmp_path / "chief", tmp_path / "other"]
    processes = [start(data, run, text) for run, text in zip(runs, ["", *configs], strict=True)]
    told = [process.communicate(timeout=600)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    one, chief, other = runs
    for column in ("loss", "iou", "lr"):
        np.testing.assert_allclose(history(chief, column), history(one, column), rtol=0.01, atol=0.01, err_msg=column)
    assert history(one, "loss")[0] != pytest.approx(history(one, "loss")[-1], rel=0.02)  # it did learn
    with np.load(one / "state.npz") as alone, np.load(chief / "state.npz") as shared:
        for key in (key for key in alone if key.startswith("model/")):
            np.testing.assert_allclose(shared[key], alone[key], rtol=0.05, atol=0.02, err_msg=key)
    assert not other.exists() or not list(other.iterdir())
    assert "best quality" in told[1] and "best quality" not in told[2]
    assert json.loads((chief / "config.json").read_text())["replicas"] == 2


def test_the_parts_of_a_batch_are_the_batch(data: Path) -> None:
    samples = Samples(find_pairs(data)[0], load_config(None, TINY).data, 3)

    def batch(part: tuple[int, int]) -> np.ndarray:
        drawn = batches(samples, batch=4, start=5, per_epoch=3, workers=0, part=part)
        next(drawn)
        return next(drawn)[0]

    np.testing.assert_array_equal(np.concatenate([batch((0, 2)), batch((1, 2))]), batch((0, 1)))


def test_a_batch_that_cant_be_shared_out_is_refused() -> None:
    from standout.workshop.train.distributed import Replicas

    replicas = Replicas()
    replicas.replicas = 3
    assert replicas.share(6) == 2
    with pytest.raises(ConfigError, match="multiple of their number, 3; received 8"):
        replicas.share(8)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "must be JSON"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', "must be JSON"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}', "must name a task"),
    ],
)
def test_a_tf_config_that_cant_be_understood_is_refused(text: str, says: str, monkeypatch) -> None:
    from standout.workshop.train.distributed import set_up_replicas

    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ConfigError, match=says):
        set_up_replicas()


def test_one_process_with_one_device_needs_no_strategy(monkeypatch) -> None:
    from standout.workshop.train.distributed import set_up_replicas

    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}')
    replicas = set_up_replicas()
    assert (replicas.strategy, replicas.is_chief, replicas.replicas) == (None, True, 1)
    assert replicas.agree(3.0, True) == (3.0, True)
