"""What a visitor does with photos, in a real browser."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from browser_kit import jpeg, portrait, two_people, until

pytestmark = pytest.mark.slow

DONE = "document.querySelector('#queue-progress').value === 1"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("photos")
    pictures = {
        "person": portrait(), "two": two_people(), "nobody": np.full((240, 320, 3), 128, np.uint8),
    }  # fmt: skip
    for name, picture in pictures.items():
        (folder / f"{name}.jpg").write_bytes(jpeg(picture))
    (folder / "broken.jpg").write_bytes(b"no picture")
    return {file.stem: file for file in folder.iterdir()}


def choose(page: Any, *paths: Path) -> None:
    page.set_input_files("#files", [str(path) for path in paths])
    until(page, DONE, timeout_s=180)


def open_official(page: Any, address: str, photo: Path) -> Any:
    """The page with a photo chosen and its part about official photos unfolded."""
    page.goto(address + "?model=live")
    choose(page, photo)
    page.click("#official summary")
    return page


def saved(page: Any, button: str) -> bytes:
    with page.expect_download(timeout=120_000) as download:
        page.click(button)
    return Path(download.value.path()).read_bytes()


def pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_the_photo_journey(opened: Any, address: str, files: dict[str, Path], tmp_path: Path) -> None:
    page = opened
    page.goto(address)
    choose(page, files["person"], files["two"], files["nobody"], files["broken"])
    states = page.locator("#queue .state").all_inner_texts()
    assert states[:3] == ["done", "done", "nobody found"]
    assert "no picture" in states[3]

    # The person is there and the wall is not; the file has the photo's size.
    picture = pixels(saved(page, "#save"))
    assert picture.shape == (512, 512, 4)
    assert picture[180, 225, 3] == 255 and picture[40, 60, 3] == 0
    assert not picture[picture[..., 3] == 0].any(), "nothing of what was removed stays in the file"

    # White behind, as a JPEG.
    page.check("input[name=background][value=white]")
    page.select_option("#format", "image/jpeg")
    assert (pixels(saved(page, "#save"))[20, 20] >= 250).all()
    page.check("input[name=background][value=transparent]")
    assert page.input_value("#format") == "image/png", "a JPEG can't be transparent"

    # Cropped to the person.
    page.check("#crop")
    assert pixels(saved(page, "#save")).shape[1] < 512
    page.uncheck("#crop")

    # Somebody who stands in both: one of two people.
    page.locator("#queue button").filter(has_text="two.jpg").first.click()
    page.get_by_role("button", name="Person 2").click()
    one = pixels(saved(page, "#save"))
    assert one[100, 560, 3] == 255 and one[100, 130, 3] == 0

    # Where nobody is, it says so.
    page.locator("#queue button").filter(has_text="nobody.jpg").first.click()
    assert "Nobody was found" in page.inner_text("#stage-text")

    # All as one zip: those that have somebody.
    archive = zipfile.ZipFile(io.BytesIO(saved(page, "#save-all")))
    assert archive.testzip() is None
    assert archive.namelist() == ["person.standout.png", "two.standout.png"]
    assert pixels(archive.read("two.standout.png"))[100, 130, 3] == 0, "the zip keeps the choice of a person"


def test_the_brush_erases_restores_and_undoes(opened: Any, address: str, files: dict[str, Path]) -> None:
    page = opened
    page.goto(address)
    choose(page, files["person"])
    page.wait_for_timeout(500)
    box = page.locator("#after").bounding_box()

    def stroke(across: float, down: float) -> None:
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + (across + 0.02) * box["width"], box["y"] + down * box["height"])
        page.mouse.up()

    page.click("#tool-erase")
    stroke(0.44, 0.35)  # the face
    page.click("#tool-restore")
    stroke(0.1, 0.1)  # the wall
    picture = pixels(saved(page, "#save"))
    assert picture[179, 230, 3] == 0 and picture[51, 54, 3] == 255
    page.click("#undo")
    page.keyboard.press("Control+z")
    picture = pixels(saved(page, "#save"))
    assert picture[179, 230, 3] == 255 and picture[51, 54, 3] == 0
    assert page.is_disabled("#undo")


def test_12_megapixels_come_out_at_full_size(opened: Any, address: str, tmp_path: Path) -> None:
    large = cv2.resize(portrait()[64:448], (4000, 3000), interpolation=cv2.INTER_CUBIC)
    file = tmp_path / "large.jpg"
    file.write_bytes(jpeg(large))
    page = opened
    page.goto(address)
    choose(page, file)
    page.check("input[name=background][value=blur]")
    assert pixels(saved(page, "#save")).shape[:2] == (3000, 4000)


def test_photos_are_dropped_and_pasted(opened: Any, address: str, files: dict[str, Path]) -> None:
    page = opened
    page.goto(address + "?model=live")
    handle = """async (name) => {
      const data = new DataTransfer();
      const canvas = new OffscreenCanvas(64, 48);
      canvas.getContext("2d").fillRect(0, 0, 64, 48);
      data.items.add(new File([await canvas.convertToBlob()], name, { type: "image/png" }));
      return data;
    }"""
    dropped = page.evaluate_handle(handle, "dropped.png")
    page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    page.evaluate(
        f"async () => window.dispatchEvent(new ClipboardEvent('paste', "
        f"{{ clipboardData: await ({handle})('pasted.png') }}))"
    )
    until(page, DONE + " && document.querySelectorAll('#queue li').length === 2")
    assert page.locator("#queue .name").all_inner_texts() == ["dropped.png", "pasted.png"]


def test_official_photos_say_that_they_need_a_server(opened: Any, address: str, files: dict[str, Path]) -> None:
    page = open_official(opened, address, files["person"])
    until(page, "document.querySelector('#official-text').textContent.includes('standout serve')")
    # The browser itself says that the address isn't there.
    page.watch.complaints = [text for text in page.watch.complaints if "404" not in text]


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The page of a server, as `standout serve` gives it."""
    command = [sys.executable, "-P", "-m", "standout", "serve", "--port", "0", "--workers", "1", "--model", "live"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stdout)
            yield next(match.group() for match in found if match) + "/"
        finally:
            process.terminate()


def test_an_official_photo_is_made_and_judged_rule_by_rule(opened: Any, served: str, files: dict[str, Path]) -> None:
    page = open_official(opened, served, files["person"])
    until(page, "!document.querySelector('#official-form').hidden")
    page.select_option("#spec", "us-passport")
    page.click("#official-make")
    until(page, "document.querySelectorAll('#rules li').length > 3", timeout_s=120)
    rules = page.locator("#rules li").all_inner_texts()
    assert all(re.match(r"[\w ]+: \S", rule) for rule in rules), rules
    broken = page.locator("#rules li.bad").count()
    verdict = f"Rules that are not kept: {broken}." if broken else "All rules that can be measured are kept."
    assert page.inner_text("#official-text") == verdict
    # What is saved is what was shown: two inches square.
    picture = pixels(saved(page, "#official-save"))
    assert picture.shape[0] == picture.shape[1] >= 600
    assert {url.split("/")[2] for url in page.watch.urls if url.startswith("http")} == {served.split("/")[2]}
