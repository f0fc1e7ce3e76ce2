"""What several judges agree on, as a label: the mask, and what of it is not to be trusted.

What most of them call person is the mask. The photograph is kept where at least two agree with that mask. It is unsure,
and teaches nothing, where those that agree differ or are in doubt, and next to the edge, where none of them is fine
enough: there closed-form matting (Levin 2008) finds the edge from the colors instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import ConfigError, InputError, MissingExtra
from standout.imaging.arrays import Alpha, Frame, Mask

#: Alphas between these are doubt.
_DOUBT = (0.2, 0.8)
#: A box in which less than this share is person hasn't been found.
_FOUND_IN_BOX = 0.02
#: How far a box is moved outward, as a share of the picture: people are drawn a little over its edge.
_BOX_MARGIN = 0.01


@dataclass(frozen=True)
class AgreementRule:
    """When judges agree.

    Attributes:
        agreement: Person IoU with the majority's mask from which a judge agrees; two must.
        least, most: Shares of the picture that may be person.
        band: Half the width of the band around the edge that matting draws anew, pixels; 0 leaves the edge unsure.

    Example:
        >>> AgreementRule(agreement=87)
        Traceback (most recent call last):
        standout.errors.ConfigError: `agreement` must lie in 0.5 … 1; received 87.
    """

    agreement: float = 0.87
    least: float = 0.01
    most: float = 0.9
    band: int = 3

    def __post_init__(self) -> None:
        if not 0.5 <= self.agreement <= 1:
            raise ConfigError(f"`agreement` must lie in 0.5 … 1; received {self.agreement}.")
        if not 0 <= self.least < self.most <= 1:
            raise ConfigError(
                f"`least` and `most` must lie in 0 … 1, in this order; received {self.least}, {self.most}."
            )
        if not 0 <= self.band <= 50:
            raise ConfigError(f"`band` must lie in 0 … 50 pixels; received {self.band}.")


@dataclass(frozen=True, eq=False)
class Label:
    """What the judges say of a photograph.

    Attributes:
        alpha: float32 (H, W), the mask; None where they don't agree.
        unsure: bool (H, W), where it teaches nothing; None likewise.
        agreed: The second-best person IoU of a judge with the majority's mask: how far it is to be trusted.
        why_not: Why there is no label, in words; "" if there is one.
    """

    alpha: Alpha | None
    unsure: Mask | None
    agreed: float
    why_not: str = ""


#: A person's box: left, top, right, bottom as shares of the picture.
Box = tuple[float, float, float, float]


def agree(
    alphas: NDArray[np.float32], rule: AgreementRule, *, frame: Frame | None = None, boxes: Sequence[Box] | None = None
) -> Label:
    """The label of a photograph.

    Args:
        alphas: float32 (judges, H, W) in [0, 1], of at least two judges.
        rule: When the judges agree.
        frame: uint8 RGB (H, W, 3), for the band; None leaves the edge unsure.
        boxes: A box around every person in the picture: nobody is outside, somebody must be in each. None: unknown.

    Raises:
        InputError: There are fewer than two judges.
        MissingExtra: The band needs pymatting.
    """
    if alphas.ndim != 3 or len(alphas) < 2:
        raise InputError(f"`alphas` must be (judges, H, W) of at least two judges; received {alphas.shape}.")
    inside = None if boxes is None else _inside(boxes, alphas.shape[1:])
    if inside is not None:
        alphas = np.where(inside, alphas, np.float32(0))
    if boxes is not None and not boxes:
        return Label(np.zeros(alphas.shape[1:], np.float32), np.zeros(alphas.shape[1:], bool), 1.0)
    masks = alphas > 0.5
    mask = masks.sum(0) * 2 > len(masks)
    share = float(mask.mean())
    overlaps = [float((one & mask).sum() / max(1, (one | mask).sum())) for one in masks]
    agreed = sorted(overlaps)[-2]
    if not rule.least < share < rule.most:
        why = "hardly anybody is in it" if share <= rule.least else "hardly anything else than people is in it"
        return Label(None, None, agreed, why)
    if agreed < rule.agreement:
        return Label(None, None, agreed, "the judges differ")
    believing = np.array(overlaps) >= rule.agreement
    doubt = ((alphas[believing] > _DOUBT[0]) & (alphas[believing] < _DOUBT[1])).any(0)
    unsure = doubt | (masks[believing] != mask).any(0)
    missed = [box for box in boxes or () if mask[_slices(box, mask.shape)].mean() < _FOUND_IN_BOX]
    if missed and len(missed) == len(boxes or ()):
        return Label(None, None, agreed, "nobody was found in any box")
    edge = _near_edge(mask, max(2, rule.band))
    if rule.band and frame is not None:
        alpha, unsure = _with_band(frame, mask, edge), unsure & ~edge
    else:
        alpha, unsure = mask.astype(np.float32), unsure | edge
    if inside is not None:
        alpha, unsure = np.where(inside, alpha, np.float32(0)), unsure & inside
    for box in missed:
        unsure[_slices(box, mask.shape)] = True
    return Label(alpha, unsure, agreed)


def read_boxes(text: str, name: str) -> list[Box]:
    """The boxes of a YOLO text: a line each, class, center x, center y, width, height as shares. Class 0 is person.

    Raises:
        InputError: A line is none; the message has its number.

    Example:
        >>> read_boxes("0 0.5 0.5 0.5 1.0\\n", "a.txt")
        [(0.25, 0.0, 0.75, 1.0)]
    """
    boxes = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            kind, x, y, width, height = int(words[0]), *map(float, words[1:])
            if not (0 < width <= 1.01 and 0 < height <= 1.01 and -0.01 <= x <= 1.01 and -0.01 <= y <= 1.01):
                raise ValueError
        except ValueError:
            raise InputError(
                f"`{name}`, line {number}: a box must be a class and center x, center y, width, height as shares; "
                f"received {line.strip()!r}."
            ) from None
        if kind == 0:
            boxes.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return boxes


def _slices(box: Box, shape: tuple[int, ...], margin: float = 0.0) -> tuple[slice, slice]:
    height, width = shape[:2]
    left, top, right, bottom = box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin
    rows = slice(max(0, int(top * height)), min(height, max(1, int(np.ceil(bottom * height)))))
    columns = slice(max(0, int(left * width)), min(width, max(1, int(np.ceil(right * width)))))
    return rows, columns


def _inside(boxes: Sequence[Box], shape: tuple[int, ...]) -> Mask:
    inside = np.zeros(shape[:2], bool)
    for box in boxes:
        inside[_slices(box, shape, _BOX_MARGIN)] = True
    return inside


def _near_edge(mask: Mask, reach: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    gray = mask.astype(np.uint8)
    return np.asarray(cv2.dilate(gray, kernel) != cv2.erode(gray, kernel, borderValue=1), bool)


def _with_band(frame: Frame, mask: Mask, band: Mask) -> Alpha:
    """The mask with its band solved by closed-form matting; as it is where the equations can't be solved."""
    try:
        from pymatting.alpha.estimate_alpha_cf import estimate_alpha_cf
    except ImportError as error:
        raise MissingExtra("The band at the edge", "label") from error
    import warnings

    alpha = mask.astype(np.float32)
    if not (band & mask).any() or not (~band & mask).any() or not (~band & ~mask).any():
        return alpha
    trimap = np.where(band, 0.5, alpha).astype(np.float64)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the solver's own advice to programmers
            solved = estimate_alpha_cf(frame.astype(np.float64) / 255, trimap)
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return alpha
    return np.where(band & np.isfinite(solved), np.clip(solved, 0, 1), alpha).astype(np.float32)
