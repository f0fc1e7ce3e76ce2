"""Whatever a command's standard streams are, it does its work: closed, or of an encoding that lacks characters."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from standout import cli
from standout.cli import COMMANDS, run
from standout.cli.streams import expand_wildcards

PHOTO = str(files("standout") / "assets" / "astronaut.jpg")
#: Commands that print tables or reports; every command prints its help.
PRINTING = (["id-photo", PHOTO, "--spec", "us-visa", "-o", "v.jpg"], ["id-photo", "--list-specs"])


def called(words: list[str], cwd: Path, encoding: str) -> subprocess.CompletedProcess[bytes]:
    env = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    return subprocess.run(
        [sys.executable, "-m", "standout", *words], cwd=cwd, env=env, capture_output=True, timeout=120, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "cp866", "ascii"])
@pytest.mark.parametrize("words", PRINTING, ids=lambda words: words[1])
def test_what_an_encoding_lacks_costs_a_character_and_not_the_output(
    encoding: str, words: list[str], tmp_path: Path
) -> None:
    done = called(words, tmp_path, encoding)
    assert done.returncode == 0, done.stderr.decode(encoding)
    assert len(done.stdout.decode(encoding)) > 100


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_every_help_can_be_redirected(encoding: str, tmp_path: Path) -> None:
    # In one process: each command's import is what takes time.
    code = (
        "import sys; from standout.cli import COMMANDS, run; from standout.cli.streams import open_streams; "
        "open_streams(); sys.exit(max(run(words) for words in [[], *([name, '--help'] for name in COMMANDS)]))"
    )
    env = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(encoding)
    assert done.stdout.decode(encoding).count("Usage") > len(COMMANDS)


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix closes descriptors")
def test_closed_streams_lose_nothing(tmp_path: Path, model_file: Path) -> None:
    command = f'"{sys.executable}" -m standout "{PHOTO}" -m "{model_file}" -o out.png <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path, timeout=60, check=False).returncode == 0
    with Image.open(tmp_path / "out.png") as picture:
        picture.load()
        assert picture.mode == "RGBA"


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix closes descriptors")
def test_a_picture_for_a_closed_standard_output_is_refused(tmp_path: Path, model_file: Path) -> None:
    command = f'"{sys.executable}" -m standout "{PHOTO}" -m "{model_file}" -o - >&-'
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, timeout=60, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Standard output is closed" in done.stderr and "Traceback" not in done.stderr


def test_wildcards_are_expanded_where_no_shell_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.jpg", "a.jpg", "c[1].jpg", "deep/d.jpg"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert expand_wildcards(["[ab].jpg", "-o", "out/"]) == ["a.jpg", "b.jpg", "-o", "out/"]
    assert expand_wildcards(["c[1].jpg"]) == ["c[1].jpg"], "a name that exists goes first"
    assert expand_wildcards(["*.png"]) == ["*.png"], "what fits nothing stays, for the message"
    assert expand_wildcards(["**/d.jpg"]) == [os.path.join("deep", "d.jpg")]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert expand_wildcards(["~/a.jpg"]) == [f"{tmp_path}/a.jpg"]


def test_a_command_on_windows_gets_the_files(tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one.jpg", "two.jpg"):
        Path(name).write_bytes(Path(PHOTO).read_bytes())
    words = ["*.jpg", "-o", "cut/", "-m", str(model_file)]
    Path("cut").mkdir()
    assert run(words) == 2, "a shell of Unix has expanded it already"
    monkeypatch.setattr(cli, "_SHELL_EXPANDS", False)
    assert run(words) == 0
    assert sorted(path.name for path in Path("cut").iterdir()) == ["one.standout.png", "two.standout.png"]


def test_help_names_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "page"]) == 0
    assert "standout page" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "default"),
    [("serve", "one per core, at most 4"), ("augment", "all cores"), ("info", "all bundled"), ("photo", "auto")],
)
def test_help_tells_defaults_that_are_no_values(
    name: str, default: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    assert run([name, "--help"]) == 0
    assert default in capsys.readouterr().out


def test_a_message_names_the_flag_and_not_the_field(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastapi")
    assert run(["serve", "--timeout", "0"]) == 2
    assert "`--timeout` must lie in" in capsys.readouterr().err
