"""The notebooks run from the first cell to the last, and what is committed of them shows pictures and stays small."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbconvert")

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ("use", "train")


def outputs(file: Path) -> list[dict[str, Any]]:
    """What the cells of a notebook printed and drew."""
    cells = json.loads(file.read_text("utf-8"))["cells"]
    return [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]


def pictures(file: Path) -> int:
    return sum("image/jpeg" in output.get("data", {}) for output in outputs(file))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_shows_pictures_no_error_and_is_small(name: str) -> None:
    file = ROOT / "notebooks" / f"{name}.ipynb"
    assert file.stat().st_size < 400_000
    assert pictures(file) >= 3
    assert not [output for output in outputs(file) if output["output_type"] == "error"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(name: str, tmp_path: Path) -> None:
    if name == "train":
        pytest.importorskip("tensorflow")
    for part in ("notebooks", "tests/photos", "weights"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("run", "small-data", "*.onnx"))
    where = tmp_path / "notebooks"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output", "done", f"{name}.ipynb"],
        cwd=where, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert pictures(where / "done.ipynb") == pictures(ROOT / "notebooks" / f"{name}.ipynb")
    left = {"use": ["portrait.png"], "train": ["audit.html", "mine.onnx", "run/best.weights.h5"]}[name]
    assert all((where / file).stat().st_size > 10_000 for file in left)
