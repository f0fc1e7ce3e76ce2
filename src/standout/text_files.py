"""Reading text that people and programs wrote: TOML, JSON and CSV, or one line that says why it can't be read.

Whatever is wrong, from a missing file to nesting that no parser survives, is a `TextFileError`, whose text is the
reason alone; the caller says in its own error which file must hold what.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from pathlib import Path
from typing import Any

#: Settings, lists and reports are far smaller; a larger file is a mistake and would fill the memory.
MAX_BYTES = 1 << 28


class TextFileError(ValueError):
    """Why a file can't be read, without its name."""


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark.

    Raises:
        TextFileError: It can't be read, is too large, or isn't UTF-8.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise TextFileError("there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise TextFileError(getattr(error, "strerror", None) or str(error)) from error
    if len(data) > MAX_BYTES:
        raise TextFileError(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextFileError(f"it is not UTF-8 text (byte {error.start})") from error


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds.

    Raises:
        TextFileError: The file can't be read, isn't UTF-8, or isn't TOML.
    """
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TextFileError(f"it is not valid TOML: {_line(error)}") from error


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        TextFileError: The file can't be read, isn't UTF-8, or isn't JSON.
    """
    return parse_json(read_text(path))


def parse_json(text: str | bytes) -> Any:
    """What a JSON text holds.

    Raises:
        TextFileError: It isn't JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TextFileError(f"it is not valid JSON: {_line(error)}") from error


def read_csv(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The columns of a CSV file, and its rows; a cell that is missing is "", and one too many is left out.

    Raises:
        TextFileError: The file can't be read, isn't UTF-8, or has a cell longer than the `csv` module takes.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), restval="")
    try:
        columns = [name.strip() for name in reader.fieldnames or []]
        reader.fieldnames = columns
        rows = [{name: row[name] for name in columns} for row in reader]
    except csv.Error as error:
        raise TextFileError(f"it is not valid CSV: {_line(error)}") from error
    return columns, rows


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
