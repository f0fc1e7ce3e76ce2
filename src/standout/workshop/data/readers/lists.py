"""Lists of pairs: train.txt, val.txt and test.txt with a photograph and its label picture in each line (PaddleSeg).

Paths are relative to the folder of the lists, and divided by a blank, a tab or a comma. A photograph that no list names
is not used.
"""

from __future__ import annotations

import re
from pathlib import Path

from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.places import read_head
from standout.workshop.data.readers._parts import is_picture, read_text, split_named

NAME = "lists of pairs"
RANK = 5  # the same images/ and masks/ without the lists would lose which part is which


def fits(root: Path) -> bool:
    return root.is_dir() and bool(_lists(root))


def find(root: Path, person: str) -> FoundPairs:
    found = FoundPairs()
    for file in _lists(root):
        part = split_named(file.stem)
        for number, line in enumerate(read_text(file).splitlines(), 1):
            if not line.strip():
                continue
            words = _words(line)
            image, mask = root / words[0], root / words[-1]
            pair = Pair(image, mask, root.name, image.stem, person=person, split=part)
            missing = next((path for path in (image, mask) if not path.is_file()), None)
            if len(words) != 2 or missing:
                reason = f"there is no {missing}" if missing else "it must be a photograph and its label picture"
                kind = "no image" if missing == image else "no mask"
                found.faults.append(Fault(pair, kind, f"{file}, line {number}: {reason}"))
            else:
                found.pairs.append(pair)
    return found


def _lists(root: Path) -> list[Path]:
    """The text files that are named after a part, and whose first line names two pictures."""
    files = sorted(path for path in root.glob("*.txt") if split_named(path.stem) and path.is_file())
    return [file for file in files if _names_a_pair(read_head(file, 4096))]


def _names_a_pair(head: bytes) -> bool:
    words = _words(head.decode("utf-8-sig", "replace").partition("\n")[0])
    return len(words) == 2 and all("\0" not in word and is_picture(Path(word)) for word in words)


def _words(line: str) -> list[str]:
    """The two paths of a line; one may hold blanks where a tab or a comma divides them."""
    for divider in ("\t", ","):
        if line.count(divider) == 1:
            return [word.strip() for word in line.split(divider)]
    return re.split(r"\s+", line.strip())
