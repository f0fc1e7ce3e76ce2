"""The TypeScript library as others get it: packed, installed without a network, and built by their tools."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from browser_kit import WEB, host, jpeg, portrait, run, until

pytestmark = pytest.mark.slow

#: What somebody writes who has read the package's README.
MAIN = """
import { type CutOut, StandoutError, createSegmenter, virtualBackground } from "standout-web";

async function cut(): Promise<Record<string, unknown>> {
  const segmenter = await createSegmenter({ model: "live", wasmPath: "/standout/" });
  const file = await (await fetch("/person.jpg")).blob();
  const { blob, nobody }: CutOut = await segmenter.cutOut(file, { background: "blur", crop: true });
  const alpha = await segmenter.alpha(file);
  segmenter.close();
  const refused = await virtualBackground(new MediaStream(), { wasmPath: "/standout/" }).catch((error: unknown) =>
    error instanceof StandoutError ? error.code : String(error));
  return { type: blob.type, nobody, width: alpha.width, person: Math.max(...alpha.data.subarray(0, 60000)), refused };
}
cut()
  .catch((error: unknown) => String(error))
  .then((result) => Object.assign(window, { result }));
"""
TYPES = {
    "compilerOptions": {
        "strict": True, "module": "esnext", "moduleResolution": "bundler", "target": "es2022", "skipLibCheck": False,
        "lib": ["es2022", "dom", "dom.iterable"], "types": [], "noEmit": True,
    },
    "include": ["main.ts"],
}  # fmt: skip
WEBPACK = """
const webpack = require(process.argv[2]);
webpack({
  mode: "production", context: __dirname, entry: "./main.js", performance: { hints: false },
  output: { path: __dirname + "/built", filename: "main.js" },
}, (error, stats) => {
  if (error || stats.hasErrors()) {
    console.error(error ?? stats.toString());
    process.exit(1);
  }
});
"""
#: A policy that allows neither workers from blobs nor anybody else's host.
STRICT = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'self\'; '
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; img-src 'self' blob:\">"
)


@pytest.fixture(scope="module")
def project(npm: str, tarball: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh project with the library installed: nothing else comes with it, so no registry is asked."""
    folder = tmp_path_factory.mktemp("fresh")
    (folder / "package.json").write_text('{"name": "fresh", "private": true, "type": "module"}', "utf-8")
    run([npm, "install", "--offline", "--no-audit", "--no-fund", str(tarball)], folder=folder, limit_s=60)
    (folder / "main.ts").write_text(MAIN, "utf-8")
    (folder / "tsconfig.json").write_text(json.dumps(TYPES), "utf-8")
    (folder / "index.html").write_text(_html("/main.ts"), "utf-8")
    shutil.copytree(package / "dist" / "engine", folder / "public" / "standout")
    small = cv2.resize(portrait(), (320, 320), interpolation=cv2.INTER_AREA)
    (folder / "public" / "person.jpg").write_bytes(jpeg(np.asarray(small, np.uint8)))
    return folder


def _html(script: str, head: str = "") -> str:
    return (
        f'<!doctype html><meta charset="utf-8"><title>Fresh</title>{head}<link rel="icon" href="data:,">'
        f'<body><script type="module" src="{script}"></script>'
    )


def check(page: Any, address: str) -> None:
    page.goto(address)
    until(page, "!!window.result", timeout_s=120)
    result = page.evaluate("window.result")
    assert isinstance(result, dict), result
    person = result.pop("person")
    assert result == {"type": "image/png", "nobody": False, "width": 320, "refused": "input"}
    assert person > 0.9
    hosts = {urlsplit(url).netloc for url in page.watch.urls if url.startswith("http")}
    assert hosts == {urlsplit(address).netloc}, "somebody else was asked"


