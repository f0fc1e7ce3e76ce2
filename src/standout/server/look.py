"""The options of a request as the product's, and what a request may not say: the path of a file."""

from __future__ import annotations

import re

from standout.compositing.background import Background, parse_background
from standout.errors import ConfigError
from standout.pipeline.options import CutOutKeywords, CutOutOptions, options_with

#: A color's name, `#rgb`, `#rrggbb`, `#rrggbbaa`, `blur`, `blur:20`: what `background` may say. Never a path.
_WORDS = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,24}|blur:[0-9.]{1,8}(px)?")


def cut_out_options(keywords: CutOutKeywords, max_pixels: int) -> CutOutOptions:
    """The options of a request as the product's.

    Args:
        keywords: As a stranger sent them.
        max_pixels: The server's limit; a request may ask for a lower one.

    Raises:
        ConfigError: One isn't allowed.
    """
    words = str(keywords.get("background", "transparent"))
    most = min(max_pixels, keywords.get("max_pixels", max_pixels))
    bounded: CutOutKeywords = {**keywords, "background": safe_background(words), "max_pixels": most}
    return options_with(CutOutOptions(), bounded)


def safe_background(text: str) -> Background:
    """A background in words: a color or a blur. The product would take a path too; a request may name none.

    Raises:
        ConfigError: It is neither.
    """
    text = text.strip()
    sentence = (
        f"`background` must be transparent, a color (`white`, `#0a84ff`), blur, blur:RADIUS, or an uploaded picture; "
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
