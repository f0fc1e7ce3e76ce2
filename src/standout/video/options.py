"""How a video is processed."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from standout.errors import ConfigError
from standout.imaging.parse import parse_size
from standout.inference.smoothing import SMOOTHINGS, Smoothing
from standout.video.codecs import Codec
from standout.video.decoders import check_decoder
from standout.video.encoders import EncodingOptions
from standout.video.timestamps import exact


@dataclass(frozen=True)
class VideoOptions:
    """How a video is processed.

    Attributes:
        matte: Write alpha as a gray video instead of the people.
        frames: The target is a folder for a PNG sequence.
        start_s: Seconds from which the source is used.
        end_s: Seconds before which it is used.
        size: `WxH`, `Wx` or `xH`; the source's own if absent.
        fps: Constant frames per second; the source's own time stamps if absent.
        codec: The codec of a transparent video: "vp9", "prores" or "png"; None takes what suits the container.
        smoothing: In time: "flow", "confidence" or "off".
        lag: Frames that the smoothing looks ahead, 0 or 1.
        keep_partial: After Ctrl-C (KeyboardInterrupt, also from `progress`), keep what is done as a file that plays; a
            second one drops it.
        pipe_format: What standard output gets: "nut", which can be transparent, or "y4m"; None takes what suits.
        decoder: FFmpeg's name of what decodes besides the processor, as cuda, vaapi or videotoolbox; "software", or
            "auto" for the first that works.
        encoding: How good and how large the file becomes, and by which encoder.

    Raises:
        ConfigError: A value is out of range.

    Example:
        >>> VideoOptions(start_s=2, end_s=5.1).end
        Fraction(51, 10)
    """

    matte: bool = False
    frames: bool = False
    start_s: float | Fraction | None = None
    end_s: float | Fraction | None = None
    size: str | None = None
    fps: float | Fraction | None = None
    codec: Codec | None = None
    smoothing: Smoothing = "flow"
    lag: int = 1
    keep_partial: bool = False
    pipe_format: Literal["nut", "y4m"] | None = None
    decoder: str = "software"
    encoding: EncodingOptions = field(default_factory=EncodingOptions)

    def __post_init__(self) -> None:
        check_decoder(self.decoder)
        if self.start_s is not None and self.start_s < 0:
            raise ConfigError(f"`start_s` must be at least 0 seconds; received {float(self.start_s):g}.")
        if self.end_s is not None and self.end_s <= (self.start_s or 0):
            raise ConfigError(f"`end_s` must lie after `start_s`; received {float(self.end_s):g} seconds.")
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise ConfigError(f"`fps` must lie above 0 and be at most 1000; received {float(self.fps):g}.")
        if self.smoothing not in SMOOTHINGS:
            raise ConfigError(f"`smoothing` must be one of {', '.join(SMOOTHINGS)}; received {self.smoothing!r}.")
        if self.lag not in (0, 1):
            raise ConfigError(f"`lag` must be 0 or 1 frames; received {self.lag!r}.")
        if self.codec is not None and self.frames:
            raise ConfigError("`codec` is for video files; a folder of frames holds PNG.")

    @property
    def start(self) -> Fraction | None:
        """`start_s`, exact: 0.1 is 1/10."""
        return None if self.start_s is None else exact(self.start_s)

    @property
    def end(self) -> Fraction | None:
        """`end_s`, exact."""
        return None if self.end_s is None else exact(self.end_s)

    @property
    def rate(self) -> Fraction | None:
        """`fps`, exact."""
        return None if self.fps is None else exact(self.fps)


def fit_size(text: str, width: int, height: int) -> tuple[int, int]:
    """The (height, width) of `WxH`, `Wx` or `xH` for a picture of this width and height.

    Raises:
        ConfigError: It is no size, or would stretch the picture; the message names the nearest that doesn't.

    Example:
        >>> fit_size("640x", 1920, 1080), fit_size("x360", 1920, 1080)
        ((360, 640), (360, 640))
    """
    asked_w, asked_h = parse_size(text)
    # Video likes even numbers.
    wide = asked_w or max(2, 2 * round(width * (asked_h or height) / height / 2))
    fit = max(2, 2 * round(height * wide / width / 2))
    high = asked_h or fit
    if abs(wide * height / (high * width) - 1) > 0.03 and abs(fit - high) > 2:
        raise ConfigError(f"`size` {text} would stretch a picture of {width}x{height}; use {wide}x{fit}.")
    return high, wide
