"""Two devices that share every batch learn what one does; stand-ins of TensorFlow's take the place of GPUs."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from kits import needs_tensorflow
from standout.errors import ConfigError

pytestmark = needs_tensorflow

#: A small network with our blocks, loss, metric and optimizer, trained for some steps on one or two devices.
SCRIPT = """
import contextlib, json, sys
import keras, numpy as np, tensorflow as tf
two = sys.argv[1] == "2"
if two:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from standout.workshop.model.blocks import conv_norm_relu
from standout.workshop.model.losses import BCEDice
from standout.workshop.model.metrics import PersonIoU
from standout.workshop.train.optimizer import StagedAdamW
keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
images = rng.random((24, 16, 16, 3)).astype("float32")
labels = np.stack([images.mean(-1) > 0.5, np.zeros((24, 16, 16))], -1).astype("float32")
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope() if two else contextlib.nullcontext():
    inputs = keras.Input((16, 16, 3))
    x = conv_norm_relu(inputs, 4, 3, name="first")
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1, name="logits")(x))
    optimizer = StagedAdamW(frozenset({"first_conv"}), 0.5, learning_rate=0.02, weight_decay=1e-4, ema=0.5)
    model.compile(optimizer=optimizer, loss=BCEDice(2.0), metrics=[PersonIoU()])
data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8, drop_remainder=True)
history = model.fit(data, epochs=3, shuffle=False, verbose=0).history
weights = [np.asarray(v).tolist() for v in model.trainable_variables]
print(json.dumps([history["loss"], weights, model.optimizer.averages()[0].numpy().shape]))
"""


@pytest.mark.slow
def test_two_devices_learn_what_one_does() -> None:
    told = [
        subprocess.run([sys.executable, "-c", SCRIPT, devices], capture_output=True, text=True, timeout=300, check=True)
        for devices in "12"
    ]
    one, two = (json.loads(run.stdout.splitlines()[-1]) for run in told)
    np.testing.assert_allclose(two[0], one[0], rtol=0.02)
    assert one[0][-1] < 0.9 * one[0][0], "it did learn"
    for mine, theirs in zip(two[1], one[1], strict=True):
        np.testing.assert_allclose(mine, theirs, atol=0.05)
    assert one[2] == two[2]


def test_a_batch_that_cannot_be_shared_out_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from standout.workshop.train import devices

    monkeypatch.setattr(devices.tf.config, "list_logical_devices", lambda kind: [kind] * 3)
    with pytest.raises(ConfigError, match="multiple of the 3 GPUs that share it; received 8"):
        devices.all_gpus(8)
    monkeypatch.setattr(devices.tf.config, "list_logical_devices", lambda kind: [kind])
    with devices.all_gpus(7):  # one device takes any batch
        pass
