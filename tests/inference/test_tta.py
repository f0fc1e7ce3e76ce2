"""Several looks at one photograph give one alpha, better than each."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits import disc
from standout.errors import ConfigError
from standout.imaging.arrays import Alpha, Box, Frame
from standout.inference.model import Model, bundled_names, load
from standout.inference.tta import MARGIN_PX, agree, merge_zoomed, people_box


def with_looks(model: Model, **looks: Any) -> Model:
    model.card, model.tta = dataclasses.replace(model.card, **looks), 3
    return model


def runs_of(model: Model, monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """The pictures that the network is shown, as they come."""
    seen: list[Frame] = []
    run = model._session.run

    def watched(batch: Frame) -> Alpha:
        seen.append(batch[0])
        return run(batch)

    monkeypatch.setattr(model._session, "run", watched)
    return seen


def far_away(radius: float = 30) -> tuple[Frame, np.ndarray]:
    """A small bright person in a large dark picture, and the truth."""
    truth = disc(1000, (300, 640), radius)
    frame = np.zeros((1000, 1000, 3), np.uint8)
    frame[truth] = 255
    return frame, truth


def iou(alpha: Alpha, truth: np.ndarray) -> float:
    mask = alpha >= 0.5
    return float((mask & truth).sum() / (mask | truth).sum())


def test_agreement_is_the_mean_of_the_logits() -> None:
    p, q = np.array([[0.2, 0.9, 0.5]], np.float32), np.array([[0.4, 0.97, 0.5]], np.float32)
    logit = (np.log(p / (1 - p)) + np.log(q / (1 - q))) / 2
    np.testing.assert_allclose(agree(p, q), 1 / (1 + np.exp(-logit)), rtol=1e-5)
    assert agree(p, q).dtype == np.float32


def test_no_look_outvotes_the_other_and_decided_stays_decided() -> None:
    zero, one = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    assert agree(zero, one)[0, 0] == pytest.approx(0.5, abs=1e-3)
    assert agree(zero, zero)[0, 0] < 1e-4 and agree(one, one)[0, 0] > 1 - 1e-4


@pytest.mark.parametrize("name", bundled_names())
def test_people_whom_both_looks_are_sure_of_pass_the_hysteresis_of_every_bundled_model(name: str) -> None:
    sure, nearly = np.ones((4, 4), np.float32), np.full((4, 4), 0.9999, np.float32)
    assert agree(sure, nearly).min() >= load(name, threads=1).card.certainty


def test_the_box_holds_everybody_with_a_margin_and_no_speck() -> None:
    alpha = np.zeros((200, 300), np.float32)
    alpha[50:90, 60:80] = 0.6  # a guess counts: the closer look is to judge it
    alpha[100:140, 150:180] = 1
    alpha[190, 290] = 1  # a speck
    box = people_box(alpha, 0.5)
    assert box is not None
    assert (box.top, box.left) == (50 - int(0.3 * 90) - MARGIN_PX, 60 - int(0.3 * 120) - MARGIN_PX)
    assert (box.top + box.height, box.left + box.width) == (140 + int(0.3 * 90) + MARGIN_PX, 180 + 36 + MARGIN_PX)
    assert people_box(np.zeros((20, 30), np.float32), 0.5) is None
    whole = people_box(np.ones((20, 30), np.float32), 0.5)
    assert whole == Box(0, 0, 20, 30)


def test_a_small_person_gets_an_edge_from_near_by(dynamic_model_file: Path) -> None:
    frame, truth = far_away()
    plain = iou(load(dynamic_model_file).alpha(frame, refine=False), truth)
    closer = iou(with_looks(load(dynamic_model_file), zoom_gain=1.15).alpha(frame, refine=False), truth)
    assert closer > 0.9 > plain


def test_a_person_who_fills_the_picture_is_looked_at_once(
    dynamic_model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = with_looks(load(dynamic_model_file), zoom_gain=1.15)
    seen = runs_of(model, monkeypatch)
    model.alpha(np.full((300, 200, 3), 255, np.uint8))
    model.alpha(np.zeros((300, 200, 3), np.uint8))  # and nobody
    assert len(seen) == 2
    model.alpha(far_away()[0])
    assert len(seen) == 4


def test_in_the_mirror_a_one_sided_network_is_even_handed(
    dynamic_model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_sided(batch: Frame) -> Alpha:
        slope = np.linspace(0.2, 1, batch.shape[2], dtype=np.float32)
        return batch[..., 0].astype(np.float32) / 255 * slope

    frame = far_away(200)[0]
    alphas = {}
    for mirrored in (0, 1):
        model = with_looks(load(dynamic_model_file), flip_scale=mirrored)
        monkeypatch.setattr(model._session, "run", one_sided)
        alphas[mirrored] = model.alpha(frame), model.alpha(frame[:, ::-1])[:, ::-1]
    assert np.abs(alphas[0][0] - alphas[0][1]).max() > 0.1
    np.testing.assert_allclose(*alphas[1], atol=0.02)


def test_a_video_frame_is_looked_at_once(dynamic_model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_looks(load(dynamic_model_file), zoom_gain=1.15, flip_scale=1.5)
    seen = runs_of(model, monkeypatch)
    model.coarse(far_away()[0])
    assert len(seen) == 1
    model.alpha(far_away()[0])
    assert len(seen) == 4  # one of the video's frame; one of the photo and two from nearer by


def test_the_mirror_image_may_be_larger(dynamic_model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_looks(load(dynamic_model_file), flip_scale=1.5)
    seen = runs_of(model, monkeypatch)
    frame = np.zeros((400, 1000, 3), np.uint8)
    frame[:, 600:900] = 255
    alpha = model.alpha(frame, refine=False)
    assert [picture.shape[:2] for picture in seen] == [(32, 64), (48, 96)]
    assert alpha[:, 620:880].min() > 0.95 and alpha[:, :580].max() < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 2), (500, 20), (65, 63), (2300, 1700)])
def test_any_size_and_any_place(dynamic_model_file: Path, shape: tuple[int, int]) -> None:
    model = with_looks(load(dynamic_model_file), zoom_gain=1.01, flip_scale=1.5)
    height, width = shape
    tall, wide = height // 8, width // 8
    for top, left in ((0, 0), (height // 2, width // 2), (height - 1, width - 1)):
        frame = np.zeros((*shape, 3), np.uint8)
        frame[max(0, top - tall) : top + tall + 1, max(0, left - wide) : left + wide + 1] = 255
        before = frame.copy()
        alpha = model.alpha(frame)
        assert alpha.shape == shape and alpha.dtype == np.float32 and 0 <= alpha.min() <= alpha.max() <= 1
        np.testing.assert_array_equal(frame, before)


def test_what_was_seen_from_afar_stays_as_it_is(dynamic_model_file: Path) -> None:
    frame, truth = far_away()
    whole = load(dynamic_model_file).coarse(frame)
    before, box = whole.copy(), people_box(whole, 0.5)
    assert box is not None
    result = merge_zoomed(whole, box, np.zeros((64, 64), np.float32), frame)
    np.testing.assert_array_equal(whole, before)
    # The closer look says nobody: the two hold each other's balance, nothing is sure any more.
    assert result.shape[0] > whole.shape[0] and result.max() < 0.6


def test_a_huge_photo_does_not_grow_a_huge_alpha() -> None:
    frame = np.zeros((6000, 4000, 3), np.uint8)
    result = merge_zoomed(np.zeros((96, 64), np.float32), Box(10, 10, 4, 4), np.zeros((96, 96), np.float32), frame)
    assert result.shape == (2048, 1365)


def test_photos_are_looked_at_once_unless_more_is_asked_for(
    dynamic_model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = {}
    for looks in (1, 2, 3):
        model = load(dynamic_model_file, tta=looks)
        model.card = dataclasses.replace(model.card, zoom_gain=1.15, flip_scale=1.5)
        seen = runs_of(model, monkeypatch)
        model.alpha(far_away()[0])
        passes[looks] = len(seen)
        model.alpha(np.full((300, 200, 3), 255, np.uint8))  # somebody who fills the picture
        assert len(seen) - passes[looks] == min(looks, 2)
    assert passes == {1: 1, 2: 2, 3: 3}


@pytest.mark.parametrize("looks", [0, 4, 1.5])
def test_a_wrong_number_of_looks_is_refused(dynamic_model_file: Path, looks: Any) -> None:
    with pytest.raises(ConfigError, match="`tta` must be 1, 2 or 3; received"):
        load(dynamic_model_file, tta=looks)
