"""`Option`: a field of a frozen dataclass that is read and checked when it is set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from standout.errors import ConfigError
from standout.imaging.parse import check_choice, check_within

Given = TypeVar("Given")
Kept = TypeVar("Kept")


class Option(Generic[Given, Kept]):
    """A dataclass field whose value is what a reader makes of what was given: `margin="5%"` becomes a `Length`.

    Args:
        default: What is given where nothing is.
        read: Called as `read(given, name=…)`, returns what is kept or raises ConfigError. It takes what it returned,
            too: `dataclasses.replace` gives it back.
    """

    def __init__(self, default: Given, read: Callable[..., Kept]) -> None:
        self.default, self.read = default, read

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Kept:
        if instance is None:  # the dataclass asks for the default
            return self.read(self.default, name=self.name)
        kept: Kept = instance.__dict__[self.name]
        return kept

    def __set__(self, instance: Any, given: Given) -> None:
        instance.__dict__[self.name] = self.read(given, name=self.name)


def number(low: float, high: float, unit: str = "") -> Callable[..., float]:
    """Reads a number within bounds."""

    def read(given: float, *, name: str) -> float:
        check_within(name, given, low, high, unit)
        return given

    return read


def whole_number(low: int, high: int) -> Callable[..., int]:
    """Reads a whole number within bounds."""

    def read(given: int, *, name: str) -> int:
        check_within(name, given, low, high, whole=True)
        return int(given)

    return read


def switch(given: bool, *, name: str) -> bool:
    """Reads True or False; no text, for "false" would be true.

    Raises:
        ConfigError: It is something else.
    """
    if not isinstance(given, bool):
        raise ConfigError(f"`{name}` must be True or False; received {given!r:.60}.")
    return bool(given)


def word(*allowed: str) -> Callable[..., Any]:
    """Reads one of these words."""

    def read(given: str, *, name: str) -> str:
        check_choice(name, given, allowed)
        return given

    return read
