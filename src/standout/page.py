"""The browser page that was built from web/ into the package: where it lies, and how it is written elsewhere."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from standout.errors import InputError, OutputError
from standout.imaging.files import atomic_write

#: What every page folder has; without it a folder is somebody else's.
_MARK = "index.html"
_OURS = b"<title>Standout</title>"


@dataclass(frozen=True)
class Written:
    """What `write_page` wrote: the number of files and their bytes."""

    files: int
    size: int


def write_page(target: str | Path) -> Written:
    """Writes the page as static files; it needs no special headers of its host.

    Args:
        target: A folder that is empty, absent, or holds an older page, which is renewed.

    Raises:
        InputError: This installation has no page.
        OutputError: The folder holds something else, or can't be written.
    """
    target = Path(target)
    source = importlib.resources.files("standout") / "server" / "page"
    if not (source / _MARK).is_file():
        raise InputError(
            "This installation has no browser page: it was installed from a clone without building it; "
            "run `make web` in the clone (it needs Node 18.20 or newer), or install Standout's wheel."
        )
    _check_target(target)
    files = list(_files(source, ""))
    try:
        for name, file in files:
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(place) as stream:
                stream.write(file.read_bytes())
        # Hashed files of an older page would stay for ever.
        known = {name for name, _ in files} | {".nojekyll"}
        for old in (target / "assets").iterdir():
            if f"assets/{old.name}" not in known:
                old.unlink()
        # GitHub Pages leaves files alone then.
        (target / ".nojekyll").touch()
    except OSError as error:
        raise OutputError(f"The page can't be written to `{target}`: {error.strerror}.") from error
    return Written(len(files), sum((target / name).stat().st_size for name, _ in files))


def _check_target(target: Path) -> None:
    if target.is_file():
        raise OutputError(f"The page needs a folder; `{target}` is a file.")
    if not target.is_dir() or not any(target.iterdir()):
        return
    mark = target / _MARK
    if not mark.is_file() or _OURS not in mark.read_bytes():
        raise OutputError(
            f"`{target}` holds files that are no page of Standout; give an empty folder; nothing was written."
        )


def _files(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            found += _files(entry, f"{prefix}{entry.name}/")
        else:
            found.append((f"{prefix}{entry.name}", entry))
    return found
