"""Devices: their names, the part of onnxruntime that computes on each, what is installed here, and what they need.

A device is served by an *execution provider*: one that is compiled into the installed onnxruntime, or a plugin, a
package of its own that onnxruntime loads. Plugins leave onnxruntime as it is; two distributions of onnxruntime
overwrite each other (`runtime_distributions`).
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standout import caches
from standout.errors import ConfigError, DeviceError

#: Options of a provider, from the folder for its cache and the kind of hardware that was asked for.
Options = Callable[[Path | None, str], dict[str, str]]


def _no_options(cache: Path | None, kind: str) -> dict[str, str]:  # noqa: ARG001 (the signature of Options)
    return {}


def _tensorrt(cache: Path | None, kind: str) -> dict[str, str]:  # noqa: ARG001
    # Building an engine takes a minute or two; the next process loads it.
    return {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(cache)} if cache else {}


def _openvino(cache: Path | None, kind: str) -> dict[str, str]:
    return {"device_type": kind.upper() or "CPU"} | ({"cache_dir": str(cache)} if cache else {})


def _coreml(cache: Path | None, kind: str) -> dict[str, str]:
    units = {"gpu": "CPUAndGPU", "npu": "CPUAndNeuralEngine", "cpu": "CPUOnly"}.get(kind, "ALL")
    options = {"ModelFormat": "MLProgram", "MLComputeUnits": units, "RequireStaticInputShapes": "1"}
    return options | ({"ModelCacheDirectory": str(cache)} if cache else {})


@dataclass(frozen=True)
class Device:
    """Something that a network can be computed on.

    Attributes:
        name: What users call it.
        title: What it is, for `standout info` and messages.
        provider: onnxruntime's name of the execution provider.
        install: The command that brings it.
        plugins: Distributions on PyPI that hold the provider as a plugin; any of them will do.
        int8: It has int8 convolutions; otherwise an int8 model is computed in its float form.
        fixed_shape: It compiles the network for each size of input, so that one size is used for all pictures.
        in_auto: `auto` takes it where it is installed and works.
        options: The provider's options, where it is compiled into onnxruntime.
    """

    name: str
    title: str
    provider: str
    install: str = ""
    plugins: tuple[str, ...] = ()
    int8: bool = False
    fixed_shape: bool = False
    in_auto: bool = True
    options: Options = field(default=_no_options, repr=False)


_GPU_STEP = "put onnxruntime-gpu in the place of onnxruntime, as docs/devices.md tells"
#: In the order in which `auto` tries them; the processor, which always works, comes last.
DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        Device(
            "cuda", "NVIDIA graphics cards", "CUDAExecutionProvider", _GPU_STEP,
            plugins=("onnxruntime-ep-cuda13", "onnxruntime-ep-cuda12"),
            options=lambda _cache, _kind: {"cudnn_conv_algo_search": "HEURISTIC"},
        ),
        Device(
            "tensorrt", "NVIDIA graphics cards, compiled by TensorRT", "TensorrtExecutionProvider", _GPU_STEP,
            plugins=("onnxruntime-ep-nv-tensorrt-rtx-cu13", "onnxruntime-ep-nv-tensorrt-rtx-cu12"),
            fixed_shape=True, in_auto=False, options=_tensorrt,
        ),
        Device("directml", "graphics cards on Windows", "DmlExecutionProvider",
               "put onnxruntime-directml in the place of onnxruntime, as docs/devices.md tells"),
        Device("openvino", "Intel processors, graphics and NPUs", "OpenVINOExecutionProvider",
               "pip install 'standout[openvino]'", plugins=("onnxruntime-ep-openvino",), options=_openvino),
        Device("qnn", "Qualcomm NPUs", "QNNExecutionProvider", "pip install 'standout[qnn]'",
               plugins=("onnxruntime-qnn",), int8=True, fixed_shape=True),
        Device("webgpu", "graphics cards of any maker", "WebGpuExecutionProvider", "pip install 'standout[webgpu]'",
               plugins=("onnxruntime-ep-webgpu",)),
        Device("coreml", "Apple's graphics and neural engine", "CoreMLExecutionProvider",
               "use a Mac, whose onnxruntime has it", fixed_shape=True, in_auto=False, options=_coreml),
        Device("cpu", "the processor", "CPUExecutionProvider", "pip install onnxruntime", int8=True),
    )
}  # fmt: skip
#: What the option `--device` and the parameter `device` take; a colon and a kind of hardware may follow.
CHOICES = ("auto", *(name for name in DEVICES))
KINDS = ("cpu", "gpu", "npu")


def check_no_device(device: object) -> None:
    """Refuses a device beside a model that is loaded already.

    Raises:
        ConfigError: A device was given.
    """
    if device is not None:
        raise ConfigError(
            f"`device` is for a model that is given by its name; received {device!r} with a loaded one; "
            "give the device to `standout.load`."
        )


def parse_device(text: str) -> tuple[str, str]:
    """`openvino:gpu` -> ("openvino", "gpu"); `cuda` -> ("cuda", "").

    Raises:
        ConfigError: There is no such device or kind.
    """
    name, _, kind = text.strip().lower().partition(":")
    if name in CHOICES and kind in ("", *KINDS) and not (kind and name in ("auto", "cpu")):
        return name, kind
    near = difflib.get_close_matches(name, CHOICES, 1, 0.6)
    hint = f"; did you mean `{near[0]}`?" if near else "."
    if name == "gpu":
        hint = "; a graphics card is `cuda` (NVIDIA), `directml` (Windows), `openvino:gpu` (Intel) or `webgpu` (any)."
    raise ConfigError(
        f"`device` must be one of {', '.join(CHOICES)}, for some with `:gpu`, `:npu` or `:cpu`; received {text!r}{hint}"
    )


#: A device by its name, or as onnxruntime's `providers=` takes it.
DeviceChoice = str | tuple[str, Mapping[str, Any]] | Sequence[str | tuple[str, Mapping[str, Any]]]


def device_name(asked: object) -> str:
    """What `parse_device` reads, from everything that people pass who know onnxruntime.

    `"CUDAExecutionProvider"` is `cuda`; of a list of providers, the first that is installed; None is `auto`.

    Raises:
        ConfigError: It is none of these, or a provider comes with options, which Standout sets itself.
    """
    if asked is None:
        return "auto"
    if isinstance(asked, str):
        providers = {device.provider.lower(): device.name for device in DEVICES.values()}
        word = asked.strip().lower()
        return providers.get(word, word.removesuffix("executionprovider") or asked)
    if isinstance(asked, tuple) and len(asked) == 2 and isinstance(asked[0], str) and isinstance(asked[1], Mapping):
        options = {key: value for key, value in asked[1].items() if (key, str(value)) != ("device_id", "0")}
        if options:
            raise ConfigError(
                f"`device` takes no options of onnxruntime's, Standout sets them itself; received {options!r} for "
                f"{asked[0]!r}; give the name alone."
            )
        return device_name(asked[0])
    if isinstance(asked, list | tuple) and asked:
        names = [device_name(entry) for entry in asked]
        for name in names:
            device = DEVICES.get(parse_device(name)[0])
            if device is None or name == "cpu":  # `auto`
                return name
            found = find_device(device, parse_device(name)[1])
            if found.source and not found.problem:
                return name
        return names[0]  # which says what it lacks
    raise ConfigError(
        "`device` must be a name such as `cuda`, or a provider of onnxruntime's or a list of them; "
        f"received {asked!r:.80}."
    )


@dataclass(frozen=True)
class Installed:
    """How a device can be used here.

    Attributes:
        device: Which one.
        source: "" where it isn't installed; "compiled in"; or the plugin's distribution and version.
        hardware: onnxruntime's handles of the hardware that a plugin can use, empty where compiled in.
        problem: Why an installed plugin can't be used.
    """

    device: Device
    source: str
    hardware: tuple[Any, ...] = ()
    problem: str = ""


def find_device(device: Device, kind: str = "") -> Installed:
    """What of a device is installed; registers its plugin with onnxruntime, which only looks at the hardware then."""
    import onnxruntime

    plugin = next((name for name in device.plugins if _version(name)), "")
    if plugin:
        source = f"{plugin} {_version(plugin)}"
        try:
            provider = _register(plugin, onnxruntime)
        except Exception as error:  # noqa: BLE001 (a plugin's own code and a library of its own)
            return Installed(device, source, problem=first_line(error))
        found = _hardware(onnxruntime, provider, kind)
        if not found:
            wanted = f"no {kind} that it supports" if kind else "nothing that it supports"
            return Installed(device, source, problem=f"it finds {wanted} in this machine")
        return Installed(device, source, found)
    if device.provider in onnxruntime.get_available_providers():
        if hasattr(onnxruntime, "preload_dlls") and device.name in ("cuda", "tensorrt"):
            onnxruntime.preload_dlls()  # CUDA and cuDNN that pip installed lie where the loader doesn't look
        return Installed(device, "compiled in", _hardware(onnxruntime, device.provider, kind) if kind else ())
    return Installed(device, "")


def has_accelerator() -> bool:
    """Whether anything that `auto` could take is installed besides the processor; looks at no hardware."""
    import onnxruntime

    built_in = onnxruntime.get_available_providers()
    others = (device for device in DEVICES.values() if device.in_auto and device.name != "cpu")
    return any(device.provider in built_in or any(map(_version, device.plugins)) for device in others)


def not_installed(device: Device) -> DeviceError:
    """The sentence for a device that isn't there."""
    import onnxruntime

    has = [name for name, other in DEVICES.items() if other.provider in onnxruntime.get_available_providers()]
    two = runtime_distributions()
    clash = f" ({' and '.join(two)} are both installed, and the last one overwrote the other)" if len(two) > 1 else ""
    return DeviceError(
        f"The device `{device.name}` ({device.title}) is not installed; this onnxruntime has {', '.join(has)}{clash}; "
        f"to get it: {device.install}."
    )


