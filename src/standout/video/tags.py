"""What a video file says beside its streams: title, artist, comment and the like, and chapters."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from standout.video.pyav import av

#: What describes the file, not the film: the muxer writes its own.
_OF_THE_FILE = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", "handler_name", "vendor_id")
#: Those that somebody would miss. Others, of which cameras write many, go along where the container takes them.
_MISSED = ("title", "artist", "album", "comment", "copyright", "date", "description", "genre", "creation_time")


def copy_tags(source: Any, target: Any) -> None:
    """The tags of one container of PyAV's to another."""
    for key, value in source.metadata.items():
        if key.lower() not in _OF_THE_FILE:
            target.metadata[key] = value


def chapters_of(source: Any, start_s: Fraction, end_s: Fraction | None) -> list[Any]:
    """The chapters of the wanted part, with times from its beginning.

    Args:
        source: A container of PyAV's.
        start_s: Where the part begins, seconds from the beginning of the file.
        end_s: Where it ends; None: with the file.
    """
    zero = max(Fraction(0), Fraction(source.start_time or 0, 1_000_000))
    made: list[Any] = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, 1000)
        begin, end = (chapter[key] * base - zero for key in ("start", "end"))
        begin, end = max(begin, start_s), end if end_s is None else min(end, end_s)
        if end > begin:
            times = {"start": round((begin - start_s) / base), "end": round((end - start_s) / base)}
            made.append({**chapter, **times, "id": len(made) + 1})
    return made


def missing_tags(source: Any, chapters: Sequence[Any], written: Path) -> list[str]:
    """What a finished file hasn't of the tags and chapters that went into it, a sentence each."""
    with av.open(str(written)) as target:
        there = {key.lower() for key in target.metadata}
        suffix = written.suffix
        notes = [
            f"the tag `{key.lower()}` was left out, for {suffix} can't hold it"
            for key in source.metadata
            if key.lower() in _MISSED and key.lower() not in there
        ]
        if len(target.chapters()) < len(chapters):
            notes.append(f"the chapters were left out, for {suffix} can't hold them")
    return notes
