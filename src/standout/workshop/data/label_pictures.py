"""One rule for what a label picture says: who is person, who isn't, and where it isn't known.

Training, augmentation, audit and scoring read every mask through `read_label_picture`. The rule, in this order:

1. `person` was given (`--person 15`, `sets.toml`): pixels of these values or colors are person, 255 of a picture that
   isn't two-valued is unsure, everything else is background. `any` takes every value but 0.
2. Transparency that varies is the mask.
3. A palette picture holds numbers, not colors. 0 and 1 alone: 1 is person. In Pascal VOC's palette 15 is person.
   Colors of that palette, without the palette, count as its numbers. A palette of grays is a gray picture.
4. Few low numbers in a gray picture (0 and 1; 0 and 24; 0, 1 and 255) are a label too: the one that isn't 0 is person,
   255 beside it is unsure. A 16-bit picture up to 255 is read as one of 8 bits.
5. Otherwise gray is alpha: 255 is person, 0 background, soft in between, and **exactly 128 is unsure**.

Two numbers or more that could be person are never guessed, whether they stand in one picture or in several of a set
(`set_values.py`): the message names them and asks for `person`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.errors import InputError
from standout.workshop.data.person_values import PersonValues, parse_person

#: The value of an alpha mask that says: not known.
UNSURE = 128
#: What label pictures call "not known", whatever their classes: VOC, Cityscapes' trainIds, ADE20K.
VOID = 255
VOC_PERSON = 15
#: Added to a color's 0xrrggbb, so that it is none of the numbers.
COLOR = 1 << 24
#: No label picture has more values than this; masks with soft edges and JPEGs do.
_MOST_LABELS = 64
#: A label's number is at most this in a gray picture of 8 bits, where it could be alpha otherwise.
_MOST_NUMBER = 127


class AmbiguousLabels(InputError):
    """A label picture of which it can't be told who is person; `values` are those that could be."""

    def __init__(self, text: str, values: Sequence[int] = ()) -> None:
        super().__init__(text)
        self.values = tuple(values)


@dataclass(frozen=True)
class PersonLabel:
    """What a label says of every pixel of its photograph.

    Attributes:
        person: uint8 (H, W), 255 person; 0 where unsure.
        unsure: bool (H, W), True where it isn't known.
        rule: How it was read, with the values that were found: "values 0, 1: 1 is person".
        classes: Whether other things than people have numbers too, so that nobody may be in the picture.
        value: The one value that rules 3 to 5 took for person, of a color `COLOR` + 0xrrggbb; None where there is none.
        void: Whether 255 stood beside it for what isn't known.
    """

    person: NDArray[np.uint8]
    unsure: NDArray[np.bool_]
    rule: str
    classes: bool = False
    value: int | None = None
    void: bool = False


