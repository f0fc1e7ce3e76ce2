"""Solidity: what people see and IoU doesn't. A hole in a torso and haze far from anybody are a few pixels to IoU.

*Lost* is the share of a person's core, the mask eroded by 6 px, where alpha is below 0.9: there the background shines
through. A picture has *holes* where more than 5 % of the core is lost, and *haze* where over 1 % of the far background,
more than 12 px from anybody, keeps alpha above 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from standout.imaging.arrays import Alpha, Mask

#: Pixels by which a mask is eroded to its core, and the distance from anybody at which the background is far.
CORE_PX, FAR_PX = 6, 12
#: Alpha below this in the core is see-through; above the other it is haze in the far background.
SOLID, CLEAR = 0.9, 0.1
#: A picture counts as one with holes, or haze, above these shares.
HOLES_FROM, HAZE_FROM = 0.05, 0.01


@dataclass(frozen=True)
class Solidity:
    """Shares of one picture, each in [0, 1].

    Attributes:
        lost: The share of the person's core that is see-through; None where the mask has no core.
        haze: The share of the far background that keeps some alpha; None where nothing is far from a person.
    """

    lost: float | None
    haze: float | None

    @property
    def has_holes(self) -> bool | None:
        return None if self.lost is None else self.lost > HOLES_FROM

    @property
    def has_haze(self) -> bool | None:
        return None if self.haze is None else self.haze > HAZE_FROM


def solidity(alpha: Alpha, mask: Mask, unsure: Mask | None = None) -> Solidity:
    """Measures one alpha.

    Args:
        alpha: float32 (H, W) in [0, 1].
        mask: bool (H, W), the person.
        unsure: bool (H, W), pixels of which nobody knows; they count nowhere, and what lies near them isn't far.
    """
    unsure = np.zeros_like(mask) if unsure is None else unsure
    core = _eroded(mask, CORE_PX) & ~unsure
    far = _eroded(~(mask | unsure), FAR_PX)
    return Solidity(_share(alpha < SOLID, core), _share(alpha > CLEAR, far))


def _share(what: Mask, where: Mask) -> float | None:
    count = int(where.sum())
    return float((what & where).sum()) / count if count else None


def _eroded(mask: Mask, pixels: int) -> Mask:
    """The mask's pixels that lie more than so many pixels from its outside; the picture's border is no outside."""
    if mask.all():
        return mask
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) > pixels)
