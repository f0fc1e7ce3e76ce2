"""`CompositeOptions`: how the finished picture shall look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

from standout.compositing.background import AnyBackground, Background, Fit, parse_background
from standout.errors import ConfigError
from standout.imaging.parse import Length, Point, parse_keep, parse_length, parse_point, parse_position
from standout.option import Option, number, switch, word

Matting = Literal["none", "closed-form", "knn"]
AnyPoint = Point | str | Sequence[float]

FITS: tuple[str, ...] = ("cover", "contain", "stretch")
MATTINGS: tuple[str, ...] = ("none", "closed-form", "knn")
#: Widest shift and feather that are accepted, pixels.
MAX_EDGE, MAX_FEATHER = 200.0, 500.0


class CompositeKeywords(TypedDict, total=False):
    """The fields of `CompositeOptions` as keywords of a function."""

    background: AnyBackground
    fit: Fit
    position: str | Sequence[float]
    bokeh: bool
    edge: float
    feather: float
    invert: bool
    crop: bool
    margin: Length | str | float
    shadow: bool
    keep: str | int | Sequence[int]
    at: AnyPoint | None
    matting: Matting
    decontaminate: bool


def _parse_at(given: AnyPoint | None, *, name: str) -> Point | None:
    return None if given is None else parse_point(given, name=name)


@dataclass(frozen=True, eq=False)  # holds an array, perhaps
class CompositeOptions:
    """What `standout.compose` makes of a frame and its alpha; checked when it is made.

    Attributes:
        background: `transparent`, a color (`white`, `#rrggbb`, `#rrggbbaa`, (r, g, b)), an image (a path, bytes, a
            Pillow picture or an array), `blur`, or `blur:RADIUS`; kept as a `Background`.
        fit: How a background image fills the picture: `cover`, `contain` or `stretch`.
        position: Which part of it stays in view: `top-left`, `25%,80%`, or (across, down), 0 … 1; kept as the latter.
        bokeh: Blur like a lens: discs of light instead of a soft veil.
        edge: Moves the person's outline outward (positive) or inward (negative), -200 … 200 pixels.
        feather: Width over which the outline fades, 0 … 500 pixels.
        invert: Removes the person instead of what is behind.
        crop: Crops to the person.
        margin: Margin around the person when cropping: pixels, or a share of the person's longer side as in `5%`.
        shadow: A soft shadow behind the person.
        keep: `all`, `largest`, `center`, or numbers of people counted from the left: 1, (1, 3) or `1,3`.
        at: Keeps the person at this point: (across, down) in pixels, or text, `640,300` or `50%,30%` of the picture.
        matting: `none`, `closed-form` or `knn`: works out hair in a band along the edge (extra `matting`).
        decontaminate: Takes the old background's color out of the edge.

    Raises:
        ConfigError: A value isn't allowed; the message says what is.

    Example:
        >>> CompositeOptions(background="white", feather=2.0).background.color
        (255, 255, 255, 255)
        >>> CompositeOptions(edge=9999)
        Traceback (most recent call last):
        standout.errors.ConfigError: `edge` must lie between -200 and 200 pixels; received 9999.
    """

    background: Option[AnyBackground, Background] = Option("transparent", parse_background)
    fit: Option[Fit, Fit] = Option("cover", word(*FITS))
    position: Option[str | Sequence[float], tuple[float, float]] = Option("center", parse_position)
    bokeh: Option[bool, bool] = Option(False, switch)
    edge: Option[float, float] = Option(0.0, number(-MAX_EDGE, MAX_EDGE, " pixels"))
    feather: Option[float, float] = Option(0.0, number(0, MAX_FEATHER, " pixels"))
    invert: Option[bool, bool] = Option(False, switch)
    crop: Option[bool, bool] = Option(False, switch)
    margin: Option[Length | str | float, Length] = Option("5%", parse_length)
    shadow: Option[bool, bool] = Option(False, switch)
    keep: Option[str | int | Sequence[int], str | tuple[int, ...]] = Option("all", parse_keep)
    at: Option[AnyPoint | None, Point | None] = Option(None, _parse_at)
    matting: Option[Matting, Matting] = Option("none", word(*MATTINGS))
    decontaminate: Option[bool, bool] = Option(True, switch)

    def __post_init__(self) -> None:
        if self.at is not None and self.keep != "all":
            raise ConfigError("`keep` and `at` both choose a person; use one of them.")

    @property
    def opaque(self) -> bool:
        """True if the finished picture has no transparency."""
        return self.background.opaque
