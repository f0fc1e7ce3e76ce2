"""A pair as arrays: the one road by which training, augmentation, audit and scoring open photographs and labels."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standout.errors import InputError
from standout.imaging import decode
from standout.imaging.arrays import Frame
from standout.imaging.picture import Picture
from standout.workshop.data.drawings import Drawing
from standout.workshop.data.edge_fit import fits_turned
from standout.workshop.data.label_pictures import UNSURE, AmbiguousLabels, PersonLabel, read_label_picture
from standout.workshop.data.pair import Fault, Pair
from standout.workshop.data.places import Member, Place, read_bytes

#: More than this share of gray pixels (neither near 0 nor near 255) is no mask but a picture or a heat map.
#: Soft hair edges stay below it.
MAX_GRAY_SHARE = 0.10


@dataclass(frozen=True, eq=False)
class OpenPair:
    """A photograph, uint8 RGB (H, W, 3), upright, its label of the same size, and the format of its file."""

    frame: Frame
    label: PersonLabel
    format: str = ""

    @property
    def channels(self) -> NDArray[np.uint8]:
        """The label as training takes it: uint8 (H, W, 2), person and unsure."""
        return np.dstack([self.label.person, np.where(self.label.unsure, 255, 0).astype(np.uint8)])


def read_image(place: Place) -> Frame:
    """Reads a photograph as uint8 RGB (H, W, 3) in sRGB, upright: the pixels that the product sees.

    Training, scoring, audit and int8 calibration read their photographs here.

    Raises:
        InputError: It can't be decoded.
    """
    return read_picture(place).frame


def read_picture(place: Place) -> Picture:
    """As `read_image`, with what else is known of the file.

    Raises:
        InputError: It can't be decoded.
    """
    if isinstance(place, Path):
        return decode.read(place)
    try:
        return decode.read(read_bytes(place))
    except InputError as error:
        raise InputError(str(error).replace("The input", f"`{place}`", 1)) from error


def read_mask(path: Path, person: str = "") -> NDArray[np.uint8]:
    """A label picture as uint8 (H, W): 255 person, 0 background, 128 unsure.

    Raises:
        InputError: It can't be decoded, or it can't be told who is person.
    """
    label = read_label_picture(read_bytes(path), str(path), person)
    return np.where(label.unsure, UNSURE, np.where(label.person == UNSURE, UNSURE - 1, label.person)).astype(np.uint8)


def read_label(pair: Pair, size_hw: tuple[int, int]) -> PersonLabel:
    """The label of a pair for a photograph of this size; a label picture comes in its own size.

    Raises:
        InputError: It can't be read; `AmbiguousLabels` where it isn't known who is person.
    """
    if pair.mask is None:
        nothing = np.zeros(size_hw, np.uint8)
        return PersonLabel(nothing, nothing.astype(bool), "nobody", classes=True)
    if isinstance(pair.mask, Path | Member):
        label = read_label_picture(read_bytes(pair.mask), str(pair.mask), pair.person)
        if pair.others is not None:
            pair.others.check(label, str(pair.mask))
    else:
        label = pair.mask.draw(size_hw)
    if pair.unsure is None:
        return label
    untrusted = read_label_picture(read_bytes(pair.unsure), str(pair.unsure)).person > 127
    if untrusted.shape != label.person.shape:
        raise InputError(f"{pair.unsure} must have the size of the mask; it has {_size(untrusted.shape)}.")
    return PersonLabel(
        np.where(untrusted, 0, label.person).astype(np.uint8), label.unsure | untrusted, label.rule, label.classes
    )


def open_pair(pair: Pair) -> OpenPair | Fault:
    """Reads a pair, or says what keeps it from being read; whether the label is a good one is asked elsewhere."""
    try:
        picture = read_picture(pair.image)
        frame = picture.frame
        label = read_label(pair, (frame.shape[0], frame.shape[1]))
    except AmbiguousLabels as error:
        return Fault(pair, "mask values", str(error))
    except InputError as error:
        return Fault(pair, "unreadable", str(error))
    if isinstance(pair.mask, Drawing) and pair.mask.relative:
        return _of_shares(pair, pair.mask, OpenPair(frame, label, picture.format))
    own = getattr(pair.mask, "size_hw", None) or label.person.shape
    if own == frame.shape[:2] == label.person.shape:
        return OpenPair(frame, label, picture.format)
    sizes = f"the image is {_size(frame.shape)}, its mask {_size(own)}"
    if own == frame.shape[1::-1] and orientation_of(read_bytes(pair.image)) >= 5:
        text = f"{sizes}: EXIF turns the photograph and the mask wasn't turned with it; masks belong to upright ones"
        return Fault(pair, "mask not turned", f"{pair.image.name}: {text}")
    return Fault(pair, "sizes differ", f"{pair.image.name}: {sizes}")


def _of_shares(pair: Pair, drawing: Drawing, opened: OpenPair) -> OpenPair | Fault:
    """A label in shares of the picture fits any turn of it: where EXIF turns the photograph, its edges tell."""
    orientation = orientation_of(read_bytes(pair.image))
    if orientation == 1:
        return opened
    label, frame = opened.label, opened.frame
    if label.person.any():
        stored_hw = frame.shape[1::-1] if orientation >= 5 else frame.shape[:2]
        try:
            stored = drawing.draw((stored_hw[0], stored_hw[1])).person > 127
        except InputError as error:
            return Fault(pair, "unreadable", str(error))
        if text := fits_turned(frame, label.person > 127, stored, orientation):
            return Fault(pair, "mask not turned", f"{pair.image.name}: {text}")
    rule = f"{label.rule}; of photographs that EXIF turns, taken as drawn on the upright ones"
    return replace(opened, label=replace(label, rule=rule))


def orientation_of(data: bytes) -> int:
    """The EXIF orientation of a photograph's file, 1 … 8; 1 where it says nothing."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return int(image.getexif().get(274, 1))
    except Exception:  # noqa: BLE001 - broken metadata turns nothing
        return 1


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"


# ---------------------------------------------------------------- what is wrong with a label


def label_fault(label: PersonLabel) -> tuple[str, str]:
    """For what fault nobody should train on a label, and its text; both empty if it is good."""
    if not (label.person > 127).any() and not label.classes:
        if label.unsure.any():
            return "mask empty", f"no pixel is surely person ({label.rule}); if 128 is person, say `person=128`"
        seen = f" ({label.rule})" if label.person.any() else ""
        return "mask empty", f"no pixel is person{seen}; photographs with nobody belong in a set with images/ alone"
    text = gray_fault(label.person)
    return ("mask not two-valued", text) if text else ("", "")


def mask_fault(mask: NDArray[np.uint8]) -> tuple[str, str]:
    """As `label_fault`, of a mask uint8 (H, W) in which 128 is unsure."""
    unsure = mask == UNSURE
    return label_fault(PersonLabel(np.where(unsure, 0, mask).astype(np.uint8), unsure, "values of the mask"))


def gray_fault(mask: NDArray[np.uint8]) -> str:
    """Why a mask, uint8 (H, W), is not two-valued, or "".

    Soft edges are welcome: gray within 2 % of the longer side (at least 6 px) of the outline is one.
    """
    top = int(mask.max())
    if 1 < top < 128:
        values = np.unique(mask)
        return f"no pixel is white, values {values[0]} … {values[-1]}; {len(values)} different ones"
    gray = (mask > 32) & (mask < 223)
    share = float(gray.mean())
    if share > MAX_GRAY_SHARE:
        return f"{share:.0%} of the mask is neither black nor white, {_commonest(mask, gray)}"
    if share < 0.002:
        return ""
    edge_px = max(6.0, 0.02 * max(mask.shape))
    inside = (mask > 127).astype(np.uint8)
    # Frame the mask with nothing, so that gray without any outline is far from one.
    distance = np.maximum(_distance(inside), _distance(1 - inside))
    far = float((gray & (distance > edge_px)).mean())
    if far > 0.003:
        return f"{far:.1%} of the picture is gray far from the outline, {_commonest(mask, gray)}"
    commonest = int(np.bincount(mask[gray]).max())
    if commonest > 0.5 * gray.sum() and share > 0.01:
        return f"{share:.1%} of the mask has the one gray value {int(np.bincount(mask[gray]).argmax())}"
    return ""


def _commonest(mask: NDArray[np.uint8], gray: NDArray[np.bool_]) -> str:
    counts = np.bincount(mask[gray], minlength=256)
    values = [str(value) for value in np.argsort(-counts)[:3] if counts[value]]
    return f"most often {', '.join(values)}"


def _distance(binary: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.distanceTransform(binary, cv2.DIST_L2, 3), np.float32)
