"""The rules, each a small function from measurements to a verdict.

A rule passes or fails only where the whole range of a measurement says so. Where no source states a number, ours are
named as such, and the verdict is "unknown" unless the photo is far from any doubt.
"""

from __future__ import annotations

import numpy as np

from standout.id_photo.evidence import TURNED, Evidence, sourced
from standout.id_photo.head import TILT_SPREAD
from standout.id_photo.report import Verdict
from standout.id_photo.rules_background import judge_evenness, judge_replacement
from standout.id_photo.rules_head import bounds, judge_lengths
from standout.id_photo.spec import Spec

#: A face smaller than this share of the person's is somebody far behind, or a picture on the wall.
SECOND_FACE = 0.35
#: Beyond so many degrees of tilt the shoulders clearly slope.
_SLOPED = 15.0
#: Share of the person about which the network may be unsure.
_UNSURE = 0.02
#: Steps of 8 bits between the colors of a gray pixel, at most; a JPEG's gray has a few.
_GRAY = 12


def judge(facts: Evidence) -> tuple[Verdict, ...]:
    """All verdicts, in the order in which they are shown."""
    return (
        _one_face(facts),
        *judge_lengths(facts),
        _tilt(facts),
        _facing(facts),
        _cut_head(facts),
        _room(facts),
        judge_evenness(facts),
        judge_replacement(facts),
        _outline(facts),
        _resolution(facts),
        *_colors(facts),
    )


def judge_file(spec: Spec, size: int, file_format: str) -> tuple[Verdict, ...]:
    """What can be said once the picture is a file of `size` bytes."""
    if spec.max_kb is None and spec.min_kb is None:
        return ()
    kb, low, high = size / 1000, spec.min_kb, spec.max_kb
    fits = (low is None or kb >= low) and (high is None or kb <= high)
    words = f"{kb:.1f} KB as {file_format}, {bounds(low, high, 'KB')}"
    verdict = Verdict("file size", "pass" if fits else "fail", words, (kb, kb, kb), (low, high), "KB")
    return (sourced(spec, "file", verdict),)


def _one_face(facts: Evidence) -> Verdict:
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
    return Verdict("one face", "unknown", f"{words}; look whether the new background covers it")


def _tilt(facts: Evidence) -> Verdict:
    tilt = facts.head.tilt
    value = (-TILT_SPREAD, 0.0, TILT_SPREAD)
    words = f"the eye line was {abs(tilt):.1f}° off and was leveled, to within ±{TILT_SPREAD:g}°"
    if abs(tilt) > _SLOPED:
        return Verdict(
            "tilt", "unknown", f"{words}; the shoulders now slope, so take a straighter photo", value, None, "°"
        )
    return Verdict("tilt", "pass", words, value, None, "°")


def _facing(facts: Evidence) -> Verdict:
    turned = facts.head.turned
    side = "left" if turned < 0 else "right"
    words = f"the tip of the nose is {abs(turned):.0%} of the pupils' distance off the middle"
    if abs(turned) > TURNED:
        return Verdict("facing camera", "fail", f"{words}: the head is turned to the {side} of the photo")
    return Verdict("facing camera", "unknown", f"{words}; five points can't show that a head is straight")


def _cut_head(facts: Evidence) -> Verdict:
    if facts.head.cut or "top" in facts.rendered.cut:
        return Verdict("whole head", "fail", "the photo's edge cuts the top of the head; take it again with room above")
    if facts.place.eye_row < facts.head.hair.mid * facts.place.scale:
        words = "the hair reaches out of the picture, as the head size that is asked for demands"
        return Verdict("whole head", "unknown", words)
    chin_row = round(facts.place.eye_row + facts.head.chin.mid * facts.place.scale)
    if facts.rendered.alpha[:chin_row, [0, -1]].max() >= 0.5:
        words = "the hair, or a hand, reaches the side of the picture above the chin"
        return Verdict("whole head", "unknown", words)
    return Verdict("whole head", "pass", "nothing of the head is cut off")


def _room(facts: Evidence) -> Verdict:
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


def _outline(facts: Evidence) -> Verdict:
    unsure = facts.rendered.unsure
    if facts.background is None:
        return Verdict("outline", "pass", "the person was not cut out")
    if unsure > _UNSURE:
        return Verdict("outline", "unknown", f"the network was unsure about {unsure:.0%} of the person: look closely")
    return Verdict("outline", "pass", "the network was sure of the person; look at hair and ears all the same")


def _colors(facts: Evidence) -> tuple[Verdict, ...]:
    """Names a black-and-white photo; of one in color there is nothing to say."""
    inside = facts.alpha >= 0.5
    pixels = facts.frame[inside].astype(np.int16) if inside.any() else facts.frame.reshape(-1, 3).astype(np.int16)
    spread = pixels.max(axis=1) - pixels.min(axis=1)
    if float(np.quantile(spread, 0.99)) > _GRAY:
        return ()
    words = "the photo is black and white; passports and visas are asked for in color"
    return (Verdict("color", "unknown", f"{words}, unless the office says otherwise"),)


def _resolution(facts: Evidence) -> Verdict:
    spec = facts.spec
    real = facts.dpi / max(facts.place.scale, 1e-9)
    value, allowed = (real, real, real), (spec.min_dpi, None) if spec.min_dpi else None
    words = f"the photo has {real:.0f} dpi at this size"
    if facts.place.scale <= 1.0:
        return Verdict("resolution", "pass", f"{words}, so nothing was enlarged", value, allowed, "dpi")
    words += f" and was enlarged {facts.place.scale:.2f} times"
    if spec.min_dpi is None:
        words += "; the sources used state no least resolution"
    elif real < spec.min_dpi:
        words += f"; at least {spec.min_dpi:g} dpi are asked for"
        return sourced(spec, "size", Verdict("resolution", "fail", words, value, allowed, "dpi"))
    return Verdict("resolution", "unknown", words, value, allowed, "dpi")
