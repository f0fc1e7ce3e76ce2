"""Specifications of official photos: data in TOML, each number with its source and the day it was read.

The bundled ones lie in `idphoto/specs`, one file each, named like the specification. A user's own file has the same
form; docs/id-photo.md explains every key.
"""

from __future__ import annotations

import datetime
import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import ImageColor

from standout.errors import ConfigError

#: A folder with a user's own specifications, in addition to the bundled ones.
FOLDER_VARIABLE = "STANDOUT_SPECS"
DOCUMENTS = ("passport", "visa", "driving licence", "identity card", "residence permit", "cv", "other")

#: What a specification may bound, in words. All are vertical but `pupils`, the distance between the two.
BANDS = {
    "head": "head, crown to chin",
    "eyes": "eye line above the lower edge",
    "crown": "space above the head",
    "chin": "space below the chin",
    "pupils": "distance between the pupils",
}
_UNITS = ("mm", "px", "share")
_MM_PER_INCH = 25.4


@dataclass(frozen=True)
class Source:
    """Where a number comes from.

    Attributes:
        title: The document and who publishes it.
        url: Its address; empty for what has none.
        checked: The day it was last read for this specification.
        how: How it was read: a live page, a stored copy of some day, a text that quotes it.
    """

    title: str
    url: str
    checked: datetime.date
    how: str = ""


@dataclass(frozen=True)
class Band:
    """Bounds of a length; None where the source sets no bound.

    Attributes:
        low, high: In `unit`.
        unit: "mm" of the print, "px" of the file, or "share" of the picture's height.
        source: Key of `Spec.sources`.
    """

    low: float | None
    high: float | None
    unit: str
    source: str


@dataclass(frozen=True)
class Spec:
    """One kind of official photo.

    Attributes:
        name: What `--spec` takes.
        title, country, document: In words; `country` is an ISO 3166 code, or empty.
        width_mm, height_mm: Of the print; None where only pixels are asked for.
        width_px, height_px: Of the file, where it is fixed.
        min_dpi: The resolution that is asked for; None where no source names one.
        bands: Subset of `BANDS`.
        hair: Whether the crown counts with hair: "included", "excluded" or "unstated".
        background: The colour that is put behind the person, RGB.
        background_words: What the source says of the background.
        max_kb, min_kb: Size of the file, thousands of bytes.
        replacing: Whether the background may be replaced: "forbidden", "allowed" or "unstated".
        editing_words: What the source says about altering photos.
        table_sources: For each table of the file, the key of its source.
        sources: By key.
        note: What a user should know besides.
    """

    name: str
    title: str
    country: str
    document: str
    width_mm: float | None = None
    height_mm: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    min_dpi: float | None = None
    bands: Mapping[str, Band] = field(default_factory=dict)
    hair: str = "unstated"
    background: tuple[int, int, int] = (255, 255, 255)
    background_words: str = ""
    max_kb: float | None = None
    min_kb: float | None = None
    replacing: str = "unstated"
    editing_words: str = ""
    table_sources: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    note: str = ""

    def pixels(self, dpi: int | None = None) -> tuple[int, int, int]:
        """(height, width, dots per inch) of the file.

        Args:
            dpi: Asked for; by default what the specification asks for, at least 300.

        Raises:
            ConfigError: `dpi` contradicts a file whose pixels are fixed.
        """
        if self.width_px is not None and self.height_px is not None:
            natural = 300 if self.height_mm is None else round(self.height_px / self.height_mm * _MM_PER_INCH)
            if dpi is not None and self.height_mm is not None and dpi != natural:
                raise ConfigError(
                    f"`{self.name}` fixes both the size and the pixels, which is {natural} dpi; received {dpi}; "
                    "leave `--dpi` out."
                )
            return self.height_px, self.width_px, dpi or natural
        dpi = dpi or round(max(300.0, self.min_dpi or 0))
        if self.width_mm is None or self.height_mm is None:  # `parse_spec` lets no such file through
            raise ConfigError(f"`{self.name}` has neither a size in mm nor in pixels.")
        per_mm = dpi / _MM_PER_INCH
        return max(1, round(self.height_mm * per_mm)), max(1, round(self.width_mm * per_mm)), dpi

    def band_px(self, name: str, height: int) -> tuple[float | None, float | None]:
        """A band's bounds in pixels of a file that is `height` pixels high."""
        band = self.bands[name]
        per_unit = {"px": 1.0, "share": float(height), "mm": height / (self.height_mm or 1.0)}[band.unit]
        return tuple(None if bound is None else bound * per_unit for bound in (band.low, band.high))  # type: ignore[return-value]


