"""What users give, as values: colors, sizes, points, lengths and people, one parser each.

Every `parse_` function raises ConfigError with one sentence that says what is allowed.
"""

from __future__ import annotations

import difflib
import math
import numbers
import operator
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from PIL import ImageColor

from standout.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RGB = tuple[int, int, int]
RGBA = tuple[int, int, int, int]
Unit = Literal["px", "share"]

_PLACES = {"left": (0.0, None), "right": (1.0, None), "top": (None, 0.0), "bottom": (None, 1.0), "center": (None, None)}


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


def check_within(name: str, value: object, low: float, high: float, unit: str = "", *, whole: bool = False) -> None:
    """Refuses what isn't a finite number within bounds; `name` is the parameter's, `unit` follows the bounds.

    Args:
        name: The parameter, for the message.
        value: What was given.
        low: The least that is allowed.
        high: The most that is allowed.
        unit: Follows the bounds in the message, with a space before it.
        whole: Whether it must be a whole number.

    Raises:
        ConfigError: It is no number, or out of range.
    """
    kind = numbers.Integral if whole else numbers.Real
    if not isinstance(value, kind) or isinstance(value, bool):
        what = "a whole number" if whole else "a number"
        raise ConfigError(f"`{name}` must be {what} between {low:g} and {high:g}{unit}; received {value!r:.60}.")
    if not (math.isfinite(given := float(value)) and low <= given <= high):
        raise ConfigError(f"`{name}` must lie between {low:g} and {high:g}{unit}; received {given:g}.")


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuses what isn't one of these words; `name` is the parameter's.

    Raises:
        ConfigError: It is none of them; the message names a near one.
    """
    if not isinstance(value, str) or value not in allowed:
        close = difflib.get_close_matches(str(value), allowed, 1)
        hint = f" Did you mean `{close[0]}`?" if close else ""
        raise ConfigError(f"`{name}` must be one of {', '.join(allowed)}; received {value!r:.60}.{hint}")


def parse_color(given: str | Sequence[int] | NDArray[Any], *, name: str = "color") -> RGB:
    """Reads a color: `#rrggbb`, `#rgb`, a name of CSS, `rgb(…)`, `hsl(…)`, `hsv(…)`, or three numbers.

    Returns:
        (red, green, blue), 0 … 255.

    Raises:
        ConfigError: It is none of these, or lets something shine through; the message names near matches.

    Example:
        >>> parse_color("#0a84ff"), parse_color("White"), parse_color((0, 0, 9))
        ((10, 132, 255), (255, 255, 255), (0, 0, 9))
        >>> parse_color("withe")
        Traceback (most recent call last):
        standout.errors.ConfigError: `color` must be a name (`white`), `#rrggbb`, `#rgb` or (r, g, b); \
