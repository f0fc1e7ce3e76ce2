"""Cut-outs: a folder of PNGs or WebPs whose transparency is the mask."""

from __future__ import annotations

from pathlib import Path

from standout.workshop.data.painted import OwnTransparency
from standout.workshop.data.pair import FoundPairs, Pair
from standout.workshop.data.readers._parts import has_alpha, pictures_by_stem

NAME = "cut-outs"
RANK = 100


def fits(root: Path) -> bool:
    if not root.is_dir():
        return False
    pictures = list(pictures_by_stem(root).values())
    return bool(pictures) and all(has_alpha(path) for path in pictures)


def find(root: Path, person: str) -> FoundPairs:  # noqa: ARG001 - transparency has no values to choose from
    pictures = pictures_by_stem(root)
    return FoundPairs([Pair(path, OwnTransparency(path), root.name, stem) for stem, path in pictures.items()])
