"""Files as they come from phones, cameras, editors and broken disks."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from clips import make_clip, remux, scene
from fakes import FakeModel
from standout.cli import run
from standout.errors import ConfigError, OutputError
from standout.video import encoders
from standout.video.encoders import opaque_encoder, transparent_encoder
from standout.video.loop import VideoLoop
from standout.video.options import VideoOptions, fit_size
from standout.video.process import process_video
from standout.video.reader import VideoReader, read_frames


def times(path: Path) -> list[Fraction]:
    with VideoReader(path) as reader:
        return [shot.time for shot in reader]


def starts(path: Path) -> dict[str, float]:
    """Seconds at which each kind of stream begins."""
    with av.open(str(path)) as source:
        return {stream.type: float((stream.start_time or 0) * stream.time_base) for stream in source.streams}


def test_a_broadcast_begins_at_zero_and_stays_in_step_with_its_sound(tmp_path: Path) -> None:
    clip = remux(make_clip(tmp_path / "in.mp4", 10, sound="aac"), tmp_path / "in.ts")
    with av.open(str(clip)) as source:
        assert source.start_time is not None
        late = source.streams.video[0].start_time * source.streams.video[0].time_base - Fraction(
            source.start_time, 10**6
        )
    assert late > 0
    process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel())
    assert times(tmp_path / "out.mp4") == times(clip)
    begins = starts(tmp_path / "out.mp4")
    assert begins["video"] - begins["audio"] == pytest.approx(float(late), abs=1e-4)


def test_time_stamps_survive_b_frames(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 12, options={"bf": "3", "b-pyramid": "normal"})
    process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel())
    assert times(tmp_path / "out.mp4") == times(clip)
    assert len(times(clip)) == 12


def test_a_rate_that_can_t_be_is_not_believed(tmp_path: Path) -> None:
    # FFmpeg writes such Matroska files when a stream is copied without its rate.
    clip = remux(make_clip(tmp_path / "in.mp4", 10), tmp_path / "in.mkv")
    with av.open(str(clip)) as source:
        assert source.streams.video[0].average_rate in (30000, None)  # older PyAVs name none
    with VideoReader(clip) as reader:
        assert reader.info.rate == pytest.approx(30, rel=0.01)
        assert reader.info.frames == 10


@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize("extent", [1, 2])
def test_colors_and_their_tags_are_kept(tmp_path: Path, matrix: int, extent: int) -> None:
    clip = make_clip(tmp_path / "in.mp4", 1, matrix=matrix, extent=extent)
    process_video(clip, tmp_path / "out.mp4", background="red", model=FakeModel())
    with VideoReader(clip) as before, VideoReader(tmp_path / "out.mp4") as after:
        assert after.info.color == before.info.color
        assert (after.info.color.matrix, after.info.color.range) == (matrix, extent)
    for path in (clip, tmp_path / "out.mp4"):
        assert np.abs(next(read_frames(path))[24, 20:32].astype(int) - (250, 240, 230)).max() < 8
    assert np.abs(next(read_frames(tmp_path / "out.mp4"))[44, 60].astype(int) - (255, 0, 0)).max() < 8


def test_a_source_in_rgb_is_not_tagged_as_rgb(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mov", 1, codec="png", pixels="rgb24")
    assert np.abs(next(read_frames(clip)).astype(int) - scene(0)).max() == 0
    process_video(clip, tmp_path / "out.mp4", background="blur", model=FakeModel())
    with VideoReader(tmp_path / "out.mp4") as after:
        assert after.info.color.matrix != 0
    assert np.abs(next(read_frames(tmp_path / "out.mp4"))[24, 20:32].astype(int) - (250, 240, 230)).max() < 8


@pytest.mark.parametrize(
    ("sound", "source", "target", "note"),
    [
        ("pcm_s16le", "in.mov", "out.mp4", "pcm_s16le became aac"),
        ("pcm_s16le", "in.mov", "out.mov", ""),
        ("ac3", "in.mkv", "out.mp4", ""),
        ("flac", "in.mkv", "out.webm", "flac became opus"),
        ("libmp3lame", "in.mp4", "out.webm", "mp3 became opus"),
    ],
)
def test_sound_is_copied_or_the_change_is_said(tmp_path: Path, sound: str, source: str, target: str, note: str) -> None:
    clip = make_clip(tmp_path / source, 10, sound=sound)
    result = process_video(clip, tmp_path / target, background="white", model=FakeModel())
    assert note in " ".join(result.notes)
    assert bool(note) == bool(result.notes)
    with av.open(str(clip)) as before, av.open(str(tmp_path / target)) as after:
        length = {path: sum(f.samples for f in path.decode(audio=0)) / 48000 for path in (before, after)}
    assert length[after] == pytest.approx(length[before], abs=0.03)


@pytest.mark.parametrize(("source", "target"), [("subrip", ".mp4"), ("ass", ".webm"), ("webvtt", ".mkv")])
def test_subtitles_keep_their_words_in_every_wrapping(tmp_path: Path, source: str, target: str) -> None:
    suffix, codec = (".webm", "libvpx-vp9") if source == "webvtt" else (".mkv", "libx264")
    words = b"0,0,Default,,0,0,0,,{\\b1}hello{\\b0}" if source == "ass" else b"hello"
    clip = make_clip(tmp_path / f"in{suffix}", 10, subtitles=source, words=words, codec=codec)
    result = process_video(clip, tmp_path / f"out{target}", background="white", model=FakeModel())
    assert any("subtitles" in note for note in result.notes)
    with av.open(str(tmp_path / f"out{target}")) as out:
        packets = [packet for packet in out.demux(out.streams.subtitles[0]) if packet.size > 2]
    assert bytes(packets[0]).lstrip(b"\x00\x05") == b"hello"
    assert float(packets[0].pts * packets[0].time_base) == pytest.approx(0.05, abs=0.002)


def test_a_file_cut_short_gives_what_it_holds_and_says_so(
    tmp_path: Path, model_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = make_clip(tmp_path / "in.mp4", 40, sound="aac")
    for clip in (remux(whole, tmp_path / "in.mkv"), remux(whole, tmp_path / "fast.mp4", {"movflags": "faststart"})):
        clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
        result = process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel())
        assert 0 < result.frames < 40
        assert not result.complete and "cut short" in result.notes[-1]
        arguments = ["video", str(clip), "-o", str(tmp_path / "out.mp4"), "-b", "white", "-m", str(model_file)]
        assert run(arguments) == 1
        assert "cut short" in capsys.readouterr().err
    assert process_video(whole, tmp_path / "out.mp4", background="white", model=FakeModel()).complete


def test_the_rest_of_a_long_file_isn_t_read(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 400, sound="aac")
    with VideoReader(clip, end_s=Fraction(1)) as reader:
        count = sum(1 for _ in reader.items((1,)))
        left = [packet for packet in reader.container.demux(0) if packet.size]
    assert 29 <= count <= 90
    assert len(left) > 200


def test_a_video_behind_loops_without_a_gap(tmp_path: Path) -> None:
    behind = make_clip(tmp_path / "behind.mp4", 3, steps=[3000, 3000, 3000])  # 10 frames/s
    loop = VideoLoop(behind, lambda frame: frame)
    lefts = [int(np.argmax(loop.at(Fraction(i, 20))[24, :, 0] > 128)) for i in range(12)]
    loop.close()
    assert lefts == [16, 16, 17, 17, 18, 18] * 2


def test_where_a_frame_loses_nothing_there_is_nothing_to_say(tmp_path: Path) -> None:
    deep = make_clip(tmp_path / "deep.mp4", 2, pixels="yuv420p10le")
    clear = make_clip(tmp_path / "clear.mov", 2, codec="png", pixels="rgba")  # its transparency: test_kept.py
    for clip in (deep, clear, make_clip(tmp_path / "plain.mp4", 2)):
        result = process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel())
        assert result.complete and not result.notes


def test_two_frames_of_one_time_don_t_end_the_run(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 5)
    with VideoReader(clip) as reader:
        pictures = list(reader.container.decode(reader.stream))
        pictures[2].pts = pictures[1].pts
        stamps = [reader._clock.stamp(picture)[0] for picture in pictures]
    assert stamps == [0, 1001, 1002, 3003, 4004]


def test_a_decimal_second_is_that_decimal(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 5, steps=[3000] * 5)  # at 0, 0.1, 0.2 … seconds
    assert len(list(read_frames(clip, start_s=0.1, end_s=0.3))) == 2
    assert VideoOptions(start_s=0.1).start == Fraction(1, 10)


def test_without_x264_mp4_is_vp9_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "_has", lambda name: False)
    clip = make_clip(tmp_path / "in.mp4", 3, size=(47, 63), sound="aac")
    result = process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel())
    assert any("no H.264" in note for note in result.notes)
    assert times(tmp_path / "out.mp4") == times(clip)
    with pytest.raises(OutputError, match="write .webm"):
        process_video(clip, tmp_path / "out.mov", background="white", model=FakeModel())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: transparent_encoder(".mp4"), "can't be transparent"),
        (lambda: transparent_encoder(".webm", "prores"), "holds vp9"),
        (lambda: transparent_encoder(".mov", "h264"), "one of vp9, prores, png"),  # type: ignore[arg-type]
        (lambda: opaque_encoder(".avi", size_hw=(48, 64)), ".mp4, .mov, .mkv, .webm"),
        (lambda: fit_size("640x640", 1280, 720), "would stretch"),
        (lambda: fit_size("big", 1280, 720), "WIDTHxHEIGHT"),
        (lambda: fit_size("0x0", 1280, 720), "WIDTHxHEIGHT"),
        (lambda: VideoOptions(lag=5), "`lag`"),
        (lambda: VideoOptions(fps=Fraction(0)), "`fps`"),
        (lambda: VideoOptions(start_s=Fraction(3), end_s=Fraction(2)), "after `start_s`"),
    ],
)
def test_what_can_t_be_says_what_can(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()
