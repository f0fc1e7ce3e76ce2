"""`standout photo`: from files to files, as a user calls it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from kits import saved, wide_gamut
from standout.cli import run
from standout.imaging.arrays import Frame


@pytest.fixture
def folder(tmp_path: Path, bright_person: Frame, model_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with `photo.jpg` and the stand-in model `m.onnx`."""
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(saved(Image.fromarray(bright_person), "JPEG", quality=95, dpi=(300, 300)))
    Path("m.onnx").symlink_to(model_file)
    return tmp_path


def photo(*arguments: str) -> int:
    return run(["photo", *arguments, "-m", "m.onnx"])


def opened(path: str | Path) -> Image.Image:
    image = Image.open(path)
    image.load()
    return image


def test_the_cut_out_lies_beside_the_photo(folder: Path, bright_person: Frame) -> None:
    assert photo("photo.jpg") == 0
    rgba = np.asarray(opened("photo.standout.png"))
    assert rgba.shape == (72, 96, 4) and rgba[36, 48, 3] == 255 and rgba[0, 0].max() == 0
    assert np.abs(rgba[36, 48, :3].astype(int) - bright_person[36, 48]).max() < 6


@pytest.mark.parametrize(
    ("ending", "form", "mode"), [("png", "PNG", "RGBA"), ("webp", "WEBP", "RGBA"), ("tiff", "TIFF", "RGBA")]
)
def test_every_transparent_format(folder: Path, ending: str, form: str, mode: str) -> None:
    assert photo("photo.jpg", "-o", f"out.{ending}") == 0
    image = opened(f"out.{ending}")
    assert image.format == form and image.mode == mode
    assert photo("photo.jpg", "--format", ending) == 0
    assert opened(f"photo.standout.{ending}").format == form


