"""One damaged packet, an odd shape or an old tag never ends a film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from clips import make_clip, scene
from fakes import FakeModel
from standout.video.options import VideoOptions
from standout.video.process import process_video
from standout.video.reader import VideoReader


def count(path: Path) -> int:
    with VideoReader(path) as reader:
        return sum(1 for _ in reader)


def spoiled(source: Path, target: Path, kind: str, number: int) -> Path:
    """A copy whose packet `number` of a kind is noise, as a scratch on a disc leaves it."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        made = {stream.index: after.add_stream_from_template(stream) for stream in before.streams}
        seen = 0
        for packet in before.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == kind:
                seen += 1
                if seen == number:
                    noise = np.random.default_rng(0).integers(0, 255, packet.size, dtype=np.uint8).tobytes()
                    bad: Any = av.Packet(noise)
                    bad.pts, bad.dts, bad.duration = packet.pts, packet.dts, packet.duration
                    bad.time_base, bad.stream = packet.time_base, made[packet.stream.index]
                    after.mux(bad)
                    continue
            packet.stream = made[packet.stream.index]
            after.mux(packet)
    return target


@pytest.mark.parametrize("ending", [".webm", ".mp4", ".mkv"])
def test_damaged_sound_costs_its_packet_and_no_frame(tmp_path: Path, ending: str) -> None:
    clip = make_clip(tmp_path / "whole.mkv", 30, sound="aac")
    clip = spoiled(clip, tmp_path / "in.mkv", "audio", 12)
    result = process_video(clip, tmp_path / f"out{ending}", background="white", model=FakeModel())
    assert result.frames == count(tmp_path / f"out{ending}") == 30
    if ending == ".webm":  # decoded, so it is noticed; elsewhere it is copied as it is
        assert not result.complete
        assert any("sound" in note and "damaged" in note for note in result.notes)
        with av.open(str(tmp_path / "out.webm")) as out:
            length = sum(sound.samples for sound in out.decode(audio=0)) / 48000
        assert length == pytest.approx(30 * 1001 / 30000, abs=0.06)  # silence instead: what follows stays in step


def test_a_damaged_frame_costs_that_frame(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "whole.mkv", 20, codec="mjpeg", pixels="yuvj420p")
    clip = spoiled(clip, tmp_path / "in.mkv", "video", 9)
    result = process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel())
    assert 18 <= result.frames <= 20
    assert not result.complete and any("broken" in note or "damaged" in note for note in result.notes)


def test_a_damaged_beginning_is_passed_over(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "whole.mkv", 20, options={"crf": "10", "bf": "0", "g": "5"})
    clip = spoiled(clip, tmp_path / "in.mkv", "video", 1)
    result = process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel())
    assert result.frames >= 14 and not result.complete


@pytest.mark.parametrize(
    ("height", "width"), [(16, 256), (8, 640), (240, 1920), (256, 16), (2, 2), (6, 90), (1, 64), (64, 1)]
)
@pytest.mark.parametrize("smoothing", ["flow", "confidence"])
def test_films_of_any_size_are_processed(tmp_path: Path, height: int, width: int, smoothing: Any) -> None:
    clip = make_clip(tmp_path / "in.mov", 3, size=(height, width), codec="png", pixels="rgb24")
    options = VideoOptions(smoothing=smoothing, frames=True)
    result = process_video(clip, tmp_path / "out", background="blur", model=FakeModel(), options=options)
    assert result.frames == len(list((tmp_path / "out").glob("*.png"))) == 3


def test_flat_pictures_have_no_motion(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 2, size=(64, 256))
    with av.open(str(clip), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 256, 32, "yuv420p"
        for level in (0, 0, 255, 255, 7):
            picture = av.VideoFrame.from_ndarray(np.full((32, 256, 3), level, np.uint8), "rgb24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    assert process_video(clip, tmp_path / "out.mp4", background="blur", model=FakeModel()).frames == 5


# ------------------------------------------------------------ what lies beside the pictures


def tagged(path: Path) -> Path:
    """Two tracks of sound, the second by default; two chapters; title, artist and comment."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=25, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        tracks = []
        for language, default in (("eng", 0), ("deu", 1)):
            track: Any = out.add_stream("aac", rate=48000, layout="mono")
            track.metadata["language"] = language
            track.disposition = av.stream.Disposition(default)
            tracks.append(track)
        milli = Fraction(1, 1000)
        out.set_chapters(
            [
                {"id": n + 1, "start": n * 400, "end": n * 400 + 400, "time_base": milli, "metadata": {"title": name}}
                for n, name in enumerate(("One", "Two"))
            ]
        )
        out.metadata.update({"title": "My film", "artist": "Me", "comment": "note"})
        for index in range(20):
            out.mux(video.encode(av.VideoFrame.from_ndarray(scene(index), "rgb24").reformat(format="yuv420p")))
        out.mux(video.encode(None))
        for track in tracks:
            for start in range(0, 38400, 1024):
                sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                sound.sample_rate, sound.pts = 48000, start
                out.mux(track.encode(sound))
            out.mux(track.encode(None))
    return path


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".mov", ".webm"])
def test_chapters_tags_languages_and_the_default_track_are_kept(tmp_path: Path, ending: str) -> None:
    clip, target = tagged(tmp_path / "in.mkv"), tmp_path / f"out{ending}"
    result = process_video(clip, target, background="blur", model=FakeModel())
    assert not [note for note in result.notes if "sound" not in note]
    with av.open(str(target)) as out:
        assert [chapter["metadata"]["title"] for chapter in out.chapters()] == ["One", "Two"]
        starts = [float(chapter["start"] * (chapter["time_base"] or 1)) for chapter in out.chapters()]
        assert starts == pytest.approx([0, 0.4], abs=0.002)
        tags = {key.lower(): value for key, value in out.metadata.items()}
        assert (tags["title"], tags["artist"], tags["comment"]) == ("My film", "Me", "note")
        sound = out.streams.audio
        assert [stream.metadata.get("language") for stream in sound][0] == "eng"
        assert [stream.metadata.get("language") for stream in sound][1] in ("deu", "ger")
        assert [bool(stream.disposition & av.stream.Disposition.default) for stream in sound] == [False, True]


def test_chapters_of_a_part_are_counted_from_its_beginning(tmp_path: Path) -> None:
    clip, options = tagged(tmp_path / "in.mkv"), VideoOptions(start_s=0.2, end_s=0.6)  # type: ignore[arg-type]
    process_video(clip, tmp_path / "out.mkv", background="blur", model=FakeModel(), options=options)
    with av.open(str(tmp_path / "out.mkv")) as out:
        times = [
            tuple(float(chapter[key] * (chapter["time_base"] or 1)) for key in ("start", "end"))
            for chapter in out.chapters()
        ]
    assert times == [pytest.approx((0, 0.2), abs=0.002), pytest.approx((0.2, 0.4), abs=0.002)]
