"""Whether people stay whole in moving pictures: the roads of file and webcam beside single frames, on true masks.

    python benchmarks/motion.py --clips ../shared/data/clips --data ../shared/data/val
    python benchmarks/motion.py --people 3 --frames 12 --model live          # the bundled astronaut alone, quick

Three kinds of clips: films with a mask for every frame (`--clips`: a folder each, with images/ and masks/); photographs
of people at their webcam (`--data`: webcam/, stems `wNNN_`, one person each), each held for a few frames with the noise
of a camera, so that a person's pose jumps from one to the next; and a person who stands in an empty room from one frame
on and is gone again later.

Each frame goes through the network once; then three roads get the same alphas: *single* (no memory), *webcam* (no look
ahead) and *file* (one frame ahead). Per clip, or set of clips:

- IoU of the person; *lost* and *haze*: shares of core and far background (`workshop.score.solidity`); *holes*: share of
  frames with over 5 % of the core lost; *limbs*: share of the mask's thin parts (hands, arms, feet: what an opening of
  6 px takes away) that is there; *flicker*: the temporal error, mean of |e − e before| with e = α − truth, per mille.
- *taken*: the person's pixels that a single frame has and the road hasn't; *ghosts*: the background's pixels that a
  single frame has clear and the road hasn't; per mille of the person. Both should be small beside what is *given* (the
  person's pixels that only the road has) and *cleared* (the background's that only the road has clear).

In and out are the frames until 90 % of what the network settles on is there, and until no more than a tenth is left.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import standout
from standout.cli.machine import describe_machine
from standout.imaging.arrays import Alpha, Frame, blend, resize
from standout.imaging.decode import read
from standout.inference.alpha_stream import AlphaStream, edge_levels
from standout.video.process import guide_size
from standout.workshop.score.solidity import HOLES_FROM, solidity

#: Road -> (smoothing, frames that it looks ahead).
ROADS: dict[str, tuple[Any, int]] = {"single": ("off", 0), "webcam": ("flow", 0), "file": ("flow", 1)}
#: What an opening of this radius takes away is a limb, pixels of a frame of 480.
LIMB_PX = 6
Masks = NDArray[np.bool_]


@dataclass(frozen=True)
class Shot:
    """One frame and what is true of it: bool (H, W) masks of the person and of what nobody knows."""

    frame: Frame
    person: Masks
    unsure: Masks


class Remembered:
    """A model that has seen each frame already; the roads differ in what they make of it, not in the network."""

    def __init__(self, model: standout.Model) -> None:
        self.name, self._model = model.name, model
        self._seen: dict[int, Alpha] = {}

    def coarse(self, frame: Frame) -> Alpha:
        key = hash(frame.tobytes())
        if key not in self._seen:
            self._seen[key] = self._model.coarse(frame)
        return self._seen[key]


def roads(shots: list[Shot], model: Remembered) -> dict[str, list[NDArray[np.uint8]]]:
    """Road -> the levels of every frame, at the frame's size."""
    made: dict[str, list[NDArray[np.uint8]]] = {}
    guides = [np.asarray(resize(shot.frame, guide_size(*shot.frame.shape[:2])), np.uint8) for shot in shots]
    for road, (smoothing, lag) in ROADS.items():
        stream = AlphaStream(model, smoothing, lag=lag)
        alphas = [alpha for guide in guides for alpha in stream.push(guide)] + stream.flush()
        made[road] = [
            np.asarray(resize(edge_levels(alpha, guide), shot.frame.shape[:2]), np.uint8)
            for alpha, guide, shot in zip(alphas, guides, shots, strict=True)
        ]
    return made


def limbs(person: Masks) -> Masks:
    """The thin parts of a person."""
    radius = max(2, round(LIMB_PX * max(person.shape) / 480))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return person & (cv2.morphologyEx(person.astype(np.uint8), cv2.MORPH_OPEN, disc) == 0)


