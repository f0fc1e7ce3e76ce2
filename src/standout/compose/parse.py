"""What users type about a picture, as values: `blur:20`, `top-left`, `1,3`.

Every `parse_` function raises ConfigError with one sentence that says what is allowed.
"""

from __future__ import annotations

import difflib
import operator
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import ImageColor

from standout.errors import ConfigError
from standout.imaging.arrays import Frame
from standout.imaging.parse import check_within, parse_color

#: Widest blur that is accepted, pixels.
MAX_BLUR = 1000.0

_COLOR_FUNCTIONS = ("rgb", "rgba", "hsl", "hsv", "hsb")
_WORDS = {"left": (0.0, None), "right": (1.0, None), "top": (None, 0.0), "bottom": (None, 1.0), "center": (None, None)}


@dataclass(frozen=True, eq=False)  # holds an array, perhaps
class Background:
    """What comes behind the person.

    Attributes:
        kind: `transparent`, `color`, `image` or `blur`.
        color: RGB, 0 … 255, of a `color`.
        image: The file or the picture of an `image`.
        radius: The radius of a `blur`, pixels of the photo; None chooses 2.5 % of its longer side.
    """

    kind: Literal["transparent", "color", "image", "blur"] = "transparent"
    color: tuple[int, int, int] = (255, 255, 255)
    image: Path | Frame | None = None
    radius: float | None = None


def parse_background(text: str | Path | Background | Frame | Sequence[int]) -> Background:
    """Reads `transparent`, a colour (`#rrggbb`, `#rgb` or a name), an image file, `blur` or `blur:RADIUS`.

    An array (uint8 RGB) is a background image as it is; three numbers, 0 … 255, are a colour's red, green and blue. A
    file goes before a colour of the same name only when it is written with a folder or a suffix.

    Raises:
        ConfigError: It is none of these; the message names near matches.

    Example:
        >>> parse_background("#0a84ff").color
        (10, 132, 255)
        >>> parse_background("blur:12").radius
        12.0
        >>> parse_background("withe")
        Traceback (most recent call last):
        standout.errors.ConfigError: The background 'withe' is neither a file nor a colour; did you mean `white` or \
`wheat`? Allowed: transparent, blur, blur:RADIUS, a colour (`white`, `#rrggbb`) or an image file.
    """
    if isinstance(text, Background):
        return text
    if isinstance(text, np.ndarray):
        return Background("image", image=text)
    if isinstance(text, tuple | list):
        return Background("color", color=_rgb(text))
    name = str(text).strip()
    low = name.lower()
    if isinstance(text, Path):
        return _image_background(text)
    if low in ("transparent", "none"):
        return Background()
    if low == "blur" or low.startswith("blur:"):
        return Background("blur", radius=_radius(low))
    color = _color(low)
    if color is not None:
        return Background("color", color=color)
    return _image_background(Path(name))


def _rgb(numbers: Sequence[Any]) -> tuple[int, int, int]:
    """Red, green and blue of a sequence of three whole numbers."""
    whole = [operator.index(n) for n in numbers if hasattr(n, "__index__") and not isinstance(n, bool)]
    if len(numbers) != 3 or len(whole) != 3 or not all(0 <= n <= 255 for n in whole):
        raise ConfigError(f"A colour must be three whole numbers, 0 … 255: red, green, blue; received {numbers!r:.80}.")
    return whole[0], whole[1], whole[2]


def _color(name: str) -> tuple[int, int, int] | None:
    """The color, if that is what the word must mean; a word that is no color may still be a file."""
    means_color = name.startswith("#") or name in ImageColor.colormap or name.partition("(")[0] in _COLOR_FUNCTIONS
    return parse_color(name) if means_color else None


def _radius(text: str) -> float | None:
    number = text.partition(":")[2]
    if not number:
        return None
    try:
        radius = float(number.removesuffix("px"))
    except ValueError:
        raise ConfigError(f"`blur` takes a radius in pixels, as in `blur:20`; received {text!r}.") from None
    check_within("blur", radius, 0.5, MAX_BLUR, " pixels")
    return radius


def _image_background(path: Path) -> Background:
    if os.path.isfile(path):  # unlike `Path.is_file` it takes a name that is too long for one
        return Background("image", image=path)
    # A misspelt word is most likely a colour; what has a suffix or a folder is most likely a file.
    looks_like_file = bool(path.suffix) or len(path.parts) > 1
    folder = path.parent
    names = _files_in(folder) if looks_like_file else []
    words = [] if looks_like_file else ["transparent", "blur", *ImageColor.colormap]
    close = difflib.get_close_matches(path.name.lower(), words, 2) or difflib.get_close_matches(path.name, names, 2)
    hint = f"; did you mean {' or '.join(f'`{name}`' for name in close)}?" if close else "."
    raise ConfigError(
        f"The background {str(path)!r} is neither a file nor a colour{hint} Allowed: transparent, blur, blur:RADIUS, "
        "a colour (`white`, `#rrggbb`) or an image file."
    )


def _files_in(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except (OSError, ValueError):
        return []


def parse_position(text: str) -> tuple[float, float]:
    """Reads `center`, `top`, `bottom-left` or `25%,80%` (across, down) as shares 0 … 1.

    Raises:
        ConfigError: It is none of these.

    Example:
        >>> parse_position("top-right"), parse_position("25%,80%")
        ((1.0, 0.0), (0.25, 0.8))
    """
    across = down = None
    words = text.lower().replace("-", " ").split()
    if words and all(word in _WORDS for word in words):
        for word in words:
            x, y = _WORDS[word]
            across, down = (x if across is None else across), (y if down is None else down)
        return (0.5 if across is None else across), (0.5 if down is None else down)
    try:
        x, y = (float(part.strip().removesuffix("%")) / 100 for part in text.split(","))
    except ValueError:
        raise ConfigError(
            f"`position` must be made of left, right, top, bottom, center, or be two shares as in `25%,80%`; "
            f"received {text!r}."
        ) from None
    check_within("position", x * 100, 0, 100, " %")
    check_within("position", y * 100, 0, 100, " %")
    return x, y


def parse_keep(text: str) -> str | tuple[int, ...]:
    """Reads `all`, `largest`, `center`, or numbers of people counted from the left, `1` or `1,3`.

    Raises:
        ConfigError: It is none of these.

    Example:
        >>> parse_keep("largest"), parse_keep("1,3")
        ('largest', (1, 3))
    """
    word = text.strip().lower()
    if word in ("all", "largest", "center"):
        return word
    try:
        numbers = tuple(int(part) for part in word.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise ConfigError(
            f"`keep` must be all, largest, center, or numbers of people from the left as in `1,3`; received {text!r}."
        )
    return numbers
