"""What a specification of an official photo says: sizes, bounds, and for each number its source."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from standout.errors import ConfigError

DOCUMENTS = ("passport", "visa", "driving license", "identity card", "residence permit", "cv", "other")

#: What a specification may bound, in words. All are vertical but `pupils`, the distance between the two.
BANDS = {
    "head": "head, crown to chin",
    "eyes": "eye line above the lower edge",
    "crown": "space above the head",
    "chin": "space below the chin",
    "pupils": "distance between the pupils",
}
UNITS = ("mm", "px", "share")
_MM_PER_INCH = 25.4


@dataclass(frozen=True)
class Source:
    """Where a number comes from.

    Attributes:
        title: The document and who publishes it.
        url: The source's address; empty for what has none.
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
        low, high: The bounds, in `unit`.
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
        width_mm, height_mm: The size of the print; None where only pixels are asked for.
        width_px, height_px: The size of the file, where it is fixed.
        min_dpi: The resolution that is asked for; None where no source names one.
        bands: Subset of `BANDS`.
        hair: Whether the crown counts with hair: "included", "excluded" or "unstated".
        background: The color that is put behind the person, RGB.
        background_words: What the source says of the background.
        max_kb, min_kb: Size of the file, thousands of bytes.
        replacing: Whether the background may be replaced: "forbidden", "allowed" or "unstated".
        editing_words: What the source says about altering photos.
        table_sources: For each table of the file, the key of its source.
        sources: The sources by their keys.
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
                    "leave `dpi` out."
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
