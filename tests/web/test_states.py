"""What the page says is true at every moment: nobody stays on the stage, nothing is called done that isn't."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser_kit import CHROMIUM, PAGE, WEB, host, jpeg, launch, portrait, two_people, until
from standout.id_photo.specs import list_specs

pytestmark = pytest.mark.slow

DONE = "document.querySelector('#queue-progress').value === 1"
#: Whether anything is drawn on the stage.
DRAWN = """(() => {
  const canvas = document.getElementById("after");
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  copy.drawImage(canvas, 0, 0);
  return copy.getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
})()"""
#: At the moment at which the page says "1 of 1 done": how opaque is the wall behind the person?
AT_DONE = """() => {
  const text = document.getElementById("queue-text");
  new MutationObserver(() => {
    if (window.wallAtDone !== undefined || !text.textContent.startsWith("1 of 1")) return;
    const canvas = document.getElementById("after");
    window.wallAtDone = canvas.getContext("2d").getImageData(20, 20, 1, 1).data[3];
  }).observe(text, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("states")
    (folder / "person.jpg").write_bytes(jpeg(portrait()))
    (folder / "two.jpg").write_bytes(jpeg(two_people()))
    (folder / "nobody.jpg").write_bytes(jpeg(np.full((240, 320, 3), 128, np.uint8)))
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "letter.txt").write_text("Dear page,", "utf-8")
    (folder / "nameless").write_bytes(jpeg(portrait()))
    return {file.stem: file for file in folder.iterdir()}


def choose(page: Any, *paths: Path) -> None:
    page.set_input_files("#files", [str(path) for path in paths])
    until(page, DONE, timeout_s=180)


def select(page: Any, name: str) -> None:
    page.locator("#queue button").filter(has_text=name).first.click()


def text(page: Any) -> str:
    return str(page.inner_text("#queue-text"))


def notice(page: Any) -> str:
    return str(page.inner_text("#notice")) if page.is_visible("#notice") else ""


def test_a_photo_that_fails_leaves_nobody_on_the_stage(opened: Any, address: str, files: dict[str, Path]) -> None:
    page = opened
    page.goto(address + "?model=live")
    choose(page, files["person"], files["broken"], files["nobody"])
    assert page.evaluate(DRAWN)
    assert text(page) == "1 of 3 done, 1 without anybody, 1 failed"
    assert page.is_enabled("#save") and page.is_enabled("#save-all")
    select(page, "broken.jpg")
    until(page, "!document.querySelector('#stage-text').hidden")
    assert not page.evaluate(DRAWN), "the person of another photo is still seen"
    assert "no picture" in page.inner_text("#stage-text")
    for control in ("#save", "#copy", "#tool-restore", "#slider"):
        assert page.is_disabled(control), control
    select(page, "person.jpg")
    until(page, f"{DRAWN} && document.querySelector('#stage-text').hidden")
    assert page.is_enabled("#save") and page.is_enabled("#tool-restore")


def test_a_photo_that_is_removed_is_gone_at_once(opened: Any, address: str, files: dict[str, Path]) -> None:
    page = opened
    page.goto(address + "?model=live")
    choose(page, files["person"], files["broken"])
    page.get_by_label("Remove person.jpg").click()
    assert not page.evaluate(DRAWN)
    assert page.is_disabled("#save") and page.is_disabled("#save-all"), "there is nothing to save"
    page.get_by_label("Remove broken.jpg").click()
    assert page.is_visible("#drop") and not page.is_visible("#work")
    # One that is being looked at doesn't come back.
    page.set_input_files("#files", [str(files["two"])])
    page.get_by_label("Remove two.jpg").click()
    choose(page, files["nobody"])
    assert page.locator("#queue .name").all_inner_texts() == ["nobody.jpg"]
    assert page.is_disabled("#save-all"), "nobody was found: there is nothing to save"


def test_done_means_that_it_is_seen(opened: Any, address: str, files: dict[str, Path]) -> None:
    page = opened
    page.goto(address + "?model=live")
    page.evaluate(AT_DONE)
    choose(page, files["person"])
    until(page, "window.wallAtDone !== undefined")
    assert page.evaluate("window.wallAtDone") == 0, "the uncut photo was on the stage"


def test_what_is_no_picture_is_named(opened: Any, address: str, files: dict[str, Path]) -> None:
    page = opened
    page.goto(address + "?model=live")
    page.set_input_files("#files", [str(files["letter"])])
    assert "letter.txt" in notice(page)
    # The browser knows no kind for a name without an ending: what is inside decides.
    choose(page, files["nameless"], files["letter"])
    assert "letter.txt" in notice(page)
    assert page.locator("#queue .state").all_inner_texts() == ["done"]
    choose(page, files["person"])
    assert notice(page) == ""
    page.evaluate("window.dispatchEvent(new DragEvent('drop', { dataTransfer: new DataTransfer() }))")
    assert "no file" in notice(page)


def test_it_asks_before_work_is_lost(opened: Any, address: str, files: dict[str, Path]) -> None:
    page = opened
    leaves = "window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    page.goto(address + "?model=live")
    assert page.evaluate(leaves), "there is no work yet"
    choose(page, files["person"])
    assert not page.evaluate(leaves)
    with page.expect_download():
        page.click("#save")
    until(page, "document.querySelector('#queue-text').textContent.startsWith('Saved')")
    assert page.evaluate(leaves), "all is saved"
    page.check("#crop")
    assert not page.evaluate(leaves), "what is shown now was not saved"
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    with page.expect_event("close", timeout=20_000):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]


@pytest.mark.parametrize(
    ("name", "word"),
    [("NotAllowedError", "blocked"), ("NotFoundError", "connect"), ("NotReadableError", "another program")],
)
def test_a_camera_that_fails_says_what_to_do(opened: Any, address: str, name: str, word: str) -> None:
    page = opened
    page.add_init_script(
        f"navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('raw words', '{name}'))"
    )
    page.goto(address + "#webcam")
    page.click("#cam-start")
    until(page, "!document.querySelector('#notice').hidden")
    assert word in notice(page) and "raw words" not in notice(page)
    assert page.is_enabled("#cam-start")


def test_a_background_that_fails_is_forgotten_when_it_is_over(
    opened: Any, address: str, files: dict[str, Path]
) -> None:
    page = opened
    page.goto(address + "#webcam")
    page.click("#cam-start")
    until(page, "document.querySelector('#cam-stats').textContent.includes('frames/s')", timeout_s=90)
    page.set_input_files("#cam-picture", str(files["broken"]))
    until(page, "!document.querySelector('#notice').hidden")
    page.set_input_files("#cam-picture", str(files["person"]))
    until(page, "document.querySelector('#notice').hidden")
    page.set_input_files("#cam-picture", str(files["broken"]))
    until(page, "!document.querySelector('#notice').hidden")
    page.click("#cam-start")
    until(page, "document.querySelector('#notice').hidden")


def test_photos_work_over_plain_http_from_another_computer(playwright: Any, files: dict[str, Path]) -> None:
    assert CHROMIUM is not None
    browser = launch(playwright, more=("--host-resolver-rules=MAP lan.test 127.0.0.1",))
    with host(PAGE) as address:
        page = browser.new_page(locale="en-US")
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address.replace("127.0.0.1", "lan.test") + "?model=live")
        assert not page.evaluate("isSecureContext"), "this is what the test is about"
        choose(page, files["person"])
        assert page.locator("#queue .state").all_inner_texts() == ["done"]
        with page.expect_download():
            page.click("#save")
        page.click("#copy")
        until(page, "!document.querySelector('#notice').hidden")
        assert "https" in notice(page)
        page.click("#tab-webcam")
        page.click("#cam-start")
        until(page, "document.querySelector('#notice').textContent.includes('camera')")
        assert "https" in notice(page)
        assert "https" in page.inner_text("#offline-text")
        assert not faults
    browser.close()


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """The page of a server that asks for a key."""
    command = [sys.executable, "-P", "-m", "standout", "serve", "--port", "0", "--workers", "1", "--model", "live"]
    environment = {**os.environ, "STANDOUT_API_KEYS": "correct-horse-battery"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stdout)
            yield next(match.group() for match in found if match) + "/"
        finally:
            process.terminate()


def test_the_page_of_a_server_with_a_key_has_a_field_for_it(opened: Any, locked: str, files: dict[str, Path]) -> None:
    page = opened
    page.goto(locked + "?model=live")
    choose(page, files["person"])
    page.select_option("#language", "ru")
    page.click("#official summary")
    until(page, "!document.querySelector('#official-key').hidden")
    assert "ключ" in page.inner_text("#official-text")
    page.fill("#server-key", "wrong")
    page.click("#official-unlock")
    until(page, "document.querySelector('#notice').textContent.includes('не знает этого ключа')")
    page.fill("#server-key", "correct-horse-battery")
    page.keyboard.press("Enter")
    until(page, "!document.querySelector('#official-form').hidden")
    assert notice(page) == ""
    page.select_option("#spec", label="США, паспорт (печать)")
    page.click("#official-make")
    until(page, "document.querySelectorAll('#rules li').length > 3", timeout_s=120)
    rules = page.locator("#rules li").all_inner_texts()
    assert all(re.match(r"[а-яё ]+: \S", rule) for rule in rules), rules
    # The browser itself names each refusal.
    page.watch.complaints = [text for text in page.watch.complaints if "401" not in text]


def test_every_specification_and_rule_has_its_russian_words() -> None:
    words = (WEB / "page" / "officialRu.ts").read_text("utf-8")
    for spec in list_specs():
        assert f'"{spec.name}":' in words, spec.name
    package = Path(sys.modules["standout"].__file__ or "").parent / "id_photo"
    source = "".join(file.read_text("utf-8") for file in sorted(package.glob("*.py")))
    named = set(re.findall(r'Verdict\(\s*"([a-z ]+)"', source))
    named |= set(re.findall(r'"([a-z ]+)"', re.search(r"_RULE_NAMES = \{(.*?)\}", source, re.S)[1])) - {
        "head", "eyes", "crown", "chin", "pupils",
    }  # fmt: skip
    assert len(named) >= 15
    for rule in named:
        assert re.search(rf'(?m)"?{rule}"?: \["', words), rule
