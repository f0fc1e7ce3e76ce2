"""Alpha that is steady in time: smoothed along the motion, reset where the scene changes.

Each new alpha is averaged with the last one, which optical flow (DIS: Kroeger et al., arXiv 1603.03590) has moved to
where things are now; with a look ahead, with the next one too. Where the moved picture doesn't look like the new one
(uncovered background, a wrong flow), its alpha has no say: that is what keeps ghosts away. Works at the network's
resolution, so it costs little. The settings are chosen by `benchmarks/steady.py`; docs/measurements.md has its table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import ConfigError
from standout.imaging.arrays import Alpha, Frame, resize
from standout.inference.dropouts import aged, thin, without_flicker, without_holes

Smoothing = Literal["off", "confidence", "flow"]
SMOOTHINGS: tuple[Smoothing, ...] = ("off", "confidence", "flow")

#: Largest weight of the previous alpha, where the network is unsure; half of it where it is sure.
MEMORY = 0.9
#: The largest say of the next frame, where it is looked ahead.
_AHEAD = 0.35
#: Difference of gray (0 … 255) between the moved last picture and this one at which the past's say falls to 1/e.
TOLERANCE = 11.0
#: Forward–backward flow error, in pixels, at which confidence falls to 1/e.
_GAP = 0.5
#: A hand's own motion, beyond the picture's, at which the next frame may hardly take from it any more, pixels there: it
#: is where the network sees it, whatever the flow makes of it.
_CALM = 1.0
#: Mean difference of the moved last picture from this one that makes a new scene.
SCENE = 28.0
#: Pixels of the picture in which motion is estimated: 192 x 108.
_FLOW_AREA = 192 * 108
#: The smallest side of it that OpenCV's optical flow survives (opencv#14554), pixels; less is padded.
_FLOW_SIDE = 64


_Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _View:
    """A frame as the motion is seen in it, and its alpha.

    Attributes:
        gray: The frame, small.
        alpha: Smoothed.
        raw: The alpha as the network says it; None where it is the same.
        past: The alpha before, moved to this frame, and its trust; None without one.
        age: For how many frames each place has been person.
    """

    gray: NDArray[np.uint8]
    alpha: Alpha
    raw: Alpha | None = None
    past: tuple[Alpha, _Floats] | None = None
    age: _Floats | None = None


class TemporalSmoother:
    """The temporal state of one video or camera.

    Args:
        smoothing: "flow" follows the motion; "confidence" lets the past speak only where the network is unsure and the
            picture stands still; "off" passes alpha through.
        lag: Frames that it looks ahead: 0 for cameras, 1 for files.

    Raises:
        ConfigError: `smoothing` or `lag` is none of these.
    """

    def __init__(self, smoothing: Smoothing = "flow", *, lag: int = 0) -> None:
        if smoothing not in SMOOTHINGS:
            raise ConfigError(f"`smoothing` must be one of {', '.join(SMOOTHINGS)}; received {smoothing!r}.")
        if lag not in (0, 1):
            raise ConfigError(f"`lag` must be 0 or 1 frames; received {lag!r}.")
        self.smoothing, self.lag = smoothing, 0 if smoothing == "off" else lag
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self.reset()

    def reset(self) -> None:
        """Forgets the past, as after a cut, and what it still holds back."""
        self._last: _View | None = None
        self._age: _Floats = np.zeros((1, 1), np.float32)
        self._pair: tuple[_View, _View, _Floats, _Floats] | None = None

    def __call__(self, frame: Frame, alpha: Alpha, *, still: bool = False) -> Alpha:
        """Smooths alpha in time, without looking ahead.

        Args:
            frame: uint8 RGB, any size.
            alpha: float32 (h, w) in [0, 1], of this frame.
            still: The frame is known to be as the last one: what was said of that holds.

        Returns:
            float32 (h, w) in [0, 1].
        """
        if self.smoothing == "off":
            return alpha
        if still and self._last is not None:
            return self._last.alpha
        return self._smoothed(frame, alpha).alpha

    def push(self, frame: Frame, alpha: Alpha, *, still: bool = False) -> list[Alpha]:
        """Takes the next frame and its alpha (as `__call__` does); returns the alphas that are ready, oldest first."""
        if not self.lag:
            return [self(frame, alpha, still=still)]
        before = self._last
        if still and before is not None:
            return [before.alpha]
        now = self._smoothed(frame, alpha)
        if before is None:
            return []
        # The next frame's own alpha, moved back; what is smoothed of it already holds this one's.
        following = self._moved(_View(now.gray, alpha), before)
        if following is None:
            return [before.alpha]
        calm = self._calm(before, now)
        mixed = self._mixed(before.alpha, following, _AHEAD, calm)
        if before.past is not None and before.raw is not None:
            mixed = without_flicker(mixed, before.raw, before.past, following, calm)
        return [mixed]

    def flush(self) -> list[Alpha]:
        """The alphas still held back at the end of a film."""
        held = [self._last.alpha] if self.lag and self._last is not None else []
        self.reset()
        return held

    def carry(self, frame: Frame) -> Alpha | None:
        """The last alpha moved to this frame, for frames whose mask is skipped; None without a past or after a cut."""
        if self._last is None:
            return None
        now = _View(_gray(frame), self._last.alpha)
        moved = self._moved(self._last, now)
        if moved is None:
            return None
        self._last = _View(now.gray, moved[0], age=self._age)
        return moved[0]

    def _smoothed(self, frame: Frame, alpha: Alpha) -> _View:
        last, now = self._last, _View(_gray(frame), alpha)
        past = None if last is None else self._moved(last, now)
        if past is None:
            self._last = _View(now.gray, alpha, age=aged(np.zeros_like(alpha), alpha))
            return self._last
        age = self._age
        mixed = without_holes(self._mixed(alpha, past, MEMORY), alpha, *past, age)
        self._last = _View(now.gray, mixed, alpha, past, aged(age, alpha))
        return self._last

    def _mixed(self, alpha: Alpha, other: tuple[Alpha, _Floats], most: float, calm: _Floats | None = None) -> Alpha:
        """Alpha with a say, `most` at most, of another that was moved to it and is to be trusted so far.

        `calm`, 0 … 1, is the share of that trust that may take from a person; None is all of it.
        """
        moved, trust = other
        # Where the network is sure, it needs less of other frames, and would be hurt more by a wrong one.
        doubt = 1 - np.abs(2 * alpha - 1)
        trust = trust * (doubt if self.smoothing == "confidence" else np.float32(0.5) * (1 + doubt))
        if calm is not None:
            trust = np.where(moved < alpha, trust * calm, trust)
        return np.asarray(np.clip(alpha + np.float32(most) * trust * (moved - alpha), 0, 1), np.float32)

    def _moved(self, source: _View, to: _View) -> tuple[Alpha, NDArray[np.float32]] | None:
        """The alpha of `source` where things are in `to`, and how far it is to be trusted; None for another scene."""
        shape = to.alpha.shape
        if source.gray.shape != to.gray.shape or source.alpha.shape != shape:
            return None
        warped, past, sure = source.gray, source.alpha, np.ones(to.gray.shape, np.float32)
        self._age = np.zeros(shape, np.float32) if source.age is None else source.age
        if self.smoothing == "flow":
            there, back = self._motions(to, source)
            warped = _warp(source.gray, there)
            moved, age = cv2.split(_warp(cv2.merge([source.alpha, self._age]), there))
            past, self._age = np.asarray(moved, np.float32), np.asarray(age, np.float32)
            # Where going there and back doesn't end where it began, the motion is a guess.
            gap = there + _warp(back, there)
            sure = np.exp(-(gap**2).sum(axis=2) / _GAP**2)
        difference = cv2.blur(cv2.absdiff(warped, to.gray).astype(np.float32), (5, 5))
        if float(difference.mean()) > SCENE:
            return None
        trust = sure * np.exp(-difference / np.float32(TOLERANCE))
        return past, np.asarray(cv2.resize(trust, (shape[1], shape[0])), np.float32)

    def _calm(self, here: _View, following: _View) -> _Floats | None:
        """How far the next frame may take from a person, float32 (h, w): the less, the more a hand moves by itself."""
        if self.smoothing != "flow":
            return None
        there = self._motions(here, following)[0]
        own = there - np.median(there[::4, ::4], axis=(0, 1))
        calm = np.exp(-(own**2).sum(axis=2) / np.float32(_CALM**2))
        shape = here.alpha.shape
        return np.where(thin(here.alpha), cv2.resize(calm, (shape[1], shape[0])), np.float32(1))

    def _motions(self, here: _View, there: _View) -> tuple[_Floats, _Floats]:
        """The motion from one frame to the other, and back. Asked for twice of a pair where it is looked ahead."""
        if self._pair is not None:
            first, second, out, back = self._pair
            if first.gray is here.gray and second.gray is there.gray:
                return out, back
            if first.gray is there.gray and second.gray is here.gray:
                return back, out
        out, back = self._motion(here.gray, there.gray), self._motion(there.gray, here.gray)
        self._pair = here, there, out, back
        return out, back

    def _motion(self, here: NDArray[np.uint8], there: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Where each pixel of `here` is in `there`, less where it is: (H, W, 2), across and down."""
        height, width = here.shape
        down, across = max(0, _FLOW_SIDE - height), max(0, _FLOW_SIDE - width)
        if down or across:
            here, there = (
                np.asarray(cv2.copyMakeBorder(gray, 0, down, 0, across, cv2.BORDER_REPLICATE), np.uint8)
                for gray in (here, there)
            )
        flow = self._flow.calc(here, there, np.zeros((*here.shape, 2), np.float32))
        return np.asarray(flow[:height, :width], np.float32)


def _gray(frame: Frame) -> NDArray[np.uint8]:
    scale = min(1.0, (_FLOW_AREA / (frame.shape[0] * frame.shape[1])) ** 0.5)
    size = max(2, round(frame.shape[0] * scale)), max(2, round(frame.shape[1] * scale))
    small = np.asarray(resize(frame, size), np.uint8)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _warp(array: NDArray[Any], motion: NDArray[np.float32]) -> NDArray[Any]:
    """What `array` has where `motion` points to; the two may differ in size."""
    height, width = array.shape[:2]
    scale = np.array([width / motion.shape[1], height / motion.shape[0]], np.float32)
    motion = np.asarray(cv2.resize(motion, (width, height)), np.float32) * scale
    y, x = np.indices((height, width), np.float32)
    return np.asarray(
        cv2.remap(array, x + motion[..., 0], y + motion[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )
