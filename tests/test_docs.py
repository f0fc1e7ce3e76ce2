"""The site builds without a warning, loads nothing from elsewhere, and says what the code and the model say."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

import standout
from standout.cli import COMMANDS
from standout.cli import run as command
from standout.workshop.config import load_config

pytest.importorskip("mkdocs")

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def fences(page: Path, language: str) -> list[str]:
    """The blocks of code of a page in one language."""
    return [code for name, code in _FENCE.findall(page.read_text("utf-8")) if name == language]


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch):
    """Imports a module of docs/hooks."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "hooks"))
    return importlib.import_module


# ---- what is written


def table(page: Path, heading: str) -> dict[str, dict[str, str]]:
    """The first table below a heading: first cell of a row -> heading of a column -> cell."""
    lines = page.read_text("utf-8").split(f"\n{heading}\n", 1)[1].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in itertools.takewhile(lambda line: line.startswith("|"), lines[first:])
    ]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


def test_the_readme_compares_with_the_figures_of_the_page_on_benchmarks() -> None:
    told = table(ROOT / "README.md", "## Against others")
    assert len(told) >= 5
    measured = table(ROOT / "docs/benchmark.md", "## Against others")
    hair = table(ROOT / "docs/benchmark.md", "## Hair")
    of_hair = {"Standout photo": "photo, finished cut-out", "Standout live": "live"}
    for network, cells in told.items():
        for column, cell in cells.items():
            if column == "hair: error":
                row = hair.get(of_hair.get(network, network), {})
                there = [value for name, value in row.items() if name.startswith("composites")]
                assert cell.strip("*") == (there[0].split(",")[0].strip("*") if there else "–"), network
            else:
                assert cell == measured.get(network, {}).get(column, "–"), f"{network}, {column}"


def test_the_russian_readme_has_the_same_figures() -> None:
    english = table(ROOT / "README.md", "## Against others")
    russian = table(ROOT / "README.ru.md", "## Рядом с другими")
    assert [[cell.replace(",", ".") for cell in row.values()] for row in russian.values()] == [
        list(row.values()) for row in english.values()
    ]


def test_pages_for_users_talk_about_the_product() -> None:
    """What was promised to whom belongs into issues, what was decided into decisions.md."""
    for page in PAGES:
        if page.stem not in ("decisions", "training-log", "attacks"):
            found = re.search(r"(?i)\b(promises?|promised|run by us|let go)\b", page.read_text("utf-8"))
            assert not found, f"{page.name}: {found[0]}"


def test_the_russian_quick_start_has_the_same_code() -> None:
    for language in ("sh", "python"):
        english = fences(ROOT / "docs" / "quick-start.md", language)
        russian = fences(ROOT / "docs" / "ru" / "quick-start.md", language)
        assert english and [code for code in english if code not in russian] == []


@pytest.mark.slow
def test_the_quick_start_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "docs" / "quick-start.md"
    monkeypatch.chdir(tmp_path)
    shutil.copy(str(files("standout") / "assets" / "astronaut.jpg"), "photo.jpg")
    lines = [line for code in fences(page, "sh") for line in code.splitlines() if line.startswith("standout photo.jpg")]
    ran = [line for line in lines if "mine.onnx" not in line]
    assert len(ran) == 5
    for line in ran:
        assert command(shlex.split(line)[1:]) == 0, line
    for code in fences(page, "python"):
        exec(compile(code, str(page), "exec"), {})
    for name in ("photo.standout.png", "cropped.png", "alpha.png", "person.png", "on-white.jpg"):
        assert (tmp_path / name).stat().st_size > 1000, name


