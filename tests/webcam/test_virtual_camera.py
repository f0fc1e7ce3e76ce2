"""What is shown reaches the virtual camera; what is missing is named; who watches is counted."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from standout.errors import DeviceError, MissingExtra
from standout.webcam import virtual_camera as module
from standout.webcam.virtual_camera import VirtualCamera, count_readers
from webcam_fakes import FakeVirtualCamera, fake_pyvirtualcam


def test_frames_arrive_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_pyvirtualcam(monkeypatch)
    camera = VirtualCamera((64, 36), 25.0)
    frame = np.random.default_rng(1).integers(0, 256, (36, 64, 3), np.uint8)
    camera.show(frame)
    camera.close()
    (made,) = fake.made
    assert (made.width, made.height, made.fps, made.closed) == (64, 36, 25.0, True)
    np.testing.assert_array_equal(made.sent[0], frame)
    assert camera.watchers() is None  # OBS on macOS and Windows doesn't tell


def test_a_virtual_camera_that_goes_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_pyvirtualcam(monkeypatch)
    camera = VirtualCamera((64, 36), 25.0)

    def fail(frame: object) -> None:
        raise RuntimeError("error writing frame:\nNo such device")

    monkeypatch.setattr(camera._camera, "send", fail)
    with pytest.raises(DeviceError, match="takes no more frames .error writing frame: No such device"):
        camera.show(np.zeros((36, 64, 3), np.uint8))


def test_the_extra_is_named_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(MissingExtra, match=r"pip install 'standout\[webcam\]'"):
        VirtualCamera((64, 36), 30)


#: What pyvirtualcam 0.15 says.
NO_MODULE = "'v4l2loopback' backend: No v4l2 loopback device found at /dev/video[0-99]. Did you run 'modprobe …'?"
NO_PERMISSION = (
    "'v4l2loopback' backend: Could not open /dev/video9 due to missing permissions. "
    "Did you add your user to the 'video' group?"
)
BUSY = "'v4l2loopback' backend: Device /dev/video9 is already in use."
NO_OBS = "'obs' backend: OBS Virtual Camera is not installed in your system."


@pytest.mark.parametrize(
    "platform, failure, remedy",
    [
        ("linux", NO_MODULE, "sudo modprobe v4l2loopback exclusive_caps=1"),
        ("linux", NO_PERMISSION, "sudo usermod -aG video"),
        ("linux", BUSY, "Another program sends to the virtual camera"),
        ("darwin", NO_OBS, "install OBS 30 or newer"),
        ("win32", NO_OBS, "install OBS, or Unity Capture"),
    ],
)
def test_what_is_missing_is_named_with_how_to_get_it(
    platform: str, failure: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pyvirtualcam(monkeypatch, failure)
    monkeypatch.setattr(module.sys, "platform", platform)
    with pytest.raises(DeviceError, match=remedy.replace("(", r"\(")) as error:
        VirtualCamera((64, 36), 30)
    assert "\n" not in str(error.value)


def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_pyvirtualcam(monkeypatch, "'v4l2loopback' backend: Device /dev/video99 does not exist.")
    monkeypatch.setattr(module.sys, "platform", "linux")
    with pytest.raises(DeviceError, match="There is no virtual camera `/dev/video99`"):
        VirtualCamera((64, 36), 30, "/dev/video99")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells who has a file open")
def test_programs_that_have_the_device_open_are_counted(tmp_path: Path) -> None:
    device = tmp_path / "video9"
    device.touch()
    with device.open():  # our own doesn't count
        assert count_readers(device) == 0
        code = "import sys; file = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", code, str(device)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as reader:
            assert reader.stdout is not None and reader.stdout.readline() == "open\n"
            assert count_readers(device) == 1
            reader.communicate("")
        assert count_readers(device) == 0


def test_where_the_system_does_not_tell_nobody_guesses(tmp_path: Path) -> None:
    assert count_readers(tmp_path / "video9", proc=tmp_path) is None


def test_the_fake_has_the_real_interface() -> None:
    real = pytest.importorskip("pyvirtualcam", reason="an extra under the GPL, which CI doesn't install").Camera
    ours, theirs = (list(inspect.signature(cls).parameters) for cls in (FakeVirtualCamera, real))
    assert ours == theirs
    for name in ("send", "close", "device"):
        assert hasattr(real, name)
