"""The TypeScript tests of web/, run with the system's Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from browser_kit import missing

pytestmark = pytest.mark.slow

WEB = Path(__file__).parents[2] / "web"


def test_the_library_keeps_its_types_and_passes_its_tests() -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("there is no Node on this machine")
    if not (WEB / "node_modules").is_dir():
        missing("web/node_modules isn't there; run `make web`")
    for script in ("check", "test"):
        done = subprocess.run([npm, "run", "--silent", script], cwd=WEB, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
