"""The journal believes only what was written whole, and only one run at a time."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from pathlib import Path

import pytest

from standout.errors import OutputError
from standout.work.journal import JOURNAL_NAME, Journal, Record

RECORD = Record("/in", "a.jpg", 10, 123, "a.png", 20, "r")


def other(photo: str, **changes: object) -> Record:
    return dataclasses.replace(RECORD, source=photo, **changes)


def test_what_was_added_is_found_again_and_the_last_word_counts(tmp_path: Path) -> None:
    newer = dataclasses.replace(RECORD, fingerprint="s")
    with Journal(tmp_path) as journal:
        journal.add(RECORD)
        journal.add(other("sub/\udcff.jpg"))  # a name that is no UTF-8
        journal.add(newer)
    with Journal(tmp_path) as journal:
        assert list(journal) == [newer, other("sub/\udcff.jpg")]
        assert journal.find("/in", "a.jpg", 10, 123) == newer
        assert journal.find("/in", "b.jpg", 10, 123) is None


def test_every_way_to_cut_the_last_line_short_loses_that_line_alone(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.add(RECORD)
        first = (tmp_path / JOURNAL_NAME).stat().st_size
        journal.add(other("b.jpg"))
    whole = (tmp_path / JOURNAL_NAME).read_bytes()
    for length in range(first + 1, len(whole) - 1):
        (tmp_path / JOURNAL_NAME).write_bytes(whole[:length])
        with Journal(tmp_path) as journal:
            assert list(journal) == [RECORD]
            journal.add(other("c.jpg"))
        with Journal(tmp_path) as journal:
            assert list(journal) == [RECORD, other("c.jpg")]


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe", b"[]", b"{}", b'{"folder": 1}', json.dumps(dataclasses.asdict(RECORD) | {"size": "10"}).encode(),
     json.dumps(dataclasses.asdict(RECORD) | {"target": "../a.jpg"}).encode(),
     json.dumps(dataclasses.asdict(RECORD) | {"target": "/etc/passwd"}).encode()],
)  # fmt: skip
def test_lines_that_are_none_of_ours_are_passed_over(tmp_path: Path, line: bytes) -> None:
    (tmp_path / JOURNAL_NAME).write_bytes(line + b"\n")
    with Journal(tmp_path) as journal:
        assert list(journal) == []


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(OutputError, match="Another run of Standout is at work"):
        Journal(tmp_path)
    with Journal(tmp_path):
        pass


def test_a_folder_that_was_moved_is_known_again_and_another_card_isnt_taken_for_it(tmp_path: Path) -> None:
    card, moved = tmp_path / "card", tmp_path / "moved"
    record = dataclasses.replace(RECORD, folder=str(card))
    with Journal(tmp_path) as journal:
        journal.add(record)
        assert journal.find(str(moved), "a.jpg", 10, 123) == record
        assert journal.find(str(moved), "a.jpg", 10, 124) is None
        card.mkdir()
        (card / "a.jpg").touch()
        assert journal.find(str(moved), "a.jpg", 10, 123) is None


def test_a_full_disk_loses_the_new_line_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with Journal(tmp_path) as journal:
        journal.add(RECORD)
        monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:30]))
        with pytest.raises(OSError, match="No space") as caught:
            journal.add(other("b.jpg"))
        assert caught.value.errno == errno.ENOSPC
        monkeypatch.setattr(os, "write", write)
        journal.add(other("c.jpg"))
        assert list(journal) == [RECORD, other("c.jpg")]
    with Journal(tmp_path) as journal:
        assert list(journal) == [RECORD, other("c.jpg")]


def test_a_folder_that_cant_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(OutputError, match="can't be written to: Read-only file system"):
        Journal(tmp_path)
