"""Writes web/vectors: pictures and the alphas that Python makes of them, for the TypeScript tests.

    python tools/web_vectors.py web/vectors

The pictures are made of the bundled portrait (public domain) and of numbers alone, so that nothing else must be had.
Each is raw bytes, gzipped: `NAME.rgb.gz` (uint8 RGB), `NAME.MODEL.gz` (uint8, round(255 · alpha)) and of some
`NAME.cut.gz`, the finished cut-out (uint8 RGBA: clean alpha, colors at the edge); `vectors.json` tells sizes,
and how many people Python finds.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.resources
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import standout

Frame = NDArray[np.uint8]

#: One that the network sees larger than it is, and one that it sees smaller.
CUT_OUT = ("wide", "large")


def pictures() -> Iterator[tuple[str, Frame]]:
    """A portrait in several sizes and places, two people, and three pictures of nobody."""
    data = (importlib.resources.files("standout") / "assets" / "astronaut.jpg").read_bytes()
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    portrait = np.ascontiguousarray(decoded[..., ::-1])
    small = _sized(portrait, 320, 320)
    yield "portrait", small
    yield "wide", np.ascontiguousarray(_sized(portrait, 400, 400)[30:255])
    yield "tall", np.ascontiguousarray(small[:, 75:240])
    yield "mirrored", np.ascontiguousarray(small[:, ::-1])
    yield "far", _on_wall(_sized(portrait, 150, 150), 300, 420, 120, 200)
    yield "dark", (small * 0.4).astype(np.uint8)
    yield "large", _sized(portrait, 600, 600)
    noise = np.random.default_rng(3).integers(0, 256, (24, 32, 3), np.uint8)
    yield "nobody-noise", np.asarray(cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)
    ramp = np.linspace(30, 220, 300)[None, :, None] * np.array([1.0, 0.8, 0.6])
    yield "nobody-ramp", np.ascontiguousarray(np.broadcast_to(ramp, (200, 300, 3))).astype(np.uint8)


def _sized(picture: Frame, width: int, height: int) -> Frame:
    interpolation = cv2.INTER_AREA if width <= picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=interpolation), np.uint8)


def _on_wall(person: Frame, height: int, width: int, top: int, left: int) -> Frame:
    rows = np.linspace(150, 90, height)[:, None, None] * np.array([1.0, 0.95, 0.9])
    wall = np.ascontiguousarray(np.broadcast_to(rows, (height, width, 3))).astype(np.uint8)
    wall[top : top + person.shape[0], left : left + person.shape[1]] = person
    return wall


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.gz"):
        old.unlink()
    models = {name: standout.load(name) for name in ("photo", "live")}
    facts = []
    for name, frame in pictures():
        _write(folder / f"{name}.rgb.gz", frame)
        result = standout.cut_out(frame)
        size = {"height": frame.shape[0], "width": frame.shape[1]}
        facts.append({"name": name, **size, "people": result.people, "cut": name in CUT_OUT})
        if name in CUT_OUT:
            _write(folder / f"{name}.cut.gz", np.asarray(result))
        for model, loaded in models.items():
            _write(folder / f"{name}.{model}.gz", np.rint(loaded.alpha(frame) * 255).astype(np.uint8))
    (folder / "vectors.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def _write(file: Path, values: NDArray[np.uint8]) -> None:
    file.write_bytes(gzip.compress(values.tobytes(), 9, mtime=0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)
