"""One sample of offline augmentation: where it comes from, what it is, and its files.

Sample i is a pure function of the pairs, the settings and i. So any number of workers writes the same folder, and a
run that was killed goes on: a sample whose image is there is done, for the image is written last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import ConfigError, OutputError
from standout.imaging.arrays import Frame, resize
from standout.imaging.files import Unfinished
from standout.workshop.data.augment import Label, augment, fit
from standout.workshop.data.label_pictures import UNSURE
from standout.workshop.data.labels import mask_fault
from standout.workshop.data.pair import Pair
from standout.workshop.data.samples import read_pair

#: Draws before a photograph whose crops keep missing the person is cropped around them.
_ATTEMPTS = 12
#: Photographs are brought down to this many times the output before anything else; a crop takes a third at least.
_OVERSIZE = 3


@dataclass(frozen=True)
class AugmentOptions:
    """What decides the samples, besides the pairs.

    Attributes:
        size: Side of the square output, pixels.
        seed: Another seed, other samples.
        zoom_out: Share of samples that show the whole photograph.
        format: The file format of the images; masks are PNG.
        in_a_row: Variations drawn of a photograph in a row.
    """

    size: int = 256
    seed: int = 0
    zoom_out: float = 0.35
    format: Literal["jpg", "png"] = "jpg"
    in_a_row: int = 1

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise ConfigError(f"`size` must be a positive multiple of 32, as training wants it; received {self.size}.")
        if not 0 <= self.zoom_out <= 1:
            raise ConfigError(f"`zoom_out` must be a share, 0 … 1; received {self.zoom_out:g}.")
        if self.format not in ("jpg", "png"):
            raise ConfigError(f"`format` must be jpg or png; received {self.format!r}.")


@dataclass(frozen=True)
class Plan:
    """Where every sample comes from and goes to. Picklable."""

    pairs: tuple[Pair, ...]  # usable ones: what `check_pairs` let pass
    options: AugmentOptions
    out: Path

    def pair_of(self, index: int) -> Pair:
        """The pair that sample `index` shows: all in turn, shuffled anew in every round."""
        of_round = len(self.pairs) * self.options.in_a_row
        order = _shuffled(len(self.pairs), self.options.seed, index // of_round)
        return self.pairs[int(order[index % of_round // self.options.in_a_row])]

    def folder_of(self, pair: Pair) -> Path:
        """The set folder in `out` for a pair's samples; those with nobody have one of their own."""
        name = pair.set.replace("/", "-").replace("\\", "-").strip(".") or "pairs"
        return self.out / (f"{name}-nobody" if pair.mask is None and pair.set in self._sets_with_people else name)

    @cached_property
    def _sets_with_people(self) -> frozenset[str]:
        return frozenset(pair.set for pair in self.pairs if pair.mask is not None)

    @staticmethod
    def parts_of(pair: Pair) -> list[str]:
        """The folders of a set in which a pair's samples have files."""
        return ["images", *(["masks"] if pair.mask else []), *(["unsure"] if pair.unsure else [])]

    def image_of(self, index: int) -> Path:
        """The image file of a sample."""
        return self.folder_of(self.pair_of(index)) / "images" / f"{index:07d}.{self.options.format}"


@lru_cache(maxsize=4)
def _shuffled(count: int, seed: int, turn: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, turn)).permutation(count)


def draw(pair: Pair, index: int, options: AugmentOptions) -> tuple[Frame, Label]:
    """Sample `index` of a pair: uint8 RGB (size, size, 3) and uint8 (size, size, 2), person and unsure.

    Somebody is in it where somebody is in the pair, and training takes its mask.

    Raises:
        InputError: A file of the pair can't be read.
    """
    image, label = _read(pair, _OVERSIZE * options.size)
    somebody = bool((label[..., 0] > 127).any())
    rng = np.random.default_rng((options.seed, index))
    for _ in range(_ATTEMPTS):
        drawn = augment(image, label, options.size, rng, zoom_out=options.zoom_out)
        if not somebody or not any(mask_fault(drawn[1][..., 0])):
            return drawn
    return _around_person(image, label, options.size)


# Eight photographs, brought down to three times the output, are some 15 MB.
@lru_cache(maxsize=8)
def _read(pair: Pair, shorter: int) -> tuple[Frame, Label]:
    """A pair, no larger than `shorter` pixels on its shorter side."""
    image, label = read_pair(pair)
    scale = shorter / min(image.shape[:2])
    if scale >= 1:
        return image, label
    size = (round(image.shape[0] * scale), round(image.shape[1] * scale))
    return resize(image, size), resize(label, size)


def _around_person(image: Frame, label: Label, size: int) -> tuple[Frame, Label]:
    """The square around the person, with a hard mask: for a person who is tiny, or soft nearly everywhere."""
    hard = np.where(label > 127, 255, 0).astype(np.uint8)
    rows, columns = np.flatnonzero(hard[..., 0].any(1)), np.flatnonzero(hard[..., 0].any(0))
    if not rows.size:  # bringing the photograph down has left nothing of the person that is over a half
        hard[..., 0] = np.where(label[..., 0] == label[..., 0].max(), 255, 0)
        rows, columns = np.flatnonzero(hard[..., 0].any(1)), np.flatnonzero(hard[..., 0].any(0))
    side = 1.5 * max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1, size / 12)
    top, left = (max(0, round((line[0] + line[-1] + 1 - side) / 2)) for line in (rows, columns))
    part = (slice(top, top + round(side)), slice(left, left + round(side)))
    frame, fitted = fit(image[part], hard[part], size)
    return frame, np.where(fitted > 127, 255, 0).astype(np.uint8)


def write_sample(plan: Plan, index: int) -> None:
    """Writes the files of a sample, the image last.

    Raises:
        InputError: A file of the pair can't be read.
        OutputError: A file can't be written.
    """
    pair, file = plan.pair_of(index), plan.image_of(index)
    image, label = draw(pair, index, plan.options)
    if pair.unsure is None:  # a set without unsure/ says it in the mask itself
        person = np.where(label[..., 0] == UNSURE, UNSURE - 1, label[..., 0])
        label = np.dstack([np.where(label[..., 1] > 127, UNSURE, person).astype(np.uint8), label[..., 1]])
    for part, channel in (("masks", 0), ("unsure", 1)):
        if part in plan.parts_of(pair):
            _write(file.parent.with_name(part) / f"{file.stem}.png", ".png", label[..., channel])
    _write(file, file.suffix, np.ascontiguousarray(image[..., ::-1]))


_ENCODING = {
    ".jpg": (cv2.IMWRITE_JPEG_QUALITY, 95),  # poor compression is one of the augmentations, not of the file
    ".png": (cv2.IMWRITE_PNG_COMPRESSION, 2, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
}


def _write(path: Path, suffix: str, pixels: NDArray[np.uint8]) -> None:
    """Writes a picture under a hidden name and renames it.

    Unlike `atomic_write` it doesn't wait for the disk, which would cost more than the augmentation.
    """
    _, data = cv2.imencode(suffix, pixels, _ENCODING[suffix])
    unfinished = None
    try:
        unfinished = Unfinished(path)
        unfinished.path.write_bytes(data.data)
        unfinished.place(sync=False)
    except (OSError, OutputError) as error:
        if unfinished is not None:
            unfinished.discard()
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise OutputError(
            f"{path} can't be written ({reason}); make room or give another folder, then rerun to resume."
        ) from error
