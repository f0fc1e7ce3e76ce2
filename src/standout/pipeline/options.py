"""`CutOutOptions`: how photos are read, what becomes of them, and how they are written."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from standout.compositing.options import CompositeKeywords, CompositeOptions
from standout.errors import ConfigError, OutputError
from standout.imaging.decode import MAX_BYTES
from standout.imaging.defaults import DEFAULT_QUALITY, MAX_PIXELS
from standout.imaging.encode import NO_TRANSPARENCY
from standout.option import Option, switch, whole_number

_Options = TypeVar("_Options", bound=CompositeOptions)


class CutOutKeywords(CompositeKeywords, total=False):
    """The fields of `CutOutOptions` as keywords of a function."""

    mask: bool
    quality: int
    keep_metadata: bool
    max_pixels: int
    max_bytes: int


@dataclass(frozen=True, eq=False)
class CutOutOptions(CompositeOptions):
    """What `standout.cut_out` takes as keywords, to be used many times: how the picture looks (see
    `CompositeOptions`), and these. Checked when it is made.

    Attributes:
        mask: Instead of the picture, what would be shown of it: gray, 255 is person.
        quality: The quality of JPEG and WebP files, 1 … 100.
        keep_metadata: Write GPS and other private EXIF too.
        max_pixels: Width × height that is allowed, looked up before decoding.
        max_bytes: Size of a file that is allowed.

    Raises:
        ConfigError: A value isn't allowed; the message says what is.

    Example:
        >>> options = CutOutOptions(background="white", quality=85)
        >>> options.opaque, dataclasses.replace(options, background="transparent").opaque
        (True, False)
    """

    mask: Option[bool, bool] = Option(False, switch)
    quality: Option[int, int] = Option(DEFAULT_QUALITY, whole_number(1, 100))
    keep_metadata: Option[bool, bool] = Option(False, switch)
    max_pixels: Option[int, int] = Option(MAX_PIXELS, whole_number(1, 2**40))
    max_bytes: Option[int, int] = Option(MAX_BYTES, whole_number(1, 2**40))

    def check_format(self, file_format: str) -> None:
        """Refuses a format that can't hold the result, before any work is done.

        Raises:
            OutputError: A JPEG without a background.
        """
        if file_format == "jpg" and not (self.opaque or self.mask):
            raise OutputError(NO_TRANSPARENCY)


def options_with(options: _Options, keywords: Mapping[str, Any]) -> _Options:
    """The options with the keywords in their place.

    Raises:
        ConfigError: A keyword is unknown, or its value isn't allowed.

    Example:
        >>> options_with(CutOutOptions(), {"backgroud": "white"})
        Traceback (most recent call last):
        standout.errors.ConfigError: There is no option `backgroud`. Did you mean `background`?
    """
    names = [field.name for field in dataclasses.fields(options)]
    for name in keywords:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f"Did you mean `{close[0]}`?" if close else f"There are {', '.join(names)}."
            raise ConfigError(f"There is no option `{name}`. {hint}")
    return dataclasses.replace(options, **keywords)


def with_image(options: _Options, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> _Options:
    """The options with a background image that is decoded: once, however many photos it is for.

    Raises:
        InputError: The image can't be read, or is larger than allowed.
    """
    background = options.background.decoded(max_pixels=max_pixels, max_bytes=max_bytes)
    return options if background is options.background else dataclasses.replace(options, background=background)
