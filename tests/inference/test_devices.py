"""Devices, by a stand-in for onnxruntime that has providers which work, fail, and quietly do nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as real
import pytest

import standout
from fakes import FakeModel
from standout.errors import ConfigError, DeviceError
from standout.inference import devices
from standout.inference.devices import CHOICES, DEVICES, parse_device, runtime_distributions
from standout.inference.model import load
from standout.inference.session import Session


class FakeSession:
    """A session that computes on the processor and says what its scenario wants it to say."""

    def __init__(self, inner: Any, providers: list[str], share: float, fails: str) -> None:
        self._inner, self._providers, self._share, self._fails = inner, providers, share, fails
        self.shapes: list[tuple[int, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def get_providers(self) -> list[str]:
        return self._providers

    def get_provider_graph_assignment_info(self) -> list[Any]:
        there = round(10 * self._share)
        parts = {self._providers[0]: there, "CPUExecutionProvider": 10 - there}
        return [
            SimpleNamespace(ep_name=name, get_nodes=lambda count=count: [0] * count) for name, count in parts.items()
        ]

    def run(self, outputs: Any, feeds: dict[str, Any]) -> Any:
        if self._fails:
            raise RuntimeError(self._fails)
        self.shapes.append(next(iter(feeds.values())).shape)
        return self._inner.run(outputs, feeds)


class FakeOptions:
    """Session options that keep what was set."""

    def __init__(self) -> None:
        self.fixed: dict[str, int] = {}
        self.hardware: list[Any] = []

    def add_session_config_entry(self, key: str, value: str) -> None: ...

    def add_free_dimension_override_by_name(self, name: str, length: int) -> None:
        self.fixed[name] = length

    def add_provider_for_devices(self, hardware: list[Any], options: dict[str, str]) -> None:
        self.hardware = hardware


class FakeRuntime:
    """onnxruntime's interface, as far as devices need it."""

    __version__ = "1.99.0"
    SessionOptions = FakeOptions

    def __init__(
        self,
        *compiled_in: str,
        hardware: tuple[str, ...] = (),
        silent: bool = False,
        share: float = 1.0,
        fails: str = "",
    ) -> None:
        self._compiled_in, self._silent, self._share, self._fails = compiled_in, silent, share, fails
        self._possible = hardware
        self._registered: list[str] = []
        self.opened: list[tuple[FakeSession, FakeOptions, Any]] = []

    def get_available_providers(self) -> list[str]:
        return [*self._compiled_in, "CPUExecutionProvider"]

    def register_execution_provider_library(self, name: str, path: str) -> None:
        if "broken" in path:
            raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : libdriver.so.1: cannot open shared object file\nmore")
        self._registered.append(name)

    def get_ep_devices(self) -> list[Any]:
        kinds = [SimpleNamespace(type=SimpleNamespace(name=kind), metadata={}) for kind in self._possible]
        return [SimpleNamespace(ep_name=name, device=kind) for name in self._registered for kind in kinds]

    def InferenceSession(self, data: bytes, options: FakeOptions, providers: Any = None) -> FakeSession:
        inner = real.InferenceSession(data, providers=["CPUExecutionProvider"])
        wanted = [options.hardware[0].ep_name] if options.hardware else []
        wanted += [name if isinstance(name, str) else name[0] for name in providers or ["CPUExecutionProvider"]]
        on_device = wanted[0] != "CPUExecutionProvider"
        names = ["CPUExecutionProvider"] if self._silent and on_device else wanted
        session = FakeSession(inner, names, self._share if on_device else 1.0, self._fails if on_device else "")
        self.opened.append((session, options, providers))
        return session


