"""Without PyAV, an extra, everything but video works, and video is one sentence that says what to install."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

#: Runs the command line, or Python, in an environment without PyAV.
WITHOUT = "import sys; sys.modules['av'] = None\n"
SENTENCE = (
    "Reading and writing video needs the extra `video`, which is not installed; run `pip install 'standout[video]'`."
)


def run_without(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True, check=False)


def test_the_command_names_the_extra_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(b"video")
    words = ["standout", "video", str(tmp_path / "in.mp4"), "-o", str(tmp_path / "out.mp4")]
    done = run_without(f"sys.argv = {words}\nfrom standout.cli import main\nmain()")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert SENTENCE in " ".join(done.stderr.split())
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    "call", ["standout.process_video('a.mp4', 'b.mp4')", "next(iter(standout.read_frames('a.mp4')))"]
)
def test_the_functions_raise_missing_extra(call: str, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"video")
    call = call.replace("a.mp4", str(tmp_path / "a.mp4"))
    done = run_without(f"import standout\nfrom standout.errors import MissingExtra\ntry: {call}\n"
                       "except MissingExtra as error: print(error)")  # fmt: skip
    assert done.stdout.strip() == SENTENCE, done.stderr


def test_the_public_names_can_be_looked_at_without_it() -> None:
    done = run_without("import standout\nprint(all(hasattr(standout, name) for name in standout.__all__))")
    assert done.stdout.strip() == "True", done.stderr


def test_the_core_does_not_ask_for_it() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert not any(line.startswith("av") for line in project["dependencies"])
    assert any(line.startswith("av") for line in project["optional-dependencies"]["video"])
