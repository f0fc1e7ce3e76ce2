"""`standout info`: version, models and their cards, devices really in use, and what the extras would need."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from standout.cli.console import results

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def info(
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A name or an ONNX file.", show_default="all bundled")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Says what is installed, what the models are, and where they run."""
    facts = collect(model)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        _print(results(), facts)


def collect(model: str | None) -> dict[str, Any]:
    """Everything that `info` tells."""
    import dataclasses

    import standout
    from standout.cli.machine import describe_machine, missing_by_extra
    from standout.inference.devices import runtime_distributions
    from standout.inference.model import bundled_names, load
    from standout.inference.session import thread_count

    devices, error = _training_devices()
    models = {}
    for name in [model] if model else bundled_names():
        loaded = load(name)
        models[name] = {
            "providers": list(loaded.providers),
            "device": loaded.device,
            "reason": loaded.reason,
            "card": dataclasses.asdict(loaded.card),
        }
    return {
        "standout": standout.__version__,
        "machine": describe_machine(),
        "threads": thread_count(),
        "onnxruntime": runtime_distributions(),
        "providers_available": _available_providers(),
        "devices": _devices(model or "live"),
        "models": models,
        "training_devices": devices,
        "training_error": error,
        "missing_for_extra": missing_by_extra(),
    }


#: A device that needs longer than this for its first pictures (TensorRT builds an engine) is told as not answering.
_PATIENCE_S = 300.0


def _devices(model: str) -> dict[str, dict[str, Any]]:
    """Each device: what is installed of it, and whether a real run works and how fast; in a process of its own."""
    import subprocess

    from standout.inference.devices import DEVICES, find_device
    from standout.work.process import run_module

    told = {}
    for name, device in DEVICES.items():
        found = find_device(device)
        entry: dict[str, Any] = {"for": device.title, "installed": found.source, "works": False}
        if found.problem:
            entry["problem"] = found.problem
        elif found.source:
            try:
                done = run_module("standout.cli.probe", "device", model, name, timeout_s=_PATIENCE_S)
            except subprocess.TimeoutExpired:
                entry["problem"] = f"no picture after {_PATIENCE_S:.0f} s"
            else:
                last = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1:]
                if done.returncode == 0 and last:
                    entry |= json.loads(last[0])
                else:
                    entry["problem"] = last[0] if last else f"its process exited with code {done.returncode}"
        else:
            entry["install"] = device.install
        told[name] = entry
    return told


def _available_providers() -> list[str]:
    import onnxruntime

    return [str(name) for name in onnxruntime.get_available_providers()]


def _training_devices() -> tuple[list[str] | None, str]:
    """The devices that TensorFlow sees (None if it isn't installed), and why it can't be loaded.

    Asked in a process of its own that can't disturb this one.
    """
    from standout.cli.machine import installed
    from standout.work.process import run_module

    if not installed("tensorflow"):
        return None, ""
    done = run_module("standout.cli.probe", "tensorflow")
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1]), ""
    lines = done.stderr.strip().splitlines()
    return [], lines[-1] if lines else f"its process exited with code {done.returncode}"


def _print(console: Console, facts: dict[str, Any]) -> None:
    from rich.markup import escape

    def row(label: str, text: str) -> None:
        console.print(f"[bold]{escape(label.ljust(12))}[/bold] {escape(text)}")

    machine = facts["machine"]
    memory = f", {machine['memory_gb']} GB" if machine["memory_gb"] else ""
    row("standout", f"{facts['standout']}, Python {machine['python']}, {machine['system']}")
    row(
        "processor", f"{machine['processor']}, {machine['cores']} cores{memory}; {facts['threads']} threads for a model"
    )
    row("packages", ", ".join(f"{name} {version}" for name, version in machine["packages"].items()))
    row("onnxruntime", f"{' and '.join(facts['onnxruntime'])}; has {', '.join(facts['providers_available'])}")
    if len(facts["onnxruntime"]) > 1:
        row("", "two distributions overwrite each other's files: uninstall both, then install the one you want")
    for number, (name, entry) in enumerate((n, e) for n, e in facts["devices"].items() if e["installed"]):
        row("" if number else "devices", _device_line(name, entry))
    absent = [name for name, entry in facts["devices"].items() if not entry["installed"]]
    row("", f"not installed: {', '.join(absent)}; docs/devices.md tells how to get them")
    devices = facts["training_devices"]
    if devices is None:
        row("training", "TensorFlow is not installed")
    elif facts["training_error"]:
        row("training", f"TensorFlow is installed but can't be loaded: {facts['training_error']}")
    else:
        row("training", f"TensorFlow sees {', '.join(devices) or 'no device'}")
        if devices and not any("GPU" in device for device in devices):
            row("", "no graphics card: training runs on the processor")
    if not facts["models"]:
        row("models", "none in this installation; export one with `standout export`")
    for name, entry in facts["models"].items():
        _print_card(row, name, entry)
    for extra, missing in facts["missing_for_extra"].items():
        whole = "complete" if not missing else f"misses {', '.join(missing)}: pip install 'standout[{extra}]'"
        row(f"[{extra}]"[:12], whole)


def _device_line(name: str, entry: dict[str, Any]) -> str:
    if entry["works"]:
        share = "" if entry["share"] == 1 else f", {entry['share']:.0%} of the network there"
        return f"{name} ({entry['installed']}): works, {entry['ms']:g} ms for a frame{share}"
    return f"{name} ({entry['installed']}): can't be used: {entry['problem']}"


def _print_card(row: Any, name: str, entry: dict[str, Any]) -> None:
    card = entry["card"]
    height, width = card["input_size"]
    weights = f"{card['parameters'] / 1e6:.2f} million weights in {card['precision']}"
    row("model", f"{name}: {card['encoder']}, input {width}×{height}, {weights}")
    row(
        "",
        f"runs on {entry['device']} ({entry['reason']}); license {card['license']}; "
        f"alpha ≥ {card['threshold']:g} is person",
    )
    looks = [*(["in the mirror"] if card["flip_scale"] else []), *(["from nearer by"] if card["zoom_gain"] else [])]
    if looks:
        row("", f"with --looks photos are looked at again: {', '.join(looks)}")
    for key in ("start", "revision", "data_hash", "speed", "calibration"):
        if card[key]:
            row("", f"{key.replace('_', ' ')}: {card[key]}")
    if card["samples"]:
        row("", f"training saw {card['samples']:,} pictures")
    for line in card["data"]:
        row("", f"data: {line}")
    for set_name, scores in card["scores"].items():
        row("", f"scores on {set_name}: {_score_line(scores)}")
    for line in card["limits"]:
        row("", f"limit: {line}")


#: What is told of a set, in this order; `--json` has the rest.
_SHOWN_SCORES = {"person_iou": "person IoU", "boundary_f": "boundary F", "false_people": "false people"}


def _score_line(scores: dict[str, Any]) -> str:
    """The scores of one set with their 95 % intervals: `person IoU 0.737 (0.687 … 0.781), 90 photographs`."""

    def figure(value: Any) -> str:
        if not isinstance(value, (list, tuple)):
            return f"{value:.3f}"
        middle, low, high = value
        return f"{middle:.3f} ({low:.3f} … {high:.3f})"

    parts = [f"{label} {figure(scores[key])}" for key, label in _SHOWN_SCORES.items() if scores.get(key) is not None]
    if "photos" in scores:
        parts.append(f"{scores['photos']} photographs")
    return ", ".join(parts)
