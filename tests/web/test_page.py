"""What the page promises everywhere: offline, no third party, readable by all, no memory lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from browser_kit import PAGE, host, jpeg, launch, missing, portrait, until

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
DONE = "document.querySelector('#queue-progress').value === 1"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "person.jpg"
    file.write_bytes(jpeg(portrait()))
    return file


def test_it_works_offline_and_asks_nobody_else(opened: Any, photo: Path) -> None:
    page = opened
    with host(PAGE) as address:
        page.goto(address)
        page.set_input_files("#files", str(photo))
        until(page, DONE, timeout_s=120)
        until(page, "document.querySelector('#offline-text').textContent.includes('offline')", timeout_s=30)
        assert "MB" in page.inner_text("#download-text")
        hosts = {urlsplit(url).netloc for url in page.watch.urls if urlsplit(url).scheme in ("http", "https")}
        assert hosts == {urlsplit(address).netloc}
        fetched = [url for url in page.watch.urls if "engine/" in url]
    # The host is gone now.
    page.reload()
    assert page.evaluate("crossOriginIsolated"), "the service worker brings the headers that threads need"
    page.set_input_files("#files", str(photo))
    until(page, DONE, timeout_s=120)
    assert page.locator("#queue .state").all_inner_texts() == ["done"]
    assert any("wasm.gz" in url for url in fetched)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 820), (390, 800)], ids=["desk", "phone"])
def test_everybody_can_use_it(
    browser: Any, address: str, photo: Path, theme: str, size: tuple[int, int], tmp_path: Path
) -> None:
    if not AXE.is_file():
        missing("axe-core isn't installed; run `make web`")
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme, locale="ru-RU")
    page = context.new_page()
    page.goto(address + "?model=live")
    assert page.evaluate("document.documentElement.lang") == "ru"
    page.evaluate(AXE.read_text("utf-8"))

    def check() -> None:
        found = page.evaluate("axe.run()")["violations"]
        assert not found, json.dumps(found, ensure_ascii=False, indent=1)[:3000]

    check()
    page.set_input_files("#files", str(photo))
    until(page, DONE)
    page.click("#official summary")
    check()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing lies beside the screen"
    page.click("#tab-webcam")
    check()
    context.close()


def test_it_is_used_by_keyboard(opened: Any, address: str) -> None:
    page = opened
    page.goto(address)
    page.focus("#tab-photos")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#webcam") and not page.is_visible("#photos")
    page.keyboard.press("ArrowLeft")
    assert page.is_visible("#photos")
    reached = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"language", "theme", "choose"} <= reached


def test_language_and_theme_are_remembered(opened: Any, address: str) -> None:
    page = opened
    page.goto(address)
    assert page.inner_text("#choose") == "Choose photos"
    page.select_option("#language", "ru")
    page.click("#theme")
    page.click("#theme")
    page.reload()
    assert page.inner_text("#choose") == "Выбрать фотографии"
    assert page.get_attribute("html", "data-theme") == "dark"


def test_200_photos_take_no_more_memory_than_60(playwright: Any, address: str, tmp_path: Path) -> None:
    person = portrait()[::4, ::4]
    files = []
    for number in range(200):
        file = tmp_path / f"{number:03}.jpg"
        file.write_bytes(jpeg(person, 60 + number % 35))
        files.append(str(file))
    started = launch(playwright, more=("--js-flags=--expose-gc",))
    page = started.new_page()
    # What is kept of a photo doesn't depend on how large the network sees it.
    page.goto(address + "?model=live&size=64")
    session = page.context.browser.new_browser_cdp_session()
    sizes = []
    for count in (60, 200):
        page.set_input_files("#files", files[60 if count == 200 else 0 : count])
        until(page, f"{DONE} && document.querySelectorAll('#queue li').length === {count}", timeout_s=190)
        page.evaluate("gc()")
        page.wait_for_timeout(1000)
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        sizes.append(sum(_resident(int(one["id"])) for one in processes if one["type"] in ("renderer", "GPU")))
    started.close()
    # 140 photos more: a thumbnail and a packed alpha each.
    assert sizes[1] - sizes[0] < 120e6, f"{sizes[0] / 1e6:.0f} MB became {sizes[1] / 1e6:.0f} MB"


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        return 0