def test_the_package_is_whole(tarball: Path, package: Path) -> None:
    said = json.loads((package / "package.json").read_text("utf-8"))
    assert not said.get("dependencies"), "the engine is inside; nothing else need be installed"
    assert (package / "LICENSE").read_bytes() == (WEB.parent / "LICENSE").read_bytes()
    assert "onnxruntime" in (package / "licenses.txt").read_text("utf-8"), "what others wrote keeps its license"
    for entry in ("types", "default"):
        assert (package / said["exports"]["."][entry]).is_file()
    readme = (package / "README.md").read_text("utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", readme)
    assert links
    for link in links:
        # A page of npm has nothing beside it: a link is absolute and names a page of this repository, or a packed file.
        inside = re.fullmatch(r"https://github\.com/standout-vision/standout/blob/main/(.+)", link)
        site = re.fullmatch(r"https://standout-vision\.github\.io/standout/(.+)/", link)
        path = inside.group(1) if inside else f"docs/{site.group(1)}.md" if site else ""
        assert (WEB.parent / path).is_file() if path else (package / link).is_file(), link
    for name in re.findall(r"node_modules/standout-web/([\w./-]+)", readme):
        assert (package / name.rstrip("/.")).exists(), f"README names {name}"


def test_a_server_may_import_it(project: Path) -> None:
    """Next and others load each module in Node first, to render pages there."""
    run(["node", "--input-type=module", "-e", 'await import("standout-web")'], folder=project, limit_s=30)


def test_its_types_are_whole(project: Path) -> None:
    run(["node", str(WEB / "node_modules" / "typescript" / "bin" / "tsc")], folder=project, limit_s=90)


def test_a_fresh_vite_project_builds_and_works(project: Path, opened: Any) -> None:
    run(["node", str(WEB / "node_modules" / "vite" / "bin" / "vite.js"), "build"], folder=project, limit_s=120)
    with host(project / "dist") as address:
        check(opened, address)


def test_a_fresh_vite_project_works_while_it_is_written(project: Path, opened: Any) -> None:
    with _vite(project) as address:
        check(opened, address)


def test_webpack_builds_it(project: Path, opened: Any) -> None:
    webpack = WEB / "node_modules" / "webpack"
    (project / "main.js").write_text(_javascript(MAIN), "utf-8")
    (project / "build.cjs").write_text(WEBPACK, "utf-8")
    run(["node", "build.cjs", str(webpack)], folder=project, limit_s=120)
    site = project / "built"
    shutil.copytree(project / "public", site, dirs_exist_ok=True)
    (site / "index.html").write_text(_html("/main.js"), "utf-8")
    with host(site) as address:
        check(opened, address)


def test_a_page_that_forbids_workers_from_blobs_hosts_the_worker(
    package: Path, project: Path, tmp_path: Path, opened: Any
) -> None:
    shutil.copytree(project / "public", tmp_path, dirs_exist_ok=True)
    shutil.copytree(package / "dist", tmp_path / "library")
    text = _javascript(MAIN).replace('"standout-web"', '"./library/index.js"')
    worker = text.replace('wasmPath: "/standout/"', 'wasmPath: "/standout/", workerUrl: "/library/worker.js"')
    (tmp_path / "main.js").write_text(worker, "utf-8")
    (tmp_path / "blob.js").write_text(text, "utf-8")
    (tmp_path / "index.html").write_text(_html("./main.js", STRICT), "utf-8")
    (tmp_path / "blob.html").write_text(_html("./blob.js", STRICT), "utf-8")
    with host(tmp_path) as address:
        check(opened, address)
        # Without it a sentence says so, at once.
        opened.goto(address + "blob.html")
        until(opened, "!!window.result")
        assert "`workerUrl`" in opened.evaluate("window.result")
    opened.watch.complaints = [text for text in opened.watch.complaints if "Content Security Policy" not in text]


def _javascript(text: str) -> str:
    """The program without its types."""
    text = text.replace("type CutOut, ", "").replace(": CutOut", "").replace(": unknown", "")
    return text.replace(": Promise<Record<string, unknown>>", "")


@contextmanager
def _vite(project: Path) -> Iterator[str]:
    """Vite's server for those who write."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", str(WEB / "node_modules" / "vite" / "bin" / "vite.js"), "--host", "127.0.0.1", "--strictPort"]
    process = subprocess.Popen([*command, "--port", str(port)], cwd=project, stdout=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None and time.monotonic() < ends, "Vite doesn't answer"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(timeout=20)
