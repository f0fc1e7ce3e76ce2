"""`standout benchmark`: how fast a model is here, how much memory it takes, and how two results differ."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from standout.cli.devices import DeviceOption
from standout.errors import ConfigError, InputError, ModelFileError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_SIZES = ["256x256", "512x512", "1280x720", "1920x1080"]


@app.command()
def benchmark(
    model: Annotated[str, typer.Option("--model", "-m", help="`photo`, `live`, or an ONNX file.")] = "photo",
    device: DeviceOption = None,
    size: Annotated[list[str] | None, typer.Option(help="Picture sizes, WIDTHxHEIGHT; may be repeated.")] = None,
    threads: Annotated[list[int] | None, typer.Option(min=1, help="Numbers of threads; may be repeated.")] = None,
    batch: Annotated[
        list[int] | None, typer.Option(min=1, help="Pictures handed over at once; may be repeated.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=2, help="Rounds; the noise is the spread between them.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="Calls of every case in a round.")] = 8,
    data: Annotated[Path | None, typer.Option(help="Also loss and BinaryIoU on these pairs.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result, for --compare.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a chart (.png).")] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="BEFORE AFTER", help="Only compare two results; --json and --plot write the comparison."),
    ] = None,
) -> None:
    """Measures a model: ms per image by size, threads and batch, load time, memory, frames per second.

    The whole path is photo to alpha, resizing and refining included.
    """
    from standout.cli.console import check_outputs, results, write_file
    from standout.imaging.files import atomic_write
    from standout.workshop.plots import check_matplotlib, comparison_chart, speed_chart

    check_outputs(json_file, plot)
    if plot:
        if plot.suffix.lower() != ".png":
            raise ConfigError(f"--plot must name a .png file; received {plot.name!r}.")
        check_matplotlib()
    console = results()
    result: dict[str, Any]
    if compare:
        result = _compare(*compare)
        _print_comparison(console, result)
    else:
        sizes = [_parse_size(text) for text in size or _SIZES]
        quality = {"data": _measure_quality(model, device, data)} if data else {}
        result = _measure(model, device, sizes, threads, batch or [1], rounds, repeats) | quality
        _print_result(console, result)
    if json_file:
        write_file(json_file, json.dumps(result, ensure_ascii=False, indent=1))
    if plot:
        chart = comparison_chart(result["cases"]) if compare else speed_chart(result)
        with atomic_write(plot) as stream:
            stream.write(chart)


def _parse_size(text: str) -> tuple[int, int]:
    """`1280x720` -> (720, 1280), as arrays have it."""
    from standout.imaging.parse import parse_size

    width, height = parse_size(text, name="--size")
    if width is None or height is None or min(width, height) < 16:
        raise ConfigError(f"`--size` must be WIDTHxHEIGHT, both at least 16 pixels; received {text!r}.")
    return height, width


def _measure(
    model: str,
    device: str | None,
    sizes: list[tuple[int, int]],
    threads: list[int] | None,
    batches: list[int],
    rounds: int,
    repeats: int,
) -> dict[str, Any]:
    from concurrent.futures import ThreadPoolExecutor

    import standout
    from standout.cli.console import progress_bar
    from standout.cli.devices import load_model
    from standout.cli.machine import describe_machine
    from standout.inference.session import thread_count
    from standout.workshop.score.speed import batch_call, sample_frame, time_cases

    calls: dict[str, Callable[[], Any]] = {}
    heads: dict[str, dict[str, Any]] = {}
    providers: list[str] = []
    pool = ThreadPoolExecutor(max(batches))  # starts no thread before it is needed
    for count in threads or [thread_count()]:
        loaded = load_model(model, device, threads=count)
        providers = list(loaded.providers)
        for height, width in sizes:
            frames = [sample_frame(height, width, seed=seed) for seed in range(max(batches))]
            head = {"size": [width, height], "threads": count}
            name = f"{width}×{height}, {count} thread{'s' * (count > 1)}"
            calls[f"{name}, network"] = batch_call(loaded.coarse, frames[:1], pool)
            heads[f"{name}, network"] = head | {"batch": 1, "path": "network"}
            for number in batches:
                case = name + (f", batch {number}" if number > 1 else "")
                calls[case] = batch_call(loaded.alpha, frames[:number], pool)
                heads[case] = head | {"batch": number, "path": "whole"}
    images = {case: int(head["batch"]) for case, head in heads.items()}
    with pool, progress_bar("Measuring") as progress:
        timings = time_cases(calls, rounds=rounds, repeats=repeats, images=images, progress=progress)
    runs = [{"case": c, **heads[c], **t.as_json(), "fps": round(1000 / t.median, 2)} for c, t in timings.items()]
    return {
        "standout": standout.__version__, "model": model, "providers": providers, "machine": describe_machine(),
        "start": _probe(model, (threads or [0])[0], device), "runs": runs,
    }  # fmt: skip


def _probe(model: str, threads: int, device: str | None) -> dict[str, float] | None:
    """Load time, first call and peak memory in a fresh process; None where the system can't tell (Windows)."""
    if sys.platform == "win32":
        return None
    from standout.work.process import run_module

    done = run_module("standout.cli.probe", "model", model, str(threads), device or "")
    if done.returncode:
        raise ModelFileError(
            f"The model `{model}` could not be loaded in a process of its own: {done.stderr[-300:]!r}."
        )
    return {name: round(value, 1) for name, value in json.loads(done.stdout).items()}


