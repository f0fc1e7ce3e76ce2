"""The stream of training samples: sample i of a seed is a pure function of (seed, epoch, index).

Three kinds are mixed: a photograph with its mask, people pasted on a photograph without people, and nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from standout.errors import InputError
from standout.imaging.arrays import Frame
from standout.workshop.config import DataOptions
from standout.workshop.data.augment import Label, Scene, augment, fit
from standout.workshop.data.labels import OpenPair, label_fault, open_pair, read_image
from standout.workshop.data.painted import OwnTransparency
from standout.workshop.data.pair import Fault, Pair
from standout.workshop.data.synthesize import CutOut, crop_person, paste_people

#: Draws until a pair is found that can be used; of a set that is checked as it is drawn.
_MOST_DRAWS = 50


def read_pair(pair: Pair) -> tuple[Frame, Label]:
    """A pair as training takes it: uint8 RGB (H, W, 3) and uint8 (H, W, 2), person and unsure.

    Raises:
        InputError: It can't be used.
    """
    opened = open_pair(pair)
    if isinstance(opened, Fault):
        raise InputError(opened.text)
    return opened.frame, opened.channels


@dataclass
class Samples:
    """Draws training samples from pairs. Picklable, so that every worker has its own.

    Args:
        pairs: Training pairs; those without a mask are photographs with nobody.
        config: Size, and the shares of synthesis and of nobody.
        seed: With epoch and index it decides a sample.
        unchecked: The pairs were not opened before: a bad one is left out as it is drawn, and another drawn for it.
        faults: The bad ones that were drawn since the list was last emptied.
    """

    pairs: Sequence[Pair]
    config: DataOptions
    seed: int = 0
    unchecked: bool = False
    faults: list[Fault] = field(default_factory=list, repr=False)
    _people: dict[str, list[Pair]] = field(init=False, repr=False)
    _nobody: list[Pair] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_set: dict[str, list[Pair]] = defaultdict(list)
        for pair in self.pairs:
            if pair.mask is not None:
                by_set[pair.set].append(pair)
        self._people = dict(by_set)
        self._nobody = [pair for pair in self.pairs if pair.mask is None]
        self._whole = {name: [pair for pair in members if pair.has_person] for name, members in by_set.items()}
        shares = np.array([len(members) * members[0].weight for members in by_set.values()], float)
        self._set_names, self._set_shares = list(by_set), shares / max(shares.sum(), 1e-12)

    def draw(self, epoch: int, index: int) -> tuple[Frame, Label]:
        """Sample `index` of `epoch`: uint8 RGB (size, size, 3) and uint8 (size, size, 2), person and unsure.

        Raises:
            InputError: A file can't be read; the message names it.
        """
        rng = np.random.default_rng((self.seed, epoch, index))
        kind = rng.random()
        can_paste = bool(self._nobody and any(self._whole.values()))
        if self._nobody and (not self._people or kind < self.config.negative_fraction):
            image = self._draw_background(rng)
            label = np.zeros((*image.shape[:2], 2), np.uint8)
        elif can_paste and kind < self.config.negative_fraction + self.config.paste_fraction:
            image, label = self._synthesize(rng)
        else:
            pair, opened = self._draw_person(rng)
            if can_paste and isinstance(pair.mask, OwnTransparency):
                image, label = self._synthesize(rng, opened)  # what lies behind it is nothing to learn from
            else:
                image, label = opened.frame, opened.channels
        if not self.config.augment:
            return fit(image, label, self.config.size)
        scene = Scene(self.config.clothes, self.config.held, self.config.light)
        texture = (lambda: self._draw_background(rng)) if self._nobody else None
        return augment(image, label, self.config.size, rng, zoom_out=self.config.zoom_out, scene=scene, texture=texture)

    def batch(self, epoch: int, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Samples first … first + count − 1, stacked: uint8 (count, size, size, 3) and (count, size, size, 2)."""
        drawn = [self.draw(epoch, first + i) for i in range(count)]
        return np.stack([image for image, _ in drawn]), np.stack([label for _, label in drawn])

    def _draw_person(self, rng: np.random.Generator, *, whole: bool = False) -> tuple[Pair, OpenPair]:
        """A pair of a set by the sets' weights; a `whole` one has a person that can be cut out."""
        last: Fault | None = None
        for _ in range(_MOST_DRAWS):
            name = self._set_names[rng.choice(len(self._set_names), p=self._set_shares)]
            members = self._whole[name] if whole else self._people[name]
            if not members:
                continue
            pair = members[rng.integers(len(members))]
            opened = open_pair(pair)
            if isinstance(opened, Fault):
                last = opened
            elif self.unchecked and any(fault := label_fault(opened.label)):
                last = Fault(pair, fault[0], f"{pair.image.name}: {fault[1]}")
            else:
                return pair, opened
            if not self.unchecked:
                break
            self.faults.append(last)
        raise InputError(last.text if last else f"no person in any of the sets {self._set_names}.")

    def _draw_background(self, rng: np.random.Generator) -> Frame:
        for _ in range(_MOST_DRAWS):
            pair = self._nobody[rng.integers(len(self._nobody))]
            try:
                return read_image(pair.image)
            except InputError as error:
                if not self.unchecked:
                    raise
                self.faults.append(Fault(pair, "unreadable", str(error)))
        raise InputError(self.faults[-1].text)

    def _synthesize(self, rng: np.random.Generator, cut_out: OpenPair | None = None) -> tuple[Frame, Label]:
        """People on a photograph without people: those of any set, or the one of a cut-out."""
        background = self._draw_background(rng)
        if cut_out is not None and (person := crop_person(cut_out.frame, cut_out.label.person, matte=True)):
            return paste_people(background, [person], rng)
        people: list[CutOut] = []
        for _ in range(int(rng.choice([1, 1, 1, 2, 2, 3]))):
            pair, opened = self._draw_person(rng, whole=True)
            # Where the label is not to be trusted nothing is person, so nothing is cut out there.
            own = isinstance(pair.mask, OwnTransparency)
            person = crop_person(opened.frame, opened.label.person, matte=own)
            if person is not None:
                people.append(person)
            elif not opened.label.classes:
                raise InputError(f"{pair.image} holds nobody.")
        return paste_people(background, people, rng)
