"""A CSV with the columns image,mask and, where known, group,set,weight,person; paths are relative to the CSV.

An empty mask means nobody.
"""

from __future__ import annotations

from pathlib import Path

from standout.errors import DataError
from standout.workshop.data.pair import FoundPairs, Pair
from standout.workshop.data.readers._parts import is_weight, read_table

NAME = "CSV"
RANK = 10


def fits(root: Path) -> bool:
    return root.suffix.lower() == ".csv" and root.is_file()


def find(root: Path, person: str) -> FoundPairs:
    columns, rows = read_table(root)
    if not {"image", "mask"} <= set(columns):
        raise DataError(f"{root} must have the columns image,mask; received {','.join(columns) or 'nothing'}.")
    pairs = [_pair(root, number, row, person) for number, row in enumerate(rows, 1)]
    return FoundPairs(sorted(pairs, key=lambda pair: (pair.set, str(pair.image))), [])


def _pair(root: Path, number: int, row: dict[str, str], person: str) -> Pair:
    name, mask = row["image"], row["mask"]
    if not name or "\0" in name + mask:
        raise DataError(f"{root}, row {number}: `image` must be the path of a photograph; received {name!r}.")
    try:
        weight = float(row.get("weight") or 1)
    except ValueError:
        weight = -1.0
    if not is_weight(weight):
        raise DataError(
            f"{root}, row {number} ({name}): `weight` must be a number, 0 or more; received {row['weight']!r}."
        )
    image = root.parent / name
    return Pair(
        image, root.parent / mask if mask else None, row.get("set") or root.stem, row.get("group") or image.stem,
        weight, person=row.get("person") or person,
    )  # fmt: skip
