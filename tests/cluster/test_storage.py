"""Places on disk and behind URLs: whole or absent, and no credentials in messages."""

from __future__ import annotations

import os
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from standout.cluster.storage import Place, redact
from standout.errors import ConfigError, InputError, OutputError


@pytest.fixture(params=["disk", "file", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    address = {"disk": str(tmp_path), "file": tmp_path.as_uri(), "memory": f"memory://{tmp_path.name}"}[request.param]
    return Place(address)


def test_what_is_written_can_be_read_listed_and_removed(place: Place) -> None:
    place.write("sub/a.txt", b"hello")
    place.write("b.txt", b"")
    assert place.read("sub/a.txt") == b"hello"
    assert sorted((entry.path, entry.size) for entry in place.entries()) == [("b.txt", 0), ("sub/a.txt", 5)]
    assert sorted(entry.path for entry in place.entries(recursive=False)) == ["b.txt", "sub/"]
    assert all(entry.changed for entry in place.entries())
    again = pickle.loads(pickle.dumps(place))
    again.remove("b.txt")
    again.remove("b.txt")
    assert not place.exists("b.txt") and place.exists("sub/a.txt")
    with pytest.raises(InputError, match=r"no file .*b\.txt"):
        place.read("b.txt")
    with pytest.raises(InputError, match="at most 4 bytes; received 5"):
        place.read("sub/a.txt", max_bytes=4)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OutputError, match="No space left"):
        place.write("sub/a.txt", b"hello")
    assert list((tmp_path / "sub").iterdir()) == []


def test_where_files_are_not_objects_they_are_renamed_into_place(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.folder, place._protocols = None, {"sftp"}  # as a storage of files that isn't this disk
    place.write("sub/a.txt", b"hello")
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["a.txt"]


def test_one_place_in_another(tmp_path: Path) -> None:
    assert Place(tmp_path).holds(Place(tmp_path / "out")) == "out"
    assert Place(tmp_path).holds(Place(tmp_path)) == ""
    assert Place(tmp_path / "out").holds(Place(tmp_path)) is None
    assert Place("memory://a").holds(Place("memory://a/b")) == "b"
    assert Place("memory://a").holds(Place("memory://ab")) is None
    assert Place("memory://a").holds(Place("/a/b")) is None


def test_a_storage_that_nobody_knows_is_refused_in_a_sentence() -> None:
    with pytest.raises(ConfigError, match=r"URL of a storage that fsspec knows: .*nowhere"):
        Place("nowhere://me:secret@host/x")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("sftp://me:word@host/a is missing", "sftp://***@host/a is missing"),
        (
            "https://h/a?X-Amz-Credential=AK/2&X-Amz-Signature=abc`.",
            "https://h/a?X-Amz-Credential=***&X-Amz-Signature=***`.",
        ),
        ("az://c/a?sig=a%2Bb&sv=2", "az://c/a?sig=***&sv=2"),
        ("s3://bucket/me@home/a.jpg", "s3://bucket/me@home/a.jpg"),
        ("no key in wJalrXUtnFEMI", "no key in ***"),
    ],
)
def test_no_credentials_in_messages(text: str, safe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    assert redact(text) == safe


def test_of_two_who_make_a_file_at_the_same_time_one_has_made_it(place: Place) -> None:
    made: list[bool] = []
    writers = [
        threading.Thread(target=lambda number=number: made.append(place.create("sub/a.json", b"%d" % number)))
        for number in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(made) == [False] * 7 + [True]
    assert place.names("sub") == ["sub/a.json"] and place.names("nowhere") == []
    place.remove("sub/a.json")
    assert place.create("sub/a.json", b"again") and place.read("sub/a.json") == b"again"


def test_a_storage_without_conditions_has_one_winner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(f"memory://{tmp_path.name}-plain")
    pipe = type(place._fs).pipe_file

    def refuse_conditions(self: Any, path: str, data: bytes, mode: str = "overwrite") -> None:
        if mode != "overwrite":
            raise NotImplementedError("If-None-Match")
        pipe(self, path, data)

    monkeypatch.setattr(type(place._fs), "pipe_file", refuse_conditions)
    assert place.create("a.json", b"mine") and not place.create("a.json", b"yours")
    assert place.read("a.json") == b"mine"
