"""AdamW with a rate of its own for the encoder.

Scaling gradients would do nothing: Adam divides the scale out again. The rate itself has to differ.
"""

from __future__ import annotations

import keras
import tensorflow as tf

#: The gradient of all weights together is clipped to this norm.
CLIP_NORM = 5.0


class StagedAdamW(keras.optimizers.AdamW):
    """AdamW whose learning rate is multiplied by `encoder_lr` for the variables of named layers.

    Args:
        slow_layers: Names of the layers that learn slowly.
        encoder_lr: Their share of the learning rate.
        learning_rate, weight_decay, ema: What Keras' AdamW takes; ema 0 keeps no average.
    """

    def __init__(
        self, slow_layers: frozenset[str], encoder_lr: float, *, learning_rate: float, weight_decay: float, ema: float
    ):
        super().__init__(
            learning_rate, weight_decay=weight_decay, clipnorm=None, global_clipnorm=CLIP_NORM,
            use_ema=ema > 0, ema_momentum=ema or 0.99,
        )  # fmt: skip
        self.slow_layers = slow_layers
        self.encoder_lr = encoder_lr
        self.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])

    def build(self, variables):
        super().build(variables)
        # A variable's path is "layer/variable".
        self._is_slow = [variable.path.split("/")[0] in self.slow_layers for variable in variables]

    def update_step(self, gradient, variable, learning_rate):
        # TensorFlow hands over its own variable, without a path; the index leads back to Keras'.
        slow = self._is_slow[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * (self.encoder_lr if slow else 1.0))

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        # Keras sends each variable through the distribution strategy by itself: half of the time that the first step's
        # graph takes. With one device there is nothing to distribute.
        if tf.distribute.has_strategy():
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def averages(self) -> list:
        """The moving averages, in the order of the trainable variables; empty without EMA."""
        return list(self._model_variables_moving_average) if self.use_ema else []
