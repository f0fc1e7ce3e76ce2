import numpy as np
import pytest

from kits import disc
from standout.workshop.data.clothes import add_badge, dress, hold

PERSON = (disc(96, (56, 48), 32) * 255).astype(np.uint8)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(60, 200, (96, 96, 3), np.uint8)


def texture() -> np.ndarray:
    return np.full((40, 50, 3), (10, 250, 10), np.uint8)


@pytest.mark.parametrize("seed", range(12))
def test_new_clothes_change_people_and_nothing_else(picture, seed):
    dressed = dress(picture, PERSON, texture, np.random.default_rng(seed))
    assert (dressed[PERSON == 0] == picture[PERSON == 0]).all()
    assert (dressed[PERSON > 0] != picture[PERSON > 0]).any()
    assert (dressed[24:28] == picture[24:28]).all(), "clothes begin below the top of a person: the head stays"


@pytest.mark.parametrize("seed", range(12))
def test_a_badge_lies_on_the_person(picture, seed):
    badged = add_badge(picture, PERSON, texture, np.random.default_rng(seed))
    assert (badged[PERSON == 0] == picture[PERSON == 0]).all()
    assert (badged != picture).any()


def test_what_is_held_is_no_person_and_leaves_most_of_them(picture):
    label = np.stack([PERSON, np.zeros_like(PERSON)], 2)
    changes = 0
    for seed in range(12):
        image, after = hold(picture, label, texture, np.random.default_rng(seed))
        covered = after[..., 0] != label[..., 0]
        assert not after[covered].any()
        assert (image[~covered & (PERSON > 0)] == picture[~covered & (PERSON > 0)]).all()
        assert covered.sum() < 0.5 * (PERSON > 0).sum()
        changes += bool(covered.any())
    assert changes >= 6


def test_without_people_all_stays_as_it_is(picture):
    nobody = np.zeros_like(PERSON)
    rng = np.random.default_rng(0)
    assert dress(picture, nobody, texture, rng) is picture
    assert add_badge(picture, nobody, texture, rng) is picture
    assert hold(picture, np.stack([nobody, nobody], 2), texture, rng)[0] is picture
