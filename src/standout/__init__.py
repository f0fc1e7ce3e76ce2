"""Standout separates people from their background: offline, on an ordinary CPU.

    import standout
    standout.cut_out("photo.jpg").save("photo.png")

The public names stand in `__init__.pyi`, for type checkers and for this module alike. They are loaded when they are
first used, so `import standout` costs next to nothing.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

from standout.privacy import switch_telemetry_off

switch_telemetry_off()


def _read_homes() -> dict[str, str]:
    """Public name -> the module that holds it."""
    stub = ast.parse(Path(__file__).with_name("__init__.pyi").read_text("utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"standout.{node.module}" for node in imports for alias in node.names}


_HOMES = _read_homes()
__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":  # pyproject.toml has it
        return importlib.import_module("importlib.metadata").version("standout")
    if name not in _HOMES:
        raise AttributeError(f"module 'standout' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