Use = Callable[[FakeRuntime], FakeRuntime]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Use:
    """Puts a stand-in in the place of onnxruntime, with a cache of its own."""
    monkeypatch.setenv("STANDOUT_CACHE", str(tmp_path / "cache"))

    def put(runtime: FakeRuntime) -> FakeRuntime:
        monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
        return runtime

    return put


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Installs a plugin: a distribution whose module knows its library."""

    def install(distribution: str, provider: str, library: str = "plugin.so") -> None:
        module = distribution.replace("-", "_")
        (tmp_path / module).mkdir()
        (tmp_path / module / "__init__.py").write_text(
            f"def get_ep_names():\n    return [{provider!r}]\n\ndef get_library_path():\n    return {library!r}\n"
        )
        info = tmp_path / f"{module}-9.8.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 9.8\n")
        (info / "RECORD").write_text(f"{module}/__init__.py,,\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


#: Device -> a provider as onnxruntime has it compiled in.
COMPILED_IN = ["cuda", "tensorrt", "directml", "openvino", "coreml"]
PLUGINS = {name: device for name, device in DEVICES.items() if device.plugins}


@pytest.mark.parametrize("name", COMPILED_IN)
def test_a_device_that_is_compiled_in_computes(use: Use, dynamic_model_file: Path, name: str) -> None:
    use(FakeRuntime(DEVICES[name].provider))
    model = load(dynamic_model_file, device=name)
    assert (model.device, model.reason, model.share) == (name, "asked for", 1.0)
    assert model.providers[0] == DEVICES[name].provider
    assert model.alpha(np.full((40, 60, 3), 255, np.uint8)).min() > 0.99


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_computes(use: Use, plugin: Callable[..., None], dynamic_model_file: Path, name: str) -> None:
    use(FakeRuntime(hardware=("CPU", "GPU")))
    plugin(DEVICES[name].plugins[0], DEVICES[name].provider)
    model = load(dynamic_model_file, device=name)
    assert model.device == name and model.providers[0] == DEVICES[name].provider


def test_the_graphics_card_comes_before_the_processor(use: Use, plugin: Callable[..., None], model_file: Path) -> None:
    runtime = use(FakeRuntime(hardware=("CPU", "NPU", "GPU")))
    plugin("onnxruntime-ep-openvino", "OpenVINOExecutionProvider")
    for asked, taken in (("openvino", "GPU"), ("openvino:npu", "NPU"), ("openvino:cpu", "CPU")):
        load(model_file, device=asked)
        assert runtime.opened[-1][1].hardware[0].device.type.name == taken


@pytest.mark.parametrize(
    ("runtime", "words"),
    [
        (FakeRuntime(), "is not installed; this onnxruntime has cpu; to get it: put onnxruntime-gpu"),
        (FakeRuntime("CUDAExecutionProvider", silent=True), "goes on with the processor instead"),
        (FakeRuntime("CUDAExecutionProvider", share=0.0), "goes on with the processor instead"),
        (FakeRuntime("CUDAExecutionProvider", fails="CUDA failure 100: no device"), "CUDA failure 100: no device"),
    ],
)
def test_what_was_asked_for_and_is_not_in_use_is_an_error(
    use: Use, model_file: Path, runtime: FakeRuntime, words: str
) -> None:
    use(runtime)
    with pytest.raises(DeviceError, match=words) as caught:
        load(model_file, device="cuda")
    assert "\n" not in str(caught.value) and "`cuda`" in str(caught.value)


def test_a_plugin_that_cannot_be_loaded_says_why(use: Use, plugin: Callable[..., None], model_file: Path) -> None:
    use(FakeRuntime(hardware=("GPU",)))
    plugin("onnxruntime-ep-webgpu", "WebGpuExecutionProvider", "broken.so")
    with pytest.raises(DeviceError, match=r"onnxruntime-ep-webgpu 9.8 is installed, but .*libdriver.so.1: cannot open"):
        load(model_file, device="webgpu")


def test_a_plugin_without_hardware_says_so(use: Use, plugin: Callable[..., None], model_file: Path) -> None:
    use(FakeRuntime(hardware=()))
    plugin("onnxruntime-ep-webgpu", "WebGpuExecutionProvider")
    with pytest.raises(DeviceError, match="finds nothing that it supports in this machine"):
        load(model_file, device="webgpu")


def test_auto_takes_what_works_and_says_why(use: Use, plugin: Callable[..., None], model_file: Path) -> None:
    use(FakeRuntime("CUDAExecutionProvider", share=0.8))
    model = load(model_file)
    assert (model.device, model.reason, model.share) == ("cuda", "compiled in works", 0.8)
    use(FakeRuntime("CUDAExecutionProvider", fails="no driver"))
    model = load(model_file)
    assert model.device == "cpu" and model.reason == "`cuda`: it doesn't work (no driver)"
    use(FakeRuntime(hardware=("CPU",)))
    plugin("onnxruntime-ep-openvino", "OpenVINOExecutionProvider")
    assert load(model_file).reason == "`openvino`: it would use the processor, too"
    use(FakeRuntime())
    assert load(model_file, device="cpu").reason == "asked for"


@pytest.mark.slow
def test_a_device_without_int8_gets_the_float_form(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    formed: list[bool] = []
    from standout.inference import accelerate

    monkeypatch.setattr(accelerate, "dequantize", lambda data: formed.append(True) or data)
    for name, wanted in (("cuda", 1), ("openvino", 1), ("directml", 1)):
        use(FakeRuntime(DEVICES[name].provider))
        formed.clear()
        load("live", device=name)
        assert len(formed) == wanted, name


@pytest.mark.parametrize("name", ["tensorrt", "coreml"])
def test_a_device_that_compiles_for_each_size_gets_one_size_and_a_cache(
    use: Use, dynamic_model_file: Path, name: str
) -> None:
    runtime = use(FakeRuntime(DEVICES[name].provider))
    session = Session(dynamic_model_file, device=name)
    opened, options, providers = runtime.opened[-1]
    assert session.size_hw == (64, 64) and options.fixed == {"batch": 1, "height": 64, "width": 64}
    assert opened.shapes == [(1, 64, 64, 3)]  # warmed up before the first picture
    folders = [value for value in providers[0][1].values() if "cache" in value]
    assert folders and Path(folders[0]).is_dir()


def test_other_devices_keep_the_picture_s_own_shape(use: Use, dynamic_model_file: Path) -> None:
    use(FakeRuntime("CUDAExecutionProvider"))
    assert Session(dynamic_model_file, device="cuda").size_hw is None


def test_two_distributions_of_onnxruntime_are_noticed(
    use: Use, monkeypatch: pytest.MonkeyPatch, model_file: Path
) -> None:
    assert len(runtime_distributions()) == 1
    versions = {"onnxruntime": "1.32.0", "onnxruntime-gpu": "1.31.1"}
    monkeypatch.setattr(devices, "_version", lambda name: versions.get(name, ""))
    use(FakeRuntime())
    with pytest.raises(DeviceError, match="onnxruntime 1.32.0 and onnxruntime-gpu 1.31.1 are both installed"):
        load(model_file, device="cuda")


@pytest.mark.parametrize(
    ("text", "words"),
    [("gpu", "a graphics card is `cuda`"), ("openvin", "did you mean `openvino`"), ("cpu:gpu", "must")],
)
def test_a_word_that_is_no_device(text: str, words: str, model_file: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        load(model_file, device=text)


def test_the_words() -> None:
    assert parse_device(" OpenVINO:GPU ") == ("openvino", "gpu") and parse_device("auto") == ("auto", "")
    assert set(CHOICES) == {
        "auto", "cpu", "cuda", "tensorrt", "openvino", "coreml", "directml", "webgpu", "qnn"
    }  # fmt: skip


def test_a_loaded_model_has_its_device_already() -> None:
    frame = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(ConfigError, match="for a model that is given by its name"):
        standout.cut_out(frame, model=FakeModel(), device="cuda")
    with pytest.raises(ConfigError, match="for a model that is given by its name"):
        standout.VideoAlpha(FakeModel(), device="cuda")


def test_every_plugin_is_an_extra_and_every_extra_a_plugin() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    named = {name.split("[")[0] for device in DEVICES.values() for name in device.plugins}
    for extra in project["tool"]["standout"]["device-extras"]:
        assert {line.split(">")[0].strip() for line in extras[extra]} <= named | {"onnxruntime"}
    for device in DEVICES.values():
        if "standout[" in device.install:
            assert device.install.split("standout[")[1].split("]")[0] in extras