def read_label_picture(data: bytes, name: str, person: str = "") -> PersonLabel:
    """Decodes and understands a label picture.

    Args:
        data: The file.
        name: What messages call the picture.
        person: Which values are person, as `parse_person` takes it; "" or names where the picture itself must say it.

    Raises:
        InputError: It can't be decoded.
        AmbiguousLabels: It can't be told who is person; the message names the values.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            asked = parse_person(person)
            return _by_request(image, asked, name) if asked is not None else _understand(image, name)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{name} is not a picture that can be read.") from error


def _understand(image: Image.Image, name: str) -> PersonLabel:
    alpha = _alpha(image)
    if alpha is not None:
        return _as_alpha(alpha, "transparency is the mask")
    if image.mode == "P":
        table = _palette(image)
        numbers = np.asarray(image)
        if not _is_gray(table[_distinct(numbers)]):
            voc = bool((table[: min(len(table), 21)] == voc_palette()[: min(len(table), 21)]).all())
            return _as_numbers(numbers, name, voc=voc, where="the palette's numbers")
        return _gray(table[numbers][..., 0], name)
    if image.mode in ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"):
        pixels = np.asarray(image.getchannel(0) if image.mode == "LA" else image)
        return _gray(pixels.astype(np.uint8) * 255 if pixels.dtype == np.bool_ else pixels, name)
    return _colors(np.asarray(image.convert("RGB")), name)


# ---------------------------------------------------------------- rules


def _by_request(image: Image.Image, person: PersonValues, name: str) -> PersonLabel:
    """Rule 1."""
    if person.colors:
        pixels = np.asarray(image.convert("RGB")).astype(np.int32)
        packed = (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]
        wanted = [(r << 16) | (g << 8) | b for r, g, b in person.colors]
        found = np.isin(packed, wanted)
        unsure = packed == 0xE0E0C0  # VOC's void
        return PersonLabel(_white(found), unsure & ~found, f"{len(wanted)} color(s) asked for", classes=True)
    numbers = np.asarray(image)
    if numbers.ndim == 3:
        as_voc = _voc_numbers(numbers[..., :3])
        if as_voc is None and not _is_gray(numbers[..., :3].reshape(-1, 3)):
            raise AmbiguousLabels(f"{name}: it holds colors, and `person` gives numbers; give a color (`#c08080`).")
        numbers = numbers[..., 0] if as_voc is None else as_voc
    values = _distinct(numbers)
    found = numbers != 0 if person.any else np.isin(numbers, sorted(person.numbers))
    wanted_void = VOID in person.numbers
    # Asked for every value, 255 beside 0 alone is one of them.
    unsure = (numbers == VOID) & (not wanted_void) & bool(len(values) > 2 or not person.any)
    asked = "every value but 0" if person.any else ", ".join(map(str, sorted(person.numbers)))
    void = ", 255 unsure" if unsure.any() else ""
    return PersonLabel(
        _white(found & ~unsure), unsure, f"values {_list(values)}: {asked} asked for{void}", classes=True
    )


def _as_numbers(numbers: NDArray[Any], name: str, *, voc: bool, where: str) -> PersonLabel:
    """Rules 3 and 4: numbers that name things."""
    values = _distinct(numbers)
    void = numbers == VOID
    named = [int(value) for value in values if value not in (0, VOID)]
    seen = _list(values)
    unsure = ", 255 unsure" if void.any() else ""
    if voc and VOC_PERSON in named and max(named) <= 20:
        rule = f"{where} {seen} in VOC's palette: 15 is person{unsure}"
        return PersonLabel(_white(numbers == VOC_PERSON), void, rule, classes=True)
    if len(named) == 1 and (named[0] == 1 or not voc):
        rule = f"{where} {seen}: {named[0]} is person{unsure}"
        return PersonLabel(_white(numbers == named[0]), void, rule, value=named[0], void=bool(void.any()))
    if not named:
        # 0 alone, or 0 and 255: two-valued, whatever the palette's colors are.
        value = VOID if void.any() else None
        return PersonLabel(_white(void), np.zeros_like(void), f"{where} {seen}: 255 is person", value=value)
    raise AmbiguousLabels(
        f"{name}: {where} are {seen}, and it isn't known which of {_list(named)} is person; say it with `person` "
        "(`person=15`, or `person=any` where each number is another person).",
        named,
    )


def _gray(pixels: NDArray[Any], name: str) -> PersonLabel:
    """Rules 4 and 5."""
    if pixels.dtype.kind == "f":
        raise InputError(f"{name} holds floating-point numbers; save the mask as a PNG with 0 and 255.")
    low, top = int(pixels.min()), int(pixels.max())
    if low < 0 or top > 65535:
        raise AmbiguousLabels(f"{name}: values lie in {low} … {top}; save the mask as a PNG with 0 and 255.")
    values = _distinct(pixels)
    numbers = [int(value) for value in values if value not in (0, VOID)]
    if numbers and len(values) <= _MOST_LABELS and _are_numbers(pixels, numbers, top):
        return _as_numbers(pixels, name, voc=False, where="values")
    if top <= 255:
        eight = pixels.astype(np.uint8)
        return _as_alpha(eight, "" if eight.max() > UNSURE or UNSURE not in values else f"values {_list(values)}")
    if top < 65280 and 2 < len(values) <= _MOST_LABELS:
        raise AmbiguousLabels(
            f"{name}: values are {_list(values)}, and it isn't known which of them are person; say it with `person` "
            "(`person=24001,24002`, or `person=any`).",
            numbers,
        )
    if len(values) == 2 and low == 0:
        rule, value = f"values 0, {top}: {top} is person", VOID if top == 65535 else top
        return PersonLabel(_white(pixels == top), np.zeros(pixels.shape, bool), rule, value=value)
    return _as_alpha((pixels.astype(np.float32) / 257 + 0.5).astype(np.uint8), "16 bits: 65535 is person")


def _are_numbers(pixels: NDArray[Any], numbers: Sequence[int], top: int) -> bool:
    """Whether gray values other than 0 and 255 name things, rather than being soft edges."""
    if max(numbers) > _MOST_NUMBER or numbers == [UNSURE]:
        return False
    if top < 255:
        return True
    # With 255 beside them they are numbers if they fill more than it does: edges are thin, and so is a void line.
    return bool(np.isin(pixels, numbers).sum() > (pixels == VOID).sum())


def _colors(pixels: NDArray[np.uint8], name: str) -> PersonLabel:
    """Rule 3 for colors without a palette."""
    spread = pixels.max(axis=2).astype(int) - pixels.min(axis=2)
    if (spread <= 12).mean() > 0.995:
        return _gray(pixels[..., 1], name)  # three equal channels, or nearly so in a JPEG
    as_voc = _voc_numbers(pixels)
    if as_voc is not None:
        return _as_numbers(as_voc, name, voc=True, where="colors of VOC's palette, numbers")
    packed = (pixels[..., 0].astype(np.uint32) << 16) | (pixels[..., 1].astype(np.uint32) << 8) | pixels[..., 2]
    found, counts = np.unique(packed, return_counts=True)
    if len(found) == 2 and found[0] == 0:
        rule = f"colors {_hex(found)}: {_hex(found[1:])} is person"
        return PersonLabel(_white(packed != 0), np.zeros(packed.shape, bool), rule, value=COLOR + int(found[1]))
    common = found[np.argsort(-counts)][:6]
    raise AmbiguousLabels(
        f"{name}: its {len(found)} colors ({_hex(common)}{', …' if len(found) > 6 else ''}) don't say who is person; "
        "say it with `person` (`person=#c08080`), or save the mask as a PNG with 0 and 255.",
        [COLOR + int(color) for color in found if color] if len(found) <= _MOST_LABELS else (),
    )


def _as_alpha(gray: NDArray[np.uint8], rule: str) -> PersonLabel:
    """Rule 5."""
    unsure = gray == UNSURE
    if not rule:
        rule = "gray: 255 is person" + (", 128 unsure" if unsure.any() else "")
    elif unsure.any():
        rule += ", 128 unsure"
    hard = rule.startswith("gray") and bool(np.isin(_distinct(gray), (0, UNSURE, VOID)).all()) and VOID in gray
    return PersonLabel(np.where(unsure, 0, gray).astype(np.uint8), unsure, rule, value=VOID if hard else None)


# ---------------------------------------------------------------- parts


@lru_cache(maxsize=1)
def voc_palette() -> NDArray[np.uint8]:
    """The 256 colors of Pascal VOC's palette, (256, 3): the bits of a number dealt to red, green and blue in turn."""
    number = np.arange(256)
    table = np.zeros((256, 3), np.uint8)
    for place in range(8):
        for channel in range(3):
            table[:, channel] |= (((number >> (3 * place + channel)) & 1) << (7 - place)).astype(np.uint8)
    return table


