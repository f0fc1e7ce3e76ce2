"""The official photo in the browser, with the server that makes it behind the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from browser_kit import jpeg, portrait, until
from server_kit import running
from standout.server.options import ServerOptions

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with running(ServerOptions(port=0, workers=1, threads=2)) as server:
        yield f"http://127.0.0.1:{server.port}/"


def test_an_official_photo_is_made_and_its_rules_are_told_by_name(opened: Any, served: str, tmp_path: Path) -> None:
    page, photo = opened, tmp_path / "person.jpg"
    photo.write_bytes(jpeg(portrait()))
    page.goto(served + "?model=live")
    page.set_input_files("#files", str(photo))
    until(page, "document.querySelector('#queue-progress').value === 1", timeout_s=120)
    page.click("#official summary")
    until(page, "document.querySelector('#spec').options.length > 40")
    page.select_option("#spec", "us-passport")
    page.click("#official-make")
    until(page, "!document.querySelector('#official-save').hidden", timeout_s=120)
    rules = page.locator("#rules li").all_inner_texts()
    assert len(rules) > 8 and all(": " in rule for rule in rules)
    assert "not kept: 1" in page.inner_text("#official-text")
    assert page.evaluate("document.querySelector('#official-picture').naturalWidth") == 602
    # The longest name of a specification doesn't widen the page.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
