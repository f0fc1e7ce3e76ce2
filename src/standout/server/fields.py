"""The options of a request, checked: one model per endpoint, which the OpenAPI document is made of too."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from standout.server.problems import Problem

if TYPE_CHECKING:
    from standout.pipeline.options import CutOutKeywords

PictureFormat = Literal["png", "webp", "jpg", "jpeg", "tiff", "tif"]

_MOST_FAULTS = 20
_Model = TypeVar("_Model", bound=BaseModel)


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PhotoFields(_Fields):
    """Every option of `standout photo` that names no file, under the same name."""

    background: str = Field(
        "transparent", max_length=64, examples=["white"],
        description="transparent, a color (`white`, `#0a84ff`), `blur` or `blur:RADIUS`; or a picture, uploaded as a "
        "file field of this name.",
    )  # fmt: skip
    fit: Literal["cover", "contain", "stretch"] = Field("cover", description="How a background picture fills.")
    position: str = Field(
        "center", max_length=32, description="Which part of a background picture stays: top-left, center, … or 25%,80%."
    )
    lens: bool = Field(False, description="Blur like a lens: lights become discs.")
    keep: str = Field("all", max_length=64, description="all, largest, center, or people counted from the left: 1,3.")
    at: str | None = Field(None, max_length=32, description="Keep the person at this point: 640,300 or 50%,30%.")
    matting: Literal["none", "closed-form", "knn"] = Field(
        "none", description="Works out fine hair in seconds, if `--matting` is on."
    )
    edge: float = Field(0.0, ge=-200, le=200, description="Move the edge outward, or inward if negative; pixels.")
    feather: float = Field(0.0, ge=0, le=500, description="Soften the edge over so many pixels.")
    keep_edge_colors: bool = Field(False, description="Leave the old background's color in the edge.")
    invert: bool = Field(False, description="Remove the people instead of the background.")
    crop: bool = Field(False, description="Crop to the people.")
    margin: str = Field("5%", max_length=16, description="Room around them when cropping: 40 pixels, or 5%.")
    shadow: bool = Field(False, description="A soft shadow behind the people.")
    mask: bool = Field(False, description="Alpha alone, as a gray picture; what `/v1/mask` always gives.")
    format: PictureFormat | Literal["json"] | None = Field(
        None, description="Of the answer; without it `Accept` decides, and without that it is PNG."
    )
    quality: int = Field(92, ge=1, le=100, description="Of JPEG and WebP.")
    keep_metadata: bool = Field(False, description="Keep GPS and other private EXIF.")
    max_pixels: int | None = Field(None, ge=1, description="Refuse pictures with more, below the server's limit.")
    model: str | None = Field(None, max_length=64, description="One of `/v1/models`.", examples=["photo"])
    looks: int = Field(1, ge=1, le=3, description="Passes through the network: 2 and 3 take longer and see finer.")
    require_person: bool = Field(False, description="Answer 422 `no_person` if nobody is found.")

    @property
    def keywords(self) -> CutOutKeywords:
        """What `standout.cut_out` is asked for."""
        given = self.model_dump(exclude={"format", "model", "looks", "require_person", "lens", "keep_edge_colors"})
        given |= {"bokeh": self.lens, "decontaminate": not self.keep_edge_colors}
        return cast("CutOutKeywords", {name: value for name, value in given.items() if value is not None})


class IdPhotoFields(_Fields):
    """The options of `standout id-photo` that name no file."""

    spec: str = Field(max_length=64, description="One of `/v1/specs`.", examples=["us-passport"])
    background: str | None = Field(
        None, max_length=64, description="A color, or `keep` for the photo's own; without it the specification's."
    )
    dpi: int | None = Field(None, ge=72, le=2400, description="Of the print; without it the specification's.")
    max_kb: float | None = Field(None, ge=1, le=1_000_000, description="Ceiling of the file, thousands of bytes.")
    format: Literal["jpg", "jpeg", "png", "webp", "tiff", "tif", "json", "zip"] | None = Field(
        None, description="Of the answer: a picture, or picture and report as `json` or `zip`; else `Accept` decides."
    )
    strict: bool = Field(False, description="Answer 422 `rules_failed`, with the report, if a rule fails.")
    model: str | None = Field(None, max_length=64, description="One of `/v1/models`.", examples=["photo"])


def checked(model: type[_Model], values: Mapping[str, Any], *, but: tuple[str, ...] = ()) -> _Model:
    """The options as values.

    Args:
        model: Which there are.
        values: The form's fields as they came; names may be written with `-` for `_`.
        but: Names that aren't options: the picture's.

    Raises:
        Problem: `bad_option`, with one sentence for the first and a list of all.
    """
    named: dict[str, Any] = {}
    for sent, value in values.items():
        name = str(sent).replace("-", "_")
        if sent not in but and named.setdefault(name, value) != value:
            raise Problem("bad_option", f"`{name[:60]}` came twice with different values; send it once.")
    try:
        return model.model_validate(named)
    except ValidationError as error:
        faults = [_sentence(fault, model) for fault in error.errors(include_url=False)[:_MOST_FAULTS]]
        raise Problem("bad_option", faults[0], extra={"errors": faults}) from None


def _sentence(fault: Any, model: type[BaseModel]) -> str:
    name = ".".join(str(part)[:60] for part in fault["loc"]) or "body"
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, model.model_fields, 1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(model.model_fields)}."
        return f"There is no option `{name}`{hint}"
    if fault["type"] == "missing":
        return f"The option `{name}` is missing."
    words = str(fault["msg"]).replace("Input should be", "must be")
    return f"`{name}` {words}; received {str(fault.get('input'))[:60]!r}."
