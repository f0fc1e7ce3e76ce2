"""The promises of `standout folder`, kept by a job on disk and in a storage. The engine is a stand-in for Ray."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cluster_work import CopyWork
from standout.cluster import manifest as manifest_module
from standout.cluster.engines import ClusterLost, in_this_process
from standout.cluster.manifest import MANIFEST_NAME, Manifest
from standout.cluster.options import ClusterOptions
from standout.cluster.photo import Photo, Row
from standout.cluster.process import process_on_cluster
from standout.cluster.step import Step
from standout.cluster.storage import Place
from standout.errors import InputError, OutputError, StandoutError
from standout.folder.options import FolderOptions
from standout.folder.process import process_folder
from standout.folder.report import FolderReport
from standout.imaging.encode import encode
from standout.work.journal import JOURNAL_NAME

PHOTOS = ("a.jpg", "a.webp", "b.png", "sub/a.jpg", "sub/broken.jpg")


@pytest.fixture(params=["disk", "memory"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Place, Place]:
    root = str(tmp_path) if request.param == "disk" else f"memory://{tmp_path.name}"
    source = Place(f"{root}/in")
    for name in (*PHOTOS, "notes.txt", ".hidden.jpg"):
        source.write(name, name.encode())
    return source, Place(f"{root}/out")


def run(source: Any, target: Any, work: CopyWork | None = None, **options: Any) -> FolderReport:
    retry = options.pop("retry_failed", False)
    options.setdefault("engine", in_this_process)
    return process_on_cluster(
        getattr(source, "address", source), getattr(target, "address", target), work=work or CopyWork(),
        options=FolderOptions(recursive=options.pop("recursive", True)),
        cluster=ClusterOptions(retry_failed=retry), **options,
    )  # fmt: skip


def rows_of(target: Place) -> list[dict[str, Any]]:
    """What anybody reads: the folder of Parquet files as one table."""
    fs, path = fsspec.core.url_to_fs(f"{target.address}/{MANIFEST_NAME}")
    return sorted(pq.read_table(path, filesystem=fs).to_pylist(), key=lambda row: row["path"])


def counts(report: FolderReport) -> tuple[int, ...]:
    return tuple(report.count(status) for status in ("done", "unchanged", "failed", "pending"))


def test_names_and_folders_are_kept_and_each_photo_has_one_row(places: tuple[Place, Place]) -> None:
    source, target = places
    told: list[tuple[int, int]] = []
    report = run(source, target, progress=lambda _, ended, total: told.append((ended, total)))
    assert counts(report) == (4, 0, 1, 0) and told == [(n, 5) for n in range(1, 6)]
    assert report.skipped == {"hidden": 1, "other files": 1}
    for photo, output in (("a.jpg", "a.png"), ("a.webp", "a-webp.png"), ("b.png", "b.png"), ("sub/a.jpg", "sub/a.png")):
        assert target.read(output).decode() == photo
    rows = rows_of(target)
    assert [row["path"] for row in rows] == sorted(PHOTOS)
    assert list(rows[0])[:9] == ["path", "status", "reason", "found_person", "width", "height", "model", "sha256", "ms"]
    assert [row["status"] for row in rows] == ["done"] * 4 + ["failed"]
    assert rows[4]["reason"] == "`sub/broken.jpg` is broken."
    assert json.loads(report.to_json())["counts"] == {"done": 4, "unchanged": 0, "failed": 1, "pending": 0}


def test_without_recursive_folders_are_left_out_and_counted(places: tuple[Place, Place]) -> None:
    report = run(*places, recursive=False)
    assert sorted(report.results) == ["a.jpg", "a.webp", "b.png"]
    assert report.skipped["folders (--recursive looks into them)"] == 1


def test_the_same_call_goes_on_where_it_stopped(places: tuple[Place, Place], tmp_path: Path) -> None:
    work, stop = CopyWork(log=str(tmp_path / "log")), threading.Event()

    def stop_after_two(_: object, ended: int, __: int) -> None:
        if ended == 2:
            stop.set()

    assert counts(run(*places, work, stop=stop, progress=stop_after_two)) == (2, 0, 0, 3)
    assert len(rows_of(places[1])) == 2
    assert counts(run(*places, work)) == (2, 2, 1, 0)
    assert counts(run(*places, work)) == (0, 4, 1, 0), "what failed is left, and told"
    begun = Path(work.log).read_text().splitlines()
    assert sorted(begun) == sorted(PHOTOS), "nothing twice"
    assert [row["path"] for row in rows_of(places[1])] == sorted(PHOTOS)


def test_retry_failed_replaces_the_row(places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch) -> None:
    run(*places)
    monkeypatch.setattr(CopyWork, "_do", lambda self, photo, data: CopyWork._mended(photo, data), raising=False)
    from standout.cluster.photo import Product

    monkeypatch.setattr(
        CopyWork, "_mended", lambda photo, data: Product({photo.output: data}, True, (1, 1)), raising=False
    )
    assert counts(run(*places)) == (0, 4, 1, 0)
    assert counts(run(*places, retry_failed=True)) == (1, 4, 0, 0)
    rows = rows_of(places[1])
    assert [row["path"] for row in rows] == sorted(PHOTOS) and {row["status"] for row in rows} == {"done"}


def test_what_changed_is_done_again_under_its_name(places: tuple[Place, Place]) -> None:
    source, target = places
    run(source, target)
    source.write("a.webp", b"another picture")
    target.remove("b.png")
    assert counts(run(source, target)) == (2, 2, 1, 0)
    assert target.read("a-webp.png") == b"another picture"
    assert counts(run(source, target, CopyWork(fingerprint="another look"))) == (4, 0, 1, 0)
    assert [row["path"] for row in rows_of(target)] == sorted(PHOTOS)


def test_outputs_may_lie_in_the_source_but_not_be_it(places: tuple[Place, Place]) -> None:
    source, _ = places
    inside = Place(f"{source.address}/cutouts")
    run(source, inside)
    assert counts(run(source, inside)) == (0, 4, 1, 0)
    other = Place(f"{source.address}-other")
    assert counts(run(source, other)) == (4, 0, 1, 0), "cut-outs of another run are no input"
    with pytest.raises(OutputError, match="a folder of their own"):
        run(source, source)
    with pytest.raises(InputError, match=r"doesn't exist|nothing at"):
        run(f"{source.address}/missing", other)


def test_two_runs_into_one_place_are_refused(places: tuple[Place, Place]) -> None:
    def second(step: Step, photos: Sequence[Photo]) -> Iterator[list[Row]]:
        with pytest.raises(OutputError, match="Another run of Standout is at work"):
            run(*places)
        return in_this_process(step, photos)

    assert counts(run(*places, engine=second)) == (4, 0, 1, 0)


def test_what_the_engine_loses_is_begun_anew_and_counted_once(places: tuple[Place, Place]) -> None:
    rounds = []

    def loses(step: Step, photos: Sequence[Photo]) -> Iterator[list[Row]]:
        rounds.append(len(photos))
        yield step(photos[:2])
        yield step(photos[:1])  # a batch that was done again
        if len(rounds) < 3:
            raise ClusterLost("a machine is gone")

    assert counts(run(*places, engine=loses)) == (4, 0, 1, 0)
    assert rounds == [5, 3, 1]
    assert [row["path"] for row in rows_of(places[1])] == sorted(PHOTOS)


def test_a_cluster_that_does_nothing_is_given_up(places: tuple[Place, Place]) -> None:
    def dead(step: Step, photos: Sequence[Photo]) -> Iterator[list[Row]]:
        raise ClusterLost("no machine is left")
        yield []

    with pytest.raises(StandoutError, match=r"can't go on with 5 photos: no machine is left; what is done is kept"):
        run(*places, engine=dead)


@pytest.mark.parametrize("ending", [".txt", ".parquet"])
def test_a_list_of_paths(places: tuple[Place, Place], ending: str, tmp_path: Path) -> None:
    source, target = places
    whole = f"{source.address}/b.png"
    paths = ["a.jpg", "sub/a.jpg", "a.jpg", "missing.jpg", whole]
    if ending == ".txt":
        source.write("list.txt", ("# photos\n" + "\n".join(paths) + "\n\n").encode())
    else:
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.table({"path": paths}), buffer)
        source.write("list.parquet", buffer.getvalue().to_pybytes())
    report = run(f"{source.address}/list{ending}", target)
    assert counts(report) == (3, 0, 1, 0) and report.skipped == {"named twice in the list": 1}
    kept = whole.split("://")[-1].lstrip("/")
    assert target.read(kept).decode() == "b.png" and target.read("sub/a.png").decode() == "sub/a.jpg"
    assert counts(run(f"{source.address}/list{ending}", target)) == (0, 3, 1, 0)
    source.write("climbs.txt", b"../other/a.jpg")
    with pytest.raises(InputError, match=r"must not climb"):
        run(f"{source.address}/climbs.txt", target)


@pytest.mark.slow
def test_it_goes_on_where_standout_folder_stopped_and_the_other_way_round(
    tmp_path: Path, model_file: Path, bright_person: Any
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    options = FolderOptions(model=str(model_file), workers=1)
    (source / "a.png").write_bytes(encode(bright_person))
    process_folder(source, target, options=options)
    (source / "b.png").write_bytes(encode(bright_person))
    report = process_on_cluster(source, target, options=options, engine=in_this_process)
    assert counts(report) == (1, 1, 0, 0) and (target / JOURNAL_NAME).exists()
    assert [row["path"] for row in rows_of(Place(target))] == ["a.png", "b.png"]
    assert counts(process_folder(source, target, options=options)) == (0, 2, 0, 0)


def test_the_manifest_is_written_as_the_job_goes(places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_module, "_ROWS_PER_WRITE", 2)
    monkeypatch.setattr(manifest_module, "_SECONDS_PER_WRITE", 1e9)
    monkeypatch.setattr(manifest_module, "_LEAST_S", 1e9)
    seen = []

    def look(_: object, ended: int, __: int) -> None:
        seen.append(len(rows_of(places[1])) if ended >= 3 else 0)

    run(*places, progress=look)
    assert seen == [0, 0, 3, 3, 5]
    fs, path = fsspec.core.url_to_fs(f"{places[1].address}/{MANIFEST_NAME}")
    assert len(fs.ls(path, detail=False)) == 1, "small files are joined in the end"


def test_a_run_killed_while_joining_leaves_no_photo_twice(places: tuple[Place, Place]) -> None:
    _, target = places
    run(*places)
    joined = next(entry.path for entry in target.entries(MANIFEST_NAME, recursive=False))
    target.write(f"{MANIFEST_NAME}/part-00000099.parquet", target.read(joined))
    assert len(rows_of(target)) == 10
    assert counts(run(*places)) == (0, 4, 1, 0)
    assert [row["path"] for row in rows_of(target)] == sorted(PHOTOS)


def test_another_sources_rows_stay(places: tuple[Place, Place]) -> None:
    source, target = places
    run(source, target)
    run(f"{source.address}/sub", target)
    assert len(rows_of(target)) == 7
    assert Manifest(target, f"{source.address}/sub").known.keys() == {"a.jpg", "broken.jpg"}


def test_what_is_no_manifest_is_not_touched(places: tuple[Place, Place]) -> None:
    places[1].write(f"{MANIFEST_NAME}/mine.parquet", b"precious")
    with pytest.raises(OutputError, match="must be part of a manifest of Standout"):
        run(*places)
    assert places[1].read(f"{MANIFEST_NAME}/mine.parquet") == b"precious"


def test_credentials_are_nowhere(
    places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source, target = places
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")

    def careless(self: CopyWork, photo: Photo, data: bytes) -> None:
        raise OSError(f"https://me:pass-word@host/{photo.path}?sig=abcdef denied to wJalrXUtnFEMI")

    monkeypatch.setattr(CopyWork, "_do", careless)
    with caplog.at_level(logging.DEBUG):
        report = run(source, target)
    everything = report.to_json() + report.to_csv() + caplog.text + repr(rows_of(target))
    assert "denied to ***" in everything
    for secret in ("pass-word", "abcdef", "wJalrXUtnFEMI"):
        assert secret not in everything


def test_watching_does_what_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standout.cluster.process.LOOK_EVERY_S", 0.05)
    source, stop = tmp_path / "in", threading.Event()
    source.mkdir()
    (source / "a.jpg").write_bytes(b"first")

    def progress(outcome: Any, ended: int, total: int) -> None:
        if ended == 1:
            (source / "b.jpg").write_bytes(b"second")
        else:
            stop.set()

    report = process_on_cluster(
        source, tmp_path / "out", stop=stop, watch=True, work=CopyWork(), engine=in_this_process, progress=progress
    )
    assert counts(report) == (2, 0, 0, 0) and (tmp_path / "out" / "b.png").read_bytes() == b"second"


def test_a_watch_that_retries_what_failed_does_so_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standout.cluster.process.LOOK_EVERY_S", 0.02)
    source, stop, work = tmp_path / "in", threading.Event(), CopyWork(log=str(tmp_path / "log"))
    source.mkdir()
    (source / "broken.jpg").write_bytes(b"x")
    assert counts(run(source, tmp_path / "out", work)) == (0, 0, 1, 0)
    threading.Timer(1.5, stop.set).start()
    retry = ClusterOptions(retry_failed=True)
    report = process_on_cluster(
        source, tmp_path / "out", stop=stop, watch=True, work=work, engine=in_this_process, cluster=retry
    )
    assert counts(report) == (0, 0, 1, 0)
    assert Path(work.log).read_text().split() == ["broken.jpg"] * 2
