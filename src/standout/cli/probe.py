"""What `benchmark` and `info` measure in a process of its own: `python -P -m standout.cli.probe QUESTION …`.

`model NAME THREADS DEVICE` prints the time and memory that loading and the first picture take; nothing but the model
is in them. `device MODEL NAME` prints whether a device works, and how fast. `tensorflow` prints the devices that
TensorFlow sees, which is seconds of loading that disturb nobody here.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def measure_model(name: str, threads: int, device: str) -> dict[str, float]:
    """Milliseconds to load and to the first result, megabytes after loading and at the most."""
    import resource

    import numpy as np

    from standout.inference.model import load

    unit = 1 if sys.platform == "darwin" else 1024

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

    begin = time.perf_counter()
    model = load(name, threads=threads or None, device=device or None)
    loaded, loaded_mb = time.perf_counter() - begin, peak()
    begin = time.perf_counter()
    model.alpha(np.zeros((512, 512, 3), np.uint8))
    first = time.perf_counter() - begin
    return {"load_ms": loaded * 1000, "first_ms": first * 1000, "loaded_mb": loaded_mb, "peak_mb": peak()}


def try_device(name: str, device: str) -> dict[str, Any]:
    """Whether a model computes on a device, how fast (median milliseconds of the network), and what goes wrong."""
    import statistics

    from standout.errors import StandoutError
    from standout.inference.model import load
    from standout.workshop.score.speed import sample_frame

    try:
        model = load(name, device=device)
        frame, times = sample_frame(512, 512), []
        for _ in range(6):
            begin = time.perf_counter()
            model.coarse(frame)
            times.append(1000 * (time.perf_counter() - begin))
    except StandoutError as error:
        return {"works": False, "problem": str(error)}
    return {"works": True, "ms": round(statistics.median(times[1:]), 2), "share": round(model.share, 3)}


def list_training_devices() -> list[str]:
    """The names of TensorFlow's devices, as `/physical_device:CPU:0`."""
    import tensorflow as tf

    return [device.name for device in tf.config.list_physical_devices()]


def main(arguments: list[str]) -> None:
    answer: Any
    if arguments == ["tensorflow"]:
        answer = list_training_devices()
    elif arguments[0] == "device":
        answer = try_device(*arguments[1:])
    else:
        _, name, threads, device = arguments
        answer = measure_model(name, int(threads), device)
    print(json.dumps(answer))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
