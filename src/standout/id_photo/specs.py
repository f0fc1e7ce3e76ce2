"""The specifications that there are: the bundled ones, a file each in `id_photo/specs`, and a user's own."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from standout.errors import ConfigError
from standout.id_photo.spec import Spec
from standout.id_photo.spec_parser import parse_spec
from standout.text_files import TextFileError, read_text, read_toml

#: A folder with a user's own specifications, in addition to the bundled ones.
FOLDER_VARIABLE = "STANDOUT_SPECS"


def load_spec(name_or_path: str | Path, *, folder: Path | None = None) -> Spec:
    """A specification by its name, or from a file.

    Args:
        name_or_path: A name that `list_specs` knows, or the path of a TOML file (it ends in `.toml`).
        folder: Searched before the bundled ones; by default the folder that `STANDOUT_SPECS` names.

    Raises:
        ConfigError: There is no such specification, or its file breaks a rule of the form.

    Example:
        >>> load_spec("us-passport").country
        'US'
    """
    if str(name_or_path).lower().endswith(".toml"):
        return _read(Path(name_or_path))
    files = _files(folder)
    if str(name_or_path) not in files:
        near = difflib.get_close_matches(str(name_or_path), files, 3, 0.5)
        hint = f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
        raise ConfigError(
            f"There is no specification {str(name_or_path)!r}{hint or ';'} `--list-specs` lists all {len(files)}, "
            "and a file of your own is given with its ending `.toml`."
        )
    return _read(files[str(name_or_path)])


def list_specs(*, folder: Path | None = None) -> list[Spec]:
    """All specifications, by name; a user's own hides a bundled one of the same name.

    Example:
        >>> sorted({"us-passport", "jp-cv"} & {spec.name for spec in list_specs()})
        ['jp-cv', 'us-passport']
    """
    return [_read(path) for _, path in sorted(_files(folder).items())]


def spec_text(name: str, *, folder: Path | None = None) -> str:
    """A specification's file as it is: something to start one's own from."""
    load_spec(name, folder=folder)
    path = Path(name) if name.lower().endswith(".toml") else _files(folder)[name]
    return read_text(path)


def _files(folder: Path | None) -> dict[str, Path]:
    if folder is None and os.environ.get(FOLDER_VARIABLE):
        folder = Path(os.environ[FOLDER_VARIABLE])
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"There is no folder of specifications `{folder}`; create it or leave it out.")
    folders = [Path(__file__).parent / "specs", *([folder] if folder is not None else [])]
    return {path.stem: path for place in folders for path in sorted(place.glob("*.toml"))}


def _read(path: Path) -> Spec:
    try:
        raw = read_toml(path)
    except TextFileError as error:
        raise ConfigError(f"The specification `{path}` can't be read: {error}.") from error
    return parse_spec(raw, path.stem)
