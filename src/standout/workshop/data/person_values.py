"""What stands for person in label pictures, as users write it: `15`, `1,2`, `#c08080`, `any`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from standout.errors import ConfigError


@dataclass(frozen=True)
class PersonValues:
    """What stands for person in label pictures: numbers, colors, or everything but 0."""

    numbers: frozenset[int] = frozenset()
    colors: frozenset[tuple[int, int, int]] = frozenset()
    any: bool = False


@lru_cache(maxsize=64)
def parse_person(text: str) -> PersonValues | None:
    """Reads `15`, `1,2`, `#c08080` or `any`; None for the names of categories (`person`), and for nothing.

    Raises:
        ConfigError: It mixes these, or a number is out of range.

    Example:
        >>> sorted(parse_person("24,25").numbers), parse_person("any").any, parse_person("person")
        ([24, 25], True, None)
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words == ["any"]:
        return PersonValues(any=True)
    numbers = {int(word) for word in words if word.isdecimal() and word.isascii()}
    colors = {_hex_color(word) for word in words if word.startswith("#")}
    named = len(words) - len([w for w in words if (w.isdecimal() and w.isascii()) or w.startswith("#")])
    if (numbers or colors) and named or any(number > 65535 for number in numbers):
        raise ConfigError(
            f"`person` must be names of categories, values of label pictures (`15`, `#c08080`) or `any`, not both; "
            f"received {text!r}."
        )
    return PersonValues(frozenset(numbers), frozenset(colors)) if numbers or colors else None


def _hex_color(word: str) -> tuple[int, int, int]:
    try:
        if len(word) != 7:
            raise ValueError
        return int(word[1:3], 16), int(word[3:5], 16), int(word[5:7], 16)
    except ValueError:
        raise ConfigError(f"`person` takes a color as `#rrggbb`; received {word!r}.") from None
