"""The form of a specification's file: what may stand in it, and a `Spec` of what does.

docs/id-photo.md explains every key.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from standout.errors import ConfigError
from standout.id_photo.spec import BANDS, DOCUMENTS, UNITS, Band, Source, Spec
from standout.imaging.parse import parse_color

_TOP = {"title": str, "country": str, "document": str, "note": str, "sources": dict}
_TABLES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "size": {
        "width_mm": (int, float), "height_mm": (int, float), "width_px": int, "height_px": int, "min_dpi": (int, float),
    },
    "background": {"color": str, "words": str},
    "file": {"min_kb": (int, float), "max_kb": (int, float)},
    "editing": {"background": str, "words": str},
    **{name: {f"{end}_{unit}": (int, float) for end in ("min", "max") for unit in UNITS} for name in BANDS},
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
    form.require(size.get("min_dpi", 300) <= 2400, "size.min_dpi", "must be at most 2400")
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
            return parse_color(text)
        except ConfigError as error:
            raise ConfigError(f"In the specification `{self.name}`, `background.color` is none. {error}") from None
