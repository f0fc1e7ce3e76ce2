"""Where a cut-out shall lie in its picture: crop with margins, scale, position, region. Words only; `canvas` does it.

The words are those of remove.bg's API; `docs/server.md` has them with examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from standout.errors import ConfigError
from standout.imaging.parse import Length


def parse_coordinate(text: str) -> Length:
    """Reads `30px`, `30` or `10%`; unlike a margin it may be all of a side, `100%`.

    Raises:
        ConfigError: It is none.

    Example:
        >>> parse_coordinate("100%").px(200)
        200.0
    """
    word = text.strip().lower()
    try:
        value = float(word.removesuffix("px").removesuffix("%").strip())
    except ValueError:
        value = float("nan")
    if not -1e6 < value < 1e6:
        raise ConfigError(f"A length must be pixels (`30px`) or a share (`10%`); received {text[:40]!r}.")
    return Length(value / 100, "share") if word.endswith("%") else Length(value)


@dataclass(frozen=True)
class Layout:
    """How a cut-out is laid out.

    Attributes:
        crop: Cut empty regions off.
        margins: Room around the cropped subject: top, right, bottom, left.
        scale: Size of the subject as a share of the picture; None keeps it.
        position: (across, down) of the subject, 0 … 1; "original" keeps where its middle is; None keeps it where
            nothing is scaled, and else takes the middle of the picture.
    """

    crop: bool = False
    margins: tuple[Length, Length, Length, Length] = (Length(0),) * 4
    scale: float | None = None
    position: tuple[float, float] | Literal["original"] | None = None


def parse_roi(text: str, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """Reads `x1 y1 x2 y2` as (left, top, right, bottom) in pixels.

    Raises:
        ConfigError: It is no such region; the sentence begins with remove.bg's code for it.
    """
    words = text.split()
    if len(words) != 4:
        raise ConfigError(f"invalid_roi: `roi` must be `x1 y1 x2 y2` in px or %; received {text[:40]!r}.")
    try:
        lengths = [parse_coordinate(word) for word in words]
    except ConfigError as error:
        raise ConfigError(f"invalid_roi: {error}") from None
    x1, y1, x2, y2 = (round(length.px(size_wh[index % 2])) for index, length in enumerate(lengths))
    left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    if left < 0 or top < 0 or right > size_wh[0] or bottom > size_wh[1]:
        raise ConfigError(
            f"roi_exceeds_bounds: The region {text[:40]!r} reaches beyond the picture of {size_wh[0]} × {size_wh[1]}."
        )
    if left == right or top == bottom:
        raise ConfigError(f"roi_region_empty: The region {text[:40]!r} has no pixels.")
    return left, top, right, bottom
