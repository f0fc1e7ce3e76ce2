"""A video behind the people: whatever goes wrong at its beginning, its file is closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from standout.errors import InputError
from standout.video import loop as module
from standout.video.loop import VideoLoop


class FakeReader:
    """`VideoReader` of a film without a frame, or with a broken one."""

    made: list[FakeReader] = []

    def __init__(self, path: object) -> None:
        self.path, self.closed = path, False
        self.made.append(self)

    def __iter__(self) -> Iterator[Any]:
        if self.path == "broken.mp4":
            raise InputError("the film is broken")
        return iter(())

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("name", "says"), [("empty.mp4", "No frame"), ("broken.mp4", "the film is broken")])
def test_a_film_whose_first_frame_fails_is_closed(name: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VideoReader", FakeReader)
    monkeypatch.setattr(FakeReader, "made", [])
    with pytest.raises(InputError, match=says):
        VideoLoop(name, lambda frame: frame)
    assert [reader.closed for reader in FakeReader.made] == [True]
