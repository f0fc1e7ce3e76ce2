"""`standout serve` on the command line: what it refuses, and `--check`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from standout.cli import run

pytest.importorskip("fastapi")


def test_beyond_loopback_a_key_is_needed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STANDOUT_API_KEYS", raising=False)
    assert run(["serve", "--host", "0.0.0.0"]) == 2
    assert "so a key is needed" in capsys.readouterr().err


def test_a_rate_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--rate", "often"]) == 2
    assert "60/minute" in capsys.readouterr().err


@pytest.mark.slow
def test_without_the_extra_it_is_named() -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from standout.cli import run; sys.exit(run(['serve']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "extra `server`" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_check_answers_one_request_and_exits() -> None:
    command = [sys.executable, "-m", "standout", "serve", "--check", "--workers", "1", "--port", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Standout answered in ") and done.stdout.endswith("found the person.\n")


@pytest.mark.slow
def test_check_says_what_is_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "standout", "serve", "--check", "--model", str(tmp_path / "none.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2 and "There is no model file" in done.stderr and "Traceback" not in done.stderr
