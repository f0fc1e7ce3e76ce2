"""A folder of photographs to a folder that `standout train` reads: labels, the rule, counts, and sheets to look at."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from standout.cluster.engines import Engine, on_this_machine
from standout.cluster.manifest import MANIFEST_NAME
from standout.cluster.options import ClusterOptions
from standout.cluster.process import process_on_cluster
from standout.cluster.storage import Place, read_table, redact
from standout.errors import ConfigError, InputError
from standout.folder.options import FolderOptions
from standout.folder.process import FolderProgress
from standout.folder.report import FolderReport
from standout.hardware import usable_cores
from standout.imaging.arrays import Frame
from standout.imaging.contact_sheet import Tile, contact_sheet, mark_edge
from standout.imaging.decode import read
from standout.imaging.encode import EncodeOptions, encode
from standout.workshop.label.agreement import AgreementRule
from standout.workshop.label.judges import JudgeFile
from standout.workshop.label.work import LabelWork

CARD_NAME = "card.toml"
#: On a sheet, where the label is unsure.
_UNSURE = np.array((255, 140, 0), np.float32)


@dataclass(frozen=True)
class LabelOptions:
    """How photographs are labeled.

    Attributes:
        judges: At least two.
        rule: When the judges agree.
        prefix: What stands before the names of the sets.
        dropped: Photographs that somebody has looked at and doesn't want, by their paths.
        corrected: Path -> PNG of the mask that somebody has drawn.
        sheet: Photographs on the sheet of each set: those on which the judges agree least. 0: no sheets.
    """

    judges: tuple[JudgeFile, ...]
    rule: AgreementRule = field(default_factory=AgreementRule)
    prefix: str = ""
    dropped: frozenset[str] = frozenset()
    corrected: dict[str, bytes] = field(default_factory=dict)
    sheet: int = 60

    def __post_init__(self) -> None:
        if len(self.judges) < 2:
            raise ConfigError(f"At least two judges must agree; received {len(self.judges)}; name another.")


@dataclass(frozen=True)
class LabelReport:
    """Outcome of `label`, photograph by photograph.

    Attributes:
        photos: What became of each photograph, as of `standout folder`.
        kept: Set -> how many are kept, by earlier runs too.
        looked_at: Set -> how many the judges have seen.
        why_not: Reason -> how many were left out for it.
        card: Lines for a model card.
        written: Sheets and card, relative to the target.
    """

    photos: FolderReport
    kept: dict[str, int]
    looked_at: dict[str, int]
    why_not: dict[str, int]
    card: tuple[str, ...]
    written: tuple[str, ...]


def label_photos(
    source: str | Path,
    target: str | Path,
    *,
    options: LabelOptions,
    cluster: ClusterOptions | None = None,
    workers: int | None = None,
    retry_failed: bool = False,
    progress: FolderProgress | None = None,
    stop: threading.Event | None = None,
    engine: Engine | None = None,
) -> LabelReport:
    """Labels photographs: where the judges agree, a set with `images/`, `masks/` and `unsure/` gets them.

    What was decided stays, unless the judges, the rule, the photograph, or what somebody decided by hand have changed.

    Args:
        source: A folder or URL of photographs, or of sets (`NAME/images/`, beside it `boxes/` where boxes are known).
        target: Gets the sets, `manifest.parquet`, `card.toml` and `sheets/`.
        options: Who judges, and when they agree.
        cluster: How the job is spread over Ray; None works on this machine.
        workers: Processes on this machine; one per core by default.
        retry_failed: Try again what could not be used in an earlier run.
        progress: Called after each photograph, as by `process_folder`.
        stop: When set, the run ends soon.
        engine: What drives the step instead.

    Raises:
        StandoutError: Whatever `process_on_cluster` raises.
    """
    work = LabelWork(
        options.judges, options.rule, Place(source).address, options.prefix, options.dropped, options.corrected
    )
    if engine is None and cluster is None:
        engine = on_this_machine(workers or usable_cores())
    cluster = replace(cluster or ClusterOptions(), retry_failed=retry_failed)
    photos = process_on_cluster(
        source, target, work=work, options=FolderOptions(recursive=True), cluster=cluster, progress=progress,
        stop=stop, engine=engine,
    )  # fmt: skip
    return _conclude(Place(source), Place(target), options, photos)


def _conclude(source: Place, target: Place, options: LabelOptions, photos: FolderReport) -> LabelReport:
    """Counts, card and sheets, of everything that is in the target by now."""
    rows = _rows(target, redact(source.address))
    kept: Counter[str] = Counter()
    looked_at: Counter[str] = Counter()
    why_not: Counter[str] = Counter()
    for row in rows:
        name, facts = _set_of(row["path"], options.prefix), json.loads(row["facts"] or "{}")
        if facts.get("why") == "it is a mask":
            continue
        looked_at[name] += 1
        kept[name] += bool(facts.get("kept"))
        if row["status"] == "failed":
            why_not["could not be used"] += 1
        elif not facts.get("kept"):
            why_not[str(facts.get("why", ""))] += 1
    card = tuple(_card_lines(kept, looked_at, options))
    written = [CARD_NAME]
    target.write(CARD_NAME, ("data = [\n" + "".join(f"  {json.dumps(line)},\n" for line in card) + "]\n").encode())
    if options.sheet:
        written += _write_sheets(source, target, rows, options)
    return LabelReport(photos, dict(kept), dict(looked_at), dict(why_not), card, tuple(written))


def _rows(target: Place, folder: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    try:
        files = sorted(entry.path for entry in target.entries(MANIFEST_NAME))
    except FileNotFoundError:
        return rows
    for file in files:
        table = read_table(target.read(file), ["path", "status", "facts", "output", "folder"])
        rows += [row for row in table.to_pylist() if row["folder"] == folder]
    return sorted(rows, key=lambda row: str(row["path"]))


def _set_of(path: str, prefix: str) -> str:
    folder = PurePosixPath(path).parent
    folder = folder.parent if folder.name == "images" else folder
    return "photographs" if str(folder) == "." else f"{prefix}{folder}"


def _card_lines(kept: Counter[str], looked_at: Counter[str], options: LabelOptions) -> Iterator[str]:
    for name in sorted(looked_at):
        yield f"{name}: {kept[name]} of {looked_at[name]} photographs; masks by {len(options.judges)} judges"
    judges = ", ".join(f"{judge.kind} ({judge.name}, {judge.digest})" for judge in options.judges)
    rule = options.rule
    edge = f"within {rule.band} px of the edge closed-form matting" if rule.band else "unsure within 2 px of the edge"
    yield f"the judges: {judges}"
    yield (
        "the rule: what most judges call person; kept where two agree with it "
        f"(person IoU at least {rule.agreement:g}) and {rule.least:.0%} to {rule.most:.0%} is person; "
        f"unsure where they differ or doubt; {edge}"
    )
    if options.dropped or options.corrected:
        yield f"by hand: {len(options.dropped)} dropped, {len(options.corrected)} corrected"


def _write_sheets(source: Place, target: Place, rows: list[dict[str, Any]], options: LabelOptions) -> list[str]:
    """A sheet per set, of the photographs on which the judges agree least: those are worth a look."""
    by_set: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for row in rows:
        facts = json.loads(row["facts"] or "{}")
        if facts.get("kept") and row["output"]:
            by_set.setdefault(_set_of(row["path"], options.prefix), []).append((facts.get("agreed", 1.0), row))
    written = []
    for name, found in sorted(by_set.items()):
        found.sort(key=lambda item: item[0])
        tiles = [_tile(source, target, row, agreed) for agreed, row in found[: options.sheet]]
        title = f"{name}: {len(tiles)} of {len(found)}, least agreed first. Yellow: the edge; orange: unsure."
        page = contact_sheet([tile for tile in tiles if tile], columns=6, title=title)
        file = f"sheets/{name.replace('/', '-')}.jpg"
        target.write(file, encode(page, EncodeOptions("jpg")))
        written.append(file)
    return written


def _tile(source: Place, target: Place, row: dict[str, Any], agreed: float) -> Tile | None:
    mask_file = PurePosixPath(row["output"])
    try:
        frame = read(source.read(row["path"])).frame
        alpha = read(target.read(str(mask_file))).frame[..., 0]
        unsure = read(target.read(str(mask_file.parent.parent / "unsure" / mask_file.name))).frame[..., 0] > 127
    except InputError:  # somebody has removed it in the meantime
        return None
    return Tile(_painted(frame, alpha > 127, unsure), f"{row['path']}\nagreed {agreed:.3f}")


def _painted(frame: Frame, mask: np.ndarray, unsure: np.ndarray) -> Frame:
    out = frame.astype(np.float32)
    out[~mask] *= 0.45
    out[unsure] = 0.4 * out[unsure] + 0.6 * _UNSURE
    return mark_edge(out.astype(np.uint8), mask)
