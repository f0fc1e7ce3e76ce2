"""The stream of training samples: sample i of a seed is a pure function of (seed, epoch, index).

Three kinds are mixed: a photograph with its mask, people pasted on a photograph without people, and nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from standout.config import DataOptions
from standout.data.augment import Label, Scene, augment, fit
from standout.data.pairs import Pair, read_image, read_mask
from standout.data.synthesize import CutOut, crop_person, paste_people
from standout.errors import InputError
from standout.imaging.arrays import Frame


def read_label(pair: Pair, shape: tuple[int, int]) -> Label:
    """The label of a pair: uint8 (H, W, 2), person and unsure."""
    label = np.zeros((*shape, 2), np.uint8)
    if pair.mask is not None:
        label[..., 0] = read_mask(pair.mask)
    if pair.unsure is not None:
        label[..., 1] = read_mask(pair.unsure)
    return label


@dataclass
class Samples:
    """Draws training samples from pairs. Picklable, so that every worker has its own.

    Args:
        pairs: Training pairs; those without a mask are photographs with nobody.
        config: Size, and the shares of synthesis and of nobody.
        seed: With epoch and index it decides a sample.
    """

    pairs: Sequence[Pair]
    config: DataOptions
    seed: int = 0
    _people: dict[str, list[Pair]] = field(init=False, repr=False)
    _nobody: list[Pair] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_set: dict[str, list[Pair]] = defaultdict(list)
        for pair in self.pairs:
            if pair.mask is not None:
                by_set[pair.set].append(pair)
        self._people = dict(by_set)
        self._nobody = [pair for pair in self.pairs if pair.mask is None]
        shares = np.array([len(members) * members[0].weight for members in by_set.values()], float)
        self._set_names, self._set_shares = list(by_set), shares / max(shares.sum(), 1e-12)

    def draw(self, epoch: int, index: int) -> tuple[Frame, Label]:
        """Sample `index` of `epoch`: uint8 RGB (size, size, 3) and uint8 (size, size, 2), person and unsure.

        Raises:
            InputError: A file can't be read; the message names it.
        """
        rng = np.random.default_rng((self.seed, epoch, index))
        kind = rng.random()
        can_paste = bool(self._nobody and self._people)
        if self._nobody and (not self._people or kind < self.config.negative_fraction):
            image = read_image(self._draw_nobody(rng).image)
            label = np.zeros((*image.shape[:2], 2), np.uint8)
        elif can_paste and kind < self.config.negative_fraction + self.config.paste_fraction:
            image, label = self._synthesize(rng)
        else:
            pair = self._draw_person(rng)
            image = read_image(pair.image)
            label = read_label(pair, image.shape[:2])
        if not self.config.augment:
            return fit(image, label, self.config.size)
        scene = Scene(self.config.clothes, self.config.held, self.config.light)
        texture = (lambda: read_image(self._draw_nobody(rng).image)) if self._nobody else None
        return augment(image, label, self.config.size, rng, zoom_out=self.config.zoom_out, scene=scene, texture=texture)

    def batch(self, epoch: int, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Samples first … first + count − 1, stacked: uint8 (count, size, size, 3) and (count, size, size, 2)."""
        drawn = [self.draw(epoch, first + i) for i in range(count)]
        return np.stack([image for image, _ in drawn]), np.stack([label for _, label in drawn])

    def _draw_person(self, rng: np.random.Generator) -> Pair:
        members = self._people[self._set_names[rng.choice(len(self._set_names), p=self._set_shares)]]
        return members[rng.integers(len(members))]

    def _draw_nobody(self, rng: np.random.Generator) -> Pair:
        return self._nobody[rng.integers(len(self._nobody))]

    def _synthesize(self, rng: np.random.Generator) -> tuple[Frame, Label]:
        background = read_image(self._draw_nobody(rng).image)
        people: list[CutOut] = []
        for _ in range(int(rng.choice([1, 1, 1, 2, 2, 3]))):
            pair = self._draw_person(rng)
            image = read_image(pair.image)
            label = read_label(pair, image.shape[:2])
            # Where the label is not to be trusted nothing may be cut out.
            person = crop_person(image, np.where(label[..., 1] > 127, 0, label[..., 0]).astype(np.uint8))
            if person is None:
                raise InputError(f"{pair.mask} holds nobody.")
            people.append(person)
        return paste_people(background, people, rng)
