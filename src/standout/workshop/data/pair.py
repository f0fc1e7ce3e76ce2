"""A photograph and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from standout.errors import DataError
from standout.workshop.data.drawings import Annotation
from standout.workshop.data.places import Place
from standout.workshop.data.set_values import SetValues

Split = Literal["", "train", "val", "test"]


@dataclass(frozen=True)
class Pair:
    """A photograph and its label; no label means that its data set says that nobody is in the picture.

    Attributes:
        image: The photograph's file, or its place in a shard.
        mask: A label picture, or an annotation; None: nobody.
        set: Each set is drawn from by its weight, and scored by itself.
        group: Photographs of one group (a person, a video) stay on one side of every split.
        weight: How often its set is drawn, against the others.
        unsure: A picture that is white where the label is not to be trusted.
        person: What stands for person in the label picture, as in `label_pictures.parse_person`; "": by its rule.
        split: The part of the data set that its makers put it in; "" where they didn't.
        others: What the label pictures of its set hold, so that all of them are read alike.
    """

    image: Place
    mask: Place | Annotation | None
    set: str = ""
    group: str = ""
    weight: float = 1.0
    unsure: Path | None = None
    person: str = ""
    split: Split = ""
    others: SetValues | None = None

    @property
    def stem(self) -> str:
        return self.image.stem

    @property
    def weak(self) -> bool:
        """Whether the label says of no pixel that it is person, only where people may be (boxes)."""
        return self.mask is not None and bool(getattr(self.mask, "weak", False))

    @property
    def has_person(self) -> bool:
        """Whether a person can be learned from it, as far as can be told without opening it."""
        return self.mask is not None and not self.weak


@dataclass(frozen=True)
class Fault:
    """A pair that can't be used, and why, in words."""

    pair: Pair
    kind: str  # unreadable, sizes differ, mask not turned, mask empty, mask values, mask not two-valued, no mask …
    text: str


@dataclass(frozen=True)
class FoundPairs:
    """What was found in a data set.

    Attributes:
        pairs: What can be used, as far as can be told without opening it.
        faults: What can't, and why.
        notes: What else the user should know of how the data set was read, a sentence each.
    """

    pairs: list[Pair] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, pair: Pair, error: DataError) -> None:
        """One broken annotation file of many costs its photograph, not the set."""
        self.faults.append(Fault(pair, "unreadable", str(error)))
