"""The TypeScript tests of web/, run with the system's Node."""

from __future__ import annotations

import os
import shutil
import signal
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
        code, said = _run([npm, "run", "--silent", script], limit_s=300)
        assert code == 0, said[-6000:]


def _run(command: list[str], *, limit_s: float) -> tuple[int, str]:
    """Exit status and output; what isn't through in time is ended with all its children."""
    process = subprocess.Popen(
        command, cwd=WEB, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=30)
        pytest.fail(f"`{' '.join(command)}` wasn't through after {limit_s:g} s; it said: {said[-4000:]}")
    return process.returncode, said
