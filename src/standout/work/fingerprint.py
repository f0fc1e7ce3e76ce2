"""A fingerprint of everything that a result depends on besides its source; if it changes, the result is made anew."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

import standout


def fingerprint(*parts: Any) -> str:
    """Of options, models, backgrounds, whatever; and of Standout's version, which may make something else of them.

    Args:
        parts: Dataclasses, dicts and tuples of plain values; files, bytes and arrays count by their content.
    """
    text = json.dumps([standout.__version__, *map(_plain, parts)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """A value as JSON."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return [value.dtype.str, *value.shape, hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()]
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, Path) and value.is_file():
        with value.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else repr(value)
