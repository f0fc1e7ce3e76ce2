"""Standout in the browser: downloads, frames shown per second, their age, a photo of 12 megapixels; a rival beside it.

    python benchmarks/browser.py [--rival FOLDER] [--seconds 20]

`make web` comes first. It drives the system's Chromium. FOLDER holds the npm package `@imgly/background-removal`,
bundled with its dependencies, as `package/`, and its data as `data/` (AGPL: compared with, never installed here); its
small model then takes the same photo. Other work on the machine is seen in the numbers: compare within one run.
"""

from __future__ import annotations

import argparse
import gzip
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser_kit import PAGE, host, jpeg, launch, portrait, until, write_camera

DONE = "document.querySelector('#queue-progress').value === 1"
RIVAL = """<!doctype html><meta charset="utf-8"><script type="module">
import { removeBackground } from "./package/dist/index.mjs";
window.cut = async () => {
  const photo = await (await fetch("/photo.jpg")).blob();
  const options = { model: "isnet_quint8", device: "cpu", publicPath: new URL("/data/", location.href).href };
  await removeBackground(photo, options);  // warm
  const start = performance.now();
  await removeBackground(photo, options);
  return performance.now() - start;
};
</script>"""


def downloads() -> None:
    """What a first visitor fetches, gzip."""

    def size(*patterns: str) -> float:
        files = [file for pattern in patterns for file in PAGE.glob(pattern)]
        return (
            sum(
                len(data) if (data := file.read_bytes())[:2] == b"\x1f\x8b" else len(gzip.compress(data))
                for file in files
            )
            / 1e6
        )

    shell = ("index.html", "*.svg", "*.webmanifest", "assets/*", "engine/*.mjs", "engine/*.wasm.gz")
    print(
        f"download, gzip: webcam {size(*shell, 'engine/live.*'):.2f} MB, photos {size(*shell, 'engine/photo.*'):.2f} MB"
    )


def webcam(playwright: Any, folder: Path, seconds: int) -> None:
    """640 × 360 with blur: frames shown per second, age of a frame."""
    camera = write_camera(folder / "person.mjpeg")
    for threads in (1, 2):
        browser = launch(playwright, camera=camera)
        page = browser.new_page()
        with host(PAGE, isolated=True) as address:
            page.goto(f"{address}?threads={threads}#webcam")
            page.click("#cam-start")
            until(page, "document.querySelector('#cam-stats').textContent.includes('frames/s')", timeout_s=120)
            page.wait_for_timeout(3000)
            shown = page.evaluate(
                """(seconds) => new Promise((resolve) => {
                  const video = document.getElementById("view");
                  const before = video.getVideoPlaybackQuality().totalVideoFrames;
                  const lines = [];
                  const timer = setInterval(() => lines.push(document.getElementById("cam-stats").textContent), 1000);
                  setTimeout(() => {
                    clearInterval(timer);
                    resolve([(video.getVideoPlaybackQuality().totalVideoFrames - before) / seconds, lines.at(-1)]);
                  }, seconds * 1000);
                })""",
                seconds,
            )
            print(f"webcam, {threads} thread(s): {shown[0]:.1f} frames/s shown; the page says: {shown[1]}")
        browser.close()


def photo(playwright: Any, file: Path) -> float:
    """12 megapixels to PNG at full size; milliseconds, the network being loaded."""
    browser = launch(playwright)
    page = browser.new_page(accept_downloads=True)
    with host(PAGE, isolated=True) as address:
        page.goto(address)
        page.set_input_files("#files", str(file))
        until(page, DONE, timeout_s=240)
        started = page.evaluate("performance.now()")
        page.set_input_files("#files", str(file))
        until(page, f"{DONE} && document.querySelectorAll('#queue li').length === 2", timeout_s=240)
        page.locator("#queue li").nth(1).locator("button").first.click()
        with page.expect_download(timeout=240_000) as saved:
            page.click("#save")
        saved.value.path()
        took = float(page.evaluate("performance.now()")) - float(started)
    browser.close()
    print(f"photo of 12 megapixels, found, shown and saved as PNG: {took / 1000:.1f} s")
    return took


def rival(playwright: Any, package: Path, file: Path, own: float) -> None:
    """imgly's small model on the same photo."""
    browser = launch(playwright)
    page = browser.new_page()
    (package / "index.html").write_text(RIVAL, "utf-8")
    (package / "photo.jpg").write_bytes(file.read_bytes())
    with host(package, isolated=True) as address:
        page.goto(address)
        took = float(page.evaluate("window.cut()"))
    browser.close()
    print(f"@imgly/background-removal, isnet_quint8: {took / 1000:.1f} s, {took / own:.1f} × ours")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rival", type=Path, default=None)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, Chromium of the system, WebGL as it finds it")
    downloads()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        large = Path(scratch) / "large.jpg"
        large.write_bytes(jpeg(cv2.resize(portrait()[64:448], (4000, 3000), interpolation=cv2.INTER_CUBIC)))
        webcam(playwright, Path(scratch), options.seconds)
        own = photo(playwright, large)
        if options.rival is not None:
            rival(playwright, options.rival, large, own)


if __name__ == "__main__":
    main()
