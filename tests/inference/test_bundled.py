"""What is true of the network that comes with the package."""

from importlib.resources import files
from pathlib import Path

import numpy as np

import standout
from standout.imaging.decode import read
from standout.workshop.score.speed import sample_frame

PHOTOS = Path(__file__).parents[1] / "photos"


def test_the_astronaut_s_face_is_person_and_the_flag_is_not():
    frame = read(str(files("standout") / "assets" / "astronaut.jpg")).frame
    alpha = standout.load().alpha(frame)
    assert alpha.shape == frame.shape[:2] and alpha.dtype == np.float32
    assert alpha[60:200, 180:260].mean() > 0.95  # head
    assert alpha[:100, 350:].mean() < 0.1  # behind her


def test_a_cat_and_a_coffee_are_nobody():
    model = standout.load("photo")
    for name in ("chelsea", "coffee"):
        alpha = model.alpha(read(str(PHOTOS / f"{name}.jpg")).frame)
        assert (alpha >= 0.5).mean() < 0.005, name


def test_the_card_names_its_data_and_limits():
    card = standout.load().card
    assert card.name == "photo"
    assert card.flip_scale > 0 and card.zoom_gain > 1  # what photos are worth, and films are not
    assert all(side % card.multiple == 0 and side >= 256 for side in card.input_size)
    assert card.multiple % card.output_stride == 0
    assert 0 < card.threshold < 1 and card.threshold <= card.certainty <= 1
    people = {"portraits", "street", "everyday"}
    assert people | {"nobody"} <= card.scores.keys()
    for name in people:
        middle, low, high = card.scores[name]["person_iou"]
        assert 0.5 < low <= middle <= high < 1 and card.scores[name]["photos"] > 0
    assert len(card.data) >= 4 and card.limits and card.start and len(card.data_hash) == 64


def test_live_is_small_and_knows_the_astronaut_s_face():
    live = standout.load("live")
    frame = read(str(files("standout") / "assets" / "astronaut.jpg")).frame
    photo = standout.load().card
    assert live.card.name == "live" and live.card.scores["nobody"]["photos"] == photo.scores["nobody"]["photos"]
    # One network at two sizes: what makes `live` quick is a quarter of the pixels, and one scale.
    assert live.card.parameters <= photo.parameters and max(live.card.input_size) < max(photo.input_size)
    assert len(live.card.scales) == 1
    assert live.card.flip_scale == live.card.zoom_gain == 0  # one pass: the next frame is the second
    assert live.alpha(frame)[60:200, 180:260].mean() > 0.95
    sizes = [(files("standout") / "assets" / f"{name}.onnx").read_bytes() for name in ("photo", "live")]
    assert sum(map(len, sizes)) < 12e6  # int8; the aim for both together


def test_what_speed_is_measured_on_is_a_picture_of_a_person():
    frames = [sample_frame(240, 320, seed=seed) for seed in (0, 1)]
    assert frames[0].shape == (240, 320, 3) and frames[0].dtype == np.uint8 and (frames[0] != frames[1]).any()
    assert (standout.load("live").alpha(frames[0]) >= 0.5).mean() > 0.1
