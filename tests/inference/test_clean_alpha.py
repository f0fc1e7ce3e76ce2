"""No haze of the old background and no see-through people, on any road."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from clips import make_clip
from fakes import FakeModel, tiny_card
from standout.imaging.arrays import Alpha, Frame
from standout.inference.clean_alpha import CLIP, clean_alpha
from standout.inference.live import LiveConfig, LiveMask
from standout.inference.video_alpha import VideoAlpha
from standout.pipeline.cut_out import cut_out
from standout.video.options import VideoOptions
from standout.video.process import process_video


class Unsure(FakeModel):
    """A network that never commits itself: 0.06 where nobody is, 0.94 where somebody is, and a soft edge."""

    def coarse(self, frame: Frame) -> Alpha:
        return np.asarray(0.06 + 0.88 * super().coarse(frame), np.float32)


def person(size: tuple[int, int] = (96, 128)) -> Frame:
    frame = np.full((*size, 3), 40, np.uint8)
    frame[size[0] // 3 :, size[1] // 3 : 2 * size[1] // 3] = 245
    return frame


def is_clean(levels: np.ndarray) -> bool:
    """Only a thin edge is neither 0 nor 255."""
    values = np.asarray(levels, np.float32) / (255 if levels.dtype == np.uint8 else 1)
    haze, through = ((values > 0) & (values < 0.1)).mean(), ((values > 0.9) & (values < 1)).mean()
    return haze < 0.02 and through < 0.02 and (values == 0).mean() > 0.5 and (values == 1).mean() > 0.1


def test_the_rule_is_a_line_through_one_half() -> None:
    alpha = np.linspace(0, 1, 101, dtype=np.float32)[None]
    made = clean_alpha(alpha.copy())[0]
    assert made[50] == pytest.approx(0.5) and (np.diff(made) >= -1e-6).all()
    assert made[: int(100 * CLIP)].max() == 0 and made[-int(100 * CLIP) :].min() == 1
    assert np.abs(made + made[::-1] - 1).max() < 1e-5
    sharper = clean_alpha(alpha.copy(), enlarged=8)[0]
    assert ((sharper > 0) & (sharper < 1)).sum() < ((made > 0) & (made < 1)).sum() / 3


def test_it_works_in_place() -> None:
    alpha = np.full((2, 3), 0.05, np.float32)
    assert clean_alpha(alpha) is alpha and alpha.max() == 0


@pytest.mark.parametrize("smoothing", ["flow", "off"])
def test_video_alpha_and_the_webcam_are_clean(smoothing: Any) -> None:
    frame, model = person(), Unsure()
    assert is_clean(VideoAlpha(model, smoothing=smoothing)(frame))
    assert is_clean(LiveMask(model, LiveConfig(smoothing=smoothing))(frame))


def test_a_photo_is_clean() -> None:
    model: Any = Unsure()
    assert model.card == tiny_card((64, 64))
    pixels = np.asarray(cut_out(person(), model=model))
    assert is_clean(pixels[..., 3])


@pytest.mark.parametrize("kind", ["frames", "matte"])
def test_a_video_file_is_clean(tmp_path: Path, kind: str) -> None:
    clip, out = make_clip(tmp_path / "in.mp4", 4, size=(96, 128)), tmp_path / "out"
    process_video(clip, out, model=Unsure(), options=VideoOptions(frames=True, matte=kind == "matte"))
    with av.open(str(out / "000003.png")) as picture:
        pixels = next(picture.decode(video=0)).to_ndarray(format="rgba" if kind == "frames" else "gray")
    assert is_clean(pixels[..., 3] if kind == "frames" else pixels)


def test_beside_decoder_and_encoder_a_network_takes_half_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    import standout.inference.video_alpha as module

    for alone, beside in ((1, 1), (2, 1), (4, 2)):
        monkeypatch.setattr(module, "thread_count", lambda alone=alone: alone)
        assert module.threads_beside_others() == beside
    monkeypatch.setenv("STANDOUT_THREADS", "3")
    assert module.threads_beside_others() is None  # the user's word holds
