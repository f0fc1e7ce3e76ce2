"""The newest frame wins, colors are right, and whatever is missing is named with how to get it."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from standout.errors import DeviceError, InputError
from standout.webcam import camera as module
from standout.webcam.camera import Camera, cameras
from standout.webcam.latest import LatestValue
from webcam_fakes import FakeCapture, write_film


def test_newest_replaces_and_waits() -> None:
    place = LatestValue[str]()
    assert place.get() is None
    place.put("a")
    place.put("b")
    assert place.get() == (2, "b") and place.get(after=1) == (2, "b")
    assert place.get(after=2, timeout_s=0.01) is None


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_slow_reader_gets_the_newest_frame_of_a_film_that_plays_as_a_camera(tmp_path: Path) -> None:
    camera = Camera(str(write_film(tmp_path / "film.avi", count=8, fps=50)))
    assert camera.open() == (96, 54)
    try:
        numbers = []
        for _ in range(3):
            seen = numbers[-1] if numbers else 0
            wait_until(lambda seen=seen: camera._frames._number >= seen + 4)
            latest = camera._frames._number
            found = camera.newest(seen, timeout_s=5)
            assert found is not None and found[0] >= latest  # not the next one of a queue
            numbers.append(found[0])
        assert np.diff(numbers).min() >= 4  # frames between were skipped …
        assert numbers[-1] > 8  # … and the film begins again at its end
        assert found is not None and found[1].frame.shape == (54, 96, 3)
    finally:
        camera.close()


def test_a_camera_can_be_opened_again(tmp_path: Path) -> None:
    camera = Camera(str(write_film(tmp_path / "film.avi")))
    camera.open()
    first = camera.newest(0, timeout_s=5)
    camera.close()
    camera.open()
    assert first is not None
    again = camera.newest(first[0], timeout_s=5)
    camera.close()
    assert again is not None and again[0] > first[0]


@pytest.fixture
def fake_capture(monkeypatch: pytest.MonkeyPatch) -> type[FakeCapture]:
    class Capture(FakeCapture):
        made = []

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    monkeypatch.setattr(module, "SILENCE_S", 0.2)
    return Capture


def test_a_device_is_asked_for_size_rate_and_jpeg_and_gives_rgb(fake_capture: type[FakeCapture]) -> None:
    camera = Camera(3, size_wh=(1920, 1080), fps=60)
    assert camera.open() == (64, 36)
    (capture,) = fake_capture.made
    found = camera.newest(0, timeout_s=5)
    camera.close()
    assert capture.source == 3 and capture.released
    wanted = {cv2.CAP_PROP_FRAME_WIDTH: 1920, cv2.CAP_PROP_FRAME_HEIGHT: 1080, cv2.CAP_PROP_FPS: 60}
    assert wanted.items() <= capture.settings.items()
    assert capture.settings[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert capture.settings[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert found is not None and found[1].frame[0, 0].tolist() == [0, 0, 255]  # blue, as RGB


def test_a_device_may_be_named_by_its_path(fake_capture: type[FakeCapture]) -> None:
    camera = Camera("/dev/video7")
    camera.open()
    assert fake_capture.made[0].source == 7
    camera.close()


def test_a_camera_that_is_unplugged_is_said(fake_capture: type[FakeCapture]) -> None:
    fake_capture.frames = 3
    camera = Camera(0)
    camera.open()
    number, until = 0, time.monotonic() + 10
    with pytest.raises(DeviceError, match="stopped delivering frames; it was unplugged"):
        while time.monotonic() < until:
            found = camera.newest(number, timeout_s=0.05)
            number = found[0] if found else number
    camera.close()


def test_a_driver_that_hangs_keeps_its_device_to_itself_when_the_camera_is_opened_again(
    fake_capture: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    readers: dict[int, set[int]] = {}

    class Hanging(fake_capture):
        def grab(self) -> bool:
            readers.setdefault(id(self), set()).add(threading.get_ident())
            if self is self.made[0] and self.number == 2:  # `open` itself has read one
                goes_on.wait(20)
            return super().grab()

    monkeypatch.setattr(cv2, "VideoCapture", Hanging)
    camera = Camera(0)
    camera.open()
    wait_until(lambda: fake_capture.made[0].number == 2)
    camera.close()
    camera.open()
    first, second = fake_capture.made
    readers[id(second)].clear()
    goes_on.set()
    wait_until(lambda: first.released)  # given back as soon as the driver returns
    seen = second.number
    wait_until(lambda: second.number > seen + 3)
    assert len(readers[id(second)]) == 1
    camera.close()
    assert second.released


def test_what_is_missing_on_linux_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_capture: type[FakeCapture]
) -> None:
    monkeypatch.setattr(module.sys, "platform", "linux")
    fake_capture.is_there = False
    device = tmp_path / "video0"

    def message(source: str) -> str:
        return str(module._why_on_linux(Path(source)))

    assert "no camera is connected: plug one in" in message(str(device))
    device.touch()
    (tmp_path / "video2").touch()
    assert f"`{tmp_path / 'video2'}`: choose one with `source`" in message(str(tmp_path / "video1"))
    assert "another program has it" in message(str(device))

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert "sudo usermod -aG video $USER" in message(str(device))


@pytest.mark.parametrize(
    "platform, place", [("darwin", "System Settings > Privacy & Security"), ("win32", "Settings > Privacy & security")]
)
def test_permission_elsewhere_is_explained(
    platform: str, place: str, monkeypatch: pytest.MonkeyPatch, fake_capture: type[FakeCapture]
) -> None:
    monkeypatch.setattr(module.sys, "platform", platform)
    fake_capture.is_there = False
    with pytest.raises(DeviceError, match=place):
        Camera(0).open()


def test_a_device_that_opens_and_gives_nothing_is_released(fake_capture: type[FakeCapture]) -> None:
    fake_capture.frames = 0
    camera = Camera(0)
    with pytest.raises(DeviceError):
        camera.open()
    assert fake_capture.made[0].released


def test_files_that_are_no_video_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "film.mp4"
    text.write_text("no film")
    with pytest.raises(InputError, match="is not a video"):
        Camera(str(text)).open()
    with pytest.raises(InputError, match="there is no file"):
        Camera(str(tmp_path / "missing.mp4")).open()


def test_cameras_are_listed_without_their_metadata_nodes(tmp_path: Path) -> None:
    for name, index, title in (("video0", "0", "Integrated Camera"), ("video1", "1", "Integrated Camera")):
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / name).touch()
        (tmp_path / "sys" / name).mkdir(parents=True)
        (tmp_path / "sys" / name / "index").write_text(f"{index}\n")
        (tmp_path / "sys" / name / "name").write_text(f"{title}\n")
    found = cameras(tmp_path / "dev", tmp_path / "sys")
    assert found == {str(tmp_path / "dev" / "video0"): "Integrated Camera"}
