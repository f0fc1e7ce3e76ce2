"""Standout in the browser: downloads, frames shown per second, their age, a photo of 12 megapixels; a rival beside it.

    python benchmarks/browser.py [--seconds 15] [--rival | --rival-folder FOLDER]

`make web` comes first. It drives the system's Chromium. With `--rival`, npm installs `@imgly/background-removal`, its
data (AGPL, 140 MB: compared with, never a dependency) into a temporary folder, or into FOLDER, to be used again; its
small model then takes the same photo in the same browser: calls of its function against calls of ours (`cutOut`), a
JPEG to a PNG at full size, the fastest of several each. The newest version whose data npm holds is 1.4.5.
Other work on the machine is seen in the numbers: compare within one run.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser_kit import CHROMIUM, PAGE, host, jpeg, launch, portrait, until, write_camera

WEB = Path(__file__).parents[1] / "web"
DONE = "document.querySelector('#queue-progress').value === 1"
RIVAL_VERSION = "1.4.5"
#: The fastest of several calls; the first ones also load the network and warm the browser's compiler up.
FASTEST = """
async function fastest(cut, calls) {
  const photo = await (await fetch("photo.jpg")).blob();
  let best = Infinity;
  let size = 0;
  for (let call = 0; call < calls; call++) {
    const start = performance.now();
    size = (await cut(photo)).size;
    best = Math.min(best, performance.now() - start);
  }
  return [best, size];
}
"""
RIVAL_ENTRY = f"""
import removeBackground from "@imgly/background-removal";
{FASTEST}
const options = {{ model: "small", publicPath: new URL("data/", location.href).href }};
window.cut = (calls) => fastest((photo) => removeBackground(photo, options), calls);
"""
OWN_ENTRY = f"""
import {{ createSegmenter }} from "./src/index";
{FASTEST}
window.cut = async (calls) => {{
  const segmenter = await createSegmenter({{ wasmPath: "engine/" }});
  return fastest(async (photo) => (await segmenter.cutOut(photo)).blob, calls);
}};
"""
#: Collects what the page says once a second, and counts the frames that its video element shows.
WATCH = """(seconds) => new Promise((resolve) => {
  const video = document.getElementById("view");
  const before = video.getVideoPlaybackQuality().totalVideoFrames;
  const started = performance.now();
  const lines = [];
  const timer = setInterval(() => lines.push(document.getElementById("cam-stats").textContent), 1000);
  setTimeout(() => {
    clearInterval(timer);
    const shown = video.getVideoPlaybackQuality().totalVideoFrames - before;
    resolve([(shown * 1000) / (performance.now() - started), lines]);
  }, seconds * 1000);
})"""

Row = tuple[str, str, str, str]


def downloads() -> list[Row]:
    """What a first visitor fetches, gzip."""

    def size(*patterns: str) -> float:
        files = {file for pattern in patterns for file in PAGE.glob(pattern)}
        packed = (data if (data := file.read_bytes())[:2] == b"\x1f\x8b" else gzip.compress(data) for file in files)
        return sum(len(data) for data in packed) / 1e6

    shell = ("index.html", "*.svg", "*.webmanifest", "assets/*", "engine/*.mjs", "engine/*.wasm.gz")
    return [
        ("download before the first webcam frame, gzip", f"{size(*shell, 'engine/live.*'):.2f} MB", "6.5 MB", "5 MB"),
        ("download for photos, gzip", f"{size(*shell, 'engine/photo.*'):.2f} MB", "9 MB", "7 MB"),
    ]


def webcam(playwright: Any, camera: Path, seconds: int, threads: int) -> list[Row]:
    """640 × 360 with blur: frames shown per second, age of a frame, what one takes."""
    browser = launch(playwright, camera=camera)
    page = browser.new_page()
    with host(PAGE, isolated=True) as address:
        page.goto(f"{address}?threads={threads}#webcam")
        page.click("#cam-start")
        until(page, "document.querySelector('#cam-stats').textContent.includes('frames/s')", timeout_s=120)
        page.wait_for_timeout(3000)
        shown, lines = page.evaluate(WATCH, seconds)
    browser.close()

    def median(pattern: str) -> float:
        found = [float(match[1]) for line in lines if (match := re.search(pattern, line))]
        return statistics.median(found) if found else float("nan")

    name = f"webcam 640×360, blur, WASM, {threads} thread{'s' if threads > 1 else ''}"
    return [
        (f"{name}, frames shown", f"{shown:.1f}/s", "20", "30"),
        (f"{name}, age of a frame, p95", f"{median(r'95 %: ([0-9.]+)'):.0f} ms", "120 ms", "70 ms"),
        (f"{name}, one pass of the network", f"{median(r'network ([0-9.]+) ms'):.0f} ms", "", ""),
    ]


def photo(playwright: Any, file: Path, times: int) -> float:
    """12 megapixels found, shown and saved as PNG at full size; the best time in seconds, the network being loaded."""
    browser = launch(playwright)
    page = browser.new_page(accept_downloads=True)
    took = []
    with host(PAGE, isolated=True) as address:
        page.goto(address)
        page.set_input_files("#files", str(file))
        until(page, DONE, timeout_s=120)
        for count in range(2, times + 2):
            started = page.evaluate("performance.now()")
            page.set_input_files("#files", str(file))
            until(page, f"{DONE} && document.querySelectorAll('#queue li').length === {count}", timeout_s=120)
            page.locator("#queue li").nth(count - 1).locator("button").first.click()
            with page.expect_download(timeout=120_000) as saved:
                page.click("#save")
            saved.value.path()
            took.append((page.evaluate("performance.now()") - started) / 1000)
    browser.close()
    return float(min(took))


def install_rival(folder: Path) -> Path:
    """npm's package and data, bundled with its dependencies; what was installed before is used again."""
    site, data = folder / "site", folder / "node_modules/@imgly/background-removal-data/dist"
    if not data.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n', "utf-8")
        npm = shutil.which("npm")
        if npm is None:
            sys.exit("--rival needs npm; there is none on this machine.")
        packages = [f"@imgly/background-removal{part}@{RIVAL_VERSION}" for part in ("", "-data")]
        install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages]
        subprocess.run(
            install, cwd=folder, check=True, timeout=300, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir()
    (site / "data").symlink_to(data)
    bundle(RIVAL_ENTRY, site / "cut.js", folder)
    return site


def build_own(folder: Path) -> Path:
    """The library from web/src, bundled as the rival is, its worker beside it."""
    site = folder / "own"
    site.mkdir()
    bundle(OWN_ENTRY, site / "cut.js", WEB)
    bundle("", site / "worker.js", WEB, "src/worker.ts")
    (site / "cut.js").write_text((site / "cut.js").read_text("utf-8").replace("./worker.ts", "./worker.js"), "utf-8")
    (site / "engine").symlink_to(PAGE / "engine")
    return site


def bundle(entry: str, out: Path, folder: Path, file: str = "") -> None:
    """An entry with all it imports in one file.

    Args:
        entry: TypeScript, unless `file` is given.
        out: The file to write.
        folder: Where imports are resolved from.
        file: An entry in a file of the folder.
    """
    source = [file] if file else ["--loader=ts"]
    command = [str(WEB / "node_modules/.bin/esbuild"), *source, "--bundle", "--format=esm", f"--outfile={out}"]
    subprocess.run([*command, "--log-level=error"], cwd=folder, input=entry, text=True, check=True, timeout=60)


def function_call(playwright: Any, site: Path, file: Path, calls: int) -> float:
    """Seconds of the fastest call that cuts a photo out."""
    shutil.copyfile(file, site / "photo.jpg")
    page_text = '<!doctype html><meta charset="utf-8"><title>Cut</title><script type="module" src="cut.js"></script>'
    (site / "index.html").write_text(page_text, "utf-8")
    browser = launch(playwright)
    page = browser.new_page()
    with host(site, isolated=True) as address:
        page.goto(address)
        until(page, "!!window.cut", timeout_s=30)
        keep = "(done) => (window.done = done), (error) => (window.done = [0, 0, String(error)])"
        page.evaluate(f"(calls) => void cut(calls).then({keep})", calls)
        until(page, "!!window.done", timeout_s=60 * calls)
        took, size, *error = page.evaluate("window.done")
    browser.close()
    if error:
        sys.exit(f"{site.name} fails: {error[0]}")
    if size < 10_000:
        sys.exit(f"The file that {site.name} made has {size} bytes: nothing was cut out.")
    return float(took) / 1000


def machine() -> str:
    """Processor, cores, browser."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text("utf-8")) if info.is_file() else None
    version = subprocess.run([str(CHROMIUM), "--version"], capture_output=True, text=True, timeout=60).stdout
    cores = len(os.sched_getaffinity(0))
    return f"{found[1] if found else platform.machine()}, {cores} cores, {version.strip().split(' built')[0]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=15, help="how long the webcam is watched")
    parser.add_argument("--photos", type=int, default=3, help="how often the photo is done; the best counts")
    parser.add_argument("--rival", action="store_true", help="install the rival into a temporary folder, too")
    parser.add_argument("--rival-folder", type=Path, default=None, help="install it here, or use what is here")
    options = parser.parse_args()
    if CHROMIUM is None or not (PAGE / "index.html").is_file():
        sys.exit("This needs Chromium and the built page: `make web`.")
    print(f"{machine()}\n\n| | measured | must | aim |\n|---|---|---|---|", flush=True)

    def tell(rows: list[Row]) -> None:
        print("\n".join(f"| {' | '.join(row)} |" for row in rows), flush=True)

    tell(downloads())
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        large, folder = Path(scratch) / "large.jpg", Path(scratch)
        large.write_bytes(jpeg(cv2.resize(portrait()[64:448], (4000, 3000), interpolation=cv2.INTER_CUBIC)))
        camera = write_camera(folder / "person.mjpeg")
        for threads in (1, 2):
            tell(webcam(playwright, camera, options.seconds, threads))
        own = photo(playwright, large, options.photos)
        tell([("photo of 12 megapixels to PNG at full size", f"{own:.2f} s", "6 s", "3 s")])
        if options.rival or options.rival_folder is not None:
            site = install_rival((options.rival_folder or folder / "rival").resolve())
            own_site = build_own(folder)
            ours = function_call(playwright, own_site, large, options.photos + 2)
            other = function_call(playwright, site, large, options.photos + 2)
            tell([("… as one call of the library, `cutOut`", f"{ours:.2f} s", "", "")])
            name = f"`@imgly/background-removal` {RIVAL_VERSION}, small model, same photo, `removeBackground`"
            tell([(name, f"{other:.2f} s, {other / ours:.1f} × ours", "5 ×", "10 ×")])


if __name__ == "__main__":
    main()
