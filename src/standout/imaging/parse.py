"""What users type, as values: colors, sizes, points and lengths, one parser each.

Every `parse_` function raises ConfigError with one sentence that says what is allowed.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import Literal

from PIL import ImageColor

from standout.errors import ConfigError

RGB = tuple[int, int, int]
Unit = Literal["px", "share"]


@dataclass(frozen=True)
class Length:
    """A length in pixels, or as a share of what it is measured along.

    Attributes:
        value: Pixels, or a share, where 1 is all of it.
        unit: "px" or "share".

    Example:
        >>> Length(1, "share").px(640), Length(1).px(640)
        (640.0, 1.0)
    """

    value: float
    unit: Unit = "px"

    def px(self, whole: float) -> float:
        """Pixels, where the whole has so many."""
        return float(self.value * whole if self.unit == "share" else self.value)


@dataclass(frozen=True)
class Point:
    """A point in a picture, from its upper left corner.

    Attributes:
        x: Across, in pixels, or as a share of the width.
        y: Down, in pixels, or as a share of the height.
        unit: "px" or "share".

    Example:
        >>> Point(0.5, 0.5, "share").px((480, 640))
        (320.0, 240.0)
    """

    x: float
    y: float
    unit: Unit = "px"

    def px(self, size_hw: tuple[int, int]) -> tuple[float, float]:
        """(across, down) in pixels of a picture of (height, width)."""
        return Length(self.x, self.unit).px(size_hw[1]), Length(self.y, self.unit).px(size_hw[0])


def check_within(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    """Refuses a number that isn't finite or lies outside; `name` is the parameter's, `unit` follows the bounds.

    Raises:
        ConfigError: It is out of range.
    """
    if not (math.isfinite(value) and low <= value <= high):
        raise ConfigError(f"`{name}` must lie between {low:g} and {high:g}{unit}; received {value:g}.")


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuses a word that isn't one of these; `name` is the parameter's.

    Raises:
        ConfigError: It is none of them; the message names a near one.
    """
    if value not in allowed:
        close = difflib.get_close_matches(value, allowed, 1)
        hint = f" Did you mean `{close[0]}`?" if close else ""
        raise ConfigError(f"`{name}` must be one of {', '.join(allowed)}; received {value!r}.{hint}")


def parse_color(text: str) -> RGB:
    """Reads a color: `#rrggbb`, `#rgb`, a name of CSS, or `rgb(…)`, `hsl(…)`, `hsv(…)`.

    A color with alpha (`#rrggbbaa`) is refused: it would be a half-transparent background.

    Returns:
        (red, green, blue), 0 … 255.

    Raises:
        ConfigError: It is none of these; the message names near matches.

    Example:
        >>> parse_color("#0a84ff"), parse_color("White")
        ((10, 132, 255), (255, 255, 255))
        >>> parse_color("withe")
        Traceback (most recent call last):
        standout.errors.ConfigError: A color must be a name (`white`), `#rrggbb` or `#rgb`; received 'withe'; \
did you mean `white` or `wheat`?
    """
    name = text.strip().lower()
    try:
        values: tuple[int, ...] = ImageColor.getrgb(name)
    except (ValueError, OverflowError):
        values = ()
    # `rgb(300,0,0)` gives 300, and `rgba(…)` four numbers.
    if len(values) != 3 or not all(0 <= value <= 255 for value in values):
        near = near_colors(name)
        hint = f"; did you mean {' or '.join(f'`{color}`' for color in near)}?" if near else "."
        raise ConfigError(f"A color must be a name (`white`), `#rrggbb` or `#rgb`; received {text[:60]!r}{hint}")
    return values[0], values[1], values[2]


def near_colors(name: str) -> list[str]:
    """At most two names of colors that are spelt nearly so."""
    return difflib.get_close_matches(name, ImageColor.colormap, 2)


def parse_size(text: str, *, name: str = "size", most: int = 16384) -> tuple[int | None, int | None]:
    """Reads `WxH`, `Wx` or `xH` as (width, height) in pixels; None is the side that is left out.

    Args:
        text: The text that was typed.
        name: The parameter, for the message.
        most: Longest side that is allowed, pixels.

    Raises:
        ConfigError: It is no such size, or a side is 0 or too long.

    Example:
        >>> parse_size("1280x720"), parse_size("x480")
        ((1280, 720), (None, 480))
    """
    match = re.fullmatch(r"(\d{0,6})\s*[x×]\s*(\d{0,6})", text.strip().lower(), re.ASCII)
    sides = [int(side) if side else None for side in match.groups()] if match else [None, None]
    if sides == [None, None] or not all(side is None or 1 <= side <= most for side in sides):
        raise ConfigError(
            f"`{name}` must be WIDTHxHEIGHT in pixels, each 1 … {most}, as in `1280x720`; received {text!r}."
        )
    return sides[0], sides[1]


def parse_point(text: str, *, name: str = "at") -> Point:
    """Reads a point `x,y`: pixels (`640,300`) or shares of the picture (`50%,30%`).

    Raises:
        ConfigError: It is no such point.

    Example:
        >>> parse_point("640,300"), parse_point("50%,30%")
        (Point(x=640.0, y=300.0, unit='px'), Point(x=0.5, y=0.3, unit='share'))
    """
    parts = [part.strip() for part in text.split(",")]
    shares = {part.endswith("%") for part in parts}
    try:
        x, y = (float(part.removesuffix("%")) for part in parts)
    except ValueError:
        x = y = -1.0
    most = 100 if shares == {True} else 1e6
    if not (0 <= x <= most and 0 <= y <= most) or len(shares) != 1:
        raise ConfigError(f"`{name}` must be a point in pixels (`640,300`) or shares (`50%,30%`); received {text!r}.")
    return Point(x / 100, y / 100, "share") if shares == {True} else Point(x, y)


def parse_length(text: str, *, name: str = "margin") -> Length:
    """Reads a length: `40` or `40px`, or a share below 100 %, `5%`.

    Raises:
        ConfigError: It is no such length.

    Example:
        >>> parse_length("40"), parse_length("5%")
        (Length(value=40.0, unit='px'), Length(value=0.05, unit='share'))
    """
    word = text.strip().removesuffix("px").strip()
    share = word.endswith("%")
    try:
        value = float(word.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not (math.isfinite(value) and 0 <= value < (100 if share else 100_000)):
        raise ConfigError(f"`{name}` must be pixels (`40`) or a share below 100 % (`5%`); received {text!r}.")
    return Length(value / 100, "share") if share else Length(value)
