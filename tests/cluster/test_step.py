"""The step that engines drive: rows say what became of each photo, and no photo ends a batch."""

from __future__ import annotations

import hashlib
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest

from cluster_work import CopyWork
from standout.cluster.cut_out import cut_out_step
from standout.cluster.photo import Photo
from standout.cluster.step import Step
from standout.errors import ModelFileError
from standout.folder.options import FolderOptions
from standout.imaging.decode import read
from standout.imaging.encode import encode


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    source, target = tmp_path / "in", tmp_path / "out"
    (source / "sub").mkdir(parents=True)
    target.mkdir()
    return source, target


def test_a_batch_of_paths_becomes_rows_and_files(places: tuple[Path, Path]) -> None:
    source, target = places
    for name in ("a.jpg", "sub/nobody.jpg", "noted.jpg"):
        (source / name).write_bytes(name.encode())
    rows = Step(CopyWork(), str(source), str(target))(["a.jpg", "sub/nobody.jpg", Photo("noted.jpg", "other.png")])
    assert [(row["path"], row["output"]) for row in rows] == [
        ("a.jpg", "a.jpg.png"), ("sub/nobody.jpg", "sub/nobody.jpg.png"), ("noted.jpg", "other.png"),
    ]  # fmt: skip
    for row in rows:
        written = (target / row["output"]).read_bytes()
        assert row["status"] == "done" and row["reason"] == "" and written == row["path"].encode()
        assert row["sha256"] == hashlib.sha256(written).hexdigest() and row["output_size"] == len(written)
        assert (row["width"], row["height"], row["model"], row["size"]) == (3, 2, "none", len(written))
    assert [row["found_person"] for row in rows] == [True, False, True]
    assert rows[2]["notes"] == ["a note"]


def test_photos_of_one_name_in_different_batches_share_no_file(places: tuple[Path, Path]) -> None:
    source, target = places
    names = ("a.jpg", "a.webp", "a.JPG")
    for name in names:
        (source / name).write_bytes(name.encode())
        (row,) = Step(CopyWork(), str(source), str(target))([name])
        assert (target / row["output"]).read_bytes() == name.encode()
    assert len(list(target.iterdir())) == len(names)


def test_a_bad_photo_is_a_row_with_its_reason(places: tuple[Path, Path]) -> None:
    source, target = places
    for name in ("broken.jpg", "faulty.jpg", "large.jpg", "good.jpg"):
        (source / name).write_bytes(b"x" * (100 if name == "large.jpg" else 5))
    work = CopyWork(max_bytes=50)
    rows = Step(work, str(source), str(target))(["broken.jpg", "faulty.jpg", "missing.jpg", "large.jpg", "good.jpg"])
    assert [row["status"] for row in rows] == ["failed"] * 4 + ["done"]
    words = ("`broken.jpg` is broken", "ZeroDivisionError: a fault", "no file", "at most 50 bytes; received 100")
    for row, word in zip(rows, words, strict=False):
        assert word in row["reason"] and row["output"] == "" and row["found_person"] is None
    assert [path.name for path in target.iterdir()] == ["good.jpg.png"]


def test_what_every_photo_needs_is_loaded_once_per_process(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = places
    (source / "a.jpg").write_bytes(b"a")
    opened = []
    monkeypatch.setattr(CopyWork, "open", lambda self, threads: opened.append(threads) or self._do)
    first = Step(CopyWork(fingerprint="once"), str(source), str(target), threads=3, in_process=True)
    for step in (first, first, pickle.loads(pickle.dumps(first))):
        step(["a.jpg"])
    assert opened == [3]


def test_what_can_work_for_no_photo_is_raised(places: tuple[Path, Path]) -> None:
    step = Step(CopyWork(unusable=True, fingerprint="unusable"), *map(str, places))
    with pytest.raises(ModelFileError, match="The model is broken"):
        step(["a.jpg"])


@pytest.mark.slow
def test_a_photo_that_kills_or_holds_its_process_costs_a_row(tmp_path: Path) -> None:
    source, work = tmp_path / "in", CopyWork(log=str(tmp_path / "log"))
    source.mkdir()
    for name in ("a.jpg", "killed.jpg", "hangs.jpg", "b.jpg"):
        (source / name).write_bytes(b"x")
    rows = Step(work, str(source), str(tmp_path / "out"), limit_s=1.0)(["a.jpg", "killed.jpg", "hangs.jpg", "b.jpg"])
    reasons = {row["path"]: row["reason"] for row in rows}
    assert {row["path"]: row["status"] for row in rows if row["status"] == "done"} == {"a.jpg": "done", "b.jpg": "done"}
    assert "ended the process that worked on it, twice: it was killed (SIGKILL)" in reasons["killed.jpg"]
    assert reasons["hangs.jpg"] == "`hangs.jpg` took longer than 1 seconds and was stopped."
    begun = (tmp_path / "log").read_text().split()
    assert begun.count("killed.jpg") == 2 and begun.count("hangs.jpg") == 1, "a death may have another reason"


@pytest.mark.slow
def test_a_job_leaves_nothing_in_the_temporary_folder(
    places: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert len(Step(CopyWork(), str(places[0]), str(places[1]))(["a.jpg"])) == 1
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_cutting_out_gives_the_bytes_of_standout_folder(
    places: tuple[Path, Path], model_file: Path, bright_person: np.ndarray, tmp_path: Path
) -> None:
    from standout.folder.process import process_folder

    source, target = places
    (source / "a.png").write_bytes(encode(bright_person))
    (source / "sub" / "nobody.png").write_bytes(encode(np.zeros((20, 30, 3), np.uint8)))
    options = FolderOptions(model=str(model_file), recursive=True, workers=1)
    step = cut_out_step(source, target, options=options)
    settings_elsewhere = pickle.loads(pickle.dumps(step))
    rows = settings_elsewhere(["a.png", "sub/nobody.png"])
    process_folder(source, tmp_path / "plain", options=options)
    for row in rows:
        plain = tmp_path / "plain" / row["output"].replace(".png.png", ".png")
        assert (target / row["output"]).read_bytes() == plain.read_bytes()
    assert [row["found_person"] for row in rows] == [True, False]
    assert read(target / "a.png.png").alpha is not None
    assert rows[0]["model"].startswith("tiny.onnx@") and (rows[0]["height"], rows[0]["width"]) == (72, 96)
