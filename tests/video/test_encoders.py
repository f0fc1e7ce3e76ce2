"""Which encoder is taken, how hard it tries, and what is said when it isn't the one that was asked for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from clips import make_clip
from fakes import FakeModel
from standout.errors import ConfigError
from standout.video import encoders
from standout.video.encoders import EncodingOptions, opaque_encoder, transparent_encoder
from standout.video.options import VideoOptions
from standout.video.process import process_video
from standout.video.scheduling import keep_scheduling

SIZE = (48, 64)


def made(tmp_path: Path, **options: Any) -> int:
    """Bytes of a film."""
    clip, target = make_clip(tmp_path / "in.mp4", 12, size=(144, 192)), tmp_path / "out.mp4"
    settings = VideoOptions(encoding=EncodingOptions(**options))
    process_video(clip, target, background="blur", model=FakeModel(), options=settings)
    return target.stat().st_size


def test_less_quality_makes_a_smaller_file(tmp_path: Path) -> None:
    assert made(tmp_path, crf=40) < made(tmp_path, crf=10)
    assert made(tmp_path, bitrate=20_000) < made(tmp_path, bitrate=2_000_000)


@pytest.mark.parametrize("quality", ["fast", "balanced", "best"])
@pytest.mark.parametrize(("suffix", "bits"), [(".mp4", 8), (".webm", 8), (".mp4", 10), (".webm", 10)])
def test_every_preset_opens(quality: Any, suffix: str, bits: int) -> None:
    chosen = opaque_encoder(suffix, size_hw=(240, 320), bits=bits, options=EncodingOptions(quality=quality))
    context: Any = av.CodecContext.create(chosen.name, "w")
    context.width, context.height, context.pix_fmt, context.options = 320, 240, chosen.pixels, chosen.options
    context.time_base, context.framerate = Fraction(1, 25), 25
    with keep_scheduling():
        context.open()


def test_deep_films_get_an_encoder_that_keeps_their_bits() -> None:
    assert opaque_encoder(".mp4", size_hw=SIZE).name == "libx264"
    assert opaque_encoder(".mp4", size_hw=SIZE, bits=10).pixels == "yuv420p10le"
    assert opaque_encoder(".webm", size_hw=SIZE, bits=10).name == "libsvtav1"
    plain = opaque_encoder(".mp4", size_hw=SIZE, bits=10, options=EncodingOptions(encoder="libx264"))
    assert "10 bits" in plain.note and plain.pixels == "yuv420p"


def test_a_graphics_card_that_isn_t_there_is_said(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 3)
    settings = VideoOptions(encoding=EncodingOptions(encoder="h264_videotoolbox"))
    result = process_video(clip, tmp_path / "out.mp4", background="blur", model=FakeModel(), options=settings)
    assert any("h264_videotoolbox" in note and "processor" in note for note in result.notes)
    assert result.frames == 3 and result.complete


def test_auto_takes_the_first_that_really_works_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = EncodingOptions(encoder="auto")
    monkeypatch.setattr(encoders, "_opens", lambda name, size_hw, bits: False)
    assert opaque_encoder(".mp4", size_hw=SIZE, options=auto).name == "libx264"
    monkeypatch.setattr(encoders, "_opens", lambda name, size_hw, bits: name.endswith("qsv"))
    assert opaque_encoder(".mp4", size_hw=SIZE, options=auto).name == "h264_qsv"
    chosen = opaque_encoder(".mp4", size_hw=SIZE, bits=10, options=auto)
    assert chosen.name == "hevc_qsv" and "hevc_qsv" in chosen.note and chosen.tag == "hvc1"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"quality": "good"}, "`quality` must be one of"),
        ({"crf": 20, "bitrate": 1_000_000}, "exclude each other"),
        ({"crf": 99}, "`crf`"),
        ({"bitrate": 1}, "`bitrate`"),
        ({"encoder": "h266"}, "`encoder` must be"),
    ],
)
def test_what_can_t_be_is_said(options: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        EncodingOptions(**options)


def test_what_doesn_t_go_together_is_said() -> None:
    with pytest.raises(ConfigError, match="can't hold"):
        opaque_encoder(".webm", size_hw=SIZE, options=EncodingOptions(encoder="libx264"))
    with pytest.raises(ConfigError, match="fixed"):
        transparent_encoder(".mov", options=EncodingOptions(crf=20))
    with pytest.raises(ConfigError, match="not for .gif"):
        transparent_encoder(".gif", options=EncodingOptions(crf=20))
    with pytest.raises(ConfigError, match="opaque"):
        transparent_encoder(".webm", options=EncodingOptions(encoder="libx264"))
