"""remove.bg's parameters and error codes, read and worded as its documentation does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from standout.imaging.parse import Length
from standout.server.layout import Layout, parse_coordinate
from standout.server.problems import Problem
from standout.server.tasks import LaidOut

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
_WORDS = ("true", "false", "1", "0", "")
_TEXT = {"type": "string"}

#: For the OpenAPI document.
SCHEMA: dict[str, Any] = {
    "image_file_b64": {"type": "string", "format": "byte"},
    "image_url": {"type": "string", "description": "Needs `--allow-urls`."},
    "size": {"type": "string", "enum": [*_SIZES, "full", "4k", "auto"], "default": "preview"},
    "type": {"type": "string", "enum": ["auto", "person", "product", "car", "animal", "graphics", "transportation"]},
    "type_level": {"type": "string", "enum": ["none", "1", "2", "latest"]},
    "format": {"type": "string", "enum": ["auto", "png", "jpg", "zip", "webp"], "default": "auto"},
    "roi": _TEXT | {"example": "0% 0% 100% 100%"},
    "crop": {"type": "boolean"},
    "crop_margin": _TEXT | {"example": "30px"},
    "scale": _TEXT | {"example": "80%"},
    "position": _TEXT | {"example": "center"},
    "channels": {"type": "string", "enum": ["rgba", "alpha"]},
    "add_shadow": {"type": "boolean"},
    "shadow_type": _TEXT,
    "shadow_opacity": _TEXT,
    "shadow_method": _TEXT,
    "semitransparency": {"type": "boolean"},
    "bg_color": _TEXT | {"example": "81d4fa"},
    "bg_image_url": {"type": "string", "description": "Needs `--allow-urls`."},
}


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


def options_of(given: Mapping[str, Any], *, has_background_file: bool) -> LaidOut:
    """Their parameters as a task that has no picture yet.

    Raises:
        Problem: With the code that remove.bg has for it.
    """
    fields = {name: "" if value is None else str(value).strip() for name, value in given.items()}

    def choice(name: str, allowed: tuple[str, ...], code: str) -> str:
        value = fields.get(name, "") or allowed[0]
        if value not in allowed:
            raise refusal(code, f"`{name}` must be one of {', '.join(allowed)}; received {value[:40]!r}.")
        return value

    file_format = choice("format", ("auto", "png", "jpg", "zip", "webp"), "invalid_format")
    size = choice("size", (*_SIZES, "full", "4k", "auto"), "invalid_size")
    choice("type", ("auto", "person", "product", "car", "animal", "graphics", "transportation"), "invalid_type")
    if fields.get("semitransparency", "").lower() not in _WORDS:
        raise refusal("invalid_semitransparency")
    behind = [fields.get("bg_color"), fields.get("bg_image_url"), has_background_file or None]
    if sum(bool(one) for one in behind) > 1:
        raise refusal("multiple_bg_sources")
    return LaidOut(
        image=b"",
        background=parse_bg_color(fields.get("bg_color", "")),
        format=file_format,
        most_pixels=_SIZES.get(size, _FULL[file_format]),
        channels="alpha" if choice("channels", ("rgba", "alpha"), "invalid_channels") == "alpha" else "rgba",
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


def parse_bg_color(text: str) -> tuple[int, int, int, int] | None:
    """Reads a hex colour of 3, 4, 6 or 8 digits, with or without `#`, or a name."""
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
        lengths = [parse_coordinate(word) for word in words]
    except Exception:  # noqa: BLE001 - whatever it is, it is no margin
        lengths = []
    if len(lengths) not in (1, 2, 4) or any(length.value < 0 for length in lengths):
        raise refusal("invalid_crop_margin", f"`crop_margin` takes 1, 2 or 4 lengths; received {text[:40]!r}.")
    if len(lengths) == 1:
        lengths *= 4
    if len(lengths) == 2:
        lengths *= 2
    top, right, bottom, left = lengths
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
