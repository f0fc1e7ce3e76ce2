"""Rules on lengths: head size, eye line, and the spaces around the head.

A length passes or fails only where the whole range in which it may lie says so.
"""

from __future__ import annotations

from standout.id_photo.evidence import TURNED, Evidence, sourced
from standout.id_photo.head import Span
from standout.id_photo.report import Status, Verdict
from standout.id_photo.spec import BANDS, Spec

_RULE_NAMES = {
    "head": "head size", "eyes": "eye line", "crown": "space above head", "chin": "space below chin",
    "pupils": "pupil distance",
}  # fmt: skip


def judge_lengths(facts: Evidence) -> list[Verdict]:
    """A verdict on each length that the specification bounds, and on head and eyes in any case."""
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
                verdicts.append(Verdict(rule, "unknown", words, measured, None, unit))
            continue
        low, high = (None if b is None else b * factor for b in facts.spec.band_px(key, facts.place.height))
        words = f"{range_words}, {bounds(low, high, unit)}{_hair_words(facts.spec, key)}"
        status = _within(value, low, high)
        doubt = _doubt(facts, key)
        if doubt and status != "unknown":
            status, words = "unknown", f"{words}; {doubt}"
        verdict = Verdict(rule, status, words, measured, (low, high), unit)
        verdicts.append(sourced(facts.spec, key, verdict))
    return verdicts


def _unit(facts: Evidence, key: str) -> tuple[str, float]:
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
    return "unknown"


def bounds(low: float | None, high: float | None, unit: str) -> str:
    """Bounds in words."""
    if low is None:
        return f"allowed up to {high:.4g} {unit}"
    return f"allowed from {low:.4g} {unit}" if high is None else f"allowed {low:.4g} … {high:.4g} {unit}"


def _hair_words(spec: Spec, key: str) -> str:
    if key not in ("head", "crown"):
        return ""
    if spec.hair == "excluded":
        return "; without hair, so the top of the skull was estimated"
    return "; to the top of the hair" if spec.hair == "included" else "; read as to the top of what is seen"


def _doubt(facts: Evidence, key: str) -> str:
    if key in ("head", "chin", "pupils") and abs(facts.head.turned) > TURNED:
        return "the head is turned, which makes this unreliable"
    if key in ("head", "crown") and facts.head.cut:
        return "the top of the head is cut off"
    return ""
