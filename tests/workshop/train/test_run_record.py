"""What a run records of itself, and what may change when it goes on."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from kits import needs_tensorflow, write_pairs
from standout import __version__
from standout.errors import ConfigError, DataError
from standout.workshop.config import Config, given_settings, load_config
from standout.workshop.data.pair import Pair

pytestmark = needs_tensorflow


@pytest.fixture(scope="module")
def fit() -> ModuleType:
    from standout.workshop.train import fit

    return fit


def resumed(fit: ModuleType, run: Path, *words: str) -> Config:
    return fit.resumed_config(run, load_config(None, words), given_settings(None, words))


def test_a_resumed_run_takes_what_is_given_even_if_it_is_the_default(fit: ModuleType, tmp_path: Path) -> None:
    default = Config().train.steps
    stored = load_config(None, [f"steps={2 * default}", "batch=4"])
    (tmp_path / "config.json").write_text(json.dumps({"config": stored.to_dict()}))
    assert resumed(fit, tmp_path).train.steps == 2 * default
    assert resumed(fit, tmp_path, f"steps={default}").train.steps == default
    assert resumed(fit, tmp_path, "batch=4", "encoder_lr=0.15").train.batch == 4, "the run's own values are no change"
    with pytest.raises(ConfigError, match="train.batch is 4 in the run, 8 here"):
        resumed(fit, tmp_path, "batch=8")  # the default: refused all the same


def parts(fit: ModuleType, pairs: list[Pair], **data: str) -> tuple[set[str], set[str]]:
    """The stems that are trained on, and validated on."""
    config = dataclasses.replace(Config(), data=dataclasses.replace(Config().data, **data))
    return tuple({pair.stem for pair in part} for part in fit._held_out(pairs, config))


def test_a_data_sets_own_test_part_is_never_trained_on(fit: ModuleType, tmp_path: Path) -> None:
    write_pairs(tmp_path / "held", 2)

    def pair(stem: str, split: str) -> Pair:
        return Pair(tmp_path / f"{stem}.jpg", tmp_path / "mask.png", "set", stem, split=split)

    train, val, test = ([pair(f"{part}{i}", part) for i in range(9)] for part in ("train", "val", "test"))
    own = {p.stem for p in train}, {p.stem for p in val}
    assert parts(fit, train + val + test) == own
    trained, held = parts(fit, train + test)
    assert trained | held == own[0] and held
    for pairs in (train + val + test, train + test):
        assert parts(fit, pairs, val=str(tmp_path / "held")) == (own[0], {"p00", "p01"})
    with pytest.raises(DataError, match="test part"):
        parts(fit, test)


def git(folder: Path, *words: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(
        ["git", *settings, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_revision_is_ours_and_never_that_of_the_users_own_repository(fit: ModuleType, tmp_path: Path) -> None:
    installed = tmp_path / ".venv" / "fit.py"
    installed.parent.mkdir()
    ours = tmp_path / "fit.py"
    for file in (installed, ours):
        file.write_text("")
    assert fit.code_revision(ours) == f"standout {__version__}"  # no repository at all
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text(".venv\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    head = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert fit.code_revision(ours) == head
    ours.write_text("changed")
    assert fit.code_revision(ours) == f"{head}+"
    assert fit.code_revision(installed) == f"standout {__version__}"
