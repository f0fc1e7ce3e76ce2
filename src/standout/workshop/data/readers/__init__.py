"""One reader per form of data set, each in a file of its own.

A reader is a module of this folder with a `NAME` for messages, a `RANK`, `fits(root)`, which looks at names and a few
first bytes only, and `find(root, person)`, which opens annotations, and pictures only to see how the set is to be read.
It is found by lying here; a module whose name begins with an underscore is none.
`tests/workshop/data/readers_kit.py` is what all of them must pass.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import Protocol, cast

from standout.workshop.data.pair import FoundPairs

#: A reader of a lower `RANK` is asked even where images/ and masks/ lie side by side.
FIRST = 10


class Reader(Protocol):
    """What a reader's module offers.

    Attributes:
        NAME: What messages call the form.
        RANK: In which order the readers are asked: what is sure by a file's name or content goes first.
    """

    NAME: str
    RANK: int

    def fits(self, root: Path) -> bool:
        """Whether `root`, a file or a folder, is of this form."""
        ...

    def find(self, root: Path, person: str) -> FoundPairs:
        """Every pair of `root`.

        Args:
            root: One that fits.
            person: The names of the categories that are person, or the values of label pictures; "" by default
                "person", or what the label pictures' own rule says.

        Raises:
            DataError: A file can't be understood; the message names it, and the line.
        """
        ...


@cache
def readers() -> tuple[Reader, ...]:
    """Every reader, in the order in which they are asked."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
        if not found.name.startswith("_")
    )
    return tuple(sorted((cast(Reader, module) for module in modules), key=lambda reader: reader.RANK))
