"""What is said of an official photo: a verdict per rule, in words and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from standout.id_photo.spec import Spec

Status = Literal["pass", "fail", "unknown"]

_MARKS = {"pass": "✓", "fail": "✗", "unknown": "?"}


@dataclass(frozen=True)
class Verdict:
    """Outcome of one rule.

    Attributes:
        rule: The rule's name.
        status: "pass" and "fail" only where the measurement's uncertainty leaves no doubt.
        words: A sentence for people.
        value: What was measured, with the range it may lie in: (low, mid, high); None where nothing was.
        allowed: (low, high), None for no bound; None where no source states a number.
        unit: The unit of both: "mm", "px", "%" of the height, "°", "dpi", "KB".
        source: Address or title of what states the rule; empty for our own.
    """

    rule: str
    status: Status
    words: str
    value: tuple[float, float, float] | None = None
    allowed: tuple[float | None, float | None] | None = None
    unit: str = ""
    source: str = ""


@dataclass(frozen=True)
class RuleReport:
    """All verdicts on one photo."""

    spec: Spec
    width_px: int
    height_px: int
    dpi: int
    verdicts: tuple[Verdict, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """The rules that failed."""
        return tuple(verdict.rule for verdict in self.verdicts if verdict.status == "fail")

    @property
    def unclear(self) -> tuple[str, ...]:
        """The rules about which nothing can be said."""
        return tuple(verdict.rule for verdict in self.verdicts if verdict.status == "unknown")

    def status(self, rule: str) -> Status:
        """The verdict on one rule.

        Raises:
            KeyError: This photo was not asked about that rule.
        """
        return {verdict.rule: verdict.status for verdict in self.verdicts}[rule]

    def adding(self, verdicts: Iterable[Verdict]) -> RuleReport:
        """The report with further verdicts."""
        return replace(self, verdicts=(*self.verdicts, *verdicts))

    def text(self, width: int = 100) -> str:
        """Lines for the terminal, broken at `width` characters."""
        name = max(len(verdict.rule) for verdict in self.verdicts)
        lines = [f"{self.spec.title}: {self.width_px} × {self.height_px} pixels, {self.print_words()}"]
        for verdict in self.verdicts:
            head = f"  {_MARKS[verdict.status]} {verdict.status:<10}  {verdict.rule:<{name}}  "
            lines += textwrap.wrap(
                verdict.words, max(width, 60), initial_indent=head, subsequent_indent=" " * len(head)
            )
        if self.spec.note:
            lines += textwrap.wrap(f"Note: {self.spec.note}", max(width, 60), subsequent_indent="  ")
        checked = max(source.checked for source in self.spec.sources.values())
        lines.append(f"Rules gathered on {checked} from copies of these pages; the authority has the last word:")
        return "\n".join([*lines, *(f"  {link}" for link in self.links())])

    def print_words(self) -> str:
        """The size in print."""
        width, height = (pixels / self.dpi * 25.4 for pixels in (self.width_px, self.height_px))
        return f"{width:.1f} × {height:.1f} mm at {self.dpi} dpi"

    def links(self) -> list[str]:
        """Where the rules come from, each once."""
        return list(dict.fromkeys(source.url or source.title for source in self.spec.sources.values()))

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        sources = {
            key: {"title": s.title, "url": s.url, "checked": s.checked.isoformat(), "how": s.how}
            for key, s in self.spec.sources.items()
        }
        return {
            "specification": {
                "name": self.spec.name, "title": self.spec.title, "note": self.spec.note, "sources": sources,
            },
            "picture": {
                "width_px": self.width_px, "height_px": self.height_px, "dpi": self.dpi,
                "width_mm": round(self.width_px / self.dpi * 25.4, 2),
                "height_mm": round(self.height_px / self.dpi * 25.4, 2),
            },
            "failed": list(self.failed),
            "cannot_tell": list(self.unclear),
            "rules": [_verdict_json(verdict) for verdict in self.verdicts],
        }  # fmt: skip

    def to_json(self) -> str:
        """`as_json` as text."""
        return json.dumps(self.as_json(), ensure_ascii=False, indent=1) + "\n"


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    low, mid, high = verdict.value or (None, None, None)
    least, most = verdict.allowed or (None, None)
    return {
        "rule": verdict.rule,
        "status": verdict.status,
        "words": verdict.words,
        "measured": None if mid is None else {"value": _rounded(mid), "from": _rounded(low), "to": _rounded(high)},
        "allowed": None if verdict.allowed is None else {"min": _rounded(least), "max": _rounded(most)},
        "unit": verdict.unit,
        "source": verdict.source,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 2)
