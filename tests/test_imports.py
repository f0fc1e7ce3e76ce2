"""Who may import whom, what `import standout` costs, and that the public names are the ones that exist.

The tables are exact: an import that no row allows fails, and so does an allowance that nobody uses, and so does a
third-party package without a row. So a new room adds its row to ROOMS together with its first import from another
room, and one to THIRD_PARTY for a package that nobody has used before; whoever removes the last import removes the
allowance. `errors` and `imaging` are open to all, `cli` may import everything; neither needs a row.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import standout
from standout.cli import COMMANDS

SOURCE = Path(standout.__file__).parent

#: Open to every room; they import nothing but each other, errors nothing at all.
GROUND = {"caches", "errors", "imaging", "privacy", "option", "text_files"}

#: room -> exactly the rooms that it imports besides the ground and itself. A module outside is a room too.
#: Every row names only rooms whose rows stand above it.
ROOMS: dict[str, set[str]] = {
    "hardware": set(),
    "work": set(),
    "model_card": set(),
    "page": set(),
    "inference": {"hardware", "model_card"},
    "compositing": set(),
    "pipeline": {"compositing", "inference"},
    "folder": {"compositing", "hardware", "inference", "pipeline", "work"},
    "cluster": {"folder", "hardware", "inference", "pipeline", "work"},
    "id_photo": {"compositing", "inference"},
    "video": {"compositing", "hardware", "inference", "work"},
    "webcam": {"compositing"},
    "server": {"compositing", "hardware", "id_photo", "inference", "pipeline", "work"},
    "workshop": set(),
    "workshop.config": set(),
    "workshop.plots": set(),
    "workshop.data": {"work", "workshop.config"},
    "workshop.audit": {"hardware", "workshop.data"},
    "workshop.score": {"inference", "workshop.data"},
    "workshop.model": {"workshop.config"},
    "workshop.train": {"workshop.config", "workshop.data", "workshop.model", "workshop.plots", "workshop.score"},
    "workshop.export": {
        "compositing",
        "imaging",
        "inference",
        "model_card",
        "pipeline",
        "workshop.data",
        "workshop.model",
    },
    "workshop.label": {"cluster", "folder", "hardware", "inference"},
}

#: third-party package -> exactly the rooms that import it, besides `cli`, which may import each.
THIRD_PARTY: dict[str, set[str]] = {
    "PIL": {
        "compositing",
        "workshop.data",
        "id_photo",
        "imaging",
        "pipeline",
        "server",
        "video",
        "webcam",
    },
    "ai_edge_litert": {"workshop.label"},
    "albumentations": {"workshop.data"},
    "pycocotools": {"workshop.data"},
    "yaml": {"workshop.data"},
    "av": {"video"},
    "fastapi": {"server"},
    "fsspec": {"cluster"},
    "google": {"inference"},  # protobuf, which onnxruntime brings: reads ONNX files
    "keras": {"workshop.export", "workshop.model", "workshop.train"},
    "matplotlib": {"workshop.plots"},
    "onnx": {"workshop.export"},
    "onnxruntime": {"workshop.export", "inference"},
    "pi_heif": {"imaging"},
    "platformdirs": {"caches"},
    "prometheus_client": {"server"},
    "pyarrow": {"cluster", "workshop.data"},
    "pydantic": {"server"},
    "python_multipart": {"server"},
    "pymatting": {"compositing", "workshop.label"},
    "pyvirtualcam": {"webcam"},
    "ray": {"cluster"},
    "rich": set(),
    "sklearn": {"workshop.data"},
    "starlette": {"server"},
    "tensorflow": {"workshop.label", "workshop.model", "workshop.train"},
    "typer": set(),
    "uvicorn": {"server"},
    "watchfiles": {"folder"},
}

#: Arrays are what every room is about.
EVERYWHERE = {"cv2", "numpy"}

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


@cache
def modules() -> list[str]:
    """Every module as `room.module` or `module`, without `standout.`."""
    paths = sorted(SOURCE.rglob("*.py"))
    names = [path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".") for path in paths]
    return [name.removesuffix(".__init__") for name in names if name != "__init__"]


def room_of(name: str) -> str:
    """The first word of a module's name; the workshop is a house of its own, with rooms."""
    words = name.split(".")
    return ".".join(words[: 2 if words[0] == "workshop" else 1])


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
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            # For packages that an extra brings, or that have no types.
            yield from (word.value for word in node.args if isinstance(word, ast.Constant))


