"""Measures smoothing in time: still-image error and temporal error of alpha on clips whose true alpha is known.

    python benchmarks/steady.py                      # the bundled astronaut over the tests' photographs
    python benchmarks/steady.py --data ../shared/data/val --people 6
    python benchmarks/steady.py --sweep              # other settings of `inference/smoothing.py`, for whoever tunes it

A person with a known mask is moved over a photograph along a known path, with the noise of a camera and light that
wavers a little. The network sees each frame by itself; then every smoothing gets the same alphas. With the error
e = α − α* of a frame, the still-image error is the mean of |e|, the temporal error the mean of |e − e_before|, both in
per mille of full scale over all pixels. The network's constant mistakes that move with a person count as temporal error
too, which no smoothing can or should remove.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import standout
from standout.imaging.arrays import Alpha, Frame, blend, resize
from standout.imaging.decode import read
from standout.inference import smoothing as steady_module
from standout.inference.smoothing import SMOOTHINGS, Smoothing, TemporalSmoother

ROOT = Path(__file__).resolve().parent.parent
SIZE = (360, 640)
COUNT = 24
#: Name -> pixels that the person moves in a frame, pixels that the camera pans in a frame, frame of a cut (0: none).
MOTIONS = {"sitting": (0.7, 0, 0), "walking": (4, 1, 0), "fast": (22, 0, 0), "with a cut": (3, 0, COUNT // 2)}


@dataclass(frozen=True)
class Clip:
    """Frames, what is true of them, and what the network says.

    Attributes:
        motion: A name of MOTIONS.
        frames: uint8 RGB (H, W, 3).
        truths: float32 (h, w), at the network's resolution.
        alphas: Likewise, frame by frame, without smoothing.
    """

    motion: str
    frames: list[Frame]
    truths: list[Alpha]
    alphas: list[Alpha]


def make_frames(person: Frame, mask: Alpha, grounds: list[Frame], motion: str) -> Iterator[tuple[Frame, Alpha]]:
    """Frames and their true alpha, with noise that is the same in every run."""
    rng = np.random.default_rng(11)
    step, pan, cut = MOTIONS[motion]
    height, width = SIZE
    for index in range(COUNT):
        after = bool(cut) and index >= cut
        ground = grounds[1 if after else 0]
        shift = np.float32([[1, 0, -pan * index], [0, 1, 0]])
        back = cv2.warpAffine(
            cv2.flip(ground, 1) if after else ground, shift, (width, height), borderMode=cv2.BORDER_REFLECT
        )
        # Back and forth, breathing; after a cut the person stands elsewhere, turned round.
        path = width * 0.25 * np.sin(step * index / (width * 0.25)) + (width * 0.2 if after else -width * 0.05)
        across, down = width / 2 - person.shape[1] / 2 + path, height - person.shape[0] + 1.5 * np.sin(index / 3)
        place = np.float32([[1, 0, across], [0, 1, down]])
        front = cv2.warpAffine(
            person[:, ::-1] if after else person, place, (width, height), borderMode=cv2.BORDER_REPLICATE
        )
        alpha = cv2.warpAffine(mask[:, ::-1] if after else mask, place, (width, height))
        picture = blend(front, back, alpha).astype(np.float32)
        picture *= 1 + 0.02 * np.sin(index * 1.9)
        picture += rng.normal(0, 3, picture.shape)
        yield np.clip(picture + 0.5, 0, 255).astype(np.uint8), alpha


def make_clip(person: Frame, mask: Alpha, grounds: list[Frame], motion: str, model: standout.Model) -> Clip:
    """A clip with the network's alphas."""
    frames, truths, alphas = [], [], []
    for frame, truth in make_frames(person, mask, grounds, motion):
        alpha = model.coarse(frame)
        frames.append(frame)
        alphas.append(alpha)
        truths.append(np.asarray(resize(truth, alpha.shape), np.float32))
    return Clip(motion, frames, truths, alphas)


def smooth(clip: Clip, smoothing: Smoothing, lag: int) -> list[Alpha]:
    """The clip's alphas after smoothing."""
    steady = TemporalSmoother(smoothing, lag=lag)
    pushed = [alpha for frame, raw in zip(clip.frames, clip.alphas, strict=True) for alpha in steady.push(frame, raw)]
    return pushed + steady.flush()


def errors(alphas: list[Alpha], truths: list[Alpha]) -> tuple[float, float]:
    """(still-image error, temporal error) of a clip, per mille."""
    off: list[NDArray[np.float32]] = [alpha - truth for alpha, truth in zip(alphas, truths, strict=True)]
    still = float(np.mean([np.abs(error).mean() for error in off]))
    temporal = float(np.mean([np.abs(b - a).mean() for a, b in zip(off, off[1:], strict=False)]))
    return 1000 * still, 1000 * temporal


