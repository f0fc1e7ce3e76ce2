"""A user's videos keep time, sound and colors; transparent ones come back transparent; mistakes leave nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

import standout
from clips import NTSC, make_clip, scene
from fakes import FakeModel
from standout.errors import ConfigError
from standout.video.options import VideoOptions
from standout.video.process import process_video
from standout.video.reader import VideoReader, read_frames


def times(path: Path) -> list[Fraction]:
    with VideoReader(path) as reader:
        return [shot.time for shot in reader]


def packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as source:
        streams = [stream for stream in source.streams if stream.type == kind]
        return [bytes(packet) for packet in source.demux(streams) if packet.size > 2] if streams else []


def duration(path: Path) -> float:
    with av.open(str(path)) as source:
        return float(source.duration or 0) / 1e6


def rgba(path: Path, codec: str | None = None) -> list[Any]:
    """Decodes again with the transparency; FFmpeg's own VP9 decoder drops it, libvpx's doesn't."""
    with av.open(str(path)) as source:
        if codec is None:
            return [picture.to_ndarray(format="rgba") for picture in source.decode(video=0)]
        context = av.CodecContext.create(codec, "r")
        return [
            picture.to_ndarray(format="rgba")
            for packet in source.demux(video=0)
            for picture in context.decode(packet if packet.size else None)
        ]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "in.mp4", sound="aac", subtitles="mov_text")


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_rate_sound_and_subtitles_are_kept(clip: Path, tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"out{ending}"
    result = process_video(clip, target, background="green", model=FakeModel())
    assert result.frames == len(times(target)) == 8
    if ending != ".mkv":  # Matroska's clock ticks in milliseconds
        assert times(target) == times(clip)
        with VideoReader(target) as reader:
            assert reader.info.rate == NTSC
    assert abs(duration(target) - duration(clip)) < 0.03
    assert packets(target, "audio") == packets(clip, "audio") != []
    assert b"hello" in packets(target, "subtitle")[0]
    assert np.abs(next(read_frames(target))[-1, -1].astype(int) - (0, 128, 0)).max() < 12


def test_webm_turns_the_sound_into_opus_and_says_so(clip: Path, tmp_path: Path) -> None:
    result = process_video(clip, tmp_path / "out.webm", background="white", model=FakeModel())
    assert any("aac became opus" in note for note in result.notes)
    with av.open(str(tmp_path / "out.webm")) as out:
        assert out.streams.audio[0].codec_context.name in ("opus", "libopus")
    assert abs(duration(tmp_path / "out.webm") - duration(clip)) < 0.06


def test_variable_time_stamps_are_kept_exactly(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 5, steps=[1001, 3003, 500, 9000, 1001])
    process_video(clip, tmp_path / "out.mp4", background="blur", model=FakeModel())
    assert times(tmp_path / "out.mp4") == times(clip)
    assert duration(tmp_path / "out.mp4") == pytest.approx(duration(clip), abs=0.002)


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_phone_clip_comes_out_upright(tmp_path: Path, rotation: int) -> None:
    clip = make_clip(tmp_path / "in.mp4", 2, rotation=rotation)
    process_video(clip, tmp_path / "out.mp4", background="blur", model=FakeModel())
    with av.open(str(tmp_path / "out.mp4")) as out:
        picture = next(out.decode(video=0))
        assert picture.rotation == 0
        upright = np.rot90(scene(0), rotation // 90)  # counterclockwise, as FFmpeg's display matrices count
        got = picture.to_ndarray(format="rgb24")
    assert got.shape == upright.shape
    assert np.abs(next(read_frames(clip)).astype(int) - upright).mean() < 6


@pytest.mark.parametrize("size", [(47, 63), (48, 63), (33, 20)])
def test_odd_sizes_are_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    clip = make_clip(tmp_path / "in.mkv", 2, size=size)
    for ending in (".mp4", ".webm"):
        process_video(clip, tmp_path / f"out{ending}", background="white", model=FakeModel())
        assert next(read_frames(tmp_path / f"out{ending}")).shape[:2] == size


def test_one_frame(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 1)
    assert process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel()).frames == 1
    assert duration(tmp_path / "out.mp4") == pytest.approx(duration(clip), abs=0.002)


@pytest.mark.parametrize(
    ("name", "codec", "decoder"),
    [
        ("out.webm", None, "libvpx-vp9"),
        ("out.mkv", None, "libvpx-vp9"),
        ("out.mov", None, None),
        ("out.mov", "png", None),
    ],
)
def test_transparent_video_is_transparent_when_read_again(
    tmp_path: Path, name: str, codec: str | None, decoder: str | None
) -> None:
    clip = make_clip(tmp_path / "in.mp4", 4)
    process_video(clip, tmp_path / name, model=FakeModel(), options=VideoOptions(codec=codec))
    pictures = rgba(tmp_path / name, decoder)
    assert len(pictures) == 4
    assert pictures[0][24, 26, 3] > 245 and pictures[0][44, 60, 3] < 10
    assert np.abs(pictures[0][24, 26, :3].astype(int) - (250, 240, 230)).max() < 16
    assert (tmp_path / name).stat().st_size < 64 * 48 * 4 * 4


def test_frames_folder_and_matte(tmp_path: Path) -> None:
    from standout.imaging.decode import read

    clip = make_clip(tmp_path / "in.mp4", 3)
    process_video(clip, tmp_path / "pngs", model=FakeModel(), options=VideoOptions(frames=True))
    assert sorted(path.name for path in (tmp_path / "pngs").glob("*.png")) == ["000001.png", "000002.png", "000003.png"]
    alpha = read(tmp_path / "pngs" / "000001.png").alpha
    assert alpha is not None and alpha[24, 26] > 0.95 and alpha[44, 60] < 0.05
    process_video(clip, tmp_path / "matte.mp4", model=FakeModel(), options=VideoOptions(matte=True))
    gray = next(read_frames(tmp_path / "matte.mp4"))
    assert gray[24, 26].min() > 245 and gray[44, 60].max() < 10


def test_start_end_size_and_fps(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 30, sound="aac")
    options = VideoOptions(start_s=Fraction(1, 5), end_s=Fraction(3, 5), size="32x24", fps=Fraction(10))
    result = process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel(), options=options)
    assert result.frames == 4
    assert times(tmp_path / "out.mp4") == [Fraction(i, 10) for i in range(4)]
    assert next(read_frames(tmp_path / "out.mp4")).shape == (24, 32, 3)
    assert abs(duration(tmp_path / "out.mp4") - 0.4) < 0.05
    with pytest.raises(ConfigError, match="would stretch"):
        process_video(clip, tmp_path / "x.mp4", model=FakeModel(), options=VideoOptions(size="32x32"))
    with pytest.raises(ConfigError, match="between `start_s` and `end_s`"):
        process_video(
            clip, tmp_path / "x.mp4", background="red", model=FakeModel(), options=VideoOptions(start_s=Fraction(9))
        )


