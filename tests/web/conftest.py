"""Chromium for a module's tests; without it or the built page they are skipped, or fail where CI requires them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser_kit import CHROMIUM, PAGE, host, launch, missing, write_camera


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    if CHROMIUM is None:
        missing("there is no Chromium on this machine (Debian: apt-get install chromium)")
    if not (PAGE / "index.html").is_file():
        missing("the page isn't built; run `make web` (it needs Node)")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        missing("Playwright isn't installed (extra `dev`)")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_camera(tmp_path_factory.mktemp("camera") / "person.mjpeg")


@pytest.fixture(scope="module")
def browser(playwright: Any, camera: Path) -> Iterator[Any]:
    started = launch(playwright, camera=camera)
    yield started
    started.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page on a plain web host."""
    with host(PAGE) as url:
        yield url


class Watch:
    """What a page asked for and complained about."""

    def __init__(self, page: Any) -> None:
        self.urls: list[str] = []
        self.complaints: list[str] = []
        page.context.on("request", lambda request: self.urls.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """A fresh page, as a first visitor's; it must not complain."""
    context = browser.new_context(viewport={"width": 1280, "height": 820}, locale="en-US", accept_downloads=True)
    page = context.new_page()
    page.watch = Watch(page)
    yield page
    # A frame that was on its way when everything was closed is nobody's mistake.
    left = [text for text in page.watch.complaints if "VideoFrame was garbage collected" not in text]
    context.close()
    assert not left, left
