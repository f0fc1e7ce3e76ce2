"""No command executes or imports anything that lies in the folder where it is called, nor do its worker processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import cv2
import numpy as np
import pytest

from clips import make_clip
from fakes import tiny_model
from kits import write_nobody, write_pairs
from standout.cli import COMMANDS

#: Processes are started, photographs are worked on: seconds each.
pytestmark = pytest.mark.slow


def has_page() -> bool:
    """Whether `make web` has built the browser page into the package."""
    return (files("standout") / "server" / "page" / "index.html").is_file()


PROGRAM = Path(sys.executable).parent / "standout"

#: Modules that commands import, and those that Python itself imports to start a worker by `-c`.
NAMES = (
    "numpy", "onnxruntime", "tensorflow", "standout", "sitecustomize", "usercustomize", "cv2", "PIL", "typer", "rich",
    "av", "keras", "multiprocessing", "pickle", "socket", "struct", "runpy", "json", "threading", "signal", "tempfile",
)  # fmt: skip
POISON = "import os\nwith open(os.environ['STANDOUT_TEST_MARK'], 'a') as mark:\n    mark.write(__file__ + '\\n')\n"

#: command -> its words; `{folder}` is where the inputs lie. Those that load TensorFlow take more than a few seconds.
QUICK = {
    "photo": ["photo.png", "-m", "m.onnx"],
    "id-photo": ["photo.png", "-o", "id.png", "--spec", "us-passport", "-m", "m.onnx"],
    "folder": ["photos", "out", "--workers", "2", "-m", "m.onnx"],
    "video": ["clip.mp4", "-o", "out.mp4", "--background", "white", "-m", "m.onnx"],
    "webcam": ["--camera", "99", "-m", "m.onnx"],
    "demo": [],
    "evaluate": ["data", "-m", "m.onnx"],
    "augment": ["data", "augmented", "--count", "4", "--size", "64", "--workers", "2"],
    "audit": ["data"],
    "convert": ["data", "converted"],
    "label": ["photos", "labeled", "--judge", "own=m.onnx", "--judge", "deeplab=none.tflite"],
    "page": ["page"],
    "benchmark": ["-m", "m.onnx", "--size", "64x64", "--threads", "1", "--rounds", "2", "--repeats", "1"],
}
#: Without a camera, or a judge's file, a command can't do its work; what it imports on the way is tried all the same.
EXIT_CODES = {"webcam": 2, "audit": 1, "label": 2, "page": 0 if has_page() else 2}
TINY = [
    "steps=2", "width=0.35", "aspp_channels=8", "decoder_channels=8", "low_level_channels=4", "size=64", "batch=2",
    "freeze=0", "warmup=1",
]  # fmt: skip
SLOW = {
    "train": ["data", "--run", "run", "workers=2", *TINY],
    "export": ["run", "-o", "new.onnx"],
    "info": ["-m", "m.onnx"],
    "serve": ["--check", "-m", "m.onnx"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an input for every command, and a poisoned module of every name."""
    folder = tmp_path_factory.mktemp("poisoned")
    tiny_model(folder / "m.onnx")
    photo = np.full((72, 96, 3), 20, np.uint8)
    photo[18:54, 32:64] = 240
    (folder / "photos").mkdir()
    for target in (folder / "photo.png", folder / "photos" / "a.png", folder / "photos" / "b.png"):
        cv2.imwrite(str(target), photo)
    make_clip(folder / "clip.mp4", 3)
    write_pairs(folder / "data" / "people", 8)
    write_nobody(folder / "data" / "nobody", 2)
    with as_file(files("standout") / "assets" / "astronaut.jpg") as portrait:
        shutil.copy(portrait, folder / "photo.png")  # the content decides, not the ending
    for name in NAMES:
        (folder / f"{name}.py").write_text(POISON, "utf-8")
    return folder


def call(folder: Path, words: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs the installed program in the folder, as a shell does that sets nothing about Python."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run([PROGRAM, *words], cwd=folder, env=kept | env, capture_output=True, text=True, check=False)


def check(folder: Path, command: str, words: list[str]) -> subprocess.CompletedProcess[str]:
    mark = folder / f"{command}.mark"
    done = call(folder, [command, *words], {"STANDOUT_TEST_MARK": str(mark)})
    assert not mark.exists(), f"`standout {command}` ran {sorted(set(mark.read_text().split()))}"
    return done


def test_every_command_is_tried() -> None:
    assert {*QUICK, *SLOW} == set(COMMANDS)


@pytest.mark.skipif(not PROGRAM.exists(), reason="the program `standout` isn't installed beside Python")
@pytest.mark.parametrize("command", QUICK)
def test_nothing_in_the_current_folder_runs(folder: Path, command: str) -> None:
    done = check(folder, command, QUICK[command])
    assert done.returncode == EXIT_CODES.get(command, 0), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not PROGRAM.exists(), reason="the program `standout` isn't installed beside Python")
def test_nothing_in_the_current_folder_runs_where_tensorflow_is_loaded(folder: Path) -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("fastapi")
    for command, words in SLOW.items():
        done = check(folder, command, words)
        assert done.returncode == 0, done.stderr
        if command == "info":
            assert "CPU:0" in done.stdout
