"""What validation says of a network, and by what the best weights are chosen."""

import types

import numpy as np
import pytest

from kits import disc, needs_tensorflow

pytestmark = needs_tensorflow

SIZE = 96


class Stub:
    """A network that answers with given logits."""

    distribute_strategy = types.SimpleNamespace(num_replicas_in_sync=1)

    def __init__(self, logits: np.ndarray):
        self.logits = logits

    def predict(self, images, batch_size, verbose):
        return self.logits[: len(images), ..., None]


def scores_of(logits: np.ndarray) -> dict[str, float]:
    from standout.workshop.train.validation import Validation

    mask = disc(SIZE, (48, 48), 36)
    labels = np.zeros((2, SIZE, SIZE, 2), np.uint8)
    labels[0, ..., 0] = mask * 255
    return Validation(np.zeros((2, SIZE, SIZE, 3), np.uint8), labels, ["people", "nobody"], 2)(Stub(logits))[0]


def test_between_equal_masks_the_solid_one_is_better():
    mask = disc(SIZE, (48, 48), 36)
    sure = np.where(mask, 6.0, -6.0).astype(np.float32)
    solid = np.stack([sure, np.full_like(sure, -6)])
    holes = solid.copy()
    holes[0][disc(SIZE, (48, 48), 15)] = 0.5  # still person at 0.5: IoU doesn't see it
    hazy = solid.copy()
    hazy[0, :8] = -1.5
    good, bad, gray = scores_of(solid), scores_of(holes), scores_of(hazy)
    assert good["iou"] == bad["iou"] == gray["iou"] == 1.0
    assert good["quality"] == 1.0 and good["lost"] == good["haze"] == 0
    assert bad["lost"] == pytest.approx((15 / 30) ** 2, rel=0.05)
    assert gray["haze"] > 0.05
    assert good["quality"] > max(bad["quality"], gray["quality"])
    assert good["false_people"] == 0
