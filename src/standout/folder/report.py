"""Outcome of `process_folder`, photo by photo; as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from standout.errors import OutputError
from standout.imaging.files import atomic_write
from standout.pipeline.result import Findings

#: Endings that a report may have.
REPORT_ENDINGS = (".json", ".csv")


@dataclass(frozen=True)
class PhotoResult(Findings):
    """Outcome of one photo.

    Attributes:
        photo: The photo's path relative to the folder, with forward slashes.
        cutout: The cut-out's path relative to the output folder; "" if there is none.
        status: `done`, `unchanged` (finished in an earlier run), `failed` or `pending` (the run was stopped before).
        error: A sentence that says why it failed.
        seconds: How long it took.
    """

    photo: str
    cutout: str
    status: Literal["done", "unchanged", "failed", "pending"]
    error: str = ""
    seconds: float = 0.0


@dataclass
class FolderReport:
    """Outcome of `process_folder`.

    Attributes:
        folder: The folder of photos; text if it is a URL.
        out: The folder of cut-outs; text if it is a URL.
        results: Photo -> what became of it; the last word where a photo was worked on more than once.
        skipped: Why files were left out -> how many.
        seconds: From the start to the end of the run.
    """

    folder: Path | str
    out: Path | str
    results: dict[str, PhotoResult] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def count(self, status: str) -> int:
        """How many photos have this status."""
        return sum(result.status == status for result in self.results.values())

    @property
    def failed(self) -> list[PhotoResult]:
        """The photos that failed, in the order of their names."""
        return [result for result in self._sorted() if result.status == "failed"]

    def to_json(self) -> str:
        """The report as JSON: `counts`, `skipped`, and a list of `photos`."""
        statuses = ("done", "unchanged", "failed", "pending")
        content = {
            "folder": str(self.folder),
            "out": str(self.out),
            "seconds": round(self.seconds, 3),
            "counts": {status: self.count(status) for status in statuses},
            "skipped": dict(self.skipped),
            "photos": [_row(result) for result in self._sorted()],
        }
        return json.dumps(content, indent=1) + "\n"

    def to_csv(self) -> str:
        """The report as CSV, one photo a line; several notes are separated by semicolons."""
        buffer = io.StringIO()
        names = list(_row(PhotoResult("", "", "done")))
        writer = csv.DictWriter(buffer, names, lineterminator="\n")
        writer.writeheader()
        for result in self._sorted():
            row = _row(result)
            people = "" if result.people is None else str(result.people)
            writer.writerow(row | {"notes": "; ".join(row["notes"]), "people": people})
        return buffer.getvalue()

    def _sorted(self) -> list[PhotoResult]:
        return [self.results[photo] for photo in sorted(self.results)]


def check_report_path(path: Path) -> None:
    """Refuses a report that can't be written, before any work is done.

    Raises:
        OutputError: Another ending than .json or .csv, or no such folder.
    """
    if path.suffix.lower() not in REPORT_ENDINGS:
        raise OutputError(f"The report must end in .json or .csv; received `{path}`.")
    if not path.resolve().parent.is_dir():
        raise OutputError(f"The report `{path}` can't be written: there is no folder `{path.parent}`; create it first.")


def write_report(path: Path, report: FolderReport) -> None:
    """Writes the report in the format of the path's ending.

    Raises:
        OutputError: It can't be written.
    """
    check_report_path(path)
    text = report.to_csv() if path.suffix.lower() == ".csv" else report.to_json()
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "surrogateescape"))  # names that are no UTF-8 stay as they are


def _row(result: PhotoResult) -> dict[str, Any]:
    return {
        "photo": result.photo,
        "cutout": result.cutout,
        "status": result.status,
        "error": result.error,
        "notes": list(result.notes),
        "people": result.people,
        "seconds": round(result.seconds, 3),
    }