def load_spec(name_or_path: str | Path, *, folder: Path | None = None) -> Spec:
    """A specification by its name, or from a file.

    Args:
        name_or_path: A name that `list_specs` knows, or the path of a TOML file (it ends in `.toml`).
        folder: Searched before the bundled ones; by default the folder that `STANDOUT_SPECS` names.

    Raises:
        ConfigError: There is no such specification, or its file breaks a rule of the form.
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
    """All specifications, by name; a user's own hides a bundled one of the same name."""
    return [_read(path) for _, path in sorted(_files(folder).items())]


def spec_text(name: str, *, folder: Path | None = None) -> str:
    """A specification's file as it is: something to start one's own from."""
    load_spec(name, folder=folder)
    path = Path(name) if name.lower().endswith(".toml") else _files(folder)[name]
    return path.read_text("utf-8")


def _files(folder: Path | None) -> dict[str, Path]:
    if folder is None and os.environ.get(FOLDER_VARIABLE):
        folder = Path(os.environ[FOLDER_VARIABLE])
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"There is no folder of specifications `{folder}`; create it or leave it out.")
    folders = [Path(__file__).parent / "specs", *([folder] if folder is not None else [])]
    return {path.stem: path for place in folders for path in sorted(place.glob("*.toml"))}


def _read(path: Path) -> Spec:
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no specification file `{path}`.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The specification `{path}` can't be read as TOML: {error}.") from error
    return parse_spec(raw, path.stem)


# ---------------------------------------------------------------- the form of a file

_TOP = {"title": str, "country": str, "document": str, "note": str, "sources": dict}
_TABLES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "size": {
        "width_mm": (int, float), "height_mm": (int, float), "width_px": int, "height_px": int, "min_dpi": (int, float),
    },
    "background": {"color": str, "words": str},
    "file": {"min_kb": (int, float), "max_kb": (int, float)},
    "editing": {"background": str, "words": str},
    **{name: {f"{end}_{unit}": (int, float) for end in ("min", "max") for unit in _UNITS} for name in BANDS},
}  # fmt: skip
_TABLES["head"]["hair"] = str


def parse_spec(raw: Mapping[str, Any], name: str) -> Spec:
    """Checks what a TOML file holds and makes a `Spec` of it.

    Raises:
        ConfigError: A key is unknown or missing, a value is of the wrong type or range, or a number has no source.
    """
    form = _Form(name)
    for key, value in raw.items():
        form.require(key in _TOP or key in _TABLES, key, f"is unknown; allowed are {', '.join([*_TOP, *_TABLES])}")
        form.check_type(key, value, _TOP.get(key, dict))
    for key in ("title", "document", "size", "sources"):
        form.require(key in raw, key, "is missing")
    form.require(raw["document"] in DOCUMENTS, "document", f"must be one of {', '.join(DOCUMENTS)}")
    sources = {key: form.source(key, value) for key, value in raw["sources"].items()}
    tables = {key: form.table(key, raw[key], sources) for key in _TABLES if key in raw}
    size, file, editing = tables["size"], tables.get("file", {}), tables.get("editing", {})
    form.check_size(size)
    background = tables.get("background", {})
    replacing, hair = editing.get("background", "unstated"), tables.get("head", {}).get("hair", "unstated")
    form.require(
        replacing in ("forbidden", "allowed", "unstated"), "editing.background", "must be forbidden or allowed"
    )
    form.require(hair in ("included", "excluded", "unstated"), "head.hair", "must be included or excluded")
    bands = {key: band for key in BANDS if key in tables and (band := form.band(key, tables[key])) is not None}
    form.require("height_mm" in size or all(band.unit != "mm" for band in bands.values()), "size", "needs mm for mm")
    form.require("height_px" in size or all(band.unit != "px" for band in bands.values()), "size", "needs px for px")
    return Spec(
        name=name,
        title=raw["title"],
        country=raw.get("country", ""),
        document=raw["document"],
        width_mm=size.get("width_mm"),
        height_mm=size.get("height_mm"),
        width_px=size.get("width_px"),
        height_px=size.get("height_px"),
        min_dpi=size.get("min_dpi"),
        bands=bands,
        hair=hair,
        background=form.color(background.get("color", "#ffffff")),
        background_words=background.get("words", ""),
        max_kb=file.get("max_kb"),
        min_kb=file.get("min_kb"),
        replacing=replacing,
        editing_words=editing.get("words", ""),
        table_sources={key: table["source"] for key, table in tables.items()},
        sources=sources,
        note=raw.get("note", ""),
    )


