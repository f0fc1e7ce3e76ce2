"""Which photos a job is about: those of a folder, of a URL, or of a list; and what was left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from standout.cluster.manifest import MANIFEST_NAME
from standout.cluster.photo import Photo
from standout.cluster.storage import Entry, Place, is_url, read_table, redact
from standout.errors import InputError
from standout.imaging.source import SUFFIXES, passed_over
from standout.work.find import find_files, lies_within
from standout.work.journal import JOURNAL_NAME

#: Endings of lists of paths.
LIST_ENDINGS = (".txt", ".lst", ".parquet")
#: Columns of a Parquet list that may hold the paths, their sizes, and what changes with their content.
_PATHS, _SIZES, _CHANGES = ("path", "url", "uri", "key", "file"), ("size",), ("etag", "last_modified", "changed")


@dataclass
class Sources:
    """The photos of a job.

    Attributes:
        folder: What their paths are relative to.
        photos: In the order of their paths; `output` is not set yet.
        skipped: Why something was left out -> how many.
        unreadable: A folder that can't be looked into -> why.
    """

    folder: Place
    photos: list[Photo] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, str] = field(default_factory=dict)


def find_sources(source: str, target: Place, *, recursive: bool) -> Sources:
    """Finds the photos of a folder, a URL, or a text or Parquet list of paths.

    Paths in a list are relative to the list's folder, or whole: `/data/a.jpg` and `s3://bucket/a.jpg` keep all of
    their folders (`data/a.png`, `bucket/a.png`), so that what a photo becomes doesn't depend on the rest of the list.

    Raises:
        InputError: There is no such folder or list, or it can't be read.
    """
    place = Place(source)
    if PurePosixPath(source).suffix.lower() in LIST_ENDINGS and place.is_file():
        return _of_list(place)
    if place.folder is not None:
        return _of_folder(place, target, recursive)
    return _of_storage(place, target, recursive)


def _of_folder(place: Place, target: Place, recursive: bool) -> Sources:
    folder = place.folder
    if folder is None or not folder.is_dir():
        what = f"it is a file; a list ends in {', '.join(LIST_ENDINGS)}" if place.exists() else "it doesn't exist"
        raise InputError(f"The photos must be a folder, a URL or a list; received `{place}`: {what}.")
    inside = target.folder is not None and lies_within(target.folder, folder)
    found = find_files(folder, SUFFIXES, recursive=recursive, leave_out=target.folder if inside else None)
    photos = []
    for path in found.files:
        try:
            status = os.stat(folder / path)
            photos.append(Photo(path, size=status.st_size, changed=str(status.st_mtime_ns)))
        except OSError:
            photos.append(Photo(path))  # reading it will say why
    return Sources(place, photos, found.skipped, found.unreadable)


def _of_storage(place: Place, target: Place, recursive: bool) -> Sources:
    sources = Sources(place)
    out = place.holds(target)
    inside = f"{out}/" if out else None
    try:
        entries = list(place.entries(recursive=recursive))
    except FileNotFoundError:
        entries = []
    if not entries and not place.exists():  # most storages find nothing where there is nothing, and say no more
        raise InputError(f"There is nothing at `{place}`; give the folder or prefix that the photos lie in.")
    earlier = {_folder_of(entry.path) for entry in entries if _marks_an_output(entry.path)}
    for entry in entries:
        why = _why_not(entry, inside, earlier)
        if why:
            sources.skipped[why] += 1
        elif why is None:
            sources.photos.append(Photo(entry.path, size=entry.size, changed=entry.changed))
    sources.photos.sort(key=lambda photo: photo.path)
    return sources


def _why_not(entry: Entry, inside: str | None, earlier: set[str]) -> str | None:
    """None for a photo; "" for what isn't even counted. The words are those of `standout.work.find`."""
    path = entry.path
    if inside and path.startswith(inside):
        return ""
    if any(part.startswith(".") for part in path.split("/") if part):
        return "hidden"
    if path.endswith("/"):
        return "folders (--recursive looks into them)"
    if f"/{MANIFEST_NAME}/" in f"/{path}":
        return ""
    if any(path.startswith(f"{folder}/") for folder in earlier if folder):
        return "folders of results"
    return passed_over(path) or None


