"""AdamW with a slower encoder is AdamW, and the encoder is slower."""

from __future__ import annotations

import numpy as np
import pytest

from kits import needs_tensorflow

pytestmark = needs_tensorflow

SETTINGS = {"learning_rate": 0.01, "weight_decay": 0.004}


def trained(optimizer, steps=3):
    """What a layer of the encoder and one of the head are after some steps on the same gradients; with the averages."""
    import keras

    layers = [keras.layers.Dense(3, name=name) for name in ("encoder", "head")]
    for seed, layer in enumerate(layers):
        layer.build((None, 2))
        layer.kernel.assign(np.random.default_rng(seed).normal(size=(2, 3)))
    variables = [variable for layer in layers for variable in layer.trainable_variables]
    optimizer.build(variables)
    before = [layer.kernel.numpy() for layer in layers]
    for step in range(steps):
        rng = np.random.default_rng(10 + step)
        gradients = [keras.ops.convert_to_tensor(rng.normal(size=v.shape).astype("float32")) for v in variables]
        optimizer.apply(gradients, variables)
    return (
        before,
        [layer.kernel.numpy() for layer in layers],
        [v.numpy() for v in optimizer._model_variables_moving_average],
    )


def ours(encoder_lr):
    from standout.workshop.train.optimizer import StagedAdamW

    return StagedAdamW(frozenset({"encoder"}), encoder_lr, ema=0.9, **SETTINGS)


def test_at_one_rate_it_is_adamw_of_keras():
    import keras

    from standout.workshop.train.optimizer import CLIP_NORM

    theirs = keras.optimizers.AdamW(**SETTINGS, global_clipnorm=CLIP_NORM, use_ema=True, ema_momentum=0.9)
    theirs.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    for mine, other in zip(trained(ours(1.0)), trained(theirs), strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_the_encoder_moves_by_its_share_of_the_rate():
    before, after, _ = trained(ours(0.25), steps=1)
    faster = trained(ours(1.0), steps=1)[1]
    # Weight decay goes with the learning rate of the optimizer, so it's taken out.
    step, full = (kernel - before[0] * (1 - 0.01 * 0.004) for kernel in (after[0], faster[0]))
    assert step == pytest.approx(0.25 * full, rel=1e-3)
    assert (after[1] == faster[1]).all()