@pytest.mark.parametrize("background", ["white", "#0a84ff", "blur", "blur:3", "photo.jpg"])
def test_jpegs_need_a_background(folder: Path, background: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert photo("photo.jpg", "-o", "out.jpg", "--background", background) == 0
    image = opened("out.jpg")
    assert image.format == "JPEG" and image.size == (96, 72) and image.info["dpi"] == (300, 300)
    Path("out.jpg").unlink()
    assert photo("photo.jpg", "-o", "out.jpg") == 2
    assert "`--background`, such as `white`" in capsys.readouterr().err and not Path("out.jpg").exists()


def test_quality_changes_the_size(folder: Path) -> None:
    for quality in ("20", "95"):
        assert photo("photo.jpg", "-o", f"{quality}.jpg", "-b", "white", "--quality", quality) == 0
    assert Path("20.jpg").stat().st_size < Path("95.jpg").stat().st_size


def test_every_look_has_its_option(folder: Path) -> None:
    """Each option changes the picture; what they do exactly is tested in test_finish.py."""
    assert photo("photo.jpg", "-o", "plain.png") == 0
    plain = np.asarray(opened("plain.png"))
    for options in (["--edge", "-2"], ["--feather", "6"], ["--invert"], ["--crop"], ["--shadow"], ["--mask"],
                    ["-b", "white"], ["--crop", "--margin", "0"]):  # fmt: skip
        assert photo("photo.jpg", "-o", "out.png", *options) == 0
        other = np.asarray(opened("out.png"))
        assert other.shape != plain.shape or (other != plain).any(), options
    # The stand-in's edge is hard once it is clean; colors are a matter of soft ones.
    edges = []
    for options in ([], ["--keep-edge-colors"]):
        assert photo("photo.jpg", "-o", "out.png", "--feather", "6", *options) == 0
        edges.append(np.asarray(opened("out.png")))
    assert (edges[0] != edges[1]).any()
    assert photo("photo.jpg", "-o", "out.png", "--at", "50%,50%") == 0
    assert photo("photo.jpg", "-o", "out.png", "--keep", "1") == 0
    Image.new("RGB", (30, 90), "red").save("tall.png")
    pictures = set()
    for fit in (["--fit", "cover"], ["--fit", "contain", "--position", "left"], ["--fit", "contain"]):
        assert photo("photo.jpg", "-o", "out.png", "-b", "tall.png", *fit) == 0
        pictures.add(Path("out.png").read_bytes())
    assert len(pictures) == 3


@pytest.mark.parametrize(
    "options",
    [["--background", "withe"], ["--keep", "bob"], ["--at", "1"], ["--edge", "999"], ["--fit", "fill"], ["--lens=3"],
     ["--matting", "magic"], ["--margin", "x"], ["--position", "up"], ["--quality", "0"], ["--max-pixels", "100"],
     ["--keep", "7"], ["--at", "1,1"], ["--format", "gif"], ["-o", "out.gif"], ["-o", "none/out.png"], ["--no-such"]],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_written(
    folder: Path, options: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    assert photo("photo.jpg", *options) == 2
    assert sorted(folder.iterdir()) == before
    assert capfd.readouterr().err


def test_gps_goes_unless_it_is_kept(folder: Path, bright_person: Frame) -> None:
    exif, profile = Image.Exif(), wide_gamut()
    exif[271] = "Maker"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.6)
    data = saved(Image.fromarray(bright_person), "JPEG", exif=exif, icc_profile=profile, dpi=(240, 240))
    Path("photo.jpg").write_bytes(data)
    for ending in ("png", "webp", "tiff", "jpg"):
        assert photo("photo.jpg", "-o", f"out.{ending}", "-b", "white") == 0
        image = opened(f"out.{ending}")
        kept = image.getexif()
        assert 271 not in kept and not kept.get_ifd(0x8825)
        assert image.info["icc_profile"] == profile
        dpi = image.info.get("dpi") or (kept[282], kept[283])
        assert float(dpi[0]) == pytest.approx(240, abs=0.1)
        assert photo("photo.jpg", "-o", f"all.{ending}", "-b", "white", "--keep-metadata") == 0
        everything = opened(f"all.{ending}").getexif()
        assert everything[271] == "Maker" and everything.get_ifd(0x8825)[2] == (48.0, 51.0, 29.6)


def test_16_bits_stay_in_a_png_and_their_loss_is_said(
    folder: Path, bright_person: Frame, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = bright_person.astype(np.uint16) * 257 + 5
    cv2.imwrite("deep.png", cv2.cvtColor(deep, cv2.COLOR_RGB2BGR))
    assert photo("deep.png", "-o", "out.png") == 0
    written = cv2.cvtColor(cv2.imread("out.png", cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
    assert written.dtype == np.uint16 and written[36, 48].tolist() == [*deep[36, 48].tolist(), 65535]
    assert capsys.readouterr().err == ""
    assert photo("deep.png", "-o", "out.tiff") == 0
    assert "8 bits per color" in capsys.readouterr().err


def test_nobody_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (40, 30), (20, 20, 20)).save("empty.png")
    assert photo("empty.png") == 0
    assert "no person was found in `empty.png`" in capsys.readouterr().err
    assert np.asarray(opened("empty.standout.png")).max() == 0


def test_one_bad_photo_does_not_stop_the_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    Path("cutouts").mkdir()
    assert photo("bad.jpg", "photo.jpg", "-o", "cutouts") == 1
    assert Path("cutouts/photo.standout.png").is_file()
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "bad.jpg" in error


def test_originals_are_never_touched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("photo.jpg").read_bytes()
    assert photo("photo.jpg", "-o", "photo.jpg", "-b", "white") == 2
    assert "would overwrite a photo" in capsys.readouterr().err
    assert Path("photo.jpg").read_bytes() == before


def command(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    line = [sys.executable, "-m", "standout", *arguments, "-m", "m.onnx"]
    return subprocess.run(line, input=stdin, capture_output=True)


@pytest.mark.slow
def test_a_pipe_from_end_to_end(folder: Path) -> None:
    done = command("-", "-o", "-", "--format", "webp", stdin=Path("photo.jpg").read_bytes())
    assert done.returncode == 0 and done.stderr == b""
    image = Image.open(io.BytesIO(done.stdout))
    assert image.format == "WEBP" and image.mode == "RGBA"
    refused = command("-", "-o", "-", stdin=b"no picture at all")
    assert refused.returncode == 2 and refused.stdout == b""
    assert refused.stderr.decode().startswith("standout: Standard input is not a picture")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["JPEG", "PNG 16", "TIFF 16", "PNG", "TIFF", "WEBP"])
def test_libraries_add_no_words_of_their_own(folder: Path, kind: str) -> None:
    """libpng, libtiff and OpenCV write to the terminal behind Python's back."""
    noise = np.random.default_rng(2).integers(0, 255, (60, 60, 3), np.uint8)
    if kind.endswith("16"):
        data = cv2.imencode(f".{kind[:4].strip().lower()}", noise.astype(np.uint16) * 257)[1].tobytes()
    else:
        data = saved(Image.fromarray(noise), kind)
    Path("cut.jpg").write_bytes(data[: len(data) * 2 // 3])
    done = command("cut.jpg")
    assert done.returncode == 2 and done.stderr.decode().count("\n") == 1, done.stderr.decode()


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(20), b"\xff\xd8\xff\xe0" + bytes(40), b"\x89PNG\r\n\x1a\n"])
def test_a_broken_file_is_one_sentence_and_exit_2(folder: Path, data: bytes, capfd: pytest.CaptureFixture[Any]) -> None:
    Path("broken.jpg").write_bytes(data)
    assert photo("broken.jpg") == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1 and "`broken.jpg`" in error
    assert not Path("broken.standout.png").exists()
