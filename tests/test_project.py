"""What contributors and package registries see: one version, one address, links that lead somewhere."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import standout

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def release() -> ModuleType:
    return load_tool("release")


def load_tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_version_is_told_once(pyproject: dict[str, Any]) -> None:
    assert standout.__version__ == pyproject["project"]["version"]
    version = re.escape(standout.__version__)
    told = [
        file for file in (ROOT / "src").rglob("*.py") if re.search(rf"__version__ = ['\"]{version}", file.read_text())
    ]
    assert told == []


def test_every_link_and_picture_of_the_readme_works_on_pypi(pyproject: dict[str, Any]) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for rule in pyproject["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"].replace("$HFPR_VERSION", "1.0.0"), text)
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert targets and all(target.startswith(("https://", "#")) for target in targets)
    for path in re.findall(r"/v1\.0\.0/([^)#]+)", text):
        assert (ROOT / path).exists(), f"README links {path}, which isn't there"


def test_the_project_has_one_address(pyproject: dict[str, Any]) -> None:
    source = pyproject["project"]["urls"]["Source"].removeprefix("https://github.com/")
    owner = source.split("/")[0]
    for name in ("SECURITY.md", "CITATION.cff", "mkdocs.yml", ".github/ISSUE_TEMPLATE/config.yml", "pyproject.toml"):
        text = (ROOT / name).read_text("utf-8")
        found = set(re.findall(r"(?:github\.com|githubusercontent\.com)/([\w-]+/standout)\b", text))
        assert found == {source}, name
    assert set(re.findall(r"@([\w-]+)/", (ROOT / ".github/CODEOWNERS").read_text("utf-8"))) == {owner}


def test_the_extra_all_has_every_extra_but_those_it_says(pyproject: dict[str, Any]) -> None:
    extras = pyproject["project"]["optional-dependencies"]
    (line,) = extras["all"]
    named = set(line.removeprefix("standout[").removesuffix("]").split(","))
    devices = set(pyproject["tool"].get("standout", {}).get("device-extras", []))
    assert named == set(extras) - {"all", "webcam", "docs", "dev"} - devices


def test_issue_forms_ask_for_what_info_prints() -> None:
    yaml = pytest.importorskip("yaml")
    for name in ("bug.yml", "mask.yml"):
        form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE" / name).read_text("utf-8"))
        assert any("standout info --json" in part["attributes"]["label"] for part in form["body"])


def test_workflows_call_targets_and_files_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for workflow in (ROOT / ".github/workflows").glob("*.yml"):
        text = workflow.read_text("utf-8")
        for target in re.findall(r"\bmake ([a-z-]+)$", text, re.MULTILINE):
            assert re.search(rf"(?m)^{target}:", makefile), f"{workflow.name}: make {target}"
        for script in re.findall(r"python (tools/[\w/]+\.py)", text):
            assert (ROOT / script).is_file(), f"{workflow.name}: {script}"


def test_make_help_lists_every_target_that_has_a_comment() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commented = re.findall(r"(?m)^([a-z-]+):.*  ## ", (ROOT / "Makefile").read_text("utf-8"))
    assert {"demo", "test", "test-fast", "fix", "check", "site"} <= set(commented)
    assert all(f"make {target} " in listed for target in commented)


def test_a_release_needs_tag_version_and_changelog_to_agree(release: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "0.1.0"  # here\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n- A thing.\n")
    (tmp_path / "web").mkdir()
    for name in ("package.json", "package-lock.json"):
        (tmp_path / "web" / name).write_text((ROOT / "web" / name).read_text("utf-8"), "utf-8")
    with pytest.raises(SystemExit, match="must have a section `## 0.1.0"):
        release.check(tmp_path, "v0.1.0")
    release.prepare(tmp_path, "1.0.0", "2026-12-01")
    assert "## Unreleased\n\n## 1.0.0 (2026-12-01)\n\n- A thing." in (tmp_path / "CHANGELOG.md").read_text()
    release.check(tmp_path, "v1.0.0")
    lock = json.loads((tmp_path / "web" / "package-lock.json").read_text("utf-8"))
    assert lock["version"] == lock["packages"][""]["version"] == "1.0.0"
    others = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))["packages"]
    assert {**lock["packages"], "": {}} == {**others, "": {}}, "versions of other packages stay"
    assert release.npm_version("1.2.3rc1") == "1.2.3-rc.1"
    (tmp_path / "web" / "package.json").write_text('{"version": "0.9.0"}', "utf-8")
    with pytest.raises(SystemExit, match="web/package.json must be of version 1.0.0"):
        release.check(tmp_path, "v1.0.0")
    with pytest.raises(SystemExit, match="must be v1.0.0"):
        release.check(tmp_path, "v1.0.1")
    with pytest.raises(SystemExit, match="must look like"):
        release.prepare(tmp_path, "one", "2026-12-01")


def test_every_action_is_pinned_by_its_hash() -> None:
    for workflow in (ROOT / ".github/workflows").glob("*.yml"):
        for action in re.findall(r"uses: (\S+)(.*)", workflow.read_text("utf-8")):
            if not action[0].startswith("./"):
                assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action[0]), f"{workflow.name}: {action[0]}"
                assert re.search(r"# v\d", action[1]), f"{workflow.name}: {action[0]} without its tag"


def test_github_runs_the_tests_of_the_browser() -> None:
    text = (ROOT / ".github/workflows/test.yml").read_text("utf-8")
    whole = text[text.index("  whole:") : text.index("  lowest:")]
    assert "setup-node" in whole and "make web" in whole and "STANDOUT_BROWSER_TESTS: required" in whole


def test_dependabot_watches_all_three_registries() -> None:
    text = (ROOT / ".github/dependabot.yml").read_text("utf-8")
    assert set(re.findall(r"package-ecosystem: ([\w-]+)", text)) == {"github-actions", "pip", "npm"}


def test_a_wheel_without_the_page_is_refused(tmp_path: Path) -> None:
    tool = load_tool("wheel_contents")
    whole, without = tmp_path / "whole.whl", tmp_path / "without.whl"
    for path, names in ((whole, tool.NEEDED), (without, set(tool.NEEDED) - {"standout/server/page/index.html"})):
        with zipfile.ZipFile(path, "w") as wheel:
            for name in names:
                wheel.writestr(name, "")
    assert tool.faults(str(whole)) == []
    assert tool.faults(str(without)) == [f"{without} lacks standout/server/page/index.html."]
    with zipfile.ZipFile(whole, "a") as wheel:
        wheel.writestr("tests/test_x.py", "")
    assert tool.faults(str(whole)) == [f"{whole} holds tests/test_x.py."]


def test_every_extra_stands_on_the_page_of_installation(pyproject: dict[str, Any]) -> None:
    text = (ROOT / "docs/install.md").read_text("utf-8")
    for extra in pyproject["project"]["optional-dependencies"]:
        assert f"`{extra}`" in text, extra


def test_targets_that_texts_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):", makefile))
    texts = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / ".pre-commit-config.yaml",
        *ROOT.glob("recipes/*"),
    ]
    for text in texts:
        if text.is_file():
            for target in re.findall(r"`make ([a-z-]+)`", text.read_text("utf-8")):
                assert target in targets, f"{text.name}: make {target}"


def test_card_keys_that_docs_name_exist() -> None:
    from standout.model_card import ModelCard

    keys = {field.name for field in dataclasses.fields(ModelCard)}
    text = (ROOT / "docs/how-it-works.md").read_text("utf-8")
    for key in re.findall(r"card's `(\w+)`|`(\w+)` (?:in|of) the card", text):
        assert set(key) & keys, key
    assert not re.search(r"`(mirrored|closer)`", text), "former names of flip_scale and zoom_gain"


def test_messages_that_troubleshooting_quotes_are_said() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    said = " ".join(re.sub(r'"\s*\n\s*f?"', "", source).split())
    text = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
    text = re.sub(r"(?s)```.*?```", "", text)
    commands = ("standout", "pip ", "python ", "make ", "unset ", "-", "nvidia")
    quoted = [" ".join(words.split()) for words in re.findall(r"`([^`]+)`", text)]
    messages = [
        words for words in quoted if len(words.split()) > 2 and not words.startswith(commands) and "=" not in words
    ]
    assert messages, "no message is quoted any more: then this test can go"
    for message in messages:
        # Between the words stand what was found: numbers, names, paths.
        for part in re.split(r"\d[\d.]*|[,…]|/\S+|\bGPU\S*|\bfloat\d+", message):
            assert part.strip(" ,.:") in said, message


def test_sizes_that_installation_names_are_those_of_the_files() -> None:
    text = (ROOT / "docs/install.md").read_text("utf-8")
    models = sum((ROOT / "src/standout/assets" / f"{name}.onnx").stat().st_size for name in ("photo", "live")) / 1e6
    named = re.search(r"two networks take ([\d.]+)", text)
    assert named is not None and float(named[1]) == pytest.approx(models, abs=0.06)