def people(data: Path | None, count: int) -> list[tuple[Frame, Alpha, list[Frame]]]:
    """Persons, cut to their box and at most as high as the frame, with two backgrounds each."""
    if data is None:
        frame = read(ROOT / "src/standout/assets/astronaut.jpg").frame
        # What is pasted with a mask is true by construction; a mask of its own stays as it is when networks change.
        alpha = read(ROOT / "tests/workshop/data/astronaut-mask.png").frame[..., 0].astype(np.float32) / 255
        grounds = [read(ROOT / f"tests/photos/{name}.jpg").frame for name in ("coffee", "chelsea")]
        return [(*_fitted(frame, alpha), [_covering(ground) for ground in grounds])]
    sources = sorted((data / "portraits/images").glob("*.jpg")) + sorted((data / "street/images").glob("*.jpg"))
    grounds = [_covering(read(path).frame) for path in sorted((data / "nobody/images").glob("*.jpg"))]
    rng, chosen = np.random.default_rng(3), []
    for path in rng.permutation(np.array(sources, dtype=object))[:count]:
        mask = read(path.parent.parent / "masks" / f"{path.stem}.png").frame[..., 0].astype(np.float32) / 255
        pair = rng.choice(len(grounds), 2, replace=False)
        chosen.append((*_fitted(read(path).frame, mask), [grounds[int(i)] for i in pair]))
    return chosen


def _fitted(frame: Frame, mask: Alpha) -> tuple[Frame, Alpha]:
    rows, columns = np.flatnonzero(mask.max(1) > 0.5), np.flatnonzero(mask.max(0) > 0.5)
    cut = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    scale = min(0.92 * SIZE[0] / (rows[-1] + 1 - rows[0]), 0.5 * SIZE[1] / (columns[-1] + 1 - columns[0]))
    size = round((rows[-1] + 1 - rows[0]) * scale), round((columns[-1] + 1 - columns[0]) * scale)
    return resize(np.ascontiguousarray(frame[cut]), size), np.asarray(
        resize(np.ascontiguousarray(mask[cut]), size), np.float32
    )


def _covering(ground: Frame) -> Frame:
    scale = max(SIZE[0] / ground.shape[0], SIZE[1] / ground.shape[1])
    big = resize(ground, (round(ground.shape[0] * scale + 0.5), round(ground.shape[1] * scale + 0.5)))
    return np.ascontiguousarray(big[: SIZE[0], : SIZE[1]])


def table(clips: list[Clip]) -> str:
    """Markdown: one row per smoothing, still-image error / temporal error per motion."""
    rows = [f"| smoothing | lag, frames | {' | '.join(MOTIONS)} |", f"|---|---|{'---|' * len(MOTIONS)}"]
    for smoothing in SMOOTHINGS:
        for lag in (0,) if smoothing == "off" else (0, 1):
            cells = []
            for motion in MOTIONS:
                both = [errors(smooth(clip, smoothing, lag), clip.truths) for clip in clips if clip.motion == motion]
                still, temporal = np.mean(both, axis=0)
                cells.append(f"{still:.1f} / {temporal:.2f}")
            rows.append(f"| {smoothing} | {lag} | {' | '.join(cells)} |")
    return "\n".join(rows)


def sweep(clips: list[Clip]) -> None:
    """The temporal and still-image errors of other constants, as shares of those without smoothing."""
    for memory in (0.7, 0.8, 0.9):
        for ahead in (0.2, 0.35):
            for tolerance in (8.0, 10.0, 12.0):
                for width in (192, 320):
                    names = {
                        "MEMORY": memory,
                        "_AHEAD": ahead,
                        "TOLERANCE": tolerance,
                        "_FLOW_AREA": width * width * 9 // 16,
                    }
                    for name, value in names.items():
                        setattr(steady_module, name, value)
                    for lag in (0, 1):
                        cells = []
                        for motion in MOTIONS:
                            chosen = [clip for clip in clips if clip.motion == motion]
                            off = np.mean([errors(clip.alphas, clip.truths) for clip in chosen], axis=0)
                            on = np.mean([errors(smooth(clip, "flow", lag), clip.truths) for clip in chosen], axis=0)
                            cells.append("{:.3f}/{:.3f}".format(*(on / off)))
                        print(memory, ahead, tolerance, width, lag, *cells, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures smoothing in time.")
    parser.add_argument("--data", type=Path, help="a folder with portraits/, street/ and nobody/, as data/val")
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--model", default="photo")
    parser.add_argument("--sweep", action="store_true")
    arguments = parser.parse_args()
    model = standout.load(arguments.model)
    clips = []
    for person, mask, grounds in people(arguments.data, arguments.people):
        for motion in MOTIONS:
            clips.append(make_clip(person, mask, grounds, motion, model))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if arguments.sweep:
        sweep(clips)
    else:
        print(table(clips))


if __name__ == "__main__":
    main()
