"""`standout info`: what is installed, what really works, and how fast, without a crash of a driver ending it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from standout.cli import info
from standout.inference import devices
from standout.inference.devices import DEVICES, Installed


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """What `info` tells of CUDA, when it is compiled in and its process answers so."""

    def ask(code: int = 0, out: str = "", err: str = "", wait: bool = False) -> dict[str, Any]:
        def run(*_: str, timeout_s: float) -> Any:
            if wait:
                raise subprocess.TimeoutExpired("probe", timeout_s)
            return SimpleNamespace(returncode=code, stdout=out, stderr=err)

        found = {"cuda": Installed(DEVICES["cuda"], "compiled in")}
        monkeypatch.setattr(devices, "find_device", lambda device: found.get(device.name, Installed(device, "")))
        monkeypatch.setattr("standout.processes.run_module", run)
        told: dict[str, Any] = info._devices("live")["cuda"]
        return told

    return ask


def test_a_device_that_works_is_told_with_its_speed(answering: Callable[..., dict[str, Any]]) -> None:
    told = answering(out='a library\'s chatter\n{"works": true, "ms": 3.5, "share": 0.98}\n')
    assert info._device_line("cuda", told) == "cuda (compiled in): works, 3.5 ms for a frame, 98% of the network there"


def test_one_that_fails_crashes_or_hangs_is_told_with_the_reason(answering: Callable[..., dict[str, Any]]) -> None:
    for told, words in (
        (answering(out='{"works": false, "problem": "no driver"}'), "no driver"),
        (answering(code=-11), "its process exited with code -11"),
        (answering(code=1, err="Traceback\nMemoryError"), "MemoryError"),
        (answering(wait=True), "no picture after 300 s"),
    ):
        assert not told["works"]
        assert info._device_line("cuda", told) == f"cuda (compiled in): can't be used: {words}"


@pytest.mark.slow
def test_the_processor_works_here_and_the_rest_says_how_to_get_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "standout", "info", "--json"], capture_output=True, text=True, check=True
    )
    facts = json.loads(done.stdout)
    assert facts["devices"]["cpu"]["works"] and facts["devices"]["cpu"]["ms"] > 0
    assert facts["models"]["live"]["device"] in facts["devices"]
    for entry in facts["devices"].values():
        assert entry["installed"] or entry["install"]
    assert len(facts["onnxruntime"]) == 1
