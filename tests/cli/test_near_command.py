"""A misspelt command is told as one, not as a missing photo."""

from __future__ import annotations

from pathlib import Path

import pytest

from standout.cli import _near_command, run


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["viedo", "in.mp4", "-o", "out.mp4"], "video"), (["trian", "data"], "train"), (["Folder", "a", "b"], "folder"),
        (["idphoto", "a.jpg"], "id-photo"), (["benchmrk"], "benchmark"), (["photos", "a.jpg"], "photo"),
    ],
)  # fmt: skip
def test_the_near_command_is_offered(words: list[str], near: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    error = capsys.readouterr().err
    assert f"did you mean `standout {near}`?" in error and error.count("\n") == 1


def test_what_may_be_a_photo_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _near_command("trian")
    (tmp_path / "trian").touch()
    for word in ("trian", "photo.jpg", "folder/photo", "-", "--background", "portrait", "DSC0001"):
        assert _near_command(word) == ""
