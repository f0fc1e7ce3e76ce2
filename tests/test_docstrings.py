"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

import standout

MODULES = (
    "folder.output_names", "folder.photo_work",
    "compose.background", "compose.edge", "compose.finish", "compose.foreground", "compose.matting", "compose.options",
    "compose.parse", "compose.select", "compose.shadow", "photo.cut_out", "imaging.decode", "imaging.encode",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"standout.{name}")
    monkeypatch.chdir(str(tmp_path))
    outcome = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


def test_every_public_function_has_an_example() -> None:
    for function in (standout.cut_out, standout.Look):
        assert ">>> " in (function.__doc__ or ""), function.__name__