def _marks_an_output(path: str) -> bool:
    parts = path.split("/")
    return parts[-1] == JOURNAL_NAME or MANIFEST_NAME in parts[:-1]


def _folder_of(path: str) -> str:
    parts = path.split("/")
    end = parts.index(MANIFEST_NAME) if MANIFEST_NAME in parts else len(parts) - 1
    return "/".join(parts[:end])


def _of_list(place: Place) -> Sources:
    address, _, name = place.address.rpartition("/")
    folder = Place(address or "/")
    sources = Sources(folder)
    seen: set[str] = set()
    for photo in _listed(folder, name):
        if photo.path in seen:
            sources.skipped["named twice in the list"] += 1
        elif reason := passed_over(photo.path):
            sources.skipped[reason] += 1
        else:
            seen.add(photo.path)
            sources.photos.append(_stamped(photo, folder))
    sources.photos.sort(key=lambda photo: photo.path)
    return sources


def _listed(folder: Place, name: str) -> Iterator[Photo]:
    data = folder.read(name)
    if not name.lower().endswith(".parquet"):
        try:
            lines = data.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise InputError(f"The list `{folder}/{name}` must be text in UTF-8, a path a line: {error}.") from error
        yield from (_photo(line.strip()) for line in lines if line.strip() and not line.startswith("#"))
        return
    try:
        table = read_table(data)
    except Exception as error:
        raise InputError(f"The list `{folder}/{name}` can't be read as Parquet: {redact(str(error))}.") from error
    names = {column.lower(): column for column in table.column_names}
    chosen = [next((names[word] for word in words if word in names), None) for words in (_PATHS, _SIZES, _CHANGES)]
    if chosen[0] is None:
        raise InputError(
            f"The list `{folder}/{name}` must have a column {', '.join(f'`{word}`' for word in _PATHS)}; "
            f"received {', '.join(f'`{word}`' for word in table.column_names)}."
        )
    for batch in table.select([column for column in chosen if column]).to_batches(10_000):
        paths = batch.column(chosen[0]).to_pylist()
        sizes = batch.column(chosen[1]).to_pylist() if chosen[1] else [-1] * len(paths)
        changes = batch.column(chosen[2]).to_pylist() if chosen[2] else [""] * len(paths)
        for path, size, changed in zip(paths, sizes, changes, strict=True):
            if path:
                yield _photo(str(path), -1 if size is None else int(size), "" if changed is None else str(changed))


def _stamped(photo: Photo, folder: Place) -> Photo:
    """With the size and time of a file on disk; elsewhere asking for each would cost a request a photo."""
    if photo.size >= 0 or is_url(photo.address) or (not photo.address and folder.folder is None):
        return photo
    try:
        status = os.stat(photo.address or folder.path(photo.path))
    except OSError:
        return photo  # reading it will say why
    return replace(photo, size=status.st_size, changed=photo.changed or str(status.st_mtime_ns))


def _photo(text: str, size: int = -1, changed: str = "") -> Photo:
    """A line of a list. An absolute path keeps all of its folders; `..` may not lead out of the output."""
    if not is_url(text) and not text.startswith("/"):
        path = PurePosixPath(text)
        if ".." in path.parts:
            raise InputError(f"A path in a list must not climb with `..`; received `{text}`; write the whole path.")
        return Photo(path.as_posix(), size=size, changed=changed)
    whole = text.split("://", 1)[-1].lstrip("/")
    if ".." in whole.split("/"):
        raise InputError(f"A path in a list must not climb with `..`; received `{redact(text)}`; write the whole path.")
    return Photo(redact(whole), "", text, size, changed)
