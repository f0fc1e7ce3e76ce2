"""Which files of a folder are to be worked on, and what was left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from standout.errors import InputError
from standout.imaging.source import passed_over
from standout.work.journal import JOURNAL_NAME


@dataclass
class FoundFiles:
    """What is in a folder.

    Attributes:
        files: Paths relative to the folder, with forward slashes, sorted.
        skipped: Why something was left out -> how many.
        unreadable: Relative path of a folder that can't be looked into -> why.
    """

    files: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, str] = field(default_factory=dict)


def find_files(
    folder: Path, endings: Collection[str], *, recursive: bool = False, leave_out: Path | None = None
) -> FoundFiles:
    """Looks for files that have one of the endings.

    Links to files count as files, also broken ones, which are then reported when they are read. Links to folders are
    not followed: they could lead in a circle. A folder that holds a journal is the output of an earlier run.

    Args:
        folder: Where to look.
        endings: In small letters, `.jpg`.
        recursive: Look into the folders in it too.
        leave_out: The output folder: neither it nor links into it are input.

    Raises:
        InputError: `folder` itself can't be read.
    """
    found = FoundFiles()
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            entries = list(os.scandir(here))
        except OSError as error:
            if here == folder:
                raise InputError(f"The folder `{folder}` can't be read: {error.strerror or error}.") from error
            found.unreadable[here.relative_to(folder).as_posix()] = error.strerror or str(error)
            continue
        for entry in entries:
            reason = _reason_to_skip(entry, endings, recursive, leave_out)
            if reason:
                found.skipped[reason] += 1
            elif reason is None and _is_folder(entry):
                pending.append(Path(entry.path))
            elif reason is None:
                found.files.append(Path(entry.path).relative_to(folder).as_posix())
    found.files.sort()
    return found


def _reason_to_skip(
    entry: os.DirEntry[str], endings: Collection[str], recursive: bool, leave_out: Path | None
) -> str | None:
    """None for what is to be used; "" for what isn't even counted."""
    path = Path(entry.path)
    if entry.name.startswith("."):
        return "hidden"
    if _is_folder(entry):
        if leave_out is not None and same_folder(path, leave_out):
            return ""
        if entry.is_symlink():
            return "linked folders"
        if not recursive:
            return "folders (--recursive looks into them)"
        return "folders of results" if (path / JOURNAL_NAME).exists() else None
    if reason := passed_over(entry.name, endings):
        return reason
    broken_link = entry.is_symlink() and not os.path.exists(path)
    if not broken_link and not entry.is_file():
        return "other files"  # a pipe or a device would make us wait for ever
    if entry.is_symlink() and leave_out is not None and lies_within(Path(os.path.realpath(path)).parent, leave_out):
        return "links to results"
    return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or a link to one; a link that leads to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def same_folder(one: Path, other: Path) -> bool:
    """Whether two existing folders are one, whatever their names' case and links; False if one is missing."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def lies_within(inner: Path, outer: Path) -> bool:
    """Whether the folder `inner` (resolved; need not exist) is `outer` or lies in it."""
    return any(same_folder(folder, outer) for folder in _upwards(inner))


def lies_among_sources(place: Path, out: Path, sources: Path) -> bool:
    """Whether a result in the folder `place` could replace a source: a link leads back, or the output holds them.

    Args:
        place: Where a result would go, in `out`.
        out: The folder of the results, which may lie in `sources`.
        sources: The folder of the sources, resolved.
    """
    place = place.resolve()
    return lies_within(place, sources) and not (lies_within(out, sources) and lies_within(place, out))


def _upwards(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents
