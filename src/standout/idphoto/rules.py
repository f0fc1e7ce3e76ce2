"""The rules, each a small function from measurements to a verdict.

A rule passes or fails only where the whole range of a measurement says so. Where no source states a number, ours are
named as such, and the verdict is "can't tell" unless the photo is far from any doubt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.idphoto.measure import TILT_SPREAD, Head, Span
from standout.idphoto.place import Placement
from standout.idphoto.render import Rendered
from standout.idphoto.report import Status, Verdict
from standout.idphoto.specs import BANDS, Spec
from standout.pixels import Alpha, Frame
from standout.runtime.faces import Face

#: A face smaller than this share of the person's is somebody far behind, or a picture on the wall.
SECOND_FACE = 0.35
#: Beyond these the head is clearly turned (share of the pupils' distance) or the shoulders clearly slope (degrees).
_TURNED, _SLOPED = 0.30, 15.0
#: Spread of lightness (L* of CIELAB) below and above which a wall is clearly even or clearly not.
_EVEN, _UNEVEN = 2.0, 10.0
#: Distance in CIELAB within which a wall has the wanted colour.
_NEAR_COLOR = 6.0
#: Share of the person about which the network may be unsure.
_UNSURE = 0.02

_RULE_NAMES = {
    "head": "head size", "eyes": "eye line", "crown": "space above head", "chin": "space below chin",
    "pupils": "pupil distance",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """Everything that the rules look at.

    Attributes:
        frame: The photo.
        alpha: float32 (H, W), the person in the photo.
        faces: All that were found, the person's first.
        head: Measured in the photo.
        place: How the photo was laid into the picture.
        rendered: The picture.
        spec: What is asked for.
        dpi: Of the picture.
        background: The colour that was put behind the person, RGB; None if the photo's own was kept.
    """

    frame: Frame
    alpha: Alpha
    faces: Sequence[Face]
    head: Head
    place: Placement
    rendered: Rendered
    spec: Spec
    dpi: int
    background: tuple[int, int, int] | None


def judge(facts: Facts) -> tuple[Verdict, ...]:
    """All verdicts, in the order in which they are shown."""
    return (
        _one_face(facts),
        *_bands(facts),
        _tilt(facts),
        _facing(facts),
        _cut_head(facts),
        _room(facts),
        _evenness(facts),
        _replacement(facts),
        _outline(facts),
        _resolution(facts),
    )


def judge_file(spec: Spec, size: int, file_format: str) -> tuple[Verdict, ...]:
    """What can be said once the picture is a file of `size` bytes."""
    if spec.max_kb is None and spec.min_kb is None:
        return ()
    kb, low, high = size / 1000, spec.min_kb, spec.max_kb
    fits = (low is None or kb >= low) and (high is None or kb <= high)
    words = f"{kb:.1f} KB as {file_format}, {_bounds(low, high, 'KB')}"
    return (_stated(spec, "file", "file size", "pass" if fits else "fail", words, (kb, kb, kb), (low, high), "KB"),)


def _stated(
    spec: Spec,
    table: str,
    rule: str,
    status: Status,
    words: str,
    value: tuple[float, float, float] | None = None,
    allowed: tuple[float | None, float | None] | None = None,
    unit: str = "",
) -> Verdict:
    """A verdict on a rule that a table of the specification states."""
    source = spec.sources[spec.table_sources[table]] if table in spec.table_sources else None
    return Verdict(rule, status, words, value, allowed, unit, (source.url or source.title) if source else "")


def _one_face(facts: Facts) -> Verdict:
    others = facts.faces[1:]
    if not others:
        return Verdict("one face", "pass", "one face was found")
    x, y = ((others[0].box[i] + others[0].box[i + 2]) / 2 for i in (0, 1))
    words = f"{len(others)} much smaller face(s) besides, the largest at {x:.0f},{y:.0f} of the photo"
    across, down = facts.place.matrix @ np.array([x, y, 1.0])
    if not (0 <= across < facts.place.width and 0 <= down < facts.place.height):
        return Verdict("one face", "pass", f"{words}, outside of the picture")
    if facts.background is None:
        return Verdict("one face", "fail", f"{words}, inside the picture")
    return Verdict("one face", "can't tell", f"{words}; look whether the new background covers it")


def _bands(facts: Facts) -> list[Verdict]:
    lengths = facts.place.lengths(facts.head)
    verdicts = []
    for key, rule in _RULE_NAMES.items():
        unit, factor = _unit(facts, key)
        value = lengths[key] * factor
        measured = (value.low, value.mid, value.high)
        range_words = f"{value.mid:.1f} {unit} ({value.low:.1f} … {value.high:.1f})"
        if key not in facts.spec.bands:
            if key in ("head", "eyes"):
                words = f"{range_words}; the sources used state no number for the {BANDS[key]}"
                verdicts.append(Verdict(rule, "can't tell", words, measured, None, unit))
            continue
        low, high = (None if b is None else b * factor for b in facts.spec.band_px(key, facts.place.height))
        words = f"{range_words}, {_bounds(low, high, unit)}{_hair_words(facts.spec, key)}"
        status = _within(value, low, high)
        doubt = _doubt(facts, key)
        if doubt and status != "can't tell":
            status, words = "can't tell", f"{words}; {doubt}"
        verdicts.append(_stated(facts.spec, key, rule, status, words, measured, (low, high), unit))
    return verdicts


def _unit(facts: Facts, key: str) -> tuple[str, float]:
    """The unit that a band is reported in, and what turns pixels of the picture into it."""
    band = facts.spec.bands.get(key)
    unit = band.unit if band else "mm" if facts.spec.height_mm else "share"
    if unit == "px":
        return "px", 1.0
    if unit == "share":
        return "%", 100 / facts.place.height
    return "mm", (facts.spec.height_mm or 1.0) / facts.place.height


def _within(value: Span, low: float | None, high: float | None) -> Status:
    if (low is None or value.low >= low) and (high is None or value.high <= high):
        return "pass"
    if (low is not None and value.high < low) or (high is not None and value.low > high):
        return "fail"
    return "can't tell"


def _bounds(low: float | None, high: float | None, unit: str) -> str:
    if low is None:
        return f"allowed up to {high:.4g} {unit}"
    return f"allowed from {low:.4g} {unit}" if high is None else f"allowed {low:.4g} … {high:.4g} {unit}"


def _hair_words(spec: Spec, key: str) -> str:
    if key not in ("head", "crown"):
        return ""
    if spec.hair == "excluded":
        return "; without hair, so the top of the skull was estimated"
    return "; to the top of the hair" if spec.hair == "included" else "; read as to the top of what is seen"


def _doubt(facts: Facts, key: str) -> str:
    if key in ("head", "chin", "pupils") and abs(facts.head.turned) > _TURNED:
        return "the head is turned, which makes this unreliable"
    if key in ("head", "crown") and facts.head.cut:
        return "the top of the head is cut off"
    return ""


def _tilt(facts: Facts) -> Verdict:
    tilt = facts.head.tilt
    value = (-TILT_SPREAD, 0.0, TILT_SPREAD)
    words = f"the eye line was {abs(tilt):.1f}° off and was levelled, to within ±{TILT_SPREAD:g}°"
    if abs(tilt) > _SLOPED:
        return Verdict(
            "tilt", "can't tell", f"{words}; the shoulders now slope, so take a straighter photo", value, None, "°"
        )
    return Verdict("tilt", "pass", words, value, None, "°")


def _facing(facts: Facts) -> Verdict:
    turned = facts.head.turned
    side = "left" if turned < 0 else "right"
    words = f"the tip of the nose is {abs(turned):.0%} of the pupils' distance off the middle"
    if abs(turned) > _TURNED:
        return Verdict("facing camera", "fail", f"{words}: the head is turned to the {side} of the photo")
    return Verdict("facing camera", "can't tell", f"{words}; five points can't show that a head is straight")


def _cut_head(facts: Facts) -> Verdict:
    if facts.head.cut or "top" in facts.rendered.cut:
        return Verdict("whole head", "fail", "the photo's edge cuts the top of the head; take it again with room above")
    if facts.place.eye_row < facts.head.hair.mid * facts.place.scale:
        words = "the hair reaches out of the picture, as the head size that is asked for demands"
        return Verdict("whole head", "can't tell", words)
    chin_row = round(facts.place.eye_row + facts.head.chin.mid * facts.place.scale)
    if facts.rendered.alpha[:chin_row, [0, -1]].max() >= 0.5:
        words = "the hair, or a hand, reaches the side of the picture above the chin"
        return Verdict("whole head", "can't tell", words)
    return Verdict("whole head", "pass", "nothing of the head is cut off")


def _room(facts: Facts) -> Verdict:
    cut = [side for side in facts.rendered.cut if side != "top"]
    added = facts.rendered.added
    amounts = ", ".join(f"{side} {pixels} px" for side, pixels in added.items())
    if cut:
        words = f"the photo is too tight: its {' and '.join(cut)} edge cuts the person inside the picture ({amounts})"
        return Verdict("room around", "fail", f"{words}; take it from farther away")
    if added and facts.background is None:
        words = f"the photo ends inside the picture ({amounts}); what is missing was left white"
        return Verdict("room around", "fail", words)
    if added:
        words = f"the photo ends inside the picture ({amounts}); the new background goes on there, the person isn't cut"
        return Verdict("room around", "pass", words)
    return Verdict("room around", "pass", "the photo reaches beyond the picture on all sides")


def _evenness(facts: Facts) -> Verdict:
    spread, colour = _wall(facts)
    if math.isnan(spread):
        was = "nothing of the photo's background is seen"
    else:
        was = f"in the photo its lightness varies by ±{spread:.1f} of 100"
    if facts.background is not None:
        name = "#{:02x}{:02x}{:02x}".format(*facts.background)
        return Verdict("background", "pass", f"one colour, {name}, after it was replaced; {was}")
    if math.isnan(spread):
        return Verdict("background", "can't tell", was)
    far = float(np.linalg.norm(colour - _lab(np.array([[facts.spec.background]], np.uint8))[0, 0]))
    value = (spread, spread, spread)
    if spread > _UNEVEN:
        return Verdict("background", "fail", f"{was}, which anybody sees", value)
    if spread < _EVEN and far < _NEAR_COLOR:
        return Verdict("background", "pass", f"{was}, and it has the colour that is asked for", value)
    return Verdict("background", "can't tell", f"{was}; no source says how even it must be", value)


def _wall(facts: Facts) -> tuple[float, NDArray[np.float64]]:
    """Spread of L* of the photo's background inside the picture, and its mean colour in CIELAB."""
    place = facts.place
    size = (place.width, place.height)
    shown = cv2.warpAffine(facts.frame, place.matrix, size)
    person = cv2.warpAffine(facts.alpha, place.matrix, size, borderValue=1.0)  # beyond the photo there is no wall
    near = cv2.dilate(person, np.ones((9, 9), np.uint8))
    wall = _lab(cv2.GaussianBlur(shown, (0, 0), 2))[near < 0.05]  # blurred: grain is no unevenness
    if len(wall) < 0.02 * person.size:
        return math.nan, np.zeros(3)
    return float(wall[:, 0].std()), np.asarray(wall.mean(axis=0), np.float64)


def _lab(rgb: NDArray[Any]) -> NDArray[Any]:
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _replacement(facts: Facts) -> Verdict:
    spec, quote = facts.spec, f": “{facts.spec.editing_words}”" if facts.spec.editing_words else ""
    if facts.background is None:
        return _stated(spec, "editing", "unaltered background", "pass", "the photo's own background was kept")
    if spec.replacing == "forbidden":
        words = f"this destination forbids altered photos{quote}; use `--background keep` before a plain wall"
        return _stated(spec, "editing", "unaltered background", "fail", words)
    if spec.replacing == "allowed":
        return _stated(spec, "editing", "unaltered background", "pass", f"the background may be replaced{quote}")
    words = f"the background was replaced; the sources used don't say whether it may be{quote}"
    return _stated(spec, "editing", "unaltered background", "can't tell", words)


def _outline(facts: Facts) -> Verdict:
    unsure = facts.rendered.unsure
    if facts.background is None:
        return Verdict("outline", "pass", "the person was not cut out")
    if unsure > _UNSURE:
        return Verdict(
            "outline", "can't tell", f"the network was unsure about {unsure:.0%} of the person: look closely"
        )
    return Verdict("outline", "pass", "the network was sure of the person; look at hair and ears all the same")


def _resolution(facts: Facts) -> Verdict:
    spec = facts.spec
    real = facts.dpi / max(facts.place.scale, 1e-9)
    value, size = (real, real, real), spec.table_sources.get("size", "")
    if facts.place.scale <= 1.0:
        words = f"the photo has {real:.0f} dpi at this size, so nothing was enlarged"
        return Verdict("resolution", "pass", words, value, (spec.min_dpi, None) if spec.min_dpi else None, "dpi")
    words = f"the photo has {real:.0f} dpi at this size and was enlarged {facts.place.scale:.2f} times"
    source = spec.sources[size].url if size else ""
    if spec.min_dpi is not None and real < spec.min_dpi:
        least = f"{words}; at least {spec.min_dpi:g} dpi are asked for"
        return Verdict("resolution", "fail", least, value, (spec.min_dpi, None), "dpi", source)
    return Verdict(
        "resolution", "can't tell", f"{words}; the sources used state no least resolution", value, None, "dpi"
    )
