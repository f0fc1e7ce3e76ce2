"""Standout separates people from their background: offline, on an ordinary CPU.

    import standout
    standout.cut_out("photo.jpg").save("photo.png")

The public names stand in `__init__.pyi`. They are loaded when they are first used, so `import standout` costs next to
nothing.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_load, _, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = sorted([*_names, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":  # pyproject.toml has it
        import importlib.metadata

        return importlib.metadata.version("standout")
    if name not in __all__:
        raise AttributeError(f"module 'standout' has no attribute {name!r}")
    return _load(name)


def __dir__() -> list[str]:
    return list(__all__)