def _voc_numbers(pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Colors as numbers of VOC's classes, void 255; None if one of them isn't VOC's."""
    packed = (pixels[..., 0].astype(np.int32) << 16) | (pixels[..., 1].astype(np.int32) << 8) | pixels[..., 2]
    table = voc_palette().astype(np.int32)
    keys = (table[:, 0] << 16) | (table[:, 1] << 8) | table[:, 2]
    numbers = {int(keys[number]): number for number in (*range(21), VOID)}
    found = np.unique(packed)
    if len(found) < 2 or any(int(color) not in numbers for color in found):
        return None
    places = np.searchsorted(found, packed)
    return np.array([numbers[int(color)] for color in found], np.uint8)[places]


def _distinct(pixels: NDArray[Any]) -> NDArray[Any]:
    """As `np.unique`, which sorts: ten times as fast for 8 bits."""
    if pixels.dtype != np.uint8:
        return np.unique(pixels)
    return np.flatnonzero(np.bincount(pixels.reshape(-1), minlength=256)).astype(np.uint8)


def _palette(image: Image.Image) -> NDArray[np.uint8]:
    table = np.zeros((256, 3), np.uint8)
    own = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    table[: len(own)] = own[:256]
    return table


def _alpha(image: Image.Image) -> NDArray[np.uint8] | None:
    """Transparency, if it varies."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        return alpha if alpha.min() < 255 and alpha.max() > alpha.min() else None
    return None


def _is_gray(colors: NDArray[np.uint8]) -> bool:
    return bool((colors.max(axis=1) == colors.min(axis=1)).all())


def _white(where: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(where, 255, 0).astype(np.uint8)


def _list(values: Any) -> str:
    numbers = [str(int(value)) for value in values]
    return ", ".join(numbers) if len(numbers) <= 12 else f"{', '.join(numbers[:10])} … {numbers[-1]}"


def named(values: Sequence[int]) -> str:
    """Values that stand for person in words, colors among them as colors."""
    words = [f"#{value - COLOR:06x}" if value >= COLOR else str(value) for value in values]
    return ", ".join(words[:12]) + (" …" if len(words) > 12 else "")


def _hex(packed: Any) -> str:
    return ", ".join(f"#{int(color):06x}" for color in packed)
