"""BCE-Dice on logits: `k · BCE − Dice`.

Labels are (B, H, W, C): person in [0, 1]; from C = 2 on, unsure (1: no loss there); with C = 3, a teacher's alpha.

A teacher's alpha adds `distill` times the cross-entropy with it (Hinton et al., arXiv 1503.02531), where the label is
unsure too.

Dice is taken per picture, 2·Σ(w·p·t) / (Σ(w·p) + Σ(w·t)) with p the sigmoid of the logit and w = 1 − unsure, and the
mean is over the batch, so the loss means the same at every batch size.
**A picture whose mask is empty counts Dice = 1**: it has no overlap to speak of, and the binary cross-entropy alone
teaches it. A perfect prediction gives −1.
"""

from __future__ import annotations

import keras
from keras import ops


def split_label(y_true):
    """A label's person part and its weight (1 − unsure), both float32 (B, H, W, 1)."""
    y_true = ops.cast(y_true, "float32")
    person = y_true[..., :1]
    weight = 1.0 - y_true[..., 1:2] if y_true.shape[-1] >= 2 else ops.ones_like(person)
    return person, weight


def edge_band(person):
    """1 within two pixels of the mask's edge, 0 elsewhere: the difference of its dilation and its erosion."""
    dilated = ops.max_pool(person, 5, 1, "same")
    eroded = -ops.max_pool(-person, 5, 1, "same")
    return dilated - eroded


def bce(person, weight, logits):
    """Mean binary cross-entropy of each picture over its weighted pixels, (B,)."""
    # max(z, 0) − z·t + log(1 + e^−|z|): stable for large logits of either sign.
    per_pixel = ops.relu(logits) - logits * person + ops.log1p(ops.exp(-ops.abs(logits)))
    axes = (1, 2, 3)
    return ops.sum(per_pixel * weight, axes) / ops.maximum(ops.sum(weight, axes), 1.0)


def soft_dice(person, weight, logits):
    """Dice of each picture, (B,); 1 where the mask is empty."""
    p = ops.sigmoid(logits) * weight
    t = person * weight
    axes = (1, 2, 3)
    target = ops.sum(t, axes)
    dice = 2.0 * ops.sum(p * t, axes) / ops.maximum(ops.sum(p, axes) + target, 1e-6)
    return ops.where(target > 0, dice, ops.ones_like(dice))


def worst_regions(person, weight, logits, side: int = 16):
    """Root mean square of the cross-entropy of each picture's squares of `side` pixels, (B,).

    What is wrong together is a hole in somebody, or a ghost: the worst squares count most.
    """
    per_pixel = ops.relu(logits) - logits * person + ops.log1p(ops.exp(-ops.abs(logits)))
    squares = ops.average_pool(per_pixel * weight, side, side, "same")
    return ops.sqrt(ops.mean(ops.square(squares), (1, 2, 3)) + 1e-6)


def alpha_error(person, weight, logits):
    """Mean error of alpha and of its gradient in each picture, (B,): what hair is made of.

    Deep Image Matting's alpha loss (arXiv 1703.03872), and the gradient's as in arXiv 1908.00672.
    """
    error = (ops.sigmoid(logits) - person) * weight
    down = ops.abs(error[:, 1:] - error[:, :-1])
    right = ops.abs(error[:, :, 1:] - error[:, :, :-1])
    axes = (1, 2, 3)
    return ops.mean(ops.abs(error), axes) + ops.mean(down, axes) + ops.mean(right, axes)


@keras.saving.register_keras_serializable(package="standout")
class BCEDice(keras.losses.Loss):
    """`k · BCE − Dice` on logits; see the module's text for the rule of empty masks.

    Args:
        k: Weight of the cross-entropy.
        edge_weight: The cross-entropy of a pixel within 2 px of a person's edge counts 1 + this.
        distill: Weight of the cross-entropy with the teacher's alpha, where labels hold one.
        region: Weight of `worst_regions`.
        matte: Weight of `alpha_error`.
    """

    def __init__(
        self, k: float = 1.0, edge_weight: float = 0.0, distill: float = 0.0, region: float = 0.0, matte: float = 0.0,
        name: str = "bce_dice",
    ):  # fmt: skip
        super().__init__(name=name)  # the mean over the batch, scaled as tf.distribute needs it
        self.region = region
        self.matte = matte
        self.k = k
        self.edge_weight = edge_weight
        self.distill = distill

    def call(self, y_true, y_pred):
        person, weight = split_label(y_true)
        logits = ops.cast(y_pred, "float32")
        bce_weight = weight * (1.0 + self.edge_weight * edge_band(person)) if self.edge_weight else weight
        loss = self.k * bce(person, bce_weight, logits) - soft_dice(person, weight, logits)
        if self.region:
            loss += self.region * worst_regions(person, weight, logits)
        if self.matte:
            loss += self.matte * alpha_error(person, weight, logits)
        if self.distill and y_true.shape[-1] == 3:
            alpha = ops.cast(y_true[..., 2:], "float32")
            loss += self.distill * bce(alpha, ops.ones_like(alpha), logits)
        return loss

    def get_config(self):
        return {
            "k": self.k, "edge_weight": self.edge_weight, "distill": self.distill,
            "region": self.region, "matte": self.matte, "name": self.name,
        }  # fmt: skip