def test_a_video_plays_behind_and_begins_again(tmp_path: Path) -> None:
    clip, behind = make_clip(tmp_path / "in.mp4", 8), make_clip(tmp_path / "behind.mp4", 2, size=(24, 32))
    process_video(clip, tmp_path / "out.mp4", background=str(behind), model=FakeModel())
    corner = [int(frame[2, 3, 0]) for frame in read_frames(tmp_path / "out.mp4")]
    assert min(corner) > 100 and len(corner) == 8


def test_frames_and_alpha_for_those_who_own_the_loop(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 6)
    alpha_of = standout.VideoAlpha(FakeModel())
    alphas = [alpha_of(frame) for frame in standout.read_frames(clip)]
    assert len(alphas) == 6
    assert all(alpha.shape == (48, 64) and alpha.dtype == np.float32 for alpha in alphas)
    assert alphas[5][24, 30] > 0.95 and alphas[5][44, 60] < 0.05
    alpha_of.reset()
    with pytest.raises(standout.StandoutError, match="uint8"):
        alpha_of(np.zeros((4, 4), np.uint8))


def test_nothing_of_the_background_stays_in_transparent_pictures(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 1)
    process_video(clip, tmp_path / "pngs", model=FakeModel(), options=VideoOptions(frames=True))
    with Image.open(tmp_path / "pngs" / "000001.png") as picture:
        pixels = np.asarray(picture)
    assert pixels[44, 60].tolist() == [0, 0, 0, 0]
    # Beside the person its own colors go on, so that an encoder's blur finds nothing else to mix in.
    clear = pixels[20:28, 13:16]
    assert clear[..., 3].max() < 10 and clear[..., :3].min() > 150


def test_matte_pictures_are_gray(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 1)
    process_video(clip, tmp_path / "pngs", model=FakeModel(), options=VideoOptions(frames=True, matte=True))
    with Image.open(tmp_path / "pngs" / "000001.png") as picture:
        assert picture.mode == "L" and picture.getpixel((26, 24)) == 255


@pytest.mark.slow
def test_memory_is_constant_for_any_length(tmp_path: Path) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs Linux's /proc to read the memory in use")
    clip = make_clip(tmp_path / "in.mp4", 1200, size=(36, 64), steps=[15000] * 1200)  # ten minutes at 2 frames/s
    seen: list[int] = []

    def look(done: int, info: object) -> None:
        if done in (300, 1200):
            seen.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4)

    assert (
        process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel(), progress=look).frames == 1200
    )
    assert seen[1] - seen[0] < 20_000  # kilobytes