def score(shots: list[Shot], levels: list[NDArray[np.uint8]], single: list[NDArray[np.uint8]]) -> dict[str, float]:
    """The figures of one road on one clip."""
    inside = either = thin = thin_there = 0
    taken = given = ghosts = cleared = people = 0
    lost, haze, steps = [], [], []
    before: NDArray[np.float32] | None = None
    for shot, level, alone in zip(shots, levels, single, strict=True):
        alpha, known = level.astype(np.float32) / np.float32(255), ~shot.unsure
        here, there = (level > 127) & known, (alone > 127) & known
        inside += int((here & shot.person).sum())
        either += int((here | shot.person).sum())
        part = limbs(shot.person)
        thin, thin_there = thin + int(part.sum()), thin_there + int((part & here).sum())
        people += int(shot.person.sum())
        taken += int((there & ~here & shot.person).sum())
        given += int((here & ~there & shot.person).sum())
        ghosts += int((here & ~there & ~shot.person & known).sum())
        cleared += int((there & ~here & ~shot.person & known).sum())
        found = solidity(alpha, shot.person, shot.unsure)
        lost += [] if found.lost is None else [found.lost]
        haze += [] if found.haze is None else [found.haze]
        error = np.where(known, alpha - shot.person, 0).astype(np.float32)
        if before is not None:
            steps.append(float(np.abs(error - before).mean()))
        before = error
    share = 1000 / max(1, people)
    return {
        "IoU": inside / max(1, either),
        "lost": float(np.mean(lost)) if lost else 0.0,
        "holes": float(np.mean([one > HOLES_FROM for one in lost])) if lost else 0.0,
        "haze": float(np.mean(haze)) if haze else 0.0,
        "limbs": thin_there / max(1, thin),
        "flicker": 1000 * float(np.mean(steps)) if steps else 0.0,
        "taken": taken * share,
        "given": given * share,
        "ghosts": ghosts * share,
        "cleared": cleared * share,
    }


