"""The parts of pages that are made from the code and the model when the site is built: `<!-- generated: NAME -->`."""

from __future__ import annotations

import ast
import importlib
import inspect
import tokenize
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import standout

#: The API page below the public names: heading -> (module, names), found where they live now.
_MORE_API = {
    "The finished picture": ("standout.compositing.background", ("parse_background",)),
    "Know your data": ("standout.workshop.audit.audit", ("audit", "Audit")),
    "Scoring": ("standout.workshop.score.evaluate", ("evaluate",)),
}
#: Below those, modules that load TensorFlow, named as they are: heading -> names.
_TRAINING_API = {
    "Training and export": (
        "standout.workshop.train.fit.train", "standout.workshop.train.fit.TrainResult",
        "standout.workshop.export.bundle.export_run",
    ),
    "The network": (
        "standout.workshop.model.deeplab.build_deeplab", "standout.workshop.model.losses.BCEDice",
        "standout.workshop.model.metrics.PersonIoU",
    ),
}  # fmt: skip

_SCORES = {
    "person_iou": "person IoU", "dice": "Dice", "boundary_f": "boundary F, 3 px", "mae": "MAE",
    "false_people": "false people",
}  # fmt: skip


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    # A bar or a line break in a cell would end it.
    lines = [" | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *(f"| {line} |" for line in lines)])


# ---- the model card


def model_card() -> str:
    """The card of every bundled model, as it lies in its ONNX file."""
    from standout.inference.model import bundled_names, load

    return "\n\n".join(_card(name, load(name).card) for name in bundled_names())


def _card(name: str, card: standout.ModelCard) -> str:
    height, width = card.input_size
    scales = " and ".join(f"{scale:g}" for scale in card.scales)
    facts = [
        ("network", f"DeepLabV3+ on {card.encoder}, output stride {card.output_stride}"),
        ("weights", f"{card.parameters / 1e6:.2f} million"),
        ("input", f"uint8 RGB, longer side {max(height, width)} px, looked at in scale {scales}"),
        ("looks at a photo", _looks(card)),
        ("output", f"alpha; from {card.threshold:g} on a pixel counts as person"),
        ("certainty", f"a piece without a pixel of alpha ≥ {card.certainty:g} is left out" if card.certainty else "–"),
        ("license", card.license),
        ("training began with", card.start or "nothing"),
        ("pictures seen in training", f"{card.samples:,}"),
        *((key, text) for key, text in (("speed", card.speed), ("calibration", card.calibration)) if text),
        ("code's revision", f"`{card.revision}`"),
        ("data's SHA-256", f"`{card.data_hash}`"),
    ]
    return "\n\n".join([
        f"## `{name}`", _table(("what", "value"), facts), "### Scores", _scores(card.scores),
        "### What it can't do", "\n".join(f"- {limit}" for limit in card.limits),
        "### What it learned from", "\n".join(f"- {source}" for source in card.data),
    ])  # fmt: skip


def _looks(card: standout.ModelCard) -> str:
    looks = ["as it is", *([f"in the mirror, {card.flip_scale:.2f} times as large"] if card.flip_scale else [])]
    if card.zoom_gain:
        looks.append(f"from nearer by, where the people can be magnified {card.zoom_gain:g} times")
    return "; ".join(looks)


def _scores(scores: dict[str, dict[str, Any]]) -> str:
    shown = [key for key in _SCORES if any(key in values for values in scores.values())]
    rows = [
        [name, str(values.get("photos", "–")), *(_score(values.get(key)) for key in shown)]
        for name, values in scores.items()
    ]
    return _table(["set", "photos", *(_SCORES[key] for key in shown)], rows)


def _score(value: float | list[float] | None) -> str:
    """A score, with its 95 % interval where there is one."""
    if value is None:
        return "–"
    return f"**{value[0]:.3f}** ({value[1]:.3f} … {value[2]:.3f})" if isinstance(value, list) else f"**{value:.3f}**"


# ---- settings


def settings() -> str:
    """Every setting of `standout train`, its default and its comment in config.py."""
    from standout.workshop import config

    source = inspect.getsource(config)
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(iter(source.splitlines(keepends=True)).__next__)
        if token.type == tokenize.COMMENT
    }
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    parts = []
    for stage, cls in (("model", "ModelOptions"), ("data", "DataOptions"), ("train", "TrainOptions")):
        fields = [node for node in classes[cls].body if isinstance(node, ast.AnnAssign)]
        defaults = getattr(config, cls)()
        rows = [
            (f"`{stage}.{node.target.id}`", _default(defaults, node.target.id), comments.get(node.end_lineno or 0, ""))
            for node in fields
            if isinstance(node.target, ast.Name)
        ]
        parts += [f"## {stage}", _table(("setting", "default", "what it is"), rows)]
    return "\n\n".join(parts)


def _default(config: object, name: str) -> str:
    value = getattr(config, name)
    return f"`{value}`" if value not in ("", {}) else "–"


# ---- commands


def commands() -> str:
    """Every command with its arguments and options, as `--help` has them."""
    import typer

    from standout.cli import COMMANDS

    parts = []
    for name, command in COMMANDS.items():
        parsed = typer.main.get_command(importlib.import_module(command.module).app)
        arguments = [param for param in parsed.params if param.param_type_name == "argument"]
        options = [param for param in parsed.params if param.param_type_name == "option"]
        usage = " ".join(["standout", name, *map(_metavar, arguments), *(["[OPTIONS]"] if options else [])])
        rows = [(f"`{_metavar(param)}`", param.help or "") for param in arguments]
        rows += [(", ".join(f"`{word}`" for word in param.opts), _option_help(param)) for param in options]
        help_text = inspect.cleandoc(parsed.help or command.help)
        parts += [f"## standout {name}", help_text, f"```sh\n{usage}\n```", _table(("word", "what it does"), rows)]
    return "\n\n".join(parts)


def _metavar(param: Any) -> str:
    word = param.metavar or param.name.upper() + ("..." if param.nargs == -1 else "")
    return word if param.required or word.startswith("[") else f"[{word}]"


def _option_help(param: Any) -> str:
    text = param.help or ""
    default = param.default
    if default is None or isinstance(default, bool) or default == "" or callable(default) or "[default" in text:
        return text
    return f"{text} Default: `{default}`."


# ---- API


def api() -> str:
    """The public names of the package, then the functions behind the commands."""
    names = [name for name in standout.__all__ if name != "__version__"]
    parts = ["## Public names", *(f"::: standout.{name}" for name in names)]
    for heading, (module, names) in _MORE_API.items():
        home = importlib.import_module(module)
        parts += [f"## {heading}", *(_autodoc(home, name) for name in names)]
    for heading, paths in _TRAINING_API.items():
        parts += [f"## {heading}", *(f"::: {path}" for path in paths)]
    return "\n\n".join([*parts, "## Errors", "::: standout.errors"])


def _autodoc(module: Any, name: str) -> str:
    """mkdocstrings' word for an object, by the module where it lives now."""
    found = getattr(module, name)
    return f"::: {found.__module__}.{found.__qualname__}"


PARTS: dict[str, Callable[[], str]] = {
    "api": api, "commands": commands, "model-card": model_card, "settings": settings,
}  # fmt: skip
