"""The color tags of a video (ITU-T H.273), and what they say about its code values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from standout.imaging.cicp import ColorCode

#: H.273 matrix -> (swscale's number of the same coefficients, K_r, K_b). RGB (0) and the exotic ones aren't there.
_MATRICES = {
    1: (1, 0.2126, 0.0722),
    4: (4, 0.30, 0.11),
    5: (5, 0.299, 0.114),
    6: (5, 0.299, 0.114),
    7: (7, 0.212, 0.087),
    9: (9, 0.2627, 0.0593),
    10: (9, 0.2627, 0.0593),
}
#: From this height on, untagged video is BT.709 to every player, below BT.601.
_HD_HEIGHT = 720
LIMITED, FULL = 1, 2
#: Primaries that players don't convert: BT.709 and those of BT.601, which lie close to it.
_USUAL_PRIMARIES = (0, 1, 2, 4, 5, 6, 7)
#: Transfers that are not shown as sRGB is: linear light, PQ and HLG.
_UNLIKE_SRGB = (8, 16, 18)


@dataclass(frozen=True)
class ColorTags:
    """Tags as H.273's numbers; 2 (range: 0) is "not said".

    Attributes:
        matrix: How luma and chroma are made from RGB.
        range: 1 limited (16 … 235), 2 full (0 … 255).
        primaries: What red, green and blue are.
        transfer: The tone curve.
    """

    matrix: int = 2
    range: int = 0
    primaries: int = 2
    transfer: int = 2

    @classmethod
    def of(cls, picture: Any) -> ColorTags:
        """The tags of a decoded frame of PyAV's, which knows more than its stream."""
        full = FULL if picture.format.name.startswith("yuvj") else 0
        return cls(
            int(picture.colorspace),
            int(picture.color_range) or full,
            int(picture.color_primaries),
            int(picture.color_trc),
        )

    def put_on(self, picture: Any) -> None:
        """Tags a frame of PyAV's, so that encoders and converters know."""
        picture.colorspace, picture.color_range = self.matrix, self.range
        picture.color_primaries, picture.color_trc = self.primaries, self.transfer

    def working(self, height: int) -> tuple[int, int]:
        """(swscale's matrix, range) of this video in luma and chroma; untagged as players guess it.

        Args:
            height: The height of the picture, pixels.
        """
        guess = 1 if height >= _HD_HEIGHT else 5
        return _MATRICES[self.matrix if self.matrix in _MATRICES else guess][0], self.range or LIMITED

    def written(self) -> ColorTags:
        """The tags of the same colors written as luma and chroma: what was RGB (matrix 0) is so no more."""
        return self if self.matrix else replace(self, matrix=2, range=LIMITED)

    @property
    def is_hdr(self) -> bool:
        """Whether it is PQ or HLG."""
        return self.transfer in (16, 18)

    @property
    def code(self) -> ColorCode | None:
        """What `imaging.cicp` converts to sRGB; None where players show the values as sRGB."""
        transfer = self.transfer if self.transfer in _UNLIKE_SRGB else 13
        primaries = 1 if self.primaries in _USUAL_PRIMARIES else self.primaries
        code = ColorCode(primaries, transfer)
        return None if code.is_srgb or not code.is_known else code

    @property
    def is_guess(self) -> bool:
        """Whether primaries are tagged that nothing here knows; the values are then taken for sRGB."""
        code = ColorCode(1 if self.primaries in _USUAL_PRIMARIES else self.primaries, 13)
        return not code.is_known


def coefficients(matrix: int) -> tuple[float, float]:
    """(K_r, K_b) of a matrix in swscale's numbers: what red and blue contribute to luma."""
    return next(entry[1:] for entry in _MATRICES.values() if entry[0] == matrix)
