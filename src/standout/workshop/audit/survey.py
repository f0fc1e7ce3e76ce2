"""Looks at one pair: what it shows, and what is wrong with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import InputError
from standout.imaging.arrays import Frame, Mask
from standout.imaging.source import KINDS
from standout.workshop.audit import backgrounds, duplicates, mask_faults
from standout.workshop.data.edge_fit import edge_fit, fits_turned
from standout.workshop.data.label_pictures import PersonLabel
from standout.workshop.data.labels import label_fault, open_pair, orientation_of, read_picture
from standout.workshop.data.pair import Fault, Pair
from standout.workshop.data.places import read_bytes
from standout.workshop.data.shapes import Shape, read_shape

#: Faults make a pair useless or harmful; flaws are worth a look.
FAULTS = (
    "unreadable", "no mask", "no image", "sizes differ", "mask not turned", "mask values", "mask empty", "mask full",
    "mask inverted", "mask not two-valued", "mask offset", "mask fits no edge", "not understood",
)  # fmt: skip
FLAWS = (
    "mask ragged", "pinholes", "specks", "format differs from ending", "small picture", "stem twice",
    "upper-case ending",
)  # fmt: skip

#: A mask that would fit better by this factor a few pixels off is offset …
OFFSET_GAIN, OFFSET_PX = 1.2, 4.0
#: … and one whose edges agree no better than this with the photo's belongs to another picture.
MIN_AGREEMENT = 1.12
MAX_RAGGEDNESS = 1.6
FULL_SHARE = 0.98
SMALL_PX = 128
HEAT = 32  # rows and columns of the position map

#: What a picture's ending promises, by the names that Pillow gives the formats.
_ENDINGS = {ending: {"WebP": "WEBP", "HEIC": "HEIF"}.get(kind, kind) for ending, kind in KINDS.items()}


@dataclass
class PairFacts:
    """What was found out about a pair. Fields that could not be measured keep their defaults."""

    pair: Pair
    faults: dict[str, str] = field(default_factory=dict)  # kind -> what it is, in words
    size_hw: tuple[int, int] = (0, 0)
    format: str = ""
    content: str = ""  # digest of the decoded picture
    bits: NDArray[np.uint64] | None = None
    thumb: NDArray[np.float32] | None = None
    brightness: float = 0.0  # mean gray, 0 … 1
    sharpness: float = 0.0  # standard deviation of the Laplacian at 256 px, 0 … about 100
    color: float = 0.0  # colorfulness (Hasler & Süsstrunk 2003), 0 gray … 100
    background: tuple[NDArray[np.float32], float] | None = None  # description, share of edges
    shape: Shape | None = None  # None where there is no mask
    agreement: float | None = None
    raggedness: float | None = None
    rule: str = ""  # how the label was read
    heat: NDArray[np.float32] | None = None

    @property
    def usable(self) -> bool:
        """Whether nothing but flaws was found."""
        return not any(kind in FAULTS for kind in self.faults)


def survey(pair: Pair) -> PairFacts:
    """Opens a pair and measures it; never raises on what the files hold."""
    facts = PairFacts(pair)
    opened = open_pair(pair)
    if isinstance(opened, Fault):
        facts.faults[opened.kind] = opened.text
        try:  # what is wrong with the label doesn't keep the photograph from being measured
            picture = read_picture(pair.image)
        except InputError:
            return facts
        frame, facts.format = picture.frame, picture.format
    else:
        frame, facts.format = opened.frame, opened.format
    _look_at_picture(facts, frame)
    if pair.mask is None or isinstance(opened, Fault):
        return facts
    label = opened.label
    facts.rule = label.rule
    mask = label.person > 127
    if useless := _useless(label, mask):
        facts.faults |= useless
        return facts
    if not mask.any():  # boxes alone, or a picture of other things
        return facts
    _look_at_mask(facts, frame, mask, label.unsure)
    facts.background = backgrounds.describe(frame, mask | label.unsure)
    return facts


def _look_at_picture(facts: PairFacts, frame: Frame) -> None:
    height, width = facts.size_hw = frame.shape[0], frame.shape[1]
    expected = _ENDINGS.get(facts.pair.image.suffix.lower(), "")
    if expected and facts.format != expected:
        facts.faults["format differs from ending"] = f"named {expected}, is {facts.format or 'unknown'}"
    if facts.pair.image.suffix != facts.pair.image.suffix.lower():
        facts.faults["upper-case ending"] = (
            f"{facts.pair.image.suffix}: read like {facts.pair.image.suffix.lower()}; other tools may pass it over"
        )
    if min(height, width) < SMALL_PX:
        facts.faults["small picture"] = (
            f"{width}×{height}; at least {SMALL_PX} pixels on the shorter side serve training"
        )
    facts.content = hashlib.blake2b(frame.tobytes() + bytes(str(frame.shape), "ascii"), digest_size=16).hexdigest()
    facts.bits, facts.thumb = duplicates.fingerprint(frame)
    scale = 256 / max(height, width)
    small = cv2.resize(
        frame, (max(3, round(width * scale)), max(3, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    facts.brightness = float(gray.mean() / 255)
    facts.sharpness = float(cv2.Laplacian(gray, cv2.CV_32F).std())
    r, g, b = cv2.split(small.astype(np.float32))
    red_green, yellow_blue = r - g, (r + g) / 2 - b
    spread = np.hypot(red_green.std(), yellow_blue.std())
    facts.color = float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def _useless(label: PersonLabel, mask: Mask) -> dict[str, str]:
    """The fault for which nothing more can be measured on a mask, if it has one: training's, and two more."""
    kind, text = label_fault(label)
    if kind:
        return {kind: text}
    if mask.mean() > FULL_SHARE:
        return {"mask full": f"{mask.mean():.1%} of the picture is person"}
    if mask_faults.looks_inverted(mask & ~label.unsure):
        return {"mask inverted": "white nearly all around the frame; person must be white, background black"}
    return {}


def _look_at_mask(facts: PairFacts, frame: Frame, mask: Mask, unsure: Mask) -> None:
    faults = facts.faults
    facts.shape = read_shape(mask)
    facts.heat = cv2.resize(mask.astype(np.float32), (HEAT, HEAT), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    # What isn't known is neither hole nor speck, and no outline.
    holes, specks = mask_faults.holes_and_specks(mask, unsure)
    if holes:
        faults["pinholes"] = f"{holes} hole(s) of a few pixels in the person"
    if specks:
        faults["specks"] = f"{specks} piece(s) of a few pixels beside the person"
    if not unsure.any():
        facts.raggedness = mask_faults.raggedness(mask)
    if (facts.raggedness or 0) > MAX_RAGGEDNESS:
        faults["mask ragged"] = f"the outline is {facts.raggedness:.1f} times as long as when smoothed"
    fit = edge_fit(frame, mask, unsure)
    if fit is None:
        return
    facts.agreement = fit.agreement
    orientation = orientation_of(read_bytes(facts.pair.image))
    if orientation > 1 and (turned := fits_turned(frame, mask, mask, orientation, fit.agreement)):
        faults["mask not turned"] = turned
        return
    if fit.gain > OFFSET_GAIN and np.hypot(*fit.shift) >= OFFSET_PX:
        faults["mask offset"] = (
            f"fits the edges {fit.gain:.2f} times as well when moved by {fit.shift[0]:+d}, {fit.shift[1]:+d} px"
        )
    elif fit.agreement < MIN_AGREEMENT:
        faults["mask fits no edge"] = (
            f"edge agreement {fit.agreement:.2f} (1 is chance, over 1.4 good); another picture's mask?"
        )
