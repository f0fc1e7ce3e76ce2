"""However a run ends, by an error, by Ctrl-C or by a mistake, it ends at once and leaves what it should."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from clips import make_clip
from fakes import FakeModel
from standout.cli import run
from standout.errors import InputError, OutputError
from standout.video.background import Painter
from standout.video.options import VideoOptions
from standout.video.process import process_video
from standout.video.reader import VideoReader
from standout.video.timed_frame import TimedFrame
from standout.video.writer import VideoWriter


def count(path: Path) -> int:
    with VideoReader(path) as reader:
        return sum(1 for _ in reader)


@pytest.mark.parametrize(
    ("stage", "method"), [(TimedFrame, "small"), (FakeModel, "coarse"), (Painter, "paint"), (VideoWriter, "put")]
)
@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_an_error_in_any_stage_ends_the_run_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Any, method: str, ending: str
) -> None:
    clip = make_clip(tmp_path / "in.mp4", 300)
    (tmp_path / f"out{ending}").write_text("of yesterday")
    threads = threading.active_count()
    works, calls = getattr(stage, method), []

    def fails(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise ValueError("the cause")
        return works(*arguments)

    monkeypatch.setattr(stage, method, fails)
    with pytest.raises(ValueError, match="the cause"):
        process_video(clip, tmp_path / f"out{ending}", background="white", model=FakeModel())
    assert len(calls) < 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", f"out{ending}"]
    assert (tmp_path / f"out{ending}").read_text() == "of yesterday"
    assert threading.active_count() <= threads


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise av.OSError(28, "No space left on device")

    clip = make_clip(tmp_path / "in.mp4", 3)
    monkeypatch.setattr(VideoWriter, "_mux", full)
    with pytest.raises(OutputError, match="No space left"):
        process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel())
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("frames", [True, False])
def test_ctrl_c_keeps_what_is_done_if_asked(tmp_path: Path, frames: bool) -> None:
    def interrupt(done: int, info: object) -> None:
        if done == 5:
            raise KeyboardInterrupt

    clip, target = make_clip(tmp_path / "in.mp4", 20, sound="aac"), tmp_path / "out.mp4"
    options = VideoOptions(keep_partial=True, frames=frames)
    result = process_video(clip, target, background="red", model=FakeModel(), options=options, progress=interrupt)
    assert result.interrupted and not result.complete
    assert (len(list(target.glob("*.png"))) if frames else count(target)) == result.frames == 5


@pytest.mark.parametrize("moment", [5, 20])  # in the midst of it; when the last frames are being written
def test_ctrl_c_while_a_frame_is_written_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    works, calls = VideoWriter._encode, []

    def pressed(writer: VideoWriter, picture: Any) -> None:
        works(writer, picture)
        calls.append(1)
        if len(calls) == moment:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(VideoWriter, "_encode", pressed)
    clip, target, before = make_clip(tmp_path / "in.mp4", 20), tmp_path / "out.mp4", signal.getsignal(signal.SIGINT)
    options = VideoOptions(keep_partial=True)
    result = process_video(clip, target, background="red", model=FakeModel(), options=options)
    assert result.interrupted and not result.complete
    # The frame that is held back for its duration is done, too.
    assert count(target) == result.frames == min(moment + 1, 20)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    def press_twice(done: int, info: object) -> None:
        if done == 5:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    clip, options = make_clip(tmp_path / "in.mp4", 20), VideoOptions(keep_partial=True)
    with pytest.raises(KeyboardInterrupt):
        process_video(
            clip, tmp_path / "out.mp4", background="red", model=FakeModel(), options=options, progress=press_twice
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "keep"), [("SIGINT", True), ("SIGINT", False), ("SIGTERM", True), ("SIGTERM", False), ("SIGHUP", False)]
)
def test_a_real_ctrl_c_and_its_like_end_the_command(tmp_path: Path, model_file: Path, name: str, keep: bool) -> None:
    if not hasattr(signal, name) or sys.platform == "win32":
        pytest.skip(f"there is no {name} here")
    clip, target = make_clip(tmp_path / "in.mp4", 600, size=(240, 320)), tmp_path / "out.mov"
    code = "import sys; from standout.cli import main; main(sys.argv[1:])"
    arguments = ["video", str(clip), "-o", str(target), "--codec", "png", "-m", str(model_file)]
    command = [sys.executable, "-c", code, *arguments, *(["--keep-partial"] if keep else [])]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        started = time.monotonic()
        # FFmpeg writes in pieces of 32 kB: some frames are done by then.
        while not any(path.stat().st_size > 10_000 for path in tmp_path.glob(".standout-*")):
            assert process.poll() is None and time.monotonic() - started < 60
            time.sleep(0.02)
        process.send_signal(getattr(signal, name))
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in said and "Traceback" not in said
    assert not list(tmp_path.glob(".standout-*"))
    assert target.exists() == keep
    if keep:
        assert 0 < count(target) < 600


def test_a_file_without_its_index_is_refused(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 40)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with pytest.raises(InputError, match="cut short"):
        process_video(clip, tmp_path / "x.mp4", background="white", model=FakeModel())


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.mp4", "-o", "out.mp4"],
        ["in.mp4", "-o", "out.mp4"],  # MP4 can't be transparent
        ["in.mp4", "-o", "out.avi", "--background", "red"],
        ["in.mp4"],
        ["in.mp4", "-o", "in.mp4", "--background", "red"],
        ["in.mp4", "-o", "no/out.mp4", "--background", "red"],
        ["in.mp4", "-o", "out.mp4", "--background", "withe"],
        ["in.mp4", "-o", "out.mp4", "--background", "red", "--fps", "fast"],
        ["in.mp4", "-o", "out.mp4", "--background", "red", "--start", "2", "--end", "1"],
        ["in.mp4", "-o", "out.webm", "--codec", "prores"],
        ["text.mp4", "-o", "out.mp4", "--background", "red"],
        ["sound.m4a", "-o", "out.mp4", "--background", "red"],
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    tmp_path: Path,
    model_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "in.mp4", 2)
    (tmp_path / "text.mp4").write_text("no video")
    with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=48000, layout="mono")
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        tone.sample_rate = 48000
        out.mux([*stream.encode(tone), *stream.encode(None)])
    before = sorted(path.name for path in tmp_path.iterdir())
    assert run(["video", *arguments, "--model", str(model_file)]) == 2
    message = [line for line in capsys.readouterr().err.splitlines() if line.startswith("standout:")]
    assert len(message) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_the_command_line(tmp_path: Path, model_file: Path) -> None:
    clip, target = make_clip(tmp_path / "in.mp4", 3, sound="aac"), tmp_path / "out.mp4"
    assert run(["video", str(clip), "-o", str(target), "--background", "blur", "--model", str(model_file)]) == 0
    assert count(target) == 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C can't be sent to one process")
@pytest.mark.parametrize("spoken", [0, 0.5])
def test_ctrl_c_on_a_pipe_that_says_nothing_returns_at_once(tmp_path: Path, model_file: Path, spoken: float) -> None:
    data = make_clip(tmp_path / "in.mkv", 300, size=(240, 320)).read_bytes()
    code = "import sys; from standout.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "video", "-", "-o", str(tmp_path / "out.mp4"), "-b", "red"]
    with subprocess.Popen([*command, "-m", str(model_file)], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(data[: round(spoken * len(data))])
        process.stdin.flush()
        time.sleep(2)  # it has begun, and waits for more
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        finally:
            process.kill()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert (process.returncode, said.count("Traceback") + said.count("Fatal")) == (130, 0), said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv"]
