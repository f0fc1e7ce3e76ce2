"""Looks at one pair: what it shows, and what is wrong with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.audit import backgrounds, duplicates, mask_faults
from standout.data.pairs import Pair, read_mask
from standout.data.shapes import Shape, read_shape
from standout.errors import InputError
from standout.imaging.arrays import Frame, Mask
from standout.imaging.decode import read

#: Faults make a pair useless or harmful; flaws are worth a look.
FAULTS = (
    "unreadable", "no mask", "no image", "sizes differ", "mask empty", "mask full", "mask inverted",
    "mask not two-valued", "mask offset", "mask fits no edge",
)  # fmt: skip
FLAWS = ("mask ragged", "pinholes", "specks", "format differs from ending", "small picture", "stem twice")

#: A mask that would fit better by this factor a few pixels off is offset …
OFFSET_GAIN, OFFSET_PX = 1.2, 4.0
#: … and one whose edges agree no better than this with the photo's belongs to another picture.
MIN_AGREEMENT = 1.12
MAX_RAGGEDNESS = 1.6
FULL_SHARE = 0.98
SMALL_PX = 128
HEAT = 32  # rows and columns of the position map

#: What a picture's ending promises, by the names that Pillow gives the formats.
_ENDINGS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP",
    ".heic": "HEIF", ".heif": "HEIF", ".hif": "HEIF", ".avif": "AVIF",
}  # fmt: skip


@dataclass
class PairFacts:
    """What was found out about a pair. Fields that could not be measured keep their defaults."""

    pair: Pair
    faults: dict[str, str] = field(default_factory=dict)  # kind -> what it is, in words
    size: tuple[int, int] = (0, 0)  # height, width
    format: str = ""
    content: str = ""  # digest of the decoded picture
    bits: NDArray[np.uint64] | None = None
    thumb: NDArray[np.float32] | None = None
    brightness: float = 0.0  # mean grey, 0 … 1
    sharpness: float = 0.0  # standard deviation of the Laplacian at 256 px, 0 … about 100
    color: float = 0.0  # colourfulness (Hasler & Süsstrunk 2003), 0 grey … 100
    background: tuple[NDArray[np.float32], float] | None = None  # description, share of edges
    shape: Shape | None = None  # None where there is no mask
    agreement: float | None = None
    raggedness: float | None = None
    heat: NDArray[np.float32] | None = None

    @property
    def usable(self) -> bool:
        """Whether nothing but flaws was found."""
        return not any(kind in FAULTS for kind in self.faults)


def survey(pair: Pair) -> PairFacts:
    """Opens a pair and measures it; never raises on what the files hold."""
    facts = PairFacts(pair)
    try:
        picture = read(pair.image)
        frame, facts.format = picture.frame, picture.format
    except InputError as error:
        facts.faults["unreadable"] = str(error)
        return facts
    _look_at_picture(facts, frame)
    if pair.mask is None:
        return facts
    try:
        grey = read_mask(pair.mask)
    except InputError as error:
        facts.faults["unreadable"] = f"mask: {error}"
        return facts
    if grey.shape != frame.shape[:2]:
        facts.faults["sizes differ"] = (
            f"the image is {frame.shape[1]}×{frame.shape[0]}, its mask {grey.shape[1]}×{grey.shape[0]}"
        )
        return facts
    mask = grey > 127
    if useless := _useless(grey, mask):
        facts.faults |= useless
        return facts
    _look_at_mask(facts, frame, mask)
    facts.background = backgrounds.describe(frame, mask)
    return facts


def _look_at_picture(facts: PairFacts, frame: Frame) -> None:
    height, width = facts.size = frame.shape[0], frame.shape[1]
    expected = _ENDINGS.get(facts.pair.image.suffix.lower(), "")
    if facts.format != expected:
        facts.faults["format differs from ending"] = f"named {expected or 'otherwise'}, is {facts.format or 'unknown'}"
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
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    facts.brightness = float(grey.mean() / 255)
    facts.sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).std())
    r, g, b = cv2.split(small.astype(np.float32))
    red_green, yellow_blue = r - g, (r + g) / 2 - b
    spread = np.hypot(red_green.std(), yellow_blue.std())
    facts.color = float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def _useless(grey: NDArray[np.uint8], mask: Mask) -> dict[str, str]:
    """The fault for which nothing more can be measured on a mask, if it has one."""
    if text := mask_faults.grey_fault(grey):
        return {"mask not two-valued": text}
    if not mask.any():
        return {"mask empty": "no pixel is person; photographs with nobody belong in a set without masks/"}
    if mask.mean() > FULL_SHARE:
        return {"mask full": f"{mask.mean():.1%} of the picture is person"}
    if mask_faults.looks_inverted(mask):
        return {"mask inverted": "white nearly all around the frame; person must be white, background black"}
    return {}


def _look_at_mask(facts: PairFacts, frame: Frame, mask: Mask) -> None:
    faults = facts.faults
    facts.shape = read_shape(mask)
    facts.heat = cv2.resize(mask.astype(np.float32), (HEAT, HEAT), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    holes, specks = mask_faults.holes_and_specks(mask)
    if holes:
        faults["pinholes"] = f"{holes} hole(s) of a few pixels in the person"
    if specks:
        faults["specks"] = f"{specks} piece(s) of a few pixels beside the person"
    facts.raggedness = mask_faults.raggedness(mask)
    if facts.raggedness > MAX_RAGGEDNESS:
        faults["mask ragged"] = f"the outline is {facts.raggedness:.1f} times as long as when smoothed"
    fit = mask_faults.edge_fit(frame, mask)
    if fit is None:
        return
    facts.agreement = fit.agreement
    if fit.gain > OFFSET_GAIN and np.hypot(*fit.shift) >= OFFSET_PX:
        faults["mask offset"] = (
            f"fits the edges {fit.gain:.2f} times as well when moved by {fit.shift[0]:+d}, {fit.shift[1]:+d} px"
        )
    elif fit.agreement < MIN_AGREEMENT:
        faults["mask fits no edge"] = (
            f"edge agreement {fit.agreement:.2f} (1 is chance, over 1.4 good); another picture's mask?"
        )