received 'withe'; did you mean `white` or `wheat`?
    """
    red, green, blue, alpha = parse_rgba(given, name=name)
    if alpha < 255:
        raise ConfigError(
            f"`{name}` must be an opaque color here; received {given!r:.60}, which lets something through."
        )
    return red, green, blue


def parse_rgba(given: str | Sequence[int] | NDArray[Any], *, name: str = "color") -> RGBA:
    """As `parse_color`, also of a color that lets something shine through: `#rrggbbaa`, `#rgba`, (r, g, b, a).

    Returns:
        (red, green, blue, alpha), 0 … 255; 255 is opaque.

    Raises:
        ConfigError: It is no color; the message names near matches.

    Example:
        >>> parse_rgba("#ff000080"), parse_rgba((255, 0, 0, 128)), parse_rgba("red")
        ((255, 0, 0, 128), (255, 0, 0, 128), (255, 0, 0, 255))
    """
    values: tuple[int, ...] = ()
    if isinstance(given, str):
        with suppress(ValueError, OverflowError):
            values = ImageColor.getrgb(given.strip().lower())
    else:
        values = tuple(_whole_numbers(given))
    # `rgb(300,0,0)` gives 300.
    if len(values) not in (3, 4) or not all(0 <= value <= 255 for value in values):
        near = near_colors(given.strip().lower()) if isinstance(given, str) else []
        hint = f"; did you mean {' or '.join(f'`{color}`' for color in near)}?" if near else "."
        raise ConfigError(
            f"`{name}` must be a name (`white`), `#rrggbb`, `#rgb` or (r, g, b); received {given!r:.60}{hint}"
        )
    red, green, blue = values[:3]
    return red, green, blue, values[3] if len(values) == 4 else 255


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


def parse_point(given: str | Point | Sequence[float], *, name: str = "at") -> Point:
    """Reads a point `x,y`: pixels (`640,300`, or two numbers) or shares of the picture (`50%,30%`).

    Raises:
        ConfigError: It is no such point.

    Example:
        >>> parse_point("640,300"), parse_point("50%,30%")
        (Point(x=640.0, y=300.0, unit='px'), Point(x=0.5, y=0.3, unit='share'))
    """
    if isinstance(given, Point):
        return given
    parts = [part.strip() for part in given.split(",")] if isinstance(given, str) else _numbers(given)
    shares = {str(part).endswith("%") for part in parts}
    try:
        x, y = (float(str(part).removesuffix("%")) for part in parts)
    except ValueError:
        x = y = -1.0
    most = 100 if shares == {True} else 1e6
    if not (0 <= x <= most and 0 <= y <= most) or len(shares) != 1:
        raise ConfigError(
            f"`{name}` must be a point in pixels (`640,300`) or shares (`50%,30%`); received {given!r:.60}."
        )
    return Point(x / 100, y / 100, "share") if shares == {True} else Point(x, y)


def parse_length(given: str | Length | float, *, name: str = "margin") -> Length:
    """Reads a length: `40` or `40px` (or a number), or a share below 100 %, `5%`.

    Raises:
        ConfigError: It is no such length.

    Example:
        >>> parse_length("40"), parse_length("5%")
        (Length(value=40.0, unit='px'), Length(value=0.05, unit='share'))
    """
    length = given if isinstance(given, Length) else None
    if length is None and isinstance(given, str | numbers.Real) and not isinstance(given, bool):
        text = str(given).strip().removesuffix("px").strip()
        with suppress(ValueError):
            value = float(text.removesuffix("%"))
            length = Length(value / 100, "share") if text.endswith("%") else Length(value)
    if length is None or not 0 <= length.value < (1 if length.unit == "share" else 100_000):
        raise ConfigError(f"`{name}` must be pixels (`40`) or a share below 100 % (`5%`); received {given!r:.60}.")
    return length


def parse_position(given: str | Sequence[float], *, name: str = "position") -> tuple[float, float]:
    """Reads `center`, `top`, `bottom-left` or `25%,80%` (across, down) as shares 0 … 1; or two such shares.

    Raises:
        ConfigError: It is none of these.

    Example:
        >>> parse_position("top-right"), parse_position("25%,80%"), parse_position((0.25, 0.8))
        ((1.0, 0.0), (0.25, 0.8), (0.25, 0.8))
    """
    across = down = None
    words = given.lower().replace("-", " ").split() if isinstance(given, str) else []
    if words and all(word in _PLACES for word in words):
        for word in words:
            x, y = _PLACES[word]
            across, down = (x if across is None else across), (y if down is None else down)
        return (0.5 if across is None else across), (0.5 if down is None else down)
    values: list[float] = []
    if isinstance(given, str):
        with suppress(ValueError):
            values = [float(part.strip().removesuffix("%")) / 100 for part in given.split(",")]
    else:
        values = _numbers(given)
    if len(values) != 2 or not all(0 <= value <= 1 for value in values):
        raise ConfigError(
            f"`{name}` must be made of left, right, top, bottom, center, or be two shares of 0 to 100 % as in "
            f"`25%,80%`; received {given!r:.60}."
        )
    return values[0], values[1]


def parse_keep(given: str | int | Sequence[int], *, name: str = "keep") -> str | tuple[int, ...]:
    """Reads `all`, `largest`, `center`, or numbers of people counted from the left: `1`, `1,3` or (1, 3).

    Raises:
        ConfigError: It is none of these.

    Example:
        >>> parse_keep("largest"), parse_keep("1,3"), parse_keep(2)
        ('largest', (1, 3), (2,))
    """
    word = given.strip().lower() if isinstance(given, str) else ""
    if word in ("all", "largest", "center"):
        return word
    chosen: tuple[int, ...] = ()
    if isinstance(given, str):
        with suppress(ValueError):
            chosen = tuple(int(part) for part in word.split(","))
    else:
        chosen = tuple(_whole_numbers(given if isinstance(given, Sequence) else [given]))
    if not chosen or min(chosen) < 1:
        raise ConfigError(
            f"`{name}` must be all, largest, center, or numbers of people from the left as in `1,3`; "
            f"received {given!r:.60}."
        )
    return chosen


def _numbers(given: object) -> list[float]:
    """The numbers of a sequence; an empty list where it is none."""
    try:
        return [float(value) for value in given if not isinstance(value, str | bool)]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return []


def _whole_numbers(given: object) -> list[int]:
    """The whole numbers of a sequence, NumPy's too; an empty list where one is something else."""
    try:
        values = list(given)  # type: ignore[call-overload]
        return [] if any(isinstance(value, bool) for value in values) else [operator.index(value) for value in values]
    except TypeError:
        return []
