"""The options of a request as the product's, and what a request may not say: the path of a file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from standout.compositing.background import Background, parse_background
from standout.errors import ConfigError
from standout.imaging.picture import Picture
from standout.pipeline.options import CutOutOptions

#: A colour's name, `#rgb`, `#rrggbb`, `blur`, `blur:20`: what `background` may say. Never a path.
_WORDS = re.compile(r"#[0-9a-fA-F]{3,6}|[a-zA-Z]{3,24}|blur:[0-9.]{1,8}(px)?")


def photo_options(asked: Mapping[str, Any], max_pixels: int) -> CutOutOptions:
    """The options of a request as the product's.

    Raises:
        ConfigError: One isn't allowed.
    """
    return CutOutOptions(
        background=asked["rgba"] if asked.get("rgba") else safe_background(asked),
        fit=asked.get("fit", "cover"),
        position=asked.get("position", "center"),
        bokeh=asked.get("lens", False),
        edge=asked.get("edge", 0.0),
        feather=asked.get("feather", 0.0),
        invert=asked.get("invert", False),
        crop=asked.get("crop", False),
        margin=asked.get("margin", "5%"),
        shadow=asked.get("shadow", False),
        keep=asked.get("keep", "all"),
        at=asked.get("at") or None,
        matting=asked.get("matting", "none"),
        decontaminate=not asked.get("keep_edge_colors", False),
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


def with_background(options: CutOutOptions, background: Picture) -> CutOutOptions:
    """The options with an uploaded picture as background."""
    return dataclasses.replace(options, background=Background("image", image=background))
