"""Each `standout …` on a page is taken by the command line, and what needs no camera, server or cluster is run."""

from __future__ import annotations

import glob
import importlib.util
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

from kits import write_nobody, write_pairs
from standout.cli import COMMANDS
from standout.cli import run as command

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])
#: What is raised where an argument isn't taken: click's, or the copy of it that Typer brings.
_Refused = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)

#: What isn't run here, by a word of the line. The pages' other tests, and the tests of the commands, do it.
LEFT_OUT = {
    "train", "export", "label",  # TensorFlow, and networks of others: tests/workshop
    "serve", "webcam", "--watch",  # they end when they are told to: tests/server, tests/webcam, tests/folder
    "--cluster", "--device",  # Ray; hardware that isn't here
    "page",  # `make web` builds it: tests/web
    "benchmark", "info",  # half a minute each: tests/cli
    "RUN", "OUT",  # of a run that nobody made
    "mine.onnx", "club.toml",
}  # fmt: skip


def blocks(page: Path) -> list[str]:
    """Lines of code of a page, as somebody copies them."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    lines = [line for code in _FENCE.findall(text) for line in code.splitlines()]
    return [line.strip() for line in [*lines, *re.findall(r"^    (standout .*)$", text, re.MULTILINE)]]


def spoken(page: Path) -> list[str]:
    """What stands in backticks within the text: sometimes a command without its arguments."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    return re.findall(r"`(standout [^`\n]*)`", text)


def words_of(line: str) -> list[str]:
    """The arguments of `standout`; without what the shell takes: comments, pipes, files for the streams, `&`."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>&")
    lexer.whitespace_split = True
    lexer.commenters = "#" if " #" in line else ""
    words: list[str] = []
    tokens = iter(lexer)
    for token in tokens:
        if token in ("|", "&", "&&"):
            break
        if token in ("<", ">"):
            next(tokens)
        else:
            words.append(token)
    return words[1:]


def commands_of(page: Path) -> list[str]:
    """The commands of a page's blocks, and those in its text that say where the result goes."""
    whole = [words for words in spoken(page) if " -o " in words]
    lines = [line for line in [*blocks(page), *whole] if line.startswith("standout ")]
    return [line for line in lines if "[" not in line]  # a synopsis


def parser(words: list[str]) -> tuple[Any, list[str]]:
    name = words[0] if words[0] in COMMANDS else "photo"
    parsed = typer.main.get_command(importlib.import_module(COMMANDS[name].module).app)
    return parsed, words[1:] if words[0] in COMMANDS else words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_on_a_page_is_taken(page: Path) -> None:
    for line in commands_of(page):
        parsed, words = parser(words_of(line))
        try:
            parsed.make_context("standout", list(words))
        except typer.Exit:
            pass  # --help and its kind
        except _Refused as error:
            pytest.fail(f"`{line}`: {error}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_option_in_the_text_exists(page: Path) -> None:
    lines = [*spoken(page), *(line for line in blocks(page) if line.startswith("standout ") and "[" in line)]
    for line in lines:
        words = [word.strip("[]") for word in words_of(line)]
        if words[0] in ("COMMAND", "--help", "--version", "help"):
            continue
        parsed, words = parser(words)
        known = {"--help"} | {word for param in parsed.params for word in (*param.opts, *param.secondary_opts)}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= known, f"`{line}` has {', '.join(sorted(used - known))}"


def test_a_wrong_command_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for wrong in (
        "standout photo.jpg --backgroud white",
        "standout folder photos",
        "standout photo.jpg --feather soft",
    ):
        page.write_text(f"```sh\n{wrong}  # so\n```\n", "utf-8")
        with pytest.raises(pytest.fail.Exception):
            test_every_command_on_a_page_is_taken(page)
    assert words_of("standout - -o - < in.jpg > out.png   # a pipe") == ["-", "-o", "-"]
    assert words_of("standout a.jpg -b '#0a84ff' | ffplay -") == ["a.jpg", "-b", "#0a84ff"]


