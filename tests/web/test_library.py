"""The TypeScript tests of web/, run with the system's Node; the built library in somebody else's page."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import ImageColor

import standout
from browser_kit import host, jpeg, portrait, run, until

pytestmark = pytest.mark.slow

PLAIN_PAGE = """<!doctype html><meta charset="utf-8"><title>Somebody's page</title>
<link rel="icon" href="data:,"><script type="module">
import * as standout from "./library/index.js";
window.standout = standout;
</script>"""
CUT = """async (photos) => {
  const segmenter = await standout.createSegmenter({ wasmPath: "library/engine/" });
  const results = {};
  for (const name of photos) {
    const file = await (await fetch(name)).blob();
    const cut = await segmenter.cutOut(file);
    const found = await segmenter.look(file, name);
    const { picture } = await segmenter.render(file, found, { type: "image/png", key: name });
    const preview = await segmenter.render(file, found, { maxSide: 600, key: name });
    const again = await segmenter.render(file, found, { maxSide: 600, key: name });
    const bitmap = await createImageBitmap(file);
    const alpha = await segmenter.alpha(bitmap);
    const drawn = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    drawn.drawImage(bitmap, 0, 0);
    const image = drawn.getImageData(0, 0, bitmap.width, bitmap.height);
    const before = image.data.join();
    const own = await segmenter.cutOut(image, { background: { color: "white" }, type: "image/jpeg" });
    const bytes = async (blob) => {
      const read = Array.from(new Uint8Array(await blob.arrayBuffer()), (byte) => String.fromCharCode(byte));
      return btoa(read.join(""));
    };
    const pixels = (bitmap) => {
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return context.getImageData(0, 0, bitmap.width, bitmap.height).data.join();
    };
    results[name] = {
      nobody: cut.nobody, size: [cut.width, cut.height], png: await bytes(cut.blob),
      same: (await bytes(cut.blob)) === (await bytes(picture)),
      steady: pixels(preview.picture) === pixels(again.picture),
      preview: [preview.width, preview.height], alpha: [alpha.width, alpha.height],
      untouched: image.data.join() === before, white: own.blob.type,
    };
  }
  await segmenter.forget();
  segmenter.close();
  return results;
}"""
CALL = """async () => {
  const camera = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: false });
  const options = { background: { color: "#00ff00" }, wasmPath: "library/engine/" };
  const stream = await standout.virtualBackground(camera, options);
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  const canvas = new OffscreenCanvas(640, 360).getContext("2d", { willReadFrequently: true });
  for (let tries = 0; tries < 200; tries++) {
    canvas.drawImage(video, 0, 0, 640, 360);
    const [r, g, b] = canvas.getImageData(8, 8, 1, 1).data;
    if (g > 180 && r < 80 && b < 80) {
      stream.close();
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}"""


def test_the_library_keeps_its_types_and_passes_its_tests(npm: str) -> None:
    for script in ("check", "test"):
        run([npm, "run", "--silent", script], limit_s=300)


@pytest.fixture(scope="module")
def built(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody's site without a bundler: the packed library, and two photos."""
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(package / "dist", site / "library")
    (site / "index.html").write_text(PLAIN_PAGE, "utf-8")
    (site / "person.jpg").write_bytes(jpeg(cv2.resize(portrait(), (900, 900), interpolation=cv2.INTER_CUBIC)))
    (site / "wall.jpg").write_bytes(jpeg(np.full((300, 400, 3), 120, np.uint8)))
    return site


def test_a_photo_is_cut_out_in_somebody_elses_page(built: Path, opened: Any) -> None:
    with host(built) as address:
        opened.goto(address)
        until(opened, "!!window.standout")
        results = opened.evaluate(CUT, ["person.jpg", "wall.jpg"])
    person, wall = results["person.jpg"], results["wall.jpg"]
    png = cv2.imdecode(np.frombuffer(base64.b64decode(person["png"]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert png.shape == (900, 900, 4)
    expected = np.asarray(standout.cut_out(cv2.resize(portrait(), (900, 900), interpolation=cv2.INTER_CUBIC)))
    assert np.abs(png[..., 3] / 255.0 - expected[..., 3] / 255.0).mean() <= 0.01
    assert not png[png[..., 3] == 0].any(), "what was removed is still in the file"
    assert not person["nobody"]
    assert wall["nobody"]
    for result, size in ((person, [900, 900]), (wall, [400, 300])):
        assert result["size"] == size
        assert result["alpha"] == size
        assert result["same"], "cutOut differs from look and render"
        assert result["steady"], "a preview changes when it is drawn again"
        assert result["untouched"], "the caller's own pixels were written on"
        assert result["white"] == "image/jpeg"
    assert person["preview"] == [600, 600]


def test_a_virtual_background_in_somebody_elses_call(built: Path, opened: Any) -> None:
    with host(built) as address:
        opened.goto(address)
        until(opened, "!!window.standout")
        assert opened.evaluate(CALL), "the room's corner never became the chosen color"


def test_colors_are_those_of_css_and_python(built: Path, opened: Any) -> None:
    cut = """async (colors) => {
      const segmenter = await standout.createSegmenter({ model: "live", wasmPath: "library/engine/" });
      const file = await (await fetch("wall.jpg")).blob();
      const corners = {};
      for (const color of colors) {
        try {
          const { blob } = await segmenter.cutOut(file, { background: { color } });
          const bitmap = await createImageBitmap(blob);
          const drawn = new OffscreenCanvas(1, 1).getContext("2d");
          drawn.drawImage(bitmap, 0, 0);
          corners[color] = [...drawn.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        } catch (error) {
          corners[color] = error.code;
        }
      }
      segmenter.close();
      return corners;
    }"""
    known = ["white", "black", "Rebeccapurple", "papayawhip", "#0af", " #102030 "]
    unknown = ["beige-ish", "", "transparent", "currentcolor", "rgb(1, 2, 3)", "#12"]
    with host(built) as address:
        opened.goto(address)
        until(opened, "!!window.standout")
        corners = opened.evaluate(cut, known + unknown)
    for color in known:
        assert corners[color] == list(ImageColor.getrgb(color.strip())), color
    assert {corners[color] for color in unknown} == {"input"}
