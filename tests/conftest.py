"""Fixtures for everybody: a tiny model on disk, one in memory, and a picture with a bright "person"."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fakes import FakeModel, tiny_model
from standout.imaging.arrays import Frame

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit it; the tests press Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


#: `pytestmark` of a module all of whose tests are slow.
_SLOW_MODULE = re.compile(r"^pytestmark = (?:\[[^\]]*)?\*?(?:pytest\.mark\.slow|needs_tensorflow)\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out modules that are slow as a whole where only quick tests are wanted: what they import takes seconds."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return True if _SLOW_MODULE.search(collection_path.read_text(encoding="utf-8")) else None


def pytest_collection_finish() -> None:
    """Whoever runs one test must not wait for TensorFlow: no module imports it while tests are collected."""
    if loaded := {"tensorflow", "keras", "torch"} & sys.modules.keys():
        raise pytest.UsageError(
            f"A test module imports {', '.join(sorted(loaded))} at its start; do it within the tests, and mark them "
            "with `pytestmark = kits.needs_tensorflow`."
        )


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a test is remembered in the user's cache, nor for another test."""
    monkeypatch.setenv("STANDOUT_CACHE", str(tmp_path_factory.getbasetemp() / f"cache-{id(monkeypatch)}"))


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ONNX model of a fixed 64 × 64 input."""
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="session")
def dynamic_model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ONNX model whose height and width are symbolic."""
    return tiny_model(tmp_path_factory.mktemp("model") / "dynamic.onnx", dynamic=True)


@pytest.fixture
def fake_model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def bright_person() -> Frame:
    """72 × 96, dark blue, with a bright block at rows 18 … 53, columns 32 … 63: the stand-ins' person."""
    frame = np.full((72, 96, 3), (10, 20, 60), np.uint8)
    frame[18:54, 32:64] = (250, 240, 230)
    return frame


@pytest.fixture(autouse=True)
def _ordinary_priority() -> Iterator[None]:
    """A test that makes the process real-time starves the machine, and every program that later tests start."""
    yield
    if hasattr(os, "sched_getscheduler"):
        policy = os.sched_getscheduler(0)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        assert policy == os.SCHED_OTHER, "this test left its process with real-time priority"
