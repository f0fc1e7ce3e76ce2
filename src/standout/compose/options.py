"""Look: how the finished picture shall look."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from standout.compose.parse import MAX_BLUR, Background, parse_background
from standout.errors import ConfigError
from standout.imaging.arrays import Frame
from standout.imaging.parse import Length, Point, check_choice, check_within, parse_length, parse_point

Fit = Literal["cover", "contain", "stretch"]
Matting = Literal["none", "closed-form", "knn"]

FITS: tuple[str, ...] = ("cover", "contain", "stretch")
MATTINGS: tuple[str, ...] = ("none", "closed-form", "knn")
#: Widest shift and feather that are accepted, pixels.
MAX_EDGE, MAX_FEATHER = 200.0, 500.0


@dataclass(frozen=True, eq=False)  # holds an array, perhaps
class Look:
    """Everything about the finished picture that isn't the network's business.

    Attributes:
        background: `transparent`, a colour (`white`, `#rrggbb`), an image file, `blur`, `blur:RADIUS`, or an image as
            uint8 RGB (h, w, 3); see `parse_background`.
        fit: How a background image fills the picture: `cover`, `contain` or `stretch`.
        position: Which part of it stays in view, (across, down), 0 … 1; (0.5, 0.5) is the centre.
        lens: Blur like a lens: discs of light instead of a soft veil.
        edge: Moves the person's outline outward (positive) or inward (negative), pixels.
        feather: Width over which the outline fades, pixels.
        invert: Removes the person instead of what is behind.
        crop: Crops to the person.
        margin: Room around the person when cropping: pixels, or a share of the person's longer side as in `5%`.
        shadow: A soft shadow behind the person.
        keep: `all`, `largest`, `center`, or numbers of people counted from the left: (1, 3).
        at: Keeps the person at this point: (across, down) in pixels, or text, `640,300` or `50%,30%` of the picture.
        matting: `none`, `closed-form` or `knn`: works out hair in a band along the edge (extra `matting`).
        clean: Takes the old background's colour out of the edge.
        behind: The background as it was read; `background` stays what was given.
        room: The margin as it was read.
        point: The point of `at` as it was read; None keeps no person in particular.

    Example:
        >>> Look(background="white", feather=2.0).behind.color
        (255, 255, 255)
        >>> Look(edge=9999)
        Traceback (most recent call last):
        standout.errors.ConfigError: `edge` must lie between -200 and 200 pixels; received 9999.
    """

    background: Background | str | Path | Frame | tuple[int, int, int] = "transparent"
    fit: Fit = "cover"
    position: tuple[float, float] = (0.5, 0.5)
    lens: bool = False
    edge: float = 0.0
    feather: float = 0.0
    invert: bool = False
    crop: bool = False
    margin: Length | str | float = "5%"
    shadow: bool = False
    keep: str | tuple[int, ...] = "all"
    at: Point | str | tuple[float, float] | None = None
    matting: Matting = "none"
    clean: bool = True
    behind: Background = field(init=False, repr=False)
    room: Length = field(init=False, repr=False)
    point: Point | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "behind", parse_background(self.background))
        check_choice("fit", self.fit, FITS)
        check_choice("matting", self.matting, MATTINGS)
        check_within("edge", self.edge, -MAX_EDGE, MAX_EDGE, " pixels")
        check_within("feather", self.feather, 0, MAX_FEATHER, " pixels")
        margin, at = self.margin, self.at
        if not isinstance(margin, Length):
            margin = parse_length(margin) if isinstance(margin, str) else Length(margin)
        check_within("margin", margin.value, 0, 100_000, " pixels")
        object.__setattr__(self, "room", margin)
        if at is not None and not isinstance(at, Point):
            at = parse_point(at) if isinstance(at, str) else Point(*at)
        object.__setattr__(self, "point", at)
        for value in self.position:
            check_within("position", value, 0, 1, "")
        if self.behind.radius is not None:
            check_within("blur", self.behind.radius, 0.5, MAX_BLUR, " pixels")
        if isinstance(self.keep, str):
            check_choice("keep", self.keep, ("all", "largest", "center"))
        if self.at is not None and self.keep != "all":
            raise ConfigError("`keep` and `at` both choose a person; use one of them.")

    @property
    def opaque(self) -> bool:
        """True if the finished picture has no transparency."""
        return self.behind.kind != "transparent"
