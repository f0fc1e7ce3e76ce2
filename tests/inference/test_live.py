"""The live path: blending equals pixels.blend, no halo in the blur, masks that are skipped follow the motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fakes import FakeModel, tiny_model
from standout.compose.backdrop import Backdrop, still_picture
from standout.compose.live import LiveComposer
from standout.errors import ConfigError
from standout.imaging.arrays import Frame, blend, resize
from standout.inference.live import LiveConfig, LiveMask, load_live


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_blending_equals_pixels_blend_within_one_level() -> None:
    frame, background, alpha = noise((97, 131, 3)), noise((97, 131, 3), 1), noise((97, 131), 2)
    alpha[:8], alpha[8:16] = 0, 255
    kept = frame.copy(), background.copy(), alpha.copy()
    composer = LiveComposer()
    for _ in range(2):  # the second time with buffers that are in use
        mixed = composer.over(frame, alpha, background)
        wanted = blend(frame, background, (alpha / 255).astype(np.float32))
        assert np.abs(mixed.astype(int) - wanted.astype(int)).max() <= 1
        np.testing.assert_array_equal(mixed[:8], background[:8])
        np.testing.assert_array_equal(mixed[8:16], frame[8:16])
    for array, before in zip((frame, background, alpha), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_a_finished_frame_is_not_overwritten_by_the_next() -> None:
    composer = LiveComposer()
    alpha = np.full((20, 30), 128, np.uint8)
    first = composer.over(noise((20, 30, 3)), alpha, noise((20, 30, 3), 1))
    kept = first.copy()
    composer.over(noise((20, 30, 3), 2), alpha, noise((20, 30, 3), 3))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("strength", [0.3, 1.0, 3.0])
def test_the_blurred_background_has_no_halo_of_the_person(strength: float) -> None:
    frame = np.full((360, 640, 3), (40, 120, 60), np.uint8)
    alpha = np.zeros((360, 640), np.uint8)
    frame[100:, 220:420], alpha[100:, 220:420] = (255, 0, 0), 255
    blurred = LiveComposer().blur(frame, alpha, strength)
    assert np.abs(blurred.astype(int) - (40, 120, 60)).max() <= 2  # even behind the person


def test_a_coloured_background_shows_no_rim_of_the_old_one() -> None:
    steps = np.clip((np.arange(640) - 310) / 20, 0, 1)  # an edge of 20 pixels
    alpha = np.tile(np.uint8(255 * steps), (360, 1))
    share = (alpha / 255).astype(np.float32)
    person, room, green = (
        np.full((360, 640, 3), colour, np.uint8) for colour in ((150, 60, 40), (255,) * 3, (0, 177, 64))
    )
    frame, wanted = blend(person, room, share), blend(person, green, share).astype(int)
    composer = LiveComposer()
    rim = np.abs(composer.over(frame, alpha, green).astype(int) - wanted).max()
    clean = Backdrop("#00b140").behind(frame, alpha, composer).astype(int)
    assert np.abs(clean - wanted).max() < rim / 2
    np.testing.assert_array_equal(clean[:, 340:], frame[:, 340:])  # the person himself is untouched


def test_the_blur_blurs_and_is_no_larger_than_asked() -> None:
    frame = np.zeros((360, 640, 3), np.uint8)
    frame[:, 320:] = 255
    nobody = np.zeros((360, 640), np.uint8)
    widths = []
    for strength in (0.5, 1.0, 2.0):
        row = LiveComposer().blur(frame, nobody, strength)[180, :, 0]
        widths.append(int(((row > 26) & (row < 229)).sum()))
    assert widths[0] < widths[1] < widths[2]
    assert 10 < widths[1] < 40  # a Gaussian of σ = 8 pixels goes from 10 to 90 % in 20


def test_a_frame_of_nothing_but_person_still_gets_a_background() -> None:
    frame = noise((72, 128, 3))
    blurred = LiveComposer().blur(frame, np.full((72, 128), 255, np.uint8))
    assert blurred.shape == frame.shape


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


def test_contrast_leaves_the_edge_where_it_is() -> None:
    soft = LiveMask(FakeModel((144, 256)), LiveConfig(smoothing="off", contrast=1))(moving_person(0))
    hard = LiveMask(FakeModel((144, 256)), LiveConfig(smoothing="off", contrast=4))(moving_person(0))
    between = [((alpha > 5) & (alpha < 250)).mean() for alpha in (soft, hard)]
    assert between[1] < between[0]
    assert max(abs(a - b) for a, b in zip(person_of(soft), person_of(hard), strict=True)) <= 1


def test_small_frames_work_too() -> None:
    assert LiveMask(FakeModel((64, 64)))(np.zeros((3, 5, 3), np.uint8)).shape == (3, 5)


def test_a_model_of_free_size_gets_the_small_input_and_a_fixed_one_keeps_its_own(
    tmp_path: Path, model_file: Path
) -> None:
    free = tiny_model(tmp_path / "free.onnx", (512, 512), dynamic=True)
    model, note = load_live(str(free), LiveConfig(longest=128))
    assert note == "" and model.network_size(720, 1280) == (80, 128)
    assert load_live(str(free))[0].network_size(720, 1280) == (144, 256)
    assert load_live(str(free), LiveConfig(longest=1024))[0].network_size(720, 1280) == (576, 1024)
    fixed, _ = load_live(str(model_file), LiveConfig(longest=64))
    assert fixed.network_size(720, 1280) == (64, 64)
    assert fixed.coarse(np.zeros((72, 128, 3), np.uint8)).shape == (36, 64)


def test_the_model_live_is_used_when_it_is_there_and_photo_is_said_when_not(monkeypatch: pytest.MonkeyPatch) -> None:
    import standout.inference.live as module

    monkeypatch.setattr(module, "load", lambda name, threads: FakeModel())
    monkeypatch.setattr(module, "bundled_names", lambda: ["photo"])
    assert "`photo` stands in for it" in load_live()[1]
    monkeypatch.setattr(module, "bundled_names", lambda: ["live", "photo"])
    assert load_live()[1] == ""


@pytest.mark.parametrize(
    "settings", [{"longest": 8}, {"every": 0}, {"smoothing": "oil"}, {"every": 2, "smoothing": "off"}, {"contrast": 0}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        LiveConfig(**settings)  # type: ignore[arg-type]


# ------------------------------------------------------------ backdrop


def test_a_backdrop_takes_the_words_of_photo_and_off(tmp_path: Path) -> None:
    from PIL import Image

    image = tmp_path / "office.png"
    Image.new("RGB", (50, 50), (1, 2, 3)).save(image)
    frame, nobody, composer = noise((36, 64, 3)), np.zeros((36, 64), np.uint8), LiveComposer()
    assert (Backdrop("#0a84ff").behind(frame, nobody, composer) == (10, 132, 255)).all()
    assert (Backdrop(str(image)).behind(frame, nobody, composer) == (1, 2, 3)).all()
    assert Backdrop("off").behind(frame, nobody, composer) is frame
    mild, strong = (Backdrop(text).behind(frame, nobody, composer).std() for text in ("blur:2", "blur:30"))
    assert strong < mild < frame.std()
    with pytest.raises(ConfigError, match="can't be transparent"):
        Backdrop("transparent")


def test_the_picture_of_a_pause_gives_nothing_away() -> None:
    still = still_picture(moving_person(0), bars=False)
    assert still.shape == (360, 640, 3) and still.max() < 100
    assert np.abs(np.diff(still.astype(int), axis=1)).max() <= 6  # no edges left
    assert still_picture(None, bars=True).shape == (720, 1280, 3)
