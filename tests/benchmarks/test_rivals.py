"""benchmarks/rivals.py: who is given is measured, who is not is named as missing, nothing is invented."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kits import write_nobody, write_pairs

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "rivals.py"


@pytest.mark.slow
def test_ours_is_measured_and_rivals_that_are_not_there_are_missing(dynamic_model_file, tmp_path):
    write_pairs(tmp_path / "data" / "people", 4)
    write_nobody(tmp_path / "data" / "nobody", 2)
    broken = tmp_path / "selfie.tflite"
    broken.write_bytes(b"no network")
    words = ["--model", str(dynamic_model_file), "--mediapipe", str(broken), "--json", str(tmp_path / "r.json")]
    plot = tmp_path / "r.png"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "data"), *words, "--plot", str(plot)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    results = json.loads((tmp_path / "r.json").read_text())["results"]
    ours = results["Standout dynamic"]
    # The tiny model calls bright pixels person, and the people of these pictures are the bright ones.
    assert ours["sets"]["people"]["person_iou"][0] > 0.9 and ours["sets"]["nobody"]["false_people"][0] == 0
    assert ours["ms"] > 0 and ours["peak_mb"] > 10
    assert results["U2Netp"] == {"missing": "not installed; give --u2netp"}
    assert "could not be run" in results["MediaPipe selfie"]["missing"]
    assert "missing: not installed" in done.stdout and plot.read_bytes().startswith(b"\x89PNG")