def delays(shots: list[Shot], levels: list[NDArray[np.uint8]], single: list[NDArray[np.uint8]]) -> dict[str, float]:
    """Frames until a person who appears is there, and until nothing is left of one who is gone; 0 is at once."""
    present = [number for number, shot in enumerate(shots) if shot.person.any()]
    begin, end, person = present[0], present[-1] + 1, shots[present[0]].person
    covered = [float(((level > 127) & person).sum()) for level in levels]
    alone = [float(((level > 127) & person).sum()) for level in single]
    settled = float(np.median(alone[(begin + end) // 2 : end]))
    empty = float(np.median(alone[end:]))
    late = next((n for n in range(begin, end) if covered[n] >= 0.9 * settled), end) - begin
    left = next((n for n in range(end, len(shots)) if covered[n] <= empty + 0.1 * settled), len(shots)) - end
    return {"in": late, "out": left, "seen": settled / max(1, int(person.sum()))}


# ------------------------------------------------------------ clips


def films(folder: Path, most: int) -> Iterator[tuple[str, list[Shot]]]:
    """Films with a mask for every frame."""
    for place in sorted(path for path in folder.iterdir() if (path / "masks").is_dir()):
        files = sorted((place / "images").iterdir())[:most]
        yield place.name, [_shot(file, place / "masks" / f"{file.stem}.png") for file in files]


def at_webcams(folder: Path, most: int, hold: int) -> Iterator[list[Shot]]:
    """For each person their photographs, each held for some frames with a camera's noise and wavering light."""
    rng = np.random.default_rng(7)
    by_person: dict[str, list[Path]] = {}
    for file in sorted((folder / "images").iterdir()):
        by_person.setdefault(file.stem.split("_")[0], []).append(file)
    for files in list(by_person.values())[:most]:
        shots = []
        for file in files:
            still = _shot(file, folder / "masks" / f"{file.stem}.png")
            shots += [Shot(_filmed(still.frame, rng, n), still.person, still.unsure) for n in range(hold)]
        if len({shot.frame.shape for shot in shots}) == 1:
            yield shots


def appearing(data: Path | None, count: int) -> Iterator[list[Shot]]:
    """An empty room for 6 frames, a person for 8, the empty room again for 6."""
    from steady import people

    rng = np.random.default_rng(5)
    for person, mask, grounds in people(data, count):
        ground = grounds[0]
        height, width = ground.shape[:2]
        alpha, front = np.zeros((height, width), np.float32), ground.copy()
        left = (width - person.shape[1]) // 2
        window = slice(height - person.shape[0], height), slice(left, left + person.shape[1])
        alpha[window], front[window] = mask, person
        whole = np.asarray(blend(front, ground, alpha), np.uint8)
        nobody = np.zeros((height, width), bool)
        yield [
            Shot(_filmed(whole if 6 <= n < 14 else ground, rng, n), alpha > 0.5 if 6 <= n < 14 else nobody, nobody)
            for n in range(20)
        ]


def _filmed(still: Frame, rng: np.random.Generator, number: int) -> Frame:
    picture = still.astype(np.float32) * (1 + 0.02 * np.sin(number * 1.9)) + rng.normal(0, 3, still.shape)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _shot(photo: Path, mask: Path) -> Shot:
    truth = read(mask).frame[..., 0]
    return Shot(read(photo).frame, truth > 191, (truth > 63) & (truth <= 191))


# ------------------------------------------------------------ tables


def measure(name: str, clips: list[list[Shot]], model: Remembered, how: Callable[..., dict[str, float]]) -> list[Any]:
    """One row for each road: the means over the clips."""
    found: dict[str, list[dict[str, float]]] = {road: [] for road in ROADS}
    for shots in clips:
        made = roads(shots, model)
        for road in ROADS:
            found[road].append(how(shots, made[road], made["single"]))
        sys.stderr.write(".")
        sys.stderr.flush()
    return [
        {"clips": name, "model": model.name, "road": road}
        | {key: float(np.mean([one[key] for one in rows])) for key in rows[0]}
        for road, rows in found.items()
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    names = list(rows[0])
    percent = ("lost", "holes", "haze", "limbs", "seen")

    def cell(name: str, value: Any) -> str:
        if isinstance(value, str):
            return value
        return f"{value:.1%}" if name in percent else f"{value:.3f}" if name == "IoU" else f"{value:.1f}"

    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(cell(name, row[name]) for name in names) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, help="a folder of films, each with images/ and masks/")
    parser.add_argument("--data", type=Path, help="a folder with webcam/, portraits/, street/ and nobody/, as data/val")
    parser.add_argument("--model", action="append", help="may be given several times; else live and photo")
    parser.add_argument("--people", type=int, default=8, help="people at webcams, and people who appear")
    parser.add_argument("--frames", type=int, default=100, help="at most, of a film")
    parser.add_argument("--hold", type=int, default=4, help="frames for which each photograph of a webcam is shown")
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    clips: list[tuple[str, list[list[Shot]]]] = []
    if words.clips:
        clips += [(name, [shots]) for name, shots in films(words.clips, words.frames)]
    if words.data:
        clips.append(("webcam", list(at_webcams(words.data / "webcam", words.people, words.hold))))
    rooms = list(appearing(words.data, words.people))
    scores, times = [], []
    for name in words.model or ["live", "photo"]:
        model = Remembered(standout.load(name))
        for kind, films_of in clips:
            scores += measure(kind, films_of, model, score)
        times += measure("appears", rooms, model, delays)
    machine = describe_machine()
    sys.stderr.write("\n")
    print(f"{machine['processor']}, {machine['cores']} cores\n")
    if scores:
        print(table(scores), "\n")
    print(table(times))
    if words.json:
        words.json.write_text(json.dumps({"machine": machine, "clips": scores, "appears": times}, indent=1), "utf-8")


if __name__ == "__main__":
    main()
