"""remove.bg's parameters and error codes, read and worded as its documentation does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from standout.errors import ConfigError
from standout.imaging.parse import Length
from standout.server.layout import Layout, parse_coordinate
from standout.server.problems import Problem
from standout.server.tasks import LaidOut, Rgba

#: code -> title
TITLES = {
    "failed_image_download": "Failed to download image from given image_url",
    "failed_bg_download": "Failed to download background image from given bg_image_url",
    "failed_to_read_image": "There was an error reading the image.",
    "file_too_large": "File too large",
    "invalid_bg_color": "Invalid bg_color parameter given",
    "invalid_bg_image_url": "Invalid bg_image_url: Please provide a valid URL.",
    "invalid_channels": "Invalid value for parameter 'channels'",
    "invalid_crop_margin": "Invalid crop_margin parameter given",
    "invalid_dimensions": "Failed to read image dimensions",
    "invalid_file_type": "Invalid file type",
    "invalid_format": "Invalid format parameter given",
    "invalid_image_url": "Invalid image_url: Please provide a valid URL.",
    "invalid_position": "Invalid position parameter given",
    "invalid_roi": "Invalid roi parameter given",
    "invalid_scale": "Invalid scale parameter given",
    "invalid_semitransparency": "Invalid semitransparency parameter given",
    "invalid_size": "Invalid value for parameter 'size'",
    "invalid_type": "Invalid value for parameter 'type'",
    "missing_source": "No image given",
    "multiple_sources": "Multiple image sources given: Please provide either the image_url, image_file or "
    "image_file_b64 parameter.",
    "multiple_bg_sources": "Multiple background sources given: Please provide either the bg_color, the bg_image_url "
    "or the bg_image_file parameter.",
    "resolution_too_high": "Image resolution too high",
    "roi_exceeds_bounds": "ROI exceeds image bounds",
    "roi_region_empty": "ROI region is empty",
    "unknown_foreground": "Could not identify foreground in image.",
    "auth_failed": "API Key invalid",
    "rate_limit_exceeded": "Rate limit exceeded",
}
_DETAILS = {
    "missing_source": "Please provide the source image in the image_url, image_file or image_file_b64 parameter.",
}
#: Ours -> theirs, where the picture or the client is at fault; all are 400 but those of `_STATUS`.
_CODES = {
    "bad_image": "failed_to_read_image",
    "body_too_large": "file_too_large",
    "picture_too_large": "resolution_too_high",
    "no_person": "unknown_foreground",
    "missing_key": "auth_failed",
    "wrong_key": "auth_failed",
    "too_many_requests": "rate_limit_exceeded",
    "queue_full": "rate_limit_exceeded",
}
#: A picture that can't be used: words of our sentence -> their code.
_KINDS_OF_BAD = (("of a kind that is read", "invalid_file_type"), ("has no pixels", "invalid_dimensions"))
_STATUS = {"auth_failed": 403, "rate_limit_exceeded": 429}

#: size -> pixels; "full" depends on the format.
_SIZES = {
    "preview": 250_000, "small": 250_000, "regular": 250_000,
    "medium": 1_500_000, "hd": 4_000_000, "50MP": 50_000_000,
}  # fmt: skip
_FULL = {"png": 10_000_000, "auto": 10_000_000, "jpg": 25_000_000, "zip": 25_000_000, "webp": 25_000_000}
#: parameter -> (what it may be, the first by default; the code of a refusal).
_CHOICES = {
    "format": (("auto", "png", "jpg", "zip", "webp"), "invalid_format"),
    "size": (("preview", *_SIZES, "full", "4k", "auto"), "invalid_size"),
    "type": (("auto", "person", "product", "car", "animal", "graphics", "transportation"), "invalid_type"),
    "channels": (("rgba", "alpha"), "invalid_channels"),
    "semitransparency": (("", "true", "false", "1", "0", "True", "False"), "invalid_semitransparency"),
}
#: Of the OpenAPI document: those above, and these with an example of each.
_FREE = {
    "type_level": "1", "roi": "0% 0% 100% 100%", "crop": "true", "crop_margin": "30px", "scale": "80%",
    "position": "center", "add_shadow": "false", "shadow_type": "none", "shadow_opacity": "60", "shadow_method": "",
    "bg_color": "81d4fa",
}  # fmt: skip
_URL = {"type": "string", "description": "Needs `--allow-urls`."}
SCHEMA: dict[str, Any] = {
    "image_file_b64": {"type": "string", "format": "byte"}, "image_url": _URL, "bg_image_url": _URL,
    **{name: {"type": "string", "enum": list(allowed)} for name, (allowed, _) in _CHOICES.items()},
    **{name: {"type": "string", "example": example} for name, example in _FREE.items()},
}  # fmt: skip


def refusal(code: str, detail: str = "") -> Problem:
    """A refusal with one of their codes."""
    detail = detail or _DETAILS.get(code) or TITLES[code]
    return Problem("bad_option", detail, extra={"removebg": code})


def code_of(problem: Problem) -> tuple[str, int]:
    """Their code and status for any problem."""
    code = problem.extra.get("removebg")
    if code is None and problem.code == "bad_image":
        code = next((theirs for words, theirs in _KINDS_OF_BAD if words in problem.detail), None)
    if code is None:
        first = problem.detail.partition(":")[0]
        code = first if first in TITLES else _CODES.get(problem.code)
    if code is None:
        return problem.code, 400 if problem.status in (415, 422) else problem.status
    return code, _STATUS.get(code, 400)


def task_of(given: Mapping[str, Any], *, has_background_file: bool) -> LaidOut:
    """Their parameters as a task that has no picture yet.

    Raises:
        Problem: With the code that remove.bg has for it.
    """
    fields = {name: "" if value is None else str(value).strip() for name, value in given.items()}
    chosen = {}
    for name, (allowed, code) in _CHOICES.items():
        chosen[name] = fields.get(name) or allowed[0]
        if chosen[name] not in allowed:
            raise refusal(code, f"`{name}` must be one of {', '.join(allowed)}; received {chosen[name][:40]!r}.")
    if sum(bool(one) for one in (fields.get("bg_color"), fields.get("bg_image_url"), has_background_file)) > 1:
        raise refusal("multiple_bg_sources")
    return LaidOut(
        image=b"",
        background=parse_bg_color(fields.get("bg_color", "")),
        format=chosen["format"],
        most_pixels=_SIZES.get(chosen["size"], _FULL[chosen["format"]]),
        channels="alpha" if chosen["channels"] == "alpha" else "rgba",
        roi=fields.get("roi") or None,
        shadow=_is_true(fields.get("add_shadow", "")) or fields.get("shadow_type", "none") not in ("none", ""),
        layout=parse_layout(fields),
    )


def parse_layout(fields: Mapping[str, str]) -> Layout:
    """`crop`, `crop_margin`, `scale` and `position`."""
    crop = _is_true(fields.get("crop", ""))
    return Layout(
        crop,
        _margins(fields.get("crop_margin", "")) if crop else (Length(0),) * 4,
        _scale(fields.get("scale", "")),
        _position(fields.get("position", "")),
    )


def parse_bg_color(text: str) -> Rgba | None:
    """Reads a hex color of 3, 4, 6 or 8 digits, with or without `#`, or a name."""
    if not text:
        return None
    from PIL import ImageColor

    word = text.lower()
    digits = word.removeprefix("#")
    is_hex = len(digits) in (3, 4, 6, 8) and all(digit in "0123456789abcdef" for digit in digits)
    if not is_hex and word not in ImageColor.colormap:
        raise refusal("invalid_bg_color", f"`bg_color` must be a hex color or a color's name; received {text[:40]!r}.")
    parts = ImageColor.getrgb(f"#{digits}" if is_hex else word)
    red, green, blue, alpha = (*parts, 255)[:4]
    return red, green, blue, alpha


def _margins(text: str) -> tuple[Length, Length, Length, Length]:
    words = text.replace(",", " ").split()
    if not words:
        return (Length(0),) * 4
    try:
        lengths = [parse_coordinate(word) for word in words[:5]]
    except ConfigError:
        lengths = []
    if len(lengths) not in (1, 2, 4) or any(length.value < 0 for length in lengths):
        raise refusal("invalid_crop_margin", f"`crop_margin` takes 1, 2 or 4 lengths; received {text[:40]!r}.")
    top, right, bottom, left = lengths * (4 // len(lengths))
    return top, right, bottom, left


def _scale(text: str) -> float | None:
    if text in ("", "original"):
        return None
    value = _percent(text)
    if value is None or not 0.1 <= value <= 1:
        raise refusal("invalid_scale", f"`scale` must be `original` or 10% … 100%; received {text[:40]!r}.")
    return value


def _position(text: str) -> Any:
    if text in ("", "original"):
        return text or None
    if text == "center":
        return 0.5, 0.5
    values = [_percent(word) for word in text.replace(",", " ").split()]
    good = [value for value in values if value is not None and 0 <= value <= 1]
    if len(good) != len(values) or len(values) not in (1, 2):
        raise refusal("invalid_position", f"`position` must be original, center or `x% y%`; received {text[:40]!r}.")
    return good[0], good[-1]


def _percent(text: str) -> float | None:
    try:
        return float(text.removesuffix("%")) / 100
    except ValueError:
        return None


def _is_true(text: str) -> bool:
    return text.lower() in ("true", "1", "yes", "on")
