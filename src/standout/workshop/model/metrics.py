"""BinaryIoU of the person class, on logits."""

from __future__ import annotations

import keras

from standout.workshop.model.losses import split_label


@keras.saving.register_keras_serializable(package="standout")
class PersonIoU(keras.metrics.BinaryIoU):
    """Keras' BinaryIoU of class 1 alone, over all pixels seen since the last reset.

    Its own defaults would average the background in and threshold at 0.5; a logit's even chance is 0.
    Labels are those of model/losses.py; unsure pixels don't count.
    """

    def __init__(self, name: str = "person_iou", dtype=None):
        super().__init__(target_class_ids=[1], threshold=0.0, name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):  # noqa: ARG002 (the weight is in the label)
        person, weight = split_label(y_true)
        # Soft edges of a label count by their nearer side, as in score/counts.py.
        target = keras.ops.cast(person >= 0.5, "float32")
        # >= 0 is alpha >= 0.5; BinaryIoU itself compares with >=.
        found = keras.ops.cast(y_pred >= 0.0, "float32")
        weight = keras.ops.cast(weight >= 0.5, "float32")
        # The 2×2 table by sums: Keras scatters pixel by pixel, which was 3 % of a training step.
        both, predicted, true = (keras.ops.sum(part * weight) for part in (found * target, found, target))
        neither = keras.ops.sum(weight) - predicted - true + both
        table = keras.ops.stack([neither, predicted - both, true - both, both])
        self.total_cm.assign_add(keras.ops.cast(keras.ops.reshape(table, (2, 2)), self.total_cm.dtype))

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}
