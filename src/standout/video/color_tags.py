"""The colour tags of a video (ITU-T H.273), and the matrix and range that it is converted with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: H.273 matrix -> swscale's number of the same coefficients. RGB (0) and the exotic ones aren't there.
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
#: From this height on, untagged video is BT.709 to every player, below BT.601.
_HD_HEIGHT = 720
_LIMITED, _FULL = 1, 2


@dataclass(frozen=True)
class Colour:
    """Tags as H.273's numbers; 2 (range: 0) is "not said".

    Attributes:
        matrix: From RGB to luma and chroma.
        range: 1 limited (16 … 235), 2 full (0 … 255).
        primaries: What red, green and blue are.
        transfer: The tone curve.
    """

    matrix: int = 2
    range: int = 0
    primaries: int = 2
    transfer: int = 2

    @classmethod
    def of(cls, picture: Any) -> Colour:
        """The tags of a decoded frame of PyAV's, which knows more than its stream."""
        return cls(
            int(picture.colorspace), int(picture.color_range), int(picture.color_primaries), int(picture.color_trc)
        )

    def working(self, height: int) -> tuple[int, int]:
        """(swscale's matrix, range) of this video in luma and chroma; untagged as players guess it."""
        guess = 1 if height >= _HD_HEIGHT else 5
        return _MATRICES.get(self.matrix, guess), self.range or _LIMITED

    def written(self) -> Colour:
        """The tags of the same colours written as luma and chroma: what was RGB (matrix 0) is so no more."""
        return self if self.matrix else Colour(2, _LIMITED, self.primaries, self.transfer)
