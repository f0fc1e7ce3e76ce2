"""Labels that are painted: label pictures of known meaning, a picture for each person, the photograph's own alpha."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from standout.errors import InputError
from standout.workshop.data.drawings import Size
from standout.workshop.data.label_pictures import PersonLabel, read_label_picture
from standout.workshop.data.places import Place, read_bytes


class _Painted:
    """What painted masks have in common: they are exact, and their size is known only when they are read."""

    __slots__ = ()

    @property
    def weak(self) -> bool:
        return False

    @property
    def size_hw(self) -> Size | None:
        return None


@dataclass(frozen=True, slots=True)
class PaintedMask(_Painted):
    """A label picture of which its reader knows what stands for person.

    Attributes:
        place: The picture, in a file or a shard.
        person: Which values are person, as `label_pictures.parse_person` takes it.
    """

    place: Place
    person: str

    @property
    def name(self) -> str:
        return str(self.place)

    def draw(self, size_hw: Size) -> PersonLabel:  # noqa: ARG002 - its size is checked by who asks
        return read_label_picture(read_bytes(self.place), self.name, self.person)


@dataclass(frozen=True, slots=True)
class PaintedInstances(_Painted):
    """Several label pictures, one person each (TensorFlow's object detection records)."""

    places: tuple[Place, ...]

    @property
    def name(self) -> str:
        return str(self.places[0])

    def draw(self, size_hw: Size) -> PersonLabel:
        person, unsure = np.zeros(size_hw, np.uint8), np.zeros(size_hw, bool)
        for place in self.places:
            one = read_label_picture(read_bytes(place), str(place), "any")
            if one.person.shape != size_hw:
                return one  # who asks names the sizes
            person, unsure = np.maximum(person, one.person), unsure | one.unsure
        return PersonLabel(person, unsure & (person == 0), f"{len(self.places)} instance mask(s)", classes=True)


@dataclass(frozen=True, slots=True)
class OwnTransparency(_Painted):
    """The photograph's own alpha channel is its mask: a cut-out."""

    place: Place

    @property
    def name(self) -> str:
        return str(self.place)

    def draw(self, size_hw: Size) -> PersonLabel:  # noqa: ARG002
        with Image.open(io.BytesIO(read_bytes(self.place))) as image:
            alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        if alpha.min() == 255:  # a screenshot, a photograph saved with a channel that nobody needed
            raise InputError(f"{self.name} is opaque: no cut-out, and it has no other mask.")
        # No hand wrote these values: 128 is a soft edge here.
        return PersonLabel(alpha.copy(), np.zeros(alpha.shape, bool), "transparency is the mask")
