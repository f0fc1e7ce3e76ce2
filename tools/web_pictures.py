"""Makes the pictures of the page in docs/pictures: python tools/web_pictures.py docs/pictures [--all FOLDER]

It drives the system's Chromium as the tests do; `make web` comes first. `--all` also writes every state, to look at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
from playwright.sync_api import sync_playwright

from browser_kit import PAGE, host, jpeg, launch, portrait, two_people, until, write_camera

DONE = "document.querySelector('#queue-progress').value === 1"


def shoot(folder: Path, everything: Path | None) -> None:
    with tempfile.TemporaryDirectory() as scratch, host(PAGE) as address, sync_playwright() as playwright:
        files = []
        wall = np.full((300, 400, 3), 150, np.uint8)
        for name, picture in (("portrait", portrait()), ("two", two_people()), ("wall", wall)):
            file = Path(scratch) / f"{name}.jpg"
            file.write_bytes(jpeg(picture))
            files.append(str(file))
        browser = launch(playwright, camera=write_camera(Path(scratch) / "person.mjpeg"))
        _photos(browser, address, files, folder, everything)
        _webcam(browser, address, folder, everything)
        browser.close()


def _photos(browser: Any, address: str, files: list[str], folder: Path, everything: Path | None) -> None:
    desk, phone = (1280, 800), (390, 844)
    for theme, language, size in (("light", "en-US", desk), ("dark", "ru-RU", desk), ("light", "ru-RU", phone)):
        if everything is None and theme == "dark":
            return
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=theme, locale=language
        )
        page = context.new_page()
        name = f"{theme}-{language[:2]}-{size[0]}"

        def keep(state: str, page: Any = page, name: str = name) -> None:
            if everything is not None:
                page.wait_for_timeout(700)
                page.screenshot(path=everything / f"{name}-{state}.png", full_page=True)

        page.goto(address)
        keep("start")
        page.set_input_files("#files", files)
        page.wait_for_timeout(1500)
        keep("working")
        until(page, DONE, timeout_s=240)
        keep("done")
        page.locator("#slider").fill("45")
        page.check("input[name=background][value=blur]")
        page.wait_for_timeout(2500)
        if name == "light-en-1280":
            page.screenshot(path=folder / "page-photos.jpg", type="jpeg", quality=88)
        keep("blur")
        page.locator("#queue button").filter(has_text="two.jpg").first.click()
        page.locator("#people button").nth(2).click()
        page.wait_for_timeout(1500)
        keep("person-2")
        page.locator("#queue button").filter(has_text="wall.jpg").first.click()
        keep("nobody")
        page.click("#official summary")
        keep("official")
        context.close()


def _webcam(browser: Any, address: str, folder: Path, everything: Path | None) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{address}#webcam")
    if everything is not None:
        page.screenshot(path=everything / "webcam-off.png")
    page.click("#cam-start")
    until(page, "document.querySelector('#cam-stats').textContent.includes('frames/s')", timeout_s=120)
    page.wait_for_timeout(4000)
    # The fake camera's name is a path of this machine.
    page.evaluate("for (const one of document.querySelector('#cam-device').options) one.textContent = 'Camera'")
    page.screenshot(path=folder / "page-webcam.jpg", type="jpeg", quality=88)
    if everything is not None:
        page.click("#cam-pause")
        page.wait_for_timeout(1500)
        page.screenshot(path=everything / "webcam-paused.png")
    page.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", type=Path, default=None)
    options = parser.parse_args()
    shoot(options.folder, options.all)
