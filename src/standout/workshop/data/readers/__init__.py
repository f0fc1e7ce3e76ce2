"""One reader per form of data set, each in a file of its own.

A reader is a module with a `NAME` for messages, `fits(root)`, which looks at names and a few first bytes only, and
`find(root, person)`, which opens annotations but no picture.
`tests/workshop/data/readers_kit.py` is what all of them must pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from standout.workshop.data.pair import Found


class Reader(Protocol):
    """What a reader's module offers."""

    NAME: str

    def fits(self, root: Path) -> bool:
        """Whether `root`, a file or a folder, is of this form."""
        ...

    def find(self, root: Path, person: str) -> Found:
        """Every pair of `root`.

        Args:
            root: One that fits.
            person: The names of the categories that are person, or the values of label pictures; "" by default
                "person", or what the label pictures' own rule says.

        Raises:
            DataError: A file can't be understood; the message names it, and the line.
        """
        ...
