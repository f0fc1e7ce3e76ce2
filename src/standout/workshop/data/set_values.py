"""What the label pictures of a set say together: which value is person is decided once for a set, not per picture.

For that some pictures of every set are opened when it is found; what the others hold is compared when they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from standout.errors import InputError
from standout.workshop.data.label_pictures import VOID, AmbiguousLabels, PersonLabel, named, read_label_picture
from standout.workshop.data.places import Place, read_bytes

#: Label pictures of a set that are opened to see how it is to be read …
SOME = 64
#: … and to find one that holds what was asked for.
_MOST = 2000


@dataclass(frozen=True)
class SetValues:
    """The values that label pictures of a set hold for person, each by itself: what one picture can't know.

    A picture that holds 0 and 8 says "8 is person"; beside one of 0 and 15 neither says anything.
    """

    people: frozenset[int] = frozenset()
    void: bool = False

    @property
    def agree(self) -> bool:
        """Whether they name one thing: masks of 0 and 1 beside those of 0 and 255 do, unless 255 is void somewhere."""
        return len(self.people) <= 1 or (self.people == {1, VOID} and not self.void)

    def check(self, label: PersonLabel, name: str) -> None:
        """Refuses a label that is read otherwise than the rest of its set.

        Raises:
            AmbiguousLabels: It can't be told which value is person.
        """
        if label.value is None or SetValues(self.people | {label.value}, self.void or label.void).agree:
            return
        values = sorted(self.people | {label.value})
        void = " (255 is unsure in others)" if self.void and label.value == VOID else ""
        raise AmbiguousLabels(
            f"{name}: {label.rule.partition(':')[0]}{void}, and the masks of this set hold {named(values)} between "
            "them: it isn't known which is person; say it with `person` (`person=15`).",
            values,
        )


def look_up(places: Sequence[Place]) -> SetValues:
    """What some of the label pictures hold; one that can't be read says nothing."""
    people: set[int] = set()
    void = False
    with ThreadPoolExecutor() as pool:  # decoding releases the interpreter's lock
        for label in pool.map(_read, some_of(places)):
            if isinstance(label, AmbiguousLabels):
                people |= set(label.values)
            elif label is not None:
                people |= {label.value} if label.value is not None else set()
                void |= label.void
    return SetValues(frozenset(people), void)


def some_of(places: Sequence[Place], count: int = SOME) -> list[Place]:
    """So many of them, from all over the list."""
    step = max(1, len(places) // count)
    return list(places[::step])[:count]


def holds(places: Sequence[Place], person: str) -> bool:
    """Whether one of the label pictures has a pixel of what was asked for (`15`)."""
    for place in some_of(places, _MOST):
        label = _read(place, person)
        if isinstance(label, PersonLabel) and label.person.any():
            return True
    return False


def are_plain(places: Sequence[Place]) -> bool:
    """Whether the label pictures are masks of 0 and 255, perhaps with soft edges, and hold no numbers of classes."""
    return all(
        label.value in (None, VOID) and not label.classes
        for label in map(_read, some_of(places, 8))
        if isinstance(label, PersonLabel)
    )


def _read(place: Place, person: str = "") -> PersonLabel | AmbiguousLabels | None:
    try:
        return read_label_picture(read_bytes(place), str(place), person)
    except AmbiguousLabels as error:
        return error
    except InputError:
        return None