@cache
def arrows() -> dict[str, dict[str, str]]:
    """room -> room or third-party package that it imports -> a module that does."""
    found: dict[str, dict[str, str]] = {}
    for name in modules():
        row = found.setdefault(room_of(name), {})
        for imported in imports_of(name):
            package, _, rest = imported.partition(".")
            if package == "standout":
                # `from standout import __version__` is no room.
                target = room_of(rest)
                if target and not target.startswith("_") and target != room_of(name):
                    row.setdefault(f"standout.{target}", name)
            elif package not in sys.stdlib_module_names and package != "__future__":
                row.setdefault(package, name)
    return found


def test_rooms_import_exactly_what_their_row_says() -> None:
    wrong = []
    for room, row in arrows().items():
        if room in ("cli", "__main__"):
            continue
        used = {
            target.removeprefix("standout."): name for target, name in row.items() if target.startswith("standout.")
        }
        if room in GROUND:
            wrong += [
                f"{name} imports {target}: the ground imports no room"
                for target, name in used.items()
                if target not in GROUND
            ]
            continue
        if room not in ROOMS:
            wrong.append(f"`{room}` has no row in ROOMS; give it one: {sorted(used.keys() - GROUND)}")
            continue
        allowed = ROOMS[room]
        wrong += [f"{name} may not import {target}" for target, name in used.items() if target not in allowed | GROUND]
        wrong += [f"`{room}` is allowed {target} and doesn't use it" for target in sorted(allowed - used.keys())]
    wrong += [f"ROOMS has a row for `{room}`, which doesn't exist" for room in sorted(ROOMS.keys() - arrows().keys())]
    assert not wrong, "\n".join(wrong)


def test_arrows_point_downward() -> None:
    above: set[str] = set(GROUND)
    for room, allowed in ROOMS.items():
        assert allowed <= above, f"`{room}` imports {sorted(allowed - above)}, whose rows stand below its own"
        above.add(room)


def test_the_product_never_opens_the_workshop() -> None:
    for room, allowed in ROOMS.items():
        into = {target for target in allowed if target.startswith("workshop")}
        assert room.startswith("workshop") or not into, f"`{room}` is the product and imports {sorted(into)}"


def test_third_party_packages_stay_in_their_rooms() -> None:
    wrong, used = [], {package: set[str]() for package in THIRD_PARTY}
    for room, row in arrows().items():
        for package, name in row.items():
            if package.startswith("standout.") or package in EVERYWHERE:
                continue
            if package not in THIRD_PARTY:
                wrong.append(f"{name} imports {package}, which has no row in THIRD_PARTY")
                continue
            used[package].add(room)
            if room != "cli" and room not in THIRD_PARTY[package]:
                wrong.append(f"{name} may not import {package}")
    for package, rooms in used.items():
        wrong += [f"`{room}` is allowed {package} and doesn't use it" for room in sorted(THIRD_PARTY[package] - rooms)]
        if not rooms:
            wrong.append(f"nobody imports {package}")
    assert not wrong, "\n".join(wrong)


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
    for name in standout.__all__:
        assert getattr(standout, name) is not None
    assert dir(standout) == sorted(standout.__all__)
    with pytest.raises(AttributeError, match="no attribute 'cutout'"):
        standout.cutout  # noqa: B018
