"""Whether a device computes the same alpha as the processor, and how fast, on photographs; one table, one run.

    python benchmarks/devices.py PHOTOS                                 # every device that is installed here
    python benchmarks/devices.py PHOTOS --device webgpu --count 50 --longest 128

Two differences are told for every device, both of the network's own alpha, in 0 … 1:

- *same graph*: against the processor computing the very graph that the device got: does the device compute right?
- *int8*: against the bundled int8 model on the processor, the mean over a photograph. Devices without int8 convolutions
  get the float form of that model, so this shows what leaving out the rounding changes.

Times are medians of the network alone; the ratio is the processor's (int8) to the device's, in the same run.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standout.cli.machine import describe_machine
from standout.errors import InputError, StandoutError
from standout.imaging.decode import read
from standout.inference.dequantize import dequantize, with_card
from standout.inference.devices import DEVICES, find_device, parse_device
from standout.inference.model import Model, find_model, load

#: What "the same alpha" means.
TOLERANCE = 0.02
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def photographs(folder: Path, count: int) -> list[NDArray[np.uint8]]:
    """Up to `count` frames, spread evenly over the photographs of a folder and the folders in it."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS and "masks" not in file.parts)
    frames = []
    for file in files[:: max(1, len(files) // count)]:
        try:
            frames.append(read(file).frame)
        except InputError:
            continue
    return frames[:count]


def run(model: Model, frames: list[NDArray[np.uint8]]) -> tuple[list[NDArray[np.float32]], float]:
    """The network's alpha of each frame, and the median of the milliseconds."""
    model.coarse(frames[0])
    alphas, times = [], []
    for frame in frames:
        begin = time.perf_counter()
        alphas.append(model.coarse(frame))
        times.append(1000 * (time.perf_counter() - begin))
    return alphas, statistics.median(times)


def compare(alphas: list[NDArray[np.float32]], reference: list[NDArray[np.float32]]) -> tuple[float, float, float]:
    """The largest difference in a photograph's pixels, the largest mean of a photograph, and the mean of the means."""
    same = [(a, b) for a, b in zip(alphas, reference, strict=True) if a.shape == b.shape]
    means = [float(np.abs(a - b).mean()) for a, b in same]
    return max(float(np.abs(a - b).max()) for a, b in same), max(means), statistics.mean(means)


def forms(name: str, longest: int | None, folder: Path) -> dict[str, Path]:
    """The model as it is and in its float form, as files, for an input of this size."""
    source, _ = find_model(name)
    data = source if isinstance(source, bytes) else source.read_bytes()
    card = load(name, device="cpu").card
    if longest:
        card = dataclasses.replace(card, input_size=(longest, longest))
    files = {}
    for form, content in (("int8", data), ("float", dequantize(data))):
        files[form] = folder / f"{form}.onnx"
        files[form].write_bytes(with_card(content, card))
    return files


def reference(files: dict[str, Path], frames: list[NDArray[np.uint8]], kept: Path | None) -> dict[str, Any]:
    """What the processor computes of both forms; from the file `kept` where it is there."""
    if kept and kept.is_file():
        with np.load(kept) as stored:
            found = {key: stored[key] for key in stored.files}
        return {
            form: ([found[f"{form}/{n}"] for n in range(len(frames))], float(found[f"{form}/ms"])) for form in files
        }
    result = {form: run(load(file, device="cpu"), frames) for form, file in files.items()}
    if kept:
        arrays = {f"{form}/{n}": alpha for form, (alphas, _) in result.items() for n, alpha in enumerate(alphas)}
        np.savez(kept, **arrays, **{f"{form}/ms": np.array(ms) for form, (_, ms) in result.items()})
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--device", action="append", help="may be given several times; else all that are installed")
    parser.add_argument("--model", default="live")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--longest", type=int, help="longer side at the network, for slow devices")
    parser.add_argument("--reference", type=Path, help=".npz of the processor's results: read if there, else written")
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    frames = photographs(words.photos, words.count)
    if not frames:
        sys.exit(f"There are no photographs in {words.photos}.")
    names = words.device or [name for name, device in DEVICES.items() if name != "cpu" and find_device(device).source]
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as scratch:
        files = forms(words.model, words.longest, Path(scratch))
        known = reference(files, frames, words.reference)
        for name in names:
            form = "int8" if DEVICES[parse_device(name)[0]].int8 else "float"
            try:
                model = load(files[form], device=name)
            except StandoutError as error:
                print(f"{name}: {error}", file=sys.stderr)
                failed = True
                continue
            alphas, ms = run(model, frames)
            largest, worst, _ = compare(alphas, known[form][0])
            _, _, mean_int8 = compare(alphas, known["int8"][0])
            rows.append({
                "device": name, "form": form, "photos": len(frames), "share": model.share, "ms": ms,
                "ratio": known["int8"][1] / ms, "largest": largest, "worst_mean": worst, "mean_int8": mean_int8,
            })  # fmt: skip
    machine = describe_machine()
    side = f", {words.longest} px" if words.longest else ""
    print(f"{words.model}{side}, {len(frames)} photographs, {machine['processor']}, {machine['cores']} cores\n")
    print(
        "| device | graph | of its nodes there | ms | × the processor | same graph: largest, worst mean | int8: mean |"
    )
    print("|---|---|---|---|---|---|---|")
    for form, (_, ms) in known.items():
        print(f"| cpu | {form} | 100 % | {ms:.1f} | {known['int8'][1] / ms:.2f} | – | – |")
    for row in rows:
        print(
            f"| {row['device']} | {row['form']} | {row['share']:.0%} | {row['ms']:.1f} | {row['ratio']:.2f} "
            f"| {row['largest']:.4f}, {row['worst_mean']:.5f} | {row['mean_int8']:.4f} |"
        )
        failed = failed or row["worst_mean"] > TOLERANCE
    if words.json:
        words.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1), "utf-8")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
