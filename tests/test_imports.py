"""Who may import whom, what `import standout` costs, and that the public names are the ones that exist."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import standout
from standout.cli import COMMANDS

SOURCE = Path(standout.__file__).parent

#: Base modules and rooms, each of which may import only those before it.
BASE = ("errors", "hardware", "processes", "config", "model_card", "imaging")

#: room -> rooms it may import besides the base and itself. A module outside a room is a room of its own.
ROOMS: dict[str, set[str]] = {
    "__main__": {"cli"},
    "data": set(),
    "audit": {"data"},
    "model": set(),
    "train": {"data", "model", "score"},
    "score": {"data", "audit"},
    "inference": set(),
    "export": {"model", "data"},
    "compose": set(),
    "photo": {"inference", "compose"},
    "folder": {"photo", "inference", "compose"},
    "id_photo": {"photo", "inference", "compose"},
    "video": {"inference", "compose"},
    "webcam": {"compose"},
    "server": {"photo", "id_photo", "inference", "compose"},
    "plots": set(),
}

#: Rooms that may name each third-party package at all; whoever isn't named here may not.
THIRD_PARTY: dict[str, set[str]] = {
    "keras": {"model", "train", "export"},
    "tensorflow": {"model", "train", "export"},
    "albumentations": {"data"},
    "sklearn": {"data", "score"},
    "onnxruntime": {"inference", "export"},
    "onnx": {"export"},
    "av": {"video"},
    "pyvirtualcam": {"webcam"},
    "ray": {"folder"},
    "matplotlib": {"plots", "train"},
    "pymatting": {"compose"},
    "typer": {"cli"},
    "fastapi": {"server"},
    "starlette": {"server"},
    "pydantic": {"server"},
    "uvicorn": {"server"},
    "h11": {"server"},
    "prometheus_client": {"server"},
    "torch": set(),
}

#: What the start of every command would pay for.
HEAVY = (
    "tensorflow",
    "keras",
    "matplotlib",
    "torch",
    "onnxruntime",
    "cv2",
    "numpy",
    "PIL",
    "typer",
    "rich",
    "av",
    "ray",
)


def modules() -> list[str]:
    """Every module as `room.module` or `module`, without `standout.`."""
    paths = sorted(SOURCE.rglob("*.py"))
    names = [path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".") for path in paths]
    return [name.removesuffix(".__init__") for name in names if name != "__init__"]


def room_of(name: str) -> str:
    return name.split(".")[0]


def imports_of(name: str, *, only_at_start: bool = False) -> Iterator[str]:
    """What a module imports under its full name: everything, or what its own import costs."""
    path = SOURCE / (name.replace(".", "/") + ".py")
    path = path if path.exists() else path.with_suffix("") / "__init__.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if only_at_start else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively; write the full name"
            yield node.module or ""
            # `from standout import x` names a module, or a name of the package itself.
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "standout")


@pytest.mark.parametrize("name", modules())
def test_imports_point_one_way(name: str) -> None:
    room = room_of(name)
    for imported in imports_of(name):
        parts = imported.split(".")
        if parts[0] != "standout" or len(parts) == 1:
            continue
        target = parts[1]
        if target.startswith("__") or room == "cli" or target == room:
            continue
        if room in BASE:
            assert target in BASE[: BASE.index(room)], f"{name} imports {imported}, which is not to its left"
        else:
            assert room in ROOMS, f"{name} is in no room of tests/test_imports.py; add it there with what it may import"
            assert target in BASE or target in ROOMS[room], f"{name} may not import {imported}"


@pytest.mark.parametrize("name", modules())
def test_third_party_packages_stay_in_their_rooms(name: str) -> None:
    room = room_of(name)
    for imported in imports_of(name):
        package = imported.split(".")[0]
        allowed = room == "cli" or room in THIRD_PARTY.get(package, {room})
        assert allowed, f"{name} may not import {package}"


@pytest.mark.parametrize("name", sorted(command.module.removeprefix("standout.") for command in COMMANDS.values()))
def test_commands_import_late(name: str) -> None:
    if name not in modules():
        pytest.fail(f"COMMANDS names {name}, which doesn't exist")
    for imported in imports_of(name, only_at_start=True):
        package = imported.split(".")[0]
        light = package in sys.stdlib_module_names or package in ("typer", "standout")
        assert light, f"{name} imports {imported} at its start; do it inside the command"


def test_importing_standout_is_fast_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import standout; took = time.perf_counter() - start; "
        f"print(took, *[m for m in {HEAVY!r} if m in sys.modules])"
    )
    # The best of several, for a busy machine makes anything slow once.
    for _ in range(5):
        output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert output[1:] == []
        if float(output[0]) < 0.3:
            return
    pytest.fail(f"`import standout` took {output[0]} s")


def test_cutting_out_loads_neither_keras_nor_matplotlib(tmp_path: Path, model_file: Path) -> None:
    code = (
        "import sys, numpy as np, standout; "
        f"standout.cut_out(np.zeros((32, 32, 3), np.uint8), model={str(model_file)!r}); "
        "names = ('tensorflow', 'keras', 'matplotlib', 'torch', 'albumentations', 'av'); "
        "print(*[m for m in names if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


def test_the_public_names_are_those_that_exist() -> None:
    assert len(standout.__all__) <= 12
    assert set(standout.__all__) == set(standout._HOMES) | {"__version__"}
    for name in standout.__all__:
        assert getattr(standout, name) is not None
    assert dir(standout) == sorted(standout.__all__)
    with pytest.raises(AttributeError, match="no attribute 'cutout'"):
        standout.cutout  # noqa: B018
