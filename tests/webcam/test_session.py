"""The webcam's loop: newest frame wins, it paces, pauses and idles, does as it is told and survives a lost camera."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from standout.cli import run
from standout.errors import ConfigError, DeviceError
from standout.webcam.session import COMMANDS, Webcam, WebcamOptions
from webcam_fakes import FakeCamera, FakeClock, FakeMask, FakeOutput, fake_pyvirtualcam, write_film


class Stage:
    """A webcam of fakes."""

    def __init__(self, *, cost_s: float = 0.0, camera_fps: float = 30.0, load: float = 0.5, **options: object) -> None:
        self.clock = FakeClock(load)
        self.camera = FakeCamera(self.clock, camera_fps)
        self.mask = FakeMask(self.clock, cost_s)
        self.output = FakeOutput(self.clock)
        self.said: list[str] = []
        settings = WebcamOptions(**{"backgrounds": ("black", "white"), **options})  # type: ignore[arg-type]
        self.cam = Webcam(self.camera, self.mask, settings, clock=self.clock, say=self.said.append)

    def run(self, frames: int | None = None, *, then: Callable[[FakeOutput], object] | None = None) -> None:
        self.output.then = then
        self.cam.run(lambda size: [self.output], frames=frames)


def test_a_slow_network_skips_frames_and_never_falls_behind() -> None:
    stage = Stage(cost_s=0.11, camera_fps=30)
    stage.run(20)
    numbers = [int(frame[0, 0, 0]) for frame in stage.output.frames]
    steps = np.diff(numbers) % 256
    assert steps.min() >= 3  # what came meanwhile was skipped …
    figures = stage.cam.meter.figures()
    assert (
        figures.latency_p95_ms <= 110 + 1000 / 30 + 1
    )  # … so each frame is old by its own work and one period at most
    assert figures.latency_ms >= 110


def test_the_limiter_keeps_the_rate_of_a_faster_camera_even() -> None:
    stage = Stage(camera_fps=120, fps=20)
    stage.run(41)
    gaps = np.diff(stage.output.times)
    assert gaps.mean() == pytest.approx(1 / 20, rel=0.02)
    assert gaps.max() < 1.5 / 20


def test_the_limiter_does_not_slow_a_camera_of_its_own_rate() -> None:
    stage = Stage(camera_fps=30, fps=30)
    stage.run(60)
    assert np.diff([int(frame[0, 0, 0]) for frame in stage.output.frames]).max() == 1


def test_cpu_and_rate_are_shown() -> None:
    stage = Stage(cost_s=0.02, load=1.5)
    stage.run(30, then=lambda output: setattr(stage, "text", stage.cam.status()["text"]))
    status = stage.cam.status()
    assert status["fps"] == pytest.approx(30, abs=0.5)
    assert status["cpu_percent_of_one_core"] == pytest.approx(90, abs=3)  # 20 ms of each 33, on 1.5 cores
    assert "fps" in stage.text and "CPU" in stage.text and "64x36" in stage.text  # type: ignore[attr-defined]
    assert status["stages_ms"]["mask"] == pytest.approx(20, abs=0.1)


def test_pause_lets_the_camera_go_and_shows_a_still_picture_until_resumed() -> None:
    stage = Stage()

    def script(output: FakeOutput) -> None:
        if len(output.frames) == 5:
            assert stage.cam.command("pause") == "Paused; others see a still picture."
        if len(output.frames) == 8:  # three stills, a second apart
            assert stage.cam.state == "paused" and not stage.camera.is_open
            stage.cam.command("resume")

    stage.run(10, then=script)
    gaps = np.diff(stage.output.times)
    assert stage.camera.opened == 2 and stage.mask.resets == 1
    assert [round(gap) for gap in gaps[5:7]] == [1, 1]
    assert stage.output.waits >= 20  # a window stays alive meanwhile
    assert stage.output.frames[6].max() > 200  # the bars of the pause
    assert stage.output.frames[6][..., 0].mean() < 128 / 2  # over a darkened picture
    assert stage.mask.calls == 10


def test_to_go_on_while_nobody_watches_leaves_the_camera_off_until_somebody_does() -> None:
    stage = Stage(idle_s=2.0)

    def script(output: FakeOutput) -> None:
        if len(output.frames) == 5:
            stage.cam.command("pause")
            output.seen_by = 0
        if len(output.frames) == 15:  # ten stills later
            assert stage.cam.state == "paused"
            stage.cam.command("resume")
        if len(output.frames) == 20:
            assert stage.cam.state.startswith("idle") and stage.camera.opened == 1 and not stage.camera.is_open
            output.seen_by = 1

    stage.run(10, then=script)
    assert stage.camera.opened == 2


def test_it_idles_when_nobody_watches_and_wakes_when_somebody_does() -> None:
    stage = Stage(idle_s=2.0)

    def script(output: FakeOutput) -> None:
        if len(output.frames) == 10:
            output.seen_by = 0
        if stage.cam.state.startswith("idle") and output.times[-1] > output.times[9] + 6:
            assert not stage.camera.is_open
            output.seen_by = 1

    stage.run(100, then=script)
    assert stage.camera.opened == 2
    idle = [t for t in stage.output.times if stage.output.times[9] + 2.1 < t < stage.output.times[9] + 5.9]
    assert 3 <= len(idle) <= 5  # one still picture a second keeps a virtual camera alive


@pytest.mark.parametrize("seen_by, idle_s", [(None, 1.0), (0, 0.0)], ids=["can't be known", "switched off"])
def test_it_does_not_idle(seen_by: int | None, idle_s: float) -> None:
    stage = Stage(idle_s=idle_s)
    stage.output.seen_by = seen_by
    stage.run(150)
    assert stage.camera.opened == 1


def test_a_lost_camera_is_found_again() -> None:
    stage = Stage()
    stage.camera.gone_from, stage.camera.back_at = 101.0, 106.5
    stage.run(60)
    assert stage.camera.opened == 2 and len(stage.said) == 1 and "Looking for it" in stage.said[0]


def test_a_camera_that_stays_away_ends_the_run() -> None:
    stage = Stage()
    stage.camera.gone_from = 101.0
    with pytest.raises(DeviceError, match="gone"):
        stage.run(1000)
    assert stage.output.closed and not stage.camera.is_open
    assert 130 <= stage.clock.now() <= 134


def test_everything_is_closed_when_an_output_fails() -> None:
    stage = Stage()

    def fail(output: FakeOutput) -> None:
        raise OSError("the device is gone")

    with pytest.raises(OSError, match="gone"):
        stage.run(5, then=fail)
    assert stage.output.closed and not stage.camera.is_open


def test_commands_change_the_background_at_once() -> None:
    stage = Stage()
    stage.mask.enlarge = lambda alpha, frame: np.zeros(frame.shape[:2], np.uint8)  # type: ignore[method-assign]
    commands = {3: "next", 6: "background #0a84ff", 9: "next", 12: "background off"}
    stage.run(15, then=lambda output: stage.cam.command(commands.get(len(output.frames), "status")))
    seen = [tuple(int(n) for n in frame[20, 20]) for frame in stage.output.frames]
    assert seen[0::3] == [(0, 0, 0), (255, 255, 255), (10, 132, 255), (0, 0, 0), (128, 128, 128)]


def test_a_wrong_command_changes_nothing_and_says_what_is_allowed() -> None:
    stage = Stage()
    for wrong in ("background nowhere.jpg", "background transparent", "paus", "", "next door please!" * 10):
        before = stage.cam.status()
        if wrong.startswith("next"):
            stage.cam.command(wrong)  # what follows a word that takes nothing is ignored
            continue
        with pytest.raises(ConfigError):
            stage.cam.command(wrong)
        assert stage.cam.status() == before
    with pytest.raises(ConfigError, match="did you mean `pause`"):
        stage.cam.command("paus")
    assert all(word in stage.cam.command("help") for word in COMMANDS)


def test_the_preview_is_mirrored_and_the_virtual_camera_never() -> None:
    stage = Stage(mirror=True, backgrounds=("off",))
    virtual = FakeOutput(stage.clock, own_view=False)
    stage.cam.run(lambda size: [stage.output, virtual], frames=1)
    np.testing.assert_array_equal(stage.output.frames[0], virtual.frames[0][:, ::-1])
    assert (stage.output.frames[0] != virtual.frames[0]).any()


def test_a_camera_that_comes_back_in_another_size_does_not_change_the_outputs() -> None:
    stage = Stage()

    def script(output: FakeOutput) -> None:
        if len(output.frames) == 3:
            stage.cam.command("pause")
        if len(output.frames) == 4:
            stage.camera.size = (32, 24)
            stage.cam.command("resume")

    stage.run(6, then=script)
    assert {frame.shape for frame in stage.output.frames} == {(36, 64, 3)}


def test_quit_ends_the_run() -> None:
    stage = Stage()
    stage.run(then=lambda output: stage.cam.command("quit") if len(output.frames) == 4 else None)
    assert len(stage.output.frames) == 4 and stage.output.closed


@pytest.mark.parametrize("options", [{"fps": 0}, {"fps": 1000}, {"idle_s": -1}, {"backgrounds": ()}])
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        WebcamOptions(**options)  # type: ignore[arg-type]


# ------------------------------------------------------------ the command, with a film as a camera


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.avi")


def test_the_command_sends_a_film_through_the_virtual_camera(
    film: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = fake_pyvirtualcam(monkeypatch)
    before = cv2.getNumThreads()
    code = run(["webcam", "--camera", str(film), "-m", str(model_file), "-b", "#00b140", "--virtual", "--frames", "4"])
    cv2.setNumThreads(before)
    assert code == 0 and "choose it in Zoom, Meet or OBS" in capsys.readouterr().err
    (made,) = camera.made
    assert made.closed and len(made.sent) == 4
    corner, person = made.sent[-1][2, 2], made.sent[-1][27, 45]
    assert np.abs(corner.astype(int) - (0, 0xB1, 0x40)).max() <= 2  # green behind …
    assert person.min() > 200  # … the bright person


def test_commands_come_by_lines(
    film: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_pyvirtualcam(monkeypatch)
    monkeypatch.setattr(sys, "stdin", io.StringIO("background white\n\nnonsense\nquit\n"))
    code = run(["webcam", "--camera", str(film), "-m", str(model_file), "--virtual", "--control", "stdin"])
    assert code == 0
    said = capsys.readouterr().out.splitlines()
    assert (
        said[0] == "The background is white."
        and said[1].startswith("The command must be one of")
        and said[2] == "Stopped."
    )


@pytest.mark.parametrize(
    "words, message",
    [
        (["--preview", "none"], "nothing to see"),
        (["--preview", "wall"], "must be one of auto, window, browser, none"),
        (["--control", "telepathy"], "stdin, http or a port"),
        (["--size", "huge"], "WIDTHxHEIGHT"),
        (["--fps", "0"], "between 1 and 240"),
        (["--every", "2", "--smoothing", "off"], "needs `--smoothing` flow"),
        (["--smoothing", "oil"], "must be one of off, confidence, flow"),
        (["-b", "withe"], "did you mean `white`"),
        (["-b", "transparent"], "can't be transparent"),
        (["--camera", "nowhere.mp4"], "there is no file `nowhere.mp4`"),
        (["--camera", "97"], "camera"),
        (["-m", "nowhere.onnx"], "no model file"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_2(
    words: list[str], message: str, model_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = [] if "-m" in words else ["-m", str(model_file)]
    assert run(["webcam", "--preview", "browser", *model, *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_missing_pyvirtualcam_is_named_with_what_installs_it(
    film: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    assert run(["webcam", "--camera", str(film), "-m", str(model_file), "--virtual"]) == 2
    assert "pip install 'standout[webcam]'" in capsys.readouterr().err
    assert not [thread for thread in threading.enumerate() if thread.name == "camera"]
