"""The examples in the docstrings are true: all that there are, found by looking."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import standout
from kits import needs_tensorflow

SOURCE = Path(standout.__file__).parent

#: Rooms whose modules load TensorFlow; their examples, if they have any, are slow tests.
_KERAS_ROOMS = ("model", "train", "export")
#: What modules need that not everybody has installed.
_EXTRAS = {"server": ("fastapi", "uvicorn"), "video": ("av",), "cluster": ("ray",)}


def modules_with_examples() -> Iterator[Any]:
    for path in sorted(SOURCE.rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            name = (
                path.relative_to(SOURCE.parent).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
            )
            yield pytest.param(name, marks=needs_tensorflow if name.split(".")[1] in _KERAS_ROOMS else ())


@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in _EXTRAS.get(name.split(".")[1], ()):
        pytest.importorskip(package)
    module = importlib.import_module(name)
    monkeypatch.chdir(tmp_path)
    assert any(test.examples for test in doctest.DocTestFinder().find(module)), "doctest finds no example in this file"
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).failed == 0


def called_by_users() -> list[str]:
    """The public functions, and the types that users make themselves; results and errors are made for them."""
    made = {name for name in standout.__all__ if name.endswith("Options")} | {"Length", "Point", "VideoAlpha"}
    return sorted(made | {name for name in standout.__all__ if inspect.isfunction(getattr(standout, name))})


@pytest.mark.parametrize("name", called_by_users())
def test_what_users_call_has_an_example(name: str) -> None:
    text = getattr(standout, name).__doc__ or ""
    assert ">>> " in text or "    import standout\n" in text  # what starts processes can't run as a doctest