def _measure_quality(model: str, device: str | None, data: Path) -> dict[str, Any]:
    """Loss (mean per photo) and BinaryIoU of the person class (over all pixels, as Keras counts it)."""
    from functools import reduce
    from operator import add

    from standout.cli.console import progress_bar
    from standout.cli.devices import load_model
    from standout.workshop.score.counts import person_iou
    from standout.workshop.score.evaluate import evaluate

    with progress_bar("Scoring") as progress:
        report = evaluate(load_model(model, device).alpha, data, progress=progress)
    total = reduce(add, (photo.counts for photo in report.photos))
    return {
        "data": str(data),
        "photos": len(report.photos),
        "left_out": len(report.left_out),
        "bce_dice": round(sum(photo.loss for photo in report.photos) / len(report.photos), 5),
        "binary_iou": round(person_iou(total), 5),
        "mean_person_iou": {name: s.iou.rounded() for name, s in report.sets.items() if s.iou},
    }


def _print_result(console: Console, result: dict[str, Any]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    machine = result["machine"]
    console.print(
        f"{result['model']} on {machine['processor']}, {machine['cores']} cores, {', '.join(result['providers'])}",
    )
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("case")
    for column in ("median ms", "p95 ms", "frames/s"):
        table.add_column(column, justify="right")
    for run in result["runs"]:
        table.add_row(run["case"], f"{run['median_ms']:.1f}", f"{run['p95_ms']:.1f}", f"{run['fps']:.1f}")
    console.print(table)
    if start := result["start"]:
        console.print(
            f"Load {start['load_ms']:.0f} ms, first picture {start['first_ms']:.0f} ms; "
            f"peak memory {start['peak_mb']:.0f} MB (512×512), {start['loaded_mb']:.0f} MB after loading.",
        )
    if quality := result.get("data"):
        left = f", {quality['left_out']} bad pairs left out" if quality["left_out"] else ""
        console.print(
            f"On {quality['data']} ({quality['photos']} photographs{left}): loss BCE − Dice {quality['bce_dice']:.4f}, "
            f"BinaryIoU of the person {quality['binary_iou']:.4f} over all pixels.",
        )


def _compare(before: Path, after: Path) -> dict[str, Any]:
    """The comparison of two result files: its cases, and in words what else differs between them."""
    from standout.workshop.score.speed import compare

    first, second = _read_result(before), _read_result(after)
    cases = [
        {
            "case": d.case, "before_ms": round(d.before_ms, 3), "after_ms": round(d.after_ms, 3),
            "ratio": d.ratio.rounded(), "verdict": d.verdict,
        }
        for d in compare(first, second)
    ]  # fmt: skip
    return {"before": before.name, "after": after.name, "cases": cases, "also_differs": _differences(first, second)}


def _differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """What besides the time differs, as `model: photo, now live`."""
    flat = [_facts(result) for result in (first, second)]
    names = dict.fromkeys([*flat[0], *flat[1]])
    return [
        f"{name}: {flat[0].get(name)}, now {flat[1].get(name)}"
        for name in names
        if flat[0].get(name) != flat[1].get(name)
    ]


def _facts(result: dict[str, Any]) -> dict[str, Any]:
    """What a result says of the model and the machine; whoever edited it may have left anything there."""

    def table(value: object) -> dict[str, Any]:
        return value if isinstance(value, dict) else {}

    machine = table(result.get("machine"))
    own = {name: result.get(name) for name in ("model", "providers", "standout")}
    return own | {k: v for k, v in machine.items() if k != "packages"} | table(machine.get("packages"))


def _print_comparison(console: Console, result: dict[str, Any]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("case")
    for column in ("before ms", "after ms", "ratio [95 %]"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for case in result["cases"]:
        value, low, high = case["ratio"]
        ratio = f"{value:.2f} [{low:.2f} {high:.2f}]"
        table.add_row(case["case"], f"{case['before_ms']:.1f}", f"{case['after_ms']:.1f}", ratio, case["verdict"])
    console.print(table)
    verdicts = [case["verdict"] for case in result["cases"]]
    named = dict.fromkeys(("faster", "slower", "same", *verdicts))  # and `unknown` where there is any
    counts = ", ".join(f"{verdict} in {verdicts.count(verdict)}" for verdict in named)
    console.print(
        f"{result['after']} against {result['before']}, {len(verdicts)} cases: {counts} (same: no difference of 3 % or "
        "more that is beyond the noise, by a bootstrap of whole rounds and a Mann-Whitney test of their medians, "
        "for which each result must have 5 rounds).",
    )
    if result["also_differs"]:
        console.print(f"Also differs: {escape('; '.join(result['also_differs']))}.")


def _read_result(path: Path) -> dict[str, Any]:
    from standout.text_files import TextFileError, read_json

    try:
        result = read_json(path)
    except TextFileError as error:
        raise InputError(f"{path} must be a JSON result of `standout benchmark --json`; {error}.") from error
    if not isinstance(result, dict) or "runs" not in result:
        raise InputError(f"{path} must be a JSON result of `standout benchmark --json`; it has no `runs`.")
    return result
