"""Chromium for a module's tests; without it or the built page they are skipped, or fail where CI requires them."""

from __future__ import annotations

import shutil
import tarfile
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from browser_kit import CHROMIUM, PAGE, WEB, host, kill_browsers, kill_driver, launch, missing, run, write_camera

#: No browser test may take longer, with what it sets up and clears away: some of Playwright's calls wait for ever.
LIMIT_S = 420
#: After so many tests that hung the others fail at once.
HANGS_ALLOWED = 2
#: Where the tests' pages come from; the second stands for another computer of the house.
OWN_HOSTS = {"127.0.0.1", "lan.test"}
_hung: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Ends a browser that hangs: the test that waits for it then fails."""

    def end() -> None:
        _hung.append(item.name)
        item.add_report_section("call", "limit", f"It wasn't through after {LIMIT_S} s; its browser was ended.")
        kill_browsers()

    timers = [threading.Timer(LIMIT_S, end), threading.Timer(LIMIT_S + 30, kill_driver)]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        return (yield)
    finally:
        for timer in timers:
            timer.cancel()


@pytest.fixture(autouse=True)
def _not_after_hangs() -> None:
    if len(_hung) >= HANGS_ALLOWED:
        pytest.fail(f"Not tried: the browser hung in {' and '.join(_hung)}; see there.")


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
def npm() -> str:
    found = shutil.which("npm")
    if found is None:
        missing("there is no Node on this machine")
    if not (WEB / "node_modules" / "vite").is_dir():
        missing("web/node_modules isn't there; run `make web`")
    return found


@pytest.fixture(scope="session")
def tarball(npm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The TypeScript library as `npm publish` would send it."""
    folder = tmp_path_factory.mktemp("packed")
    run([npm, "pack", "--pack-destination", str(folder)], limit_s=180)
    (packed,) = folder.glob("*.tgz")
    return packed


@pytest.fixture(scope="session")
def package(tarball: Path) -> Path:
    """The folder of the library, unpacked."""
    with tarfile.open(tarball) as archive:
        archive.extractall(tarball.parent, filter="data")
    return tarball.parent / "package"


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_camera(tmp_path_factory.mktemp("camera") / "person.mjpeg")


@pytest.fixture(scope="module")
def _browsers() -> Iterator[list[Any]]:
    started: list[Any] = []
    yield started
    for browser in started:
        browser.close()


@pytest.fixture
def browser(playwright: Any, camera: Path, _browsers: list[Any]) -> Any:
    """The module's browser; a new one where a test before lost it."""
    if not _browsers or not _browsers[-1].is_connected():
        _browsers.append(launch(playwright, camera=camera))
    return _browsers[-1]


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
    # Nothing is uploaded, nothing is counted: whatever was tried, the page and its workers asked their own host alone.
    asked = {urlsplit(url).hostname for url in page.watch.urls if not url.startswith(("blob:", "data:"))}
    assert asked <= OWN_HOSTS, asked
