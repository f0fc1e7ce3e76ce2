"""Opening a network on a device, and the proof that it computes there.

onnxruntime goes on with the processor when a provider can't be used, without a word. So a session counts as open on a
device only after onnxruntime says that the device has nodes of the network, and one real run gave an alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from standout.errors import DeviceError
from standout.imaging.arrays import Frame
from standout.inference.dequantize import dequantize
from standout.inference.devices import (
    DEVICES,
    Device,
    Installed,
    cache_folder,
    find_device,
    first_line,
    not_installed,
    runtime_distributions,
)
from standout.model_card import ModelCard


@dataclass(frozen=True)
class Opened:
    """A session on a device.

    Attributes:
        session: onnxruntime's.
        device: Where it computes.
        reason: One sentence, why there.
        size_hw: (height, width) of the input where the device wants one size for all; else None.
        share: The share of the network's nodes, 0 … 1, on the device itself; the processor does the others.
    """

    session: Any
    device: Device
    reason: str
    size_hw: tuple[int, int] | None = None
    share: float = 1.0


def session_options(threads: int) -> Any:
    """Options that every session of ours has."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait sleep instead of spinning. Alone a network is about as fast either way; beside a second worker
    # spinning took a quarter of the throughput (benchmarks/server.py: 4.3 instead of 5.7 requests/s).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # errors reach the user as one sentence, not as a log of C++
    return options


def open_on(name: str, kind: str, cpu: Any, data: bytes, card: ModelCard, threads: int) -> Opened:
    """Opens a model on the device that was asked for, or on the best one.

    Args:
        name: A device's name, or "auto".
        kind: "gpu", "npu", "cpu", or "" for any.
        cpu: The session on the processor, which is open already: the model is a good one.
        data: The model file.
        card: The model's card.
        threads: How many threads of the processor, for what is left to it.

    Raises:
        DeviceError: The device that was asked for isn't installed, or doesn't work.
    """
    processor = DEVICES["cpu"]
    if name == "cpu":
        return Opened(cpu, processor, "asked for")
    if name != "auto":
        return _open(_usable(find_device(DEVICES[name], kind)), kind, data, card, threads)
    passed = []
    for device in DEVICES.values():
        found = find_device(device) if device.in_auto and device is not processor else None
        if found is None or not found.source:
            continue
        if found.problem:
            passed.append(f"`{device.name}`: {found.problem}")
        elif found.hardware and found.hardware[0].device.type.name == "CPU":
            passed.append(f"`{device.name}`: it would use the processor, too")
        else:
            try:
                reason = "; ".join([f"{found.source} works", *passed])
                return _open(found, "", data, card, threads, reason=reason)
            except _NotWorking as error:
                passed.append(f"`{device.name}`: it doesn't work ({error.why})")
    reason = "; ".join(passed) or "no other device is installed"
    return Opened(cpu, processor, reason)


class _NotWorking(DeviceError):
    """A device that is installed and fails; `why` is what it said."""

    def __init__(self, device: Device, why: str) -> None:
        two = runtime_distributions()
        clash = f"; {' and '.join(two)} are both installed, and one overwrote the other" if len(two) > 1 else ""
        self.why = f"{why}{clash}"
        super().__init__(
            f"The device `{device.name}` doesn't work here: {self.why}; use another device, or see docs/devices.md."
        )


def _usable(found: Installed) -> Installed:
    if not found.source:
        raise not_installed(found.device)
    if found.problem:
        raise DeviceError(
            f"The device `{found.device.name}` can't be used: {found.source} is installed, but {found.problem}."
        )
    return found


def _open(
    found: Installed, kind: str, data: bytes, card: ModelCard, threads: int, *, reason: str = "asked for"
) -> Opened:
    import onnxruntime

    device = found.device
    if not device.int8:
        data = dequantize(data)
    options = session_options(threads)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")  # older ones pass over it
    size_hw = card.input_size if device.fixed_shape else None
    if size_hw:
        for dimension, length in (("batch", 1), ("height", size_hw[0]), ("width", size_hw[1])):
            options.add_free_dimension_override_by_name(dimension, length)
    if device.name == "directml":
        options.enable_mem_pattern = False
    settings = device.options(cache_folder(device, data), kind)
    try:
        if found.hardware:
            options.add_provider_for_devices([found.hardware[0]], settings if found.source == "compiled in" else {})
            session = onnxruntime.InferenceSession(data, options)
        else:
            providers = [(device.provider, settings), "CPUExecutionProvider"]
            session = onnxruntime.InferenceSession(data, options, providers=providers)
    except Exception as error:
        raise _NotWorking(device, first_line(error)) from error
    provider = found.hardware[0].ep_name if found.hardware else device.provider
    share = _share(session, provider)
    if provider not in session.get_providers() or share == 0:
        raise _NotWorking(
            device, "onnxruntime goes on with the processor instead; its libraries or its driver are missing"
        )
    _warm_up(session, device, size_hw or card.input_size)
    return Opened(session, device, reason, size_hw, share)


def _share(session: Any, provider: str) -> float:
    """The share of the graph's nodes that a provider has, 1 where onnxruntime doesn't tell."""
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return 1.0
    try:
        counts = [(part.ep_name, len(part.get_nodes())) for part in session.get_provider_graph_assignment_info()]
    except Exception:  # noqa: BLE001 (a build that doesn't record it)
        return 1.0
    whole = sum(count for _, count in counts)
    return sum(count for name, count in counts if name == provider) / whole if whole else 1.0


def _warm_up(session: Any, device: Device, size_hw: tuple[int, int]) -> None:
    """The first run, which compiles and uploads; and the proof that there is an alpha."""
    image = session.get_inputs()[0].name
    blank: Frame = np.zeros((1, *size_hw, 3), np.uint8)
    try:
        (alpha,) = session.run(None, {image: blank})
    except Exception as error:
        raise _NotWorking(device, first_line(error)) from error
    if np.shape(alpha) != (1, *size_hw) or not np.isfinite(alpha).all():
        raise _NotWorking(device, "what it computes is no alpha")
