"""The manifest is there when whoever wrote it is not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from standout.cluster import manifest as module
from standout.cluster.manifest import MANIFEST_NAME, Manifest
from standout.cluster.photo import Row
from standout.cluster.storage import Place, read_table


def row(path: str) -> Row:
    return Row(
        path=path, status="done", reason="", found_person=True, width=1, height=1, model="m", sha256="", ms=1.0,
        output=path, notes=[], facts="", folder="in", size=1, changed="1", output_size=1, fingerprint="f",
    )  # fmt: skip


def written(target: Place) -> list[str]:
    """The photos that are in the files now."""
    names = [entry.path for entry in target.entries(MANIFEST_NAME)]
    return sorted(path for name in names for path in read_table(target.read(name)).column("path").to_pylist())


def test_the_first_rows_are_written_at_once(tmp_path: Path) -> None:
    manifest = Manifest(Place(tmp_path), "in")
    manifest.add([row("a"), row("b")])
    assert written(Place(tmp_path)) == ["a", "b"], "a driver that is killed now has lost nothing"
    manifest.close()


def test_a_row_is_written_though_no_other_follows(tmp_path: Path) -> None:
    manifest = Manifest(Place(tmp_path), "in")
    manifest.add([row("a")])
    manifest.add([row("b")])
    until = time.monotonic() + 60
    while written(Place(tmp_path)) != ["a", "b"] and time.monotonic() < until:
        time.sleep(0.1)
    assert written(Place(tmp_path)) == ["a", "b"]
    assert Manifest(Place(tmp_path), "in").known.keys() == {"a", "b"}
    manifest.close()


def test_rows_that_cannot_be_written_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEAST_S", 0.0)
    target = Place(tmp_path)
    manifest = Manifest(target, "in")
    manifest.add([row("a")])
    kept = tmp_path / "kept"
    (tmp_path / MANIFEST_NAME).rename(kept)
    (tmp_path / MANIFEST_NAME).write_bytes(b"in the way")
    with pytest.raises(module.OutputError):
        manifest.add([row("b")])
    (tmp_path / MANIFEST_NAME).unlink()
    kept.rename(tmp_path / MANIFEST_NAME)
    manifest.close()
    assert written(target) == ["a", "b"]
