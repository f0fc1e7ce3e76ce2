"""The options of a request as the product's, and what a request may not say: the path of a file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from standout.compose.options import Look
from standout.compose.parse import Background, parse_background, parse_keep, parse_position
from standout.errors import ConfigError
from standout.imaging.parse import parse_length, parse_point
from standout.imaging.picture import Picture
from standout.photo.options import PhotoOptions

#: A colour's name, `#rgb`, `#rrggbb`, `blur`, `blur:20`: what `background` may say. Never a path.
_WORDS = re.compile(r"#[0-9a-fA-F]{3,6}|[a-zA-Z]{3,24}|blur:[0-9.]{1,8}(px)?")


def photo_options(asked: Mapping[str, Any], max_pixels: int) -> PhotoOptions:
    """The options of a request as the product's.

    Raises:
        ConfigError: One isn't allowed.
    """
    look = Look(
        background=safe_background(asked),
        fit=asked.get("fit", "cover"),
        position=parse_position(asked.get("position", "center")),
        lens=asked.get("lens", False),
        edge=asked.get("edge", 0.0),
        feather=asked.get("feather", 0.0),
        invert=asked.get("invert", False),
        crop=asked.get("crop", False),
        margin=parse_length(asked.get("margin", "5%")),
        shadow=asked.get("shadow", False),
        keep=parse_keep(asked.get("keep", "all")),
        at=parse_point(asked["at"]) if asked.get("at") else None,
        matting=asked.get("matting", "none"),
        clean=not asked.get("keep_edge_colors", False),
    )
    return PhotoOptions(
        look,
        mask=asked.get("mask", False),
        quality=asked.get("quality", 92),
        keep_metadata=asked.get("keep_metadata", False),
        max_pixels=min(max_pixels, asked.get("max_pixels") or max_pixels),
    )


def safe_background(asked: Mapping[str, Any]) -> Background:
    """A background in words: a colour or a blur. The product would take a path too; a request may name none.

    Raises:
        ConfigError: It is neither.
    """
    text = str(asked.get("background", "transparent")).strip()
    sentence = (
        f"`background` must be transparent, a colour (`white`, `#0a84ff`), blur, blur:RADIUS, or an uploaded picture; "
        f"received {text[:60]!r}."
    )
    if not _WORDS.fullmatch(text):
        raise ConfigError(sentence)
    low = text.lower()
    if low.startswith("#") or low.startswith("blur") or low in ("transparent", "none"):
        return parse_background(low)
    from PIL import ImageColor

    if low not in ImageColor.colormap:
        raise ConfigError(sentence)
    return parse_background(low)


def with_background(options: PhotoOptions, background: Picture) -> PhotoOptions:
    """The options with an uploaded picture as background."""
    look = dataclasses.replace(options.look, background=Background("image", image=background.frame))
    return dataclasses.replace(options, look=look)
