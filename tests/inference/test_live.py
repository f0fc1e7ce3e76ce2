"""The live path: masks that are skipped follow the motion; the network sees a small picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fakes import FakeModel, tiny_model
from standout.errors import ConfigError
from standout.imaging.arrays import Frame, resize
from standout.inference.live import LiveConfig, LiveMask, load_live


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


# ------------------------------------------------------------ mask


def moving_person(step: int, size: tuple[int, int] = (360, 640)) -> Frame:
    """A bright, textured person that moves 8 pixels per frame over a dark, textured ground."""
    ground = resize(noise((36, 64, 3), 5) // 4, size)
    person = resize(155 + noise((20, 20, 3), 6) % 100, (200, 200))
    frame = ground.copy()
    left = 100 + 8 * step
    frame[100:300, left : left + 200] = person
    return np.ascontiguousarray(frame)


def person_of(alpha: np.ndarray) -> tuple[int, int]:
    """First and last column that are person in the middle row."""
    columns = np.flatnonzero(alpha[200] > 127)
    return int(columns[0]), int(columns[-1])


@pytest.mark.parametrize("refine", [True, False])
def test_alpha_comes_as_bytes_of_the_frames_size(refine: bool) -> None:
    model = FakeModel((144, 256))
    alpha = LiveMask(model, LiveConfig(smoothing="off", refine=refine))(moving_person(0))
    assert alpha.dtype == np.uint8 and alpha.shape == (360, 640)
    assert alpha[200, 200] == 255 and alpha[20, 20] == 0
    left, right = person_of(alpha)
    assert abs(left - 100) <= 3 and abs(right - 299) <= 3


def test_a_skipped_mask_follows_the_motion() -> None:
    model = FakeModel((144, 256))
    mask = LiveMask(model, LiveConfig(every=2))
    for step in range(8):
        left, right = person_of(mask(moving_person(step)))
        assert abs(left - (100 + 8 * step)) <= 5 and abs(right - (299 + 8 * step)) <= 5
    assert model.calls == 4


def test_a_skipped_mask_is_made_after_all_when_the_scene_changes() -> None:
    model = FakeModel((144, 256))
    mask = LiveMask(model, LiveConfig(every=4))
    mask(moving_person(0))
    flipped = np.ascontiguousarray(255 - moving_person(0))
    mask(flipped)
    assert model.calls == 2


def test_reset_forgets() -> None:
    model = FakeModel((144, 256))
    mask = LiveMask(model, LiveConfig(every=4))
    mask(moving_person(0))
    mask.reset()
    mask(moving_person(0))
    assert model.calls == 2


def test_small_frames_work_too() -> None:
    assert LiveMask(FakeModel((64, 64)))(np.zeros((3, 5, 3), np.uint8)).shape == (3, 5)


def test_a_model_of_free_size_gets_the_small_input_and_a_fixed_one_keeps_its_own(
    tmp_path: Path, model_file: Path
) -> None:
    free = tiny_model(tmp_path / "free.onnx", (512, 512), dynamic=True)
    model = load_live(str(free), LiveConfig(longest=128))
    assert model.network_size(720, 1280) == (80, 128)
    assert load_live(str(free)).network_size(720, 1280) == (144, 256)
    assert load_live(str(free), LiveConfig(longest=1024)).network_size(720, 1280) == (576, 1024)
    fixed = load_live(str(model_file), LiveConfig(longest=64))
    assert fixed.network_size(720, 1280) == (64, 64)
    assert fixed.coarse(np.zeros((72, 128, 3), np.uint8)).shape == (36, 64)


@pytest.mark.parametrize(
    "settings", [{"longest": 8}, {"every": 0}, {"smoothing": "oil"}, {"every": 2, "smoothing": "off"}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        LiveConfig(**settings)  # type: ignore[arg-type]