@dataclass(frozen=True)
class _Form:
    """Checks of one file; its name stands in every message."""

    name: str

    def require(self, holds: bool, key: str, rule: str) -> None:
        if not holds:
            raise ConfigError(f"In the specification `{self.name}`, `{key}` {rule}.")

    def check_type(self, key: str, value: object, kind: type | tuple[type, ...]) -> None:
        words = {str: "text", int: "a whole number", dict: "a table", datetime.date: "a date"}.get(kind, "a number")  # type: ignore[arg-type]
        fits = isinstance(value, kind) and not isinstance(value, bool)
        self.require(fits, key, f"must be {words}; received {value!r}")

    def source(self, key: str, value: object) -> Source:
        where = f"sources.{key}"
        self.check_type(where, value, dict)
        table = dict(value)  # type: ignore[call-overload]
        kinds = {"title": str, "url": str, "checked": datetime.date, "how": str}
        for name, inner in table.items():
            self.require(name in kinds, f"{where}.{name}", f"is unknown; allowed are {', '.join(kinds)}")
            self.check_type(f"{where}.{name}", inner, kinds[name])
        for name in ("title", "checked"):
            self.require(name in table, f"{where}.{name}", "is missing")
        return Source(table["title"], table.get("url", ""), table["checked"], table.get("how", ""))

    def table(self, key: str, table: Mapping[str, Any], sources: Mapping[str, Source]) -> dict[str, Any]:
        kinds = {**_TABLES[key], "source": str}
        for name, value in table.items():
            self.require(name in kinds, f"{key}.{name}", f"is unknown; allowed are {', '.join(kinds)}")
            self.check_type(f"{key}.{name}", value, kinds[name])
            if not isinstance(value, str):
                self.require(0 < value < 100_000, f"{key}.{name}", f"must be above 0; received {value}")
        self.require(table.get("source") in sources, f"{key}.source", f"must be one of {', '.join(sources)}")
        return dict(table)

    def check_size(self, size: Mapping[str, Any]) -> None:
        for unit in ("mm", "px"):
            pair = [f"{side}_{unit}" in size for side in ("width", "height")]
            self.require(pair[0] == pair[1], "size", f"needs both width_{unit} and height_{unit}")
        self.require("width_mm" in size or "width_px" in size, "size", "needs width and height in mm or px")
        for unit, most in (("mm", 500), ("px", 10_000)):
            self.require(
                max(size.get(f"{s}_{unit}", 1) for s in ("width", "height")) <= most, "size", f"> {most} {unit}"
            )
        if "width_mm" in size and "width_px" in size:
            skew = size["width_px"] * size["height_mm"] / (size["height_px"] * size["width_mm"])
            self.require(abs(skew - 1) < 0.02, "size", "has other proportions in mm than in pixels")

    def band(self, key: str, table: Mapping[str, Any]) -> Band | None:
        units = {name.split("_")[1] for name in table if name.startswith(("min_", "max_"))}
        self.require(len(units) <= 1, key, "mixes units; write both bounds in the same")
        if not units:
            return None
        unit = units.pop()
        low, high = table.get(f"min_{unit}"), table.get(f"max_{unit}")
        self.require(low is None or high is None or low < high, key, f"needs min below max; received {low} and {high}")
        self.require(
            unit != "share" or all(bound is None or bound < 1 for bound in (low, high)), key, "must be below 1"
        )
        return Band(low, high, unit, table["source"])

    def color(self, text: str) -> tuple[int, int, int]:
        try:
            red, green, blue = ImageColor.getrgb(text)[:3]
        except ValueError:
            self.require(False, "background.color", f"must be a colour such as #ffffff; received {text!r}")
            raise
        return red, green, blue
