"""PyAV, which is an extra: its name can be used anywhere in this room, and is looked up when a video is opened."""

from __future__ import annotations

import importlib
from typing import Any

from standout.errors import MissingExtra


class _PyAV:
    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(importlib.import_module("av"), name)
        except ModuleNotFoundError as error:
            raise MissingExtra("Reading and writing video", "video") from error


av: Any = _PyAV()