def test_the_page_on_data_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line, as somebody types it."""
    monkeypatch.chdir(tmp_path)
    (block,) = fences(ROOT / "docs" / "data.md", "sh")
    for line in block.splitlines():
        words = shlex.split(line)
        if words[0] == "standout":
            assert command(words[1:]) == 0, line
        else:
            subprocess.run(words, check=True)
    assert (tmp_path / "pairs" / "cutouts" / "masks" / "astronaut.standout.png").is_file()


@pytest.mark.slow
def test_the_step_runs_on_dask_as_the_page_on_clusters_says(tmp_path: Path) -> None:
    pytest.importorskip("dask.dataframe", reason="needs `pip install 'dask[dataframe]'`")
    (code,) = (code for code in fences(ROOT / "docs" / "cluster.md", "python") if "dask" in code)
    (tmp_path / "example.py").write_text(code, "utf-8")
    (tmp_path / "photos").mkdir()
    shutil.copy(str(files("standout") / "assets" / "astronaut.jpg"), tmp_path / "photos" / "a.jpg")
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cutouts" / "a.png").stat().st_size > 1000
    assert list((tmp_path / "cutouts-manifest").glob("*.parquet"))


def test_the_figure_is_drawn_from_the_recipe(hooks) -> None:
    figure = hooks("figure")
    drawn = figure.architecture(load_config(ROOT / "recipes" / "photo.toml").model)
    assert drawn == figure.FILE.read_text("utf-8"), "run `python docs/hooks/figure.py`"


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "SECURITY.md", "docs/code.md", "docs/decisions.md", "docs/how-it-works.md"]
)
def test_files_of_the_code_that_a_page_names_exist(page: str) -> None:
    there = [path.as_posix() for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    named = set(re.findall(r"`([\w/]+\.py)\b", (ROOT / page).read_text("utf-8")))
    assert named and [name for name in sorted(named) if not any(path.endswith("/" + name) for path in there)] == []


def test_the_house_is_drawn_from_the_table_of_imports(hooks) -> None:
    house = hooks("house")
    drawn = set(house.rooms()) - {"workshop"}
    assert drawn == set(house.PLACES), "give each room a place in docs/hooks/house.py: PLACES"
    assert house.house(house.rooms()) == house.FILE.read_text("utf-8"), "run `python docs/hooks/house.py`"


# ---- what MkDocs makes of it


def test_links_lead_to_pages_and_files_without_a_page_keep_their_words(hooks) -> None:
    github = hooks("github")
    pages = {"README.md": "index.md", "docs/a.md": "a.md", "docs/ru/b.md": "ru/b.md"}
    text = (
        "[one](../a.md#x) [two](../../README.md) [three](../../src/x.py) [out](https://example.org) `[code](a.md)`\n"
        "[![picture](../a.md)](../a.md)\n```\n[code](../a.md)\n```\n"
    )
    assert github.site_links(text, "docs/ru/b.md", "ru/b.md", pages.get) == (
        "[one](../a.md#x) [two](../index.md) three [out](https://example.org) `[code](a.md)`\n"
        "[![picture](../a.md)](../a.md)\n```\n[code](../a.md)\n```\n"
    )


def test_a_list_needs_no_empty_line_before_it(hooks) -> None:
    github = hooks("github")
    assert github.blank_before_lists("text\n- a\n- b\n") == "text\n\n- a\n- b\n"
    for untouched in ("- a\n  more\n- b\n", "text\n\n1. a\n2. b\n", "```\nx\n- y\n```\n", "# Head\n- a\n"):
        assert github.blank_before_lists(untouched) == untouched


def test_the_navigation_has_every_page_once_and_what_is_named_so_that_a_typo_fails(hooks) -> None:
    site = hooks("site_hooks")
    wanted = [{"A": ["a.md", {"Title": "b.md"}]}, {"B": ["nowhere.md"]}]
    found = site.navigation(wanted, {"a.md", "b.md", "new.md"})
    assert found == [*wanted, {"More": ["new.md"]}]


class Loaded(HTMLParser):
    """Collects what a browser would load of its own accord."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video"):
            self.urls.append(given.get("src") or "")
        elif tag == "link" and given.get("rel") not in ("canonical", "next", "prev", "alternate"):
            self.urls.append(given.get("href") or "")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from a clone's files, with warnings as errors."""
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)],
        cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(built: Path) -> None:
    pages = list(built.rglob("*.html"))
    assert len(pages) > 12
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text("utf-8"))
        assert loaded.urls and [url for url in loaded.urls if re.match(r"(https?:)?//", url)] == [], page.name
    for sheet in built.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", sheet.read_text("utf-8")), sheet.name


@pytest.mark.slow
def test_the_model_card_page_says_what_the_model_says(built: Path) -> None:
    text = (built / "model-card.html").read_text("utf-8")
    card = standout.load().card
    for scores in card.scores.values():
        if "person_iou" in scores:
            assert " … ".join(f"{value:.3f}" for value in scores["person_iou"][1:]) in text
    for line in (*card.limits, *card.data, card.license):
        assert line.partition("'")[0] in text


@pytest.mark.slow
def test_the_site_has_what_is_promised(built: Path) -> None:
    def page(name: str) -> str:
        return (built / name).read_text("utf-8")

    for name in standout.__all__:
        assert name.startswith("__") or f'id="standout.{name}"' in page("api.html"), name
    for name in COMMANDS:
        assert f"standout {name}" in page("commands.html")
    assert "<code>train.lr</code>" in page("settings.html") and "cosine" in page("settings.html")
    assert page("how-it-works.html").count("<math") >= 6 and "architecture.svg" in page("how-it-works.html")
    for notebook in ("use", "train"):
        assert f"{notebook}_pictures/" in page(f"notebooks/{notebook}.html")
    for name in ("ru/index.html", "ru/quick-start.html"):
        assert '<html lang="ru"' in page(name) and "Вырезать" in page("ru/quick-start.html")
    for html in built.rglob("*.html"):
        lost = re.search(r"<(?:p|li)>[^<]*\n\s*[-*] ", html.read_text("utf-8"))
        assert not lost, f"{html.name}: a list was taken for text: {lost and lost[0]}"
