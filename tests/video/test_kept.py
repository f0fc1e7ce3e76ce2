"""What a film has beside its pictures is kept, or said: its rate, its end, its covers, its sound, its transparency."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from clips import make_clip, scene
from fakes import FakeModel
from standout.video.process import process_video
from standout.video.reader import VideoReader

LASTS = [40, 80, 200, 40, 500, 60]


def animated(path: Path, *, loop: int | None = 3, alpha: bool = False) -> Path:
    pages = [Image.fromarray(scene(4 * number)) for number in range(len(LASTS))]
    if alpha:
        for page in pages:
            page.putalpha(Image.fromarray(np.where(np.arange(64) < 40, 255, 0).astype(np.uint8)[None].repeat(48, 0)))
    kind = {".apng": "PNG", ".gif": "GIF", ".webp": "WEBP"}[path.suffix]
    again = {} if loop is None else {"loop": loop}
    more = {"lossless": True} if kind == "WEBP" else {}
    pages[0].save(path, kind, save_all=True, append_images=pages[1:], duration=LASTS, **again, **more)
    return path


def played(path: Path) -> tuple[int | None, list[int]]:
    with Image.open(path) as picture:
        lasts = []
        for number in range(picture.n_frames):
            picture.seek(number)
            picture.load()
            lasts.append(round(picture.info["duration"]))
        return picture.info.get("loop"), lasts


@pytest.mark.parametrize("target", [".gif", ".webp", ".apng"])
@pytest.mark.parametrize("source", [".gif", ".webp", ".apng"])
def test_an_animation_plays_as_often_and_ends_as_before(tmp_path: Path, source: str, target: str) -> None:
    result = process_video(animated(tmp_path / f"in{source}"), tmp_path / f"out{target}", model=FakeModel())
    assert played(tmp_path / f"out{target}") == (3, LASTS)
    assert not any("own transparency" in note for note in result.notes)


def test_a_gif_that_plays_once_does_so_again(tmp_path: Path) -> None:
    process_video(animated(tmp_path / "in.gif", loop=None), tmp_path / "out.gif", model=FakeModel())
    assert played(tmp_path / "out.gif")[0] is None


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".ts"])
def test_y4m_has_the_films_rate(tmp_path: Path, ending: str) -> None:
    clip = with_extras(tmp_path / f"in{ending}", "")
    result = process_video(clip, tmp_path / "out.y4m", background="white", model=FakeModel())
    assert b" F25:1 " in (tmp_path / "out.y4m").read_bytes()[:100]
    assert result.frames == 5 and result.notes == ()


def test_y4m_of_a_varying_rate_repeats_frames_and_says_so(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mkv", 6, steps=[1200, 1200, 3600, 1200, 1200, 1200])
    result = process_video(clip, tmp_path / "out.y4m", background="white", model=FakeModel())
    assert any("repeated or left out" in note for note in result.notes)
    with av.open(str(tmp_path / "out.y4m")) as film:
        rate = film.streams.video[0].average_rate
        assert rate is not None and result.frames / rate == pytest.approx(9600 / 30000, abs=float(1 / rate))


def transparent_film(path: Path, codec: str, pixels: str) -> Path:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for number in range(4):
            alpha = np.where(np.arange(64) < 40, 255, 0).astype(np.uint8)[None].repeat(48, 0)
            picture = av.VideoFrame.from_ndarray(np.dstack([scene(number), alpha]), "rgba").reformat(format=pixels)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("kind", ["vp9", "prores", "webp", "gif"])
def test_what_could_not_be_seen_in_the_source_stays_unseen(tmp_path: Path, kind: str) -> None:
    if kind == "vp9":
        film = transparent_film(tmp_path / "in.webm", "libvpx-vp9", "yuva420p")
    elif kind == "prores":
        film = transparent_film(tmp_path / "in.mov", "prores_ks", "yuva444p10le")
    else:
        film = animated(tmp_path / f"in.{kind}", alpha=True)

    class Everybody(FakeModel):
        def coarse(self, frame: Any) -> Any:
            return np.ones_like(super().coarse(frame))

    result = process_video(film, tmp_path / "out.mkv", background="#00b140", model=Everybody())
    with VideoReader(tmp_path / "out.mkv") as reader:
        frame = next(iter(reader)).frame
    assert np.abs(frame[24, 60].astype(int) - (0, 177, 64)).max() < 24, "the background shows through"
    assert np.abs(frame[44, 10].astype(int) - (10, 20, 60)).max() < 24, "the film's own pixels"
    assert not any("transparen" in note for note in result.notes)


def test_an_opaque_film_costs_no_transparency(tmp_path: Path) -> None:
    with VideoReader(make_clip(tmp_path / "in.mp4", 1)) as reader:
        assert next(iter(reader)).transparency is None


def with_extras(path: Path, extra: str) -> Path:
    with av.open(str(path), "w") as out:
        films: list[Any] = [out.add_stream("libx264", rate=25) for _ in range(2 if extra == "film" else 1)]
        for film in films:
            film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        if extra == "timecode":
            films[0].metadata["timecode"] = "01:02:03:04"
        if extra == "attachment":
            out.add_attachment("font.ttf", "application/x-truetype-font", b"\0\1\0\0" + bytes(900))
        if extra == "cover":
            cover: Any = out.add_stream("mjpeg", rate=1)
            cover.width = cover.height = 64
            cover.pix_fmt, cover.disposition = "yuvj420p", av.stream.Disposition.attached_pic
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), "rgb24")
            picture = picture.reformat(format="yuvj420p")
            picture.pts = 0
            out.mux([*cover.encode(picture), *cover.encode(None)])
        for number in range(5):
            for film in films:
                out.mux(film.encode(av.VideoFrame.from_ndarray(scene(number), "rgb24")))
        for film in films:
            out.mux(film.encode(None))
    return path


@pytest.mark.parametrize(
    ("source", "extra", "target", "note"),
    [
        ("in.mov", "timecode", "out.mov", None), ("in.mov", "timecode", "out.mp4", None),
        ("in.mkv", "attachment", "out.mkv", None), ("in.mkv", "attachment", "out.mp4", "font.ttf was left out"),
        ("in.mp4", "cover", "out.mp4", None), ("in.mp4", "cover", "out.mkv", None),
        ("in.mp4", "cover", "out.webm", "cover was left out"), ("in.mkv", "film", "out.mkv", "second film"),
        ("in.mov", "timecode", "out.webm", "other data"),
    ],
)  # fmt: skip
def test_other_tracks_come_along_or_are_named(
    tmp_path: Path, source: str, extra: str, target: str, note: str | None
) -> None:
    film = with_extras(tmp_path / source, extra)
    result = process_video(film, tmp_path / target, background="white", model=FakeModel())
    if note:
        assert any(note in said for said in result.notes)
        return
    assert result.notes == ()
    with av.open(str(tmp_path / target)) as out:
        if extra == "timecode":
            assert out.streams.video[0].metadata["timecode"] == "01:02:03:04"
        else:
            assert len(out.streams) == 2
            assert out.streams[1].type == ("attachment" if extra == "attachment" else "video")


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout", "target", "became"),
    [
        ("in.avi", "libmp3lame", 11025, "mono", "out.mp4", "mono"),
        ("in.avi", "adpcm_ima_wav", 22050, "mono", "out.mkv", "mono"),
        ("in.mov", "pcm_alaw", 8000, "mono", "out.mkv", "mono"),
        ("in.mkv", "flac", 48000, "7.1", "out.webm", "7.1"),
        ("in.mkv", "flac", 48000, "5.0", "out.webm", "5.0"),
    ],
)
def test_sound_that_the_container_cannot_hold_is_converted(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str, target: str, became: str
) -> None:
    with av.open(str(tmp_path / name), "w") as out:
        film: Any = out.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        sound: Any = out.add_stream(codec, rate=rate, layout=layout)
        for number in range(12):
            out.mux(film.encode(av.VideoFrame.from_ndarray(scene(number), "rgb24")))
        out.mux(film.encode(None))
        resampler = av.AudioResampler(sound.format.name, layout, rate, frame_size=sound.frame_size or 1024)
        channels = av.AudioLayout(layout).nb_channels
        tone = av.AudioFrame.from_ndarray(np.full((1, rate // 2 * channels), 4000, np.int16), "s16", layout)
        tone.sample_rate, tone.pts = rate, 0
        for part in (*resampler.resample(tone), *resampler.resample(None)):
            out.mux(sound.encode(part))
        out.mux(sound.encode(None))
    result = process_video(tmp_path / name, tmp_path / target, background="white", model=FakeModel())
    assert any(note.startswith("sound: ") and " became " in note for note in result.notes)
    with av.open(str(tmp_path / target)) as film_out:
        assert film_out.streams.audio[0].layout.name == became
        seconds = sum(frame.samples / frame.sample_rate for frame in film_out.decode(audio=0))
    assert seconds == pytest.approx(0.5, abs=0.2)


def test_a_transport_stream_whose_clock_is_about_to_wrap_is_shown(tmp_path: Path) -> None:
    wrap = 2**33
    with av.open(str(tmp_path / "in.ts"), "w", options={"mpegts_copyts": "1"}) as out:
        film: Any = out.add_stream("libx264", rate=25, options={"bf": "0"})
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        for number in range(12):
            picture = av.VideoFrame.from_ndarray(scene(number), "rgb24")
            picture.pts, picture.time_base = wrap - 90_000 + number * 3600, Fraction(1, 90_000)
            out.mux(film.encode(picture))
        out.mux(film.encode(None))
    process_video(tmp_path / "in.ts", tmp_path / "out.mp4", background="white", model=FakeModel())
    with av.open(str(tmp_path / "out.mp4")) as made:
        packets = [packet for packet in made.demux(video=0) if packet.size]
    assert len(packets) == 12 and not any(packet.is_discard for packet in packets)


def test_a_film_that_changes_its_size_is_scaled_and_says_so(tmp_path: Path) -> None:
    parts = [make_clip(tmp_path / f"{size[1]}.ts", 4, size=size).read_bytes() for size in ((48, 64), (96, 128))]
    (tmp_path / "in.ts").write_bytes(b"".join(parts))
    result = process_video(tmp_path / "in.ts", tmp_path / "out.mp4", background="white", model=FakeModel())
    assert any("from 64x48 to 128x96" in note for note in result.notes)
    with av.open(str(tmp_path / "out.mp4")) as made:
        assert {(frame.width, frame.height) for frame in made.decode(video=0)} == {(64, 48)}