def runtime_distributions() -> list[str]:
    """The installed distributions of onnxruntime itself, with versions; more than one overwrite each other's files."""
    family = {f"onnxruntime{end}" for end in ("", "-gpu", "-directml", "-openvino", "-rocm", "-training", "-azure")}
    found = {name for name in family | {"ort-nightly", "ort-nightly-gpu"} if _version(name)}
    return [f"{name} {_version(name)}" for name in sorted(found)]


def cache_folder(device: Device, data: bytes) -> Path | None:
    """A folder of this device, model and onnxruntime, for what is compiled; None where none can be made."""
    if not device.fixed_shape and device.name != "openvino":
        return None
    import onnxruntime

    key = hashlib.sha256(data + str(onnxruntime.__version__).encode()).hexdigest()[:16]
    folder = caches.cache_folder() / device.name / key
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _register(plugin: str, onnxruntime: Any) -> str:
    """Loads a plugin's library into onnxruntime, once; returns its provider's name."""
    files = importlib.metadata.files(plugin) or []
    module = importlib.import_module(next(file.parts[0] for file in files if file.name == "__init__.py"))
    provider = str(module.get_ep_names()[0])
    if not any(device.ep_name == provider for device in onnxruntime.get_ep_devices()):
        try:
            onnxruntime.register_execution_provider_library(provider, module.get_library_path())
        except Exception as error:
            if "already" not in str(error).lower():
                raise
    return provider


def _hardware(onnxruntime: Any, provider: str, kind: str) -> tuple[Any, ...]:
    """The hardware of a provider; what the machine's own processor is comes last."""
    if not hasattr(onnxruntime, "get_ep_devices"):  # before 1.23
        return ()
    found = [device for device in onnxruntime.get_ep_devices() if device.ep_name == provider]
    real = [device for device in found if dict(device.device.metadata).get("is_virtual") != "1"]
    order = {"GPU": 0, "NPU": 1, "CPU": 2}
    fitting = [device for device in real if not kind or device.device.type.name.lower() == kind]
    return tuple(sorted(fitting, key=lambda device: order.get(device.device.type.name, 3)))


def first_line(error: BaseException) -> str:
    """The first line of what a library said, without its tags in square brackets."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return text.rsplit("] ", 1)[-1].strip().rstrip(".") or type(error).__name__
