"""What is worth telling of a photo that was cut out: told once, and passed on by whoever finishes, works or reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PhotoFindings:
    """What was found in a photo.

    Attributes:
        found_person: Whether somebody is in it; None where no network has looked.
        notes: What was left out and why, a sentence each; usually empty.
    """

    found_person: bool | None = None
    notes: tuple[str, ...] = ()
