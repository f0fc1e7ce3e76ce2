"""`standout page`: the browser page as files."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest

from standout import page
from standout.cli import run
from standout.errors import InputError, OutputError


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that holds a small page."""
    package = tmp_path / "package"
    assets = package / "server" / "page" / "assets"
    assets.mkdir(parents=True)
    (assets / "index-1.js").write_text("1")
    (assets.parent / "index.html").write_text("<title>Standout</title>")
    monkeypatch.setattr(importlib.resources, "files", lambda _: package)
    return package


def test_it_is_written_and_renewed(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(["page", str(out)]) == 0
    assets = built / "server" / "page" / "assets"
    (assets / "index-1.js").rename(assets / "index-2.js")
    assert page.write_page(out).files == 2
    names = sorted(file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file())
    assert names == [".nojekyll", "assets/index-2.js", "index.html"]


def test_a_folder_of_somebody_else_is_left_alone(built: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text("<title>My shop</title>")
    with pytest.raises(OutputError, match="nothing was written"):
        page.write_page(other)
    assert (other / "index.html").read_text() == "<title>My shop</title>"
    with pytest.raises(OutputError, match="is a file"):
        page.write_page(other / "index.html")


def test_an_installation_without_the_page_says_what_is_missing(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (built / "server" / "page" / "index.html").unlink()
    with pytest.raises(InputError, match="make web"):
        page.write_page(tmp_path / "out")
    assert run(["page", str(tmp_path / "out")]) == 2
    assert "Node" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