def world(folder: Path) -> None:
    """The files that the pages' commands name."""
    from clips import make_clip

    portrait = str(files("standout") / "assets" / "astronaut.jpg")
    for place in ("photo.jpg", "in.jpg", "photos/a.jpg", "photos/more/b.jpg"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(portrait, folder / place)
    for name in ("meadow.jpg", "beach.jpg", "office.jpg"):
        Image.fromarray(np.full((48, 64, 3), (90, 140, 90), np.uint8)).save(folder / name)
    for name in ("films", "cutouts"):
        (folder / name).mkdir()
    for name in ("in.mp4", "extra.mp4", "waves.mp4", "films/a.mp4"):
        make_clip(folder / name, 90 if name == "in.mp4" else 3)  # pages cut a part out of the first
    for name in ("DATA", "VAL"):
        write_pairs(folder / name / "people", 12)
        write_nobody(folder / name / "nobody", 4)


def runs(line: str) -> bool:
    return not LEFT_OUT & set(words_of(line)) and "s3://" not in line


def test_each_picture_of_the_gallery_has_the_command_that_makes_it() -> None:
    spec = importlib.util.spec_from_file_location("photo_pictures", ROOT / "tools" / "photo_pictures.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    made = set(tool.pictures_and_commands()) | {"photo.jpg"}
    assert made == {path.name for path in (ROOT / "docs" / "pictures" / "photos").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(map(runs, commands_of(page)))], ids=lambda page: page.stem
)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other in one folder, as somebody types them who reads the page."""
    pytest.importorskip("av")
    world(tmp_path)
    monkeypatch.chdir(tmp_path)
    if page.name == "data.md":
        pytest.skip("test_the_page_on_data_runs types it, with what stands between the commands")
    for line in filter(runs, commands_of(page)):
        if re.search(r"[|<>]", line):
            shell = line.replace("standout ", f"{shlex.quote(sys.executable)} -m standout ").replace(
                "ffplay -", "cat > shown"
            )
            done = subprocess.run(["bash", "-o", "pipefail", "-c", shell], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"`{line}`: {done.stderr}"
            continue
        words = [found for word in words_of(line) for found in (glob.glob(word) if "*" in word else [word])]
        assert command(words) in ((0, 1) if words[0] == "audit" else (0,)), line
        if "-o" in words and (target := words[words.index("-o") + 1]) != "-":
            assert os.path.exists(target), f"`{line}` wrote no {target}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["photos", "id-photo", "video", "devices", "server"])
def test_the_python_of_a_page_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Block after block, as somebody copies them; `frame` and `alpha` are whatever the reader has."""
    pytest.importorskip("av")
    world(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    known = {"frame": np.zeros((48, 64, 3), np.uint8), "alpha": np.ones((48, 64), np.float32)}
    blocks_of_python = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert blocks_of_python
    for code in blocks_of_python:
        exec(compile(code, f"{name}.md", "exec"), known)


@pytest.mark.slow
def test_the_first_lines_about_the_server_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`standout serve`, and what curl asks of it, at a free port instead of 7000."""
    if not shutil.which("curl"):
        pytest.skip("there is no curl here")
    world(tmp_path)
    monkeypatch.chdir(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    lines = [line.replace(":7000", f":{port}") for line in blocks(ROOT / "docs" / "server.md")]
    asked = [line for line in lines if line.startswith("curl ") and "-F image=" in line]
    assert len(asked) == 2 and "standout serve" in {line.partition("#")[0].strip() for line in lines}
    server = subprocess.Popen([sys.executable, "-m", "standout", "serve", "--port", port], stderr=subprocess.DEVNULL)
    try:
        for line in asked:
            words = shlex.split(
                line.replace("curl ", "curl --silent --fail --retry 60 --retry-delay 1 --retry-connrefused ", 1)
            )
            assert subprocess.run(words, check=False).returncode == 0, line
            with Image.open(words[words.index("-o") + 1]) as made:
                assert made.size == (512, 512), line
    finally:
        server.terminate()
        server.wait(30)
