import numpy as np

from kits import disc
from standout.workshop.data.webcam_light import webcam_light

PERSON = (disc(64, (40, 32), 20) * 255).astype(np.uint8)


def test_light_changes_and_the_place_of_people_stays_visible():
    rng = np.random.default_rng(5)
    picture = np.where(PERSON[..., None] > 0, 150, 90).astype(np.uint8).repeat(3, 2)
    lit = [webcam_light(picture, PERSON, rng) for _ in range(40)]
    assert all(image.shape == picture.shape and image.dtype == np.uint8 for image in lit)
    assert len({image.tobytes() for image in lit}) == 40
    darkest, brightest = min(image.mean() for image in lit), max(image.mean() for image in lit)
    assert darkest < 0.6 * picture.mean() and brightest > 1.1 * picture.mean()
    # A window behind: the person is darker against the room than before.
    contrast = [image[PERSON > 0].mean() / max(1.0, image[PERSON == 0].mean()) for image in lit]
    assert min(contrast) < 1.0 < max(contrast)
