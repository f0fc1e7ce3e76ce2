"""What SECURITY.md and docs/attacks.md promise is what is tested, and what is tested is promised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOM = Path(__file__).parent


def rows(page: str, heading: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8").partition(heading)[2]
    return [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ")][1:]


def test_every_promise_names_tests_that_are_there() -> None:
    promises = rows("SECURITY.md", "## What counts")
    assert len(promises) >= 10
    for row in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)`", row.split("|")[3])
        assert named, row
        for file in named:
            assert "def test_" in (ROOT / file).read_text(encoding="utf-8"), file


def test_every_attack_has_a_test_that_is_there() -> None:
    attacks = rows("docs/attacks.md", "# Attacks on the server")
    assert len(attacks) >= 20
    for row in attacks:
        named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", row.split("|")[3])
        assert named, row
        for file, test in named:
            assert f"def {test}(" in (ROOT / "tests" / "server" / file).read_text(encoding="utf-8"), (file, test)


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/attacks.md"])
def test_every_kind_of_attack_is_in_the_tables(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for module in ROOM.glob("test_*.py"):
        assert module.name == Path(__file__).name or f"attacks/{module.name}" in text, module.name
