"""`standout info` says what can't be loaded, and why."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from typing import Any

import pytest
from rich.console import Console

from standout.cli import info


def told(monkeypatch: pytest.MonkeyPatch, **done: object) -> tuple[list[str] | None, str]:
    answer = {"args": [], "returncode": 0, "stdout": "", "stderr": ""} | done
    monkeypatch.setattr("standout.cli.machine.installed", lambda name: "2.19")
    monkeypatch.setattr(
        "standout.work.process.run_module", lambda *words, **more: subprocess.CompletedProcess(**answer)
    )
    return info._training_devices()


def test_a_tensorflow_that_cant_be_loaded_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = (
        "Traceback (most recent call last):\n  File …\nImportError: libcudart.so.12: cannot open shared object file\n"
    )
    devices, error = told(monkeypatch, returncode=1, stderr=trace)
    assert devices == [] and error == "ImportError: libcudart.so.12: cannot open shared object file"
    assert told(monkeypatch, returncode=-11) == ([], "its process exited with code -11")


def test_the_devices_are_the_last_line_whatever_tensorflow_prints_before(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, stdout='a notice\n["/physical_device:CPU:0"]\n') == (["/physical_device:CPU:0"], "")


def test_the_reason_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    facts: defaultdict[str, Any] = defaultdict(dict)  # what isn't named here is empty
    facts |= {
        "standout": "0", "machine": {"memory_gb": 1, "python": "3", "system": "s", "processor": "p", "cores": 1,
        "packages": {}}, "threads": 1, "providers_available": [], "devices": {}, "training_devices": [],
        "training_error": "ImportError: libcudart.so.12", "models": {}, "missing_for_extra": {},
    }  # fmt: skip
    console = Console(record=True, width=200)
    info._print(console, facts)
    text = console.export_text()
    assert "can't be loaded: ImportError: libcudart.so.12" in text and "sees" not in text
