"""benchmarks/live.py runs, and its table has a line for each path."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "live.py"


@pytest.mark.slow
def test_it_measures_and_names_what_is_missing(tmp_path: Path, dynamic_model_file: Path) -> None:
    result = tmp_path / "live.json"
    words = ["--model", str(dynamic_model_file), "--selfie", "nowhere.tflite", "--frames", "3", "--rounds", "1"]
    command = [sys.executable, str(SCRIPT), *words, "--size", "320x180", "--json", str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "MediaPipe's file is missing (nowhere.tflite): no ratio." in done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("| default")]
    assert "ms**" in line and line.count("|") == 15
    assert len(json.loads(result.read_text())["cases"]["default"]["frame_ms"][0]) == 3
