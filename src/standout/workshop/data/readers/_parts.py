"""What readers share: pictures of a folder, JSON, names of categories."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from standout import text_files
from standout.errors import DataError, MissingExtra
from standout.imaging.decode import SUFFIXES
from standout.workshop.data.label_pictures import read_label_picture
from standout.workshop.data.pair import Split
from standout.workshop.data.places import Place, read_bytes, read_head
from standout.workshop.data.set_values import holds

DEFAULT_PERSON = "person"

#: Names of folders and files, and the part of a data set that they hold.
_SPLITS: dict[str, Split] = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
    "testing": "test",
}  # fmt: skip


def split_named(name: str) -> Split:
    """`val2017`, `instances_val2017` and `valid` are "val"; what says nothing is ""."""
    words = re.findall(r"[a-z]+", name.lower())
    return next((_SPLITS[word] for word in words if word in _SPLITS), "")


def is_picture(path: Path) -> bool:
    """By its ending, in whatever case."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def pictures_by_stem(folder: Path) -> dict[str, Path]:
    """Stem -> file, of the pictures in a folder; of two with one stem the last by name."""
    # By `scandir`, which knows files from folders without asking for each: a hundred thousand take a second, not ten.
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file()]
    found = {}
    for name in sorted(names):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in SUFFIXES:
            found[stem] = folder / name
    return found


def pictures_below(folder: Path) -> list[Path]:
    """Every picture in a folder and the folders in it, sorted."""
    return sorted(path for path in folder.rglob("*") if is_picture(path) and path.is_file())


class PictureIndex:
    """Finds pictures by the name that an annotation gives: its path, or the file's name alone.

    Args:
        folders: Where to look, in this order.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = list(dict.fromkeys(folder for folder in folders if folder.is_dir()))
        self._by_name: dict[str, Path] | None = None

    def find(self, name: str) -> Path | None:
        """The picture, or None; never one outside of the folders."""
        relative = Path(name.replace("\\", "/"))
        if ".." not in relative.parts and not relative.is_absolute():
            for folder in self._folders:
                if (path := folder / relative).is_file():
                    return path
        if self._by_name is None:
            self._by_name = {p.name: p for folder in reversed(self._folders) for p in pictures_below(folder)}
        return self._by_name.get(relative.name)


def read_json(file: Path) -> Any:
    """A JSON file's content. COCO's of all its photographs are larger than `text_files` takes for a setting.

    Raises:
        DataError: It can't be read; the message names the line.
    """
    try:
        return json.loads(file.read_bytes())
    except json.JSONDecodeError as error:
        raise DataError(f"{file}, line {error.lineno}: this isn't JSON ({error.msg}).") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} isn't text in UTF-8 ({error.reason}).") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file} can't be read ({error}).") from error


def read_text(file: Path) -> str:
    """A text file's content, without a byte order mark.

    Raises:
        DataError: It can't be read, or isn't UTF-8.
    """
    try:
        return text_files.read_text(file)
    except text_files.TextFileError as error:
        raise DataError(f"{file} can't be read: {error}.") from error


def read_yaml(file: Path, what: str) -> dict[str, Any]:
    """A YAML file's content.

    Raises:
        MissingExtra: PyYAML isn't installed.
        DataError: It can't be read, or isn't a table of keys.
    """
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtra(f"Reading {what}", "data") from error
    try:
        content = yaml.safe_load(read_text(file))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise DataError(f"{file}{where}: this isn't YAML ({getattr(error, 'problem', error)}).") from error
    if not isinstance(content, dict):
        raise DataError(f"{file} must have keys with values; received {type(content).__name__}.")
    return content


def read_table(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and rows of a CSV.

    Raises:
        DataError: It can't be read, or isn't CSV in UTF-8.
    """
    try:
        return text_files.read_csv(file)
    except text_files.TextFileError as error:
        raise DataError(f"{file} can't be read: {error}; save it as CSV in UTF-8.") from error


def is_weight(value: object) -> bool:
    """Whether a number can say how often a set is drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9


def starts_like(file: Path, *words: bytes) -> bool:
    """Whether the first 64 KB of a file hold all of these words."""
    head = read_head(file, 1 << 16)
    return all(word in head for word in words)


class Categories:
    """Which names of categories are person; case, blanks and underscores at the ends don't matter.

    Args:
        person: Names, divided by commas; "" is `person`.
    """

    def __init__(self, person: str) -> None:
        self.asked = person or DEFAULT_PERSON
        self._wanted = {_plain(name) for name in self.asked.split(",") if name.strip()}

    def __contains__(self, name: object) -> bool:
        return _plain(str(name)) in self._wanted

    def check(self, known: Iterable[str], file: Path) -> None:
        """Refuses a data set none of whose categories is person: it would teach that nobody is anywhere.

        Raises:
            DataError: None is; the message names those that there are.
        """
        names = sorted({str(name) for name in known})
        if not any(name in self for name in names):
            shown = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
            raise DataError(
                f"{file} has no category {self.asked!r}; it has {shown or 'none'}; say with `person` which is meant."
            )


def _plain(name: str) -> str:
    return name.strip().strip("_").casefold()


def check_holds(masks: Sequence[Place], value: str, root: Path) -> None:
    """Refuses label pictures none of which holds what is person by the rule of their form: they are of another form.

    Raises:
        DataError: The message says what the first of them holds.
    """
    if masks and not holds(masks, value):
        label = read_label_picture(read_bytes(masks[0]), str(masks[0]), value)
        raise DataError(
            f"{root}: no label picture holds {value}, the number of person in this form, and no list of classes names "
            f"another ({masks[0].name}: {label.rule.partition(':')[0]}); say with `person` what is (`person=1`)."
        )


def has_alpha(place: Place) -> bool:
    """Whether a PNG or WebP says in its header that it has transparency; says nothing of what lies in it."""
    head = read_head(place, 64)
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return len(head) > 25 and head[25] in (4, 6)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        if head[12:16] == b"VP8X":
            return len(head) > 20 and bool(head[20] & 0x10)
        return head[12:16] == b"VP8L" and len(head) > 24 and bool(head[24] & 0x10)
    return False
