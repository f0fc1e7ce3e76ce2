import math

import numpy as np
import pytest

from kits import needs_tensorflow
from standout.workshop.score.counts import count, person_iou

pytestmark = needs_tensorflow


def picture(values) -> np.ndarray:
    return np.array(values, np.float32).reshape(1, 2, 2, 1)


def test_numbers_worked_by_hand():
    # Logit 0 everywhere is p = 0.5: BCE = ln 2. Two of four pixels are person: Dice = 2·(0.5+0.5) / (4·0.5 + 2) = 0.5.
    from standout.workshop.model.losses import BCEDice

    loss = BCEDice(k=3.0)(picture([1, 1, 0, 0]), picture([0, 0, 0, 0]))
    assert float(loss) == pytest.approx(3 * math.log(2) - 0.5, abs=1e-6)


def test_a_perfect_answer_is_minus_one():
    from standout.workshop.model.losses import BCEDice

    y = picture([1, 0, 0, 1])
    assert float(BCEDice(k=2.0)(y, (y * 2 - 1) * 50)) == pytest.approx(-1, abs=1e-5)


def test_an_empty_mask_counts_dice_as_one_and_is_taught_by_bce():
    from standout.workshop.model.losses import BCEDice

    empty, guess = picture([0, 0, 0, 0]), picture([2, -2, -2, -2])
    bce = (math.log1p(math.exp(2)) + 3 * math.log1p(math.exp(-2))) / 4
    assert float(BCEDice(k=1.0)(empty, guess)) == pytest.approx(bce - 1, abs=1e-6)


def test_unsure_pixels_teach_nothing():
    from standout.workshop.model.losses import BCEDice

    label = np.concatenate([picture([1, 1, 0, 0]), picture([0, 1, 0, 1])], axis=-1)
    a = BCEDice(k=2.0)(label, picture([3, -9, -3, 9]))
    b = BCEDice(k=2.0)(label, picture([3, 5, -3, -1]))
    assert float(a) == pytest.approx(float(b), abs=1e-6)


def test_the_loss_means_the_same_at_every_batch_size():
    from standout.workshop.model.losses import BCEDice

    y, z = picture([1, 0, 0, 1]), picture([0.3, -1, 2, 0.1])
    two = BCEDice(k=2.0)(np.concatenate([y, y]), np.concatenate([z, z]))
    assert float(two) == pytest.approx(float(BCEDice(k=2.0)(y, z)), abs=1e-6)


def test_large_logits_stay_finite():
    from standout.workshop.model.losses import BCEDice

    assert np.isfinite(float(BCEDice(k=1.0)(picture([1, 0, 1, 0]), picture([-800, 800, 800, -800]))))


def test_the_edge_band_lies_on_the_edge():
    from standout.workshop.model.losses import BCEDice, edge_band

    mask = np.zeros((1, 16, 16, 1), np.float32)
    mask[:, :, 8:] = 1
    band = np.asarray(edge_band(mask))[0, 8, :, 0]
    assert band[6:10].tolist() == [1, 1, 1, 1] and band[:6].max() == 0 and band[10:14].max() == 0
    # Wrong on the edge alone: the more the edge counts, the more it costs.
    wrong = np.where(band[None, None, :, None] > 0, -1.0, 1.0) * (mask * 2 - 1) * 5
    assert float(BCEDice(1.0, edge_weight=4)(mask, wrong)) > float(BCEDice(1.0)(mask, wrong)) + 0.5


def test_the_metric_equals_score_counts():
    from standout.workshop.model.metrics import PersonIoU

    rng = np.random.default_rng(3)
    logits = rng.normal(size=(3, 20, 30, 1)).astype(np.float32)
    logits[0, 0, 0] = 0.0  # alpha of exactly 0.5 is person in both
    masks = rng.random((3, 20, 30, 1)) < 0.3
    metric = PersonIoU()
    metric.update_state(masks.astype(np.float32), logits)
    alpha = 1 / (1 + np.exp(-logits[..., 0]))
    together = sum(
        (count(m[..., 0], a) for m, a in zip(masks[1:], alpha[1:], strict=True)), count(masks[0, ..., 0], alpha[0])
    )
    assert float(metric.result()) == pytest.approx(person_iou(together), abs=1e-6)


def test_unsure_pixels_do_not_count_in_the_metric():
    from standout.workshop.model.metrics import PersonIoU

    metric = PersonIoU()
    label = np.concatenate([picture([1, 1, 0, 0]), picture([0, 0, 1, 0])], axis=-1)
    metric.update_state(label, picture([5, -5, 5, -5]))
    assert float(metric.result()) == pytest.approx(0.5)  # the false pixel is unsure, the missed one isn't


def test_background_is_not_averaged_in():
    from standout.workshop.model.metrics import PersonIoU

    metric = PersonIoU()
    metric.update_state(picture([1, 0, 0, 0]), picture([-5, -5, -5, -5]))
    assert float(metric.result()) == 0.0


def test_a_teacher_teaches_where_the_label_is_unsure_too():
    from standout.workshop.model.losses import BCEDice

    unsure = np.concatenate([picture([0, 0, 0, 0]), picture([1, 1, 1, 1]), picture([1, 1, 0, 0])], axis=-1)
    right, wrong = picture([4, 4, -4, -4]), picture([-4, -4, 4, 4])
    assert float(BCEDice(k=2.0, distill=0.0)(unsure, right)) == pytest.approx(-1, abs=1e-6)  # Dice of an empty mask
    learned = float(BCEDice(k=2.0, distill=0.5)(unsure, right))
    assert learned == pytest.approx(0.5 * math.log1p(math.exp(-4)) - 1, abs=1e-5)
    assert float(BCEDice(k=2.0, distill=0.5)(unsure, wrong)) > learned + 1


def test_what_is_wrong_together_costs_more_than_what_is_wrong_here_and_there():
    from standout.workshop.model.losses import BCEDice, worst_regions

    mask = np.ones((1, 64, 64, 1), np.float32)
    together, scattered = np.full_like(mask, 8), np.full_like(mask, 8)
    together[0, 16:32, 16:32] = -8  # a hole
    scattered[0, ::4, ::4] = -8  # as many pixels
    weight = np.ones_like(mask)
    hole, dust = (float(worst_regions(mask, weight, logits)[0]) for logits in (together, scattered))
    assert hole > 2 * dust > 0
    assert float(worst_regions(mask, 0 * weight, together)[0]) < 0.01  # unsure pixels teach nothing
    plain, regions = BCEDice(1.0), BCEDice(1.0, region=0.5)
    assert float(regions(mask, together)) == pytest.approx(float(plain(mask, together)) + 0.5 * hole, rel=1e-4)


def test_a_strand_that_is_smeared_costs_by_its_gradient():
    from standout.workshop.model.losses import BCEDice, alpha_error

    matte = np.zeros((1, 32, 32, 1), np.float32)
    matte[:, :, ::4] = 0.8  # strands
    weight = np.ones_like(matte)
    exact = np.log(np.clip(matte, 1e-4, 0.9999) / (1 - np.clip(matte, 1e-4, 0.9999)))
    smeared = np.full_like(matte, np.log(0.2 / 0.8))  # the same mean, no strands
    assert float(alpha_error(matte, weight, exact)[0]) < 0.001 < 0.5 < float(alpha_error(matte, weight, smeared)[0])
    with_matte = BCEDice(1.0, matte=3.0)
    assert float(with_matte(matte, smeared)) > float(BCEDice(1.0)(matte, smeared)) + 1.5
    assert with_matte.get_config()["matte"] == 3.0
