"""What the rules look at: the photo, what was measured in it, and the picture that was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from standout.id_photo.crop import Placement
from standout.id_photo.faces import Face
from standout.id_photo.head import Head
from standout.id_photo.render import Rendered
from standout.id_photo.report import Verdict
from standout.id_photo.spec import Spec
from standout.imaging.arrays import Alpha, Frame

#: Share of the pupils' distance by which the nose of a clearly turned head is off the middle.
TURNED = 0.30


@dataclass(frozen=True)
class Evidence:
    """Everything that the rules look at.

    Attributes:
        frame: The photo.
        alpha: float32 (H, W), the person in the photo.
        faces: All that were found, the person's first.
        head: Measured in the photo.
        place: How the photo was laid into the picture.
        rendered: The picture.
        spec: The specification that is checked.
        dpi: The picture's resolution, dots per inch.
        background: The color that was put behind the person, RGB; None if the photo's own was kept.
    """

    frame: Frame
    alpha: Alpha
    faces: Sequence[Face]
    head: Head
    place: Placement
    rendered: Rendered
    spec: Spec
    dpi: int
    background: tuple[int, int, int] | None


def sourced(spec: Spec, table: str, verdict: Verdict) -> Verdict:
    """The verdict with the address of what a table of the specification comes from, if it has that table."""
    if table not in spec.table_sources:
        return verdict
    source = spec.sources[spec.table_sources[table]]
    return replace(verdict, source=source.url or source.title)
