"""What a visitor does with the webcam, in a real browser whose camera plays a person."""

from __future__ import annotations

from typing import Any

import pytest

from browser_kit import until

pytestmark = pytest.mark.slow

#: Looks at each frame that the page shows: the upper left corner, where the camera sees no person.
SAMPLE = """() => {
  const video = document.getElementById("view");
  const canvas = new OffscreenCanvas(64, 36);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  window.seen = [];
  const look = () => {
    if (video.videoWidth) {
      context.drawImage(video, 0, 0, 64, 36);
      const corner = [...context.getImageData(4, 4, 1, 1).data.slice(0, 3)];
      const middle = [...context.getImageData(29, 12, 1, 1).data.slice(0, 3)];
      window.seen.push({ corner, middle });
    }
    requestAnimationFrame(look);
  };
  look();
}"""
GREEN, COVER, PERSON = "green", "cover", "person"


def colors(page: Any) -> set[str]:
    """What was in the corner so far; a name for what may be there, else the numbers."""
    return {_name(one["corner"]) for one in page.evaluate("window.seen")}


def _name(color: list[int]) -> str:
    for name, wanted in ((GREEN, (0, 200, 0)), (COVER, (31, 41, 51))):
        if all(abs(value - want) < 40 for value, want in zip(color, wanted, strict=True)):
            return name
    # Before the first frame a video element is black.
    return "black" if max(color) < 16 else str(color)


def start(page: Any, address: str, query: str = "") -> None:
    """The camera before green."""
    page.goto(f"{address}?{query}#webcam")
    page.fill("#cam-color", "#00c800")
    page.evaluate(SAMPLE)
    page.click("#cam-start")
    until(page, "document.querySelector('#cam-stats').textContent.includes('frames/s')", timeout_s=90)


@pytest.mark.parametrize(
    ("query", "transport"),
    [("", "streams"), ("transport=canvas", "canvas"), ("compositor=webgl2&threads=1", "streams")],
    ids=["streams", "canvas", "webgl2"],
)
def test_no_raw_frame_is_ever_shown(opened: Any, address: str, query: str, transport: str) -> None:
    page = opened
    start(page, address, query)
    assert page.evaluate("window.standoutStream().transport") == transport
    until(page, "window.seen.some(({corner}) => corner[1] > 160 && corner[0] < 40)")
    if "webgl2" in query:
        assert "WebGL2" in page.inner_text("#cam-stats")
        page.evaluate("window.standoutStream().loseContext(1500)")
        until(page, "window.seen.at(-1).corner[1] < 80", timeout_s=10)
        until(page, "window.seen.at(-1).corner[1] > 160", timeout_s=30)
    page.click("#cam-pause")
    until(page, "window.seen.at(-1).corner[1] < 80", timeout_s=10)
    page.click("#cam-pause")
    until(page, "window.seen.at(-1).corner[1] > 160", timeout_s=30)
    assert colors(page) <= {GREEN, COVER, "black"}
    middle = page.evaluate("window.seen.at(-1).middle")
    assert not (middle[1] > 160 and middle[0] < 40), "the person is there"


def test_the_webcam_journey(opened: Any, address: str) -> None:
    page = opened
    start(page, address)
    assert page.locator("#cam-device option").count() >= 1
    page.check("input[name=cam-background][value=blur]")
    until(page, "window.seen.at(-1).corner[0] > 60", timeout_s=20)  # the wall's own light, out of focus

    assert "mirrored" in (page.get_attribute("#view", "class") or "")
    page.uncheck("#cam-mirror")
    assert "mirrored" not in (page.get_attribute("#view", "class") or "")

    page.click("#cam-record")
    page.wait_for_timeout(2500)
    page.click("#cam-record")
    page.wait_for_selector("#cam-file:not([hidden])", timeout=10_000)
    size = page.evaluate("fetch(document.getElementById('cam-file').href).then(r => r.blob()).then(b => b.size)")
    assert size > 2000

    with page.context.expect_page() as popped:
        page.click("#cam-pop")
    until(popped.value, "!!document.querySelector('video')?.videoWidth", timeout_s=20)
    page.click("#cam-start")
    until(page, "document.querySelector('#screen-text').textContent.includes('off')")
    assert page.evaluate("document.getElementById('view').srcObject") is None


def test_two_tabs_run_beside_each_other(opened: Any, address: str) -> None:
    first = opened
    start(first, address)
    second = first.context.new_page()
    start(second, address)
    for page in (first, second):
        page.bring_to_front()
        page.evaluate("window.seen = []")
        until(page, "window.seen.some(({corner}) => corner[1] > 160 && corner[0] < 40)", timeout_s=60)
