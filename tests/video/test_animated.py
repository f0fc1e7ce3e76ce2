"""Animated pictures, folders of pictures and pipes go in and come out."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from clips import make_clip, scene
from fakes import FakeModel
from standout.errors import InputError
from standout.video.options import VideoOptions
from standout.video.process import process_video
from standout.video.source import open_source


def shown(path: Path) -> list[np.ndarray]:
    """The frames of an animated picture as Pillow sees them, RGBA."""
    with Image.open(path) as picture:
        found = []
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            found.append(np.asarray(picture.convert("RGBA")))
        return found


@pytest.mark.parametrize("ending", [".webp", ".gif", ".apng", ".png"])
def test_an_animated_picture_is_written_transparent_with_its_times(tmp_path: Path, ending: str) -> None:
    clip = make_clip(tmp_path / "in.mp4", 6, steps=[3000] * 6, sound="aac")
    result = process_video(clip, tmp_path / f"out{ending}", model=FakeModel())
    assert any("sound" in note for note in result.notes)
    frames = shown(tmp_path / f"out{ending}")
    assert len(frames) == 6
    for number, frame in enumerate(frames):
        assert frame.shape == (48, 64, 4)
        assert frame[24, 26 + number, 3] == 255 and frame[44, 60, 3] == 0
        assert np.abs(frame[24, 26 + number, :3].astype(int) - (250, 240, 230)).max() < 24
    with Image.open(tmp_path / f"out{ending}") as picture:
        picture.load()
        assert picture.info["duration"] == pytest.approx(100, abs=1)
        assert picture.info["loop"] == 0


@pytest.mark.parametrize("ending", [".webp", ".gif", ".apng"])
def test_an_animated_picture_over_a_color_is_opaque(tmp_path: Path, ending: str) -> None:
    clip = make_clip(tmp_path / "in.mp4", 3, steps=[3000] * 3)
    process_video(clip, tmp_path / f"out{ending}", background="#00b140", model=FakeModel())
    frame = shown(tmp_path / f"out{ending}")[0]
    assert frame[..., 3].min() == 255
    assert np.abs(frame[44, 60, :3].astype(int) - (0, 177, 64)).max() < 24


@pytest.mark.parametrize("ending", [".webp", ".gif", ".png"])
def test_an_animated_picture_is_read(tmp_path: Path, ending: str) -> None:
    pictures = [Image.fromarray(scene(number)) for number in range(5)]
    source = tmp_path / f"in{ending}"
    pictures[0].save(source, save_all=True, append_images=pictures[1:], duration=80, loop=0)
    result = process_video(source, tmp_path / "out.mp4", background="white", model=FakeModel())
    assert result.frames == 5 and result.complete
    with av.open(str(tmp_path / "out.mp4")) as out:
        times = [float(picture.pts * picture.time_base) for picture in out.decode(video=0)]
    assert times == pytest.approx([0.08 * number for number in range(5)], abs=0.002)


def test_a_folder_of_pictures_is_a_film(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(8, 13):  # 9 comes before 10
        Image.fromarray(scene(number)).save(folder / f"{number}.png")
    (folder / "notes.txt").write_text("no picture", "utf-8")
    (folder / "10.png").write_bytes(b"broken")
    result = process_video(
        folder, tmp_path / "out.mp4", background="white", model=FakeModel(), options=VideoOptions(fps=Fraction(10))
    )
    assert not result.complete and any("10.png" in note for note in result.notes)
    with av.open(str(tmp_path / "out.mp4")) as out:
        stream = out.streams.video[0]
        assert stream.average_rate == 10
    with pytest.raises(InputError, match="holds no pictures"):
        empty = tmp_path / "empty"
        empty.mkdir()
        open_source(empty)


def test_what_frames_writes_is_read_again_with_its_times(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 4, steps=[3000, 6000, 3000, 9000])
    process_video(clip, tmp_path / "frames", background="blue", model=FakeModel(), options=VideoOptions(frames=True))
    reader = open_source(tmp_path / "frames")
    times = [float(timed.time) for timed in reader.items(())]
    assert times == pytest.approx([0, 0.1, 0.3, 0.4], abs=1e-4)


@pytest.mark.parametrize(("kind", "background"), [("y4m", "white"), ("nut", "white"), ("nut", "transparent")])
def test_a_pipe_goes_in_and_comes_out(tmp_path: Path, model_file: Path, kind: str, background: str) -> None:
    clip = make_clip(tmp_path / "in.mkv", 6, sound="aac" if kind == "nut" else None)
    code = "from standout.cli import main; main()"
    command = [sys.executable, "-P", "-c", code, "video", "-", "-o", "-", "-b", background, "-m", str(model_file)]
    with clip.open("rb") as source:
        done = subprocess.run(
            [*command, "--pipe-format", kind], stdin=source, capture_output=True, check=False, timeout=120
        )
    assert done.returncode == 0, done.stderr.decode()
    piped = tmp_path / f"piped.{kind}"
    piped.write_bytes(done.stdout)
    with av.open(str(piped)) as out:
        pictures = list(out.decode(video=0))
        assert len(pictures) == 6
        assert len(out.streams.audio) == (kind == "nut")
        if background == "transparent":
            pixels = pictures[0].to_ndarray(format="rgba")
            assert pixels[24, 26, 3] == 255 and pixels[44, 60, 3] == 0
