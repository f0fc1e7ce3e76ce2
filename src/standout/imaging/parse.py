"""What users type about pictures, as values: one parser for each."""

from __future__ import annotations

import difflib

from PIL import ImageColor

from standout.errors import ConfigError

RGB = tuple[int, int, int]


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
        values = ImageColor.getrgb(name)
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
