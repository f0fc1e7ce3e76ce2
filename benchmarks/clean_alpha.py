"""Measures what `clean_alpha` does on every road, for each constant that could stand in it, with any networks.

    python benchmarks/clean_alpha.py                                        # the bundled astronaut, bundled networks
    python benchmarks/clean_alpha.py --data ../shared/data/val --photos 40 --people 4
    python benchmarks/clean_alpha.py --live new-live.onnx --photo new-photo.onnx --json clean.json

Roads: `photo` and `official photo` (the photo network, whole), `video` (the live network, smoothed in time with a look
ahead, edges at half size) and `webcam` (the same without looking ahead). For each constant u (alpha below u is 0, above
1 - u is 1, a straight line between): the share of pixels with haze (levels 1 ... 25 of 255) and with a see-through
person (230 ... 254), the mean error, and for moving pictures the temporal error of `benchmarks/steady.py`, per mille
of full scale over all pixels. u = 0 is the network as it is; u = 0.25 is what the webcam had, 0.1 what photos had.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import standout
from standout.imaging.arrays import Alpha, Frame, resize
from standout.imaging.decode import read
from standout.inference import clean_alpha as rule
from standout.inference.alpha_stream import AlphaStream, edge_levels
from steady import MOTIONS, errors, make_frames, people

ROOT = Path(__file__).resolve().parent.parent
CONSTANTS = (0.0, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25)
Row = dict[str, float]


def shares(alpha: Alpha) -> tuple[float, float]:
    """Shares of haze and of a see-through person, percent."""
    levels = np.floor(alpha * 255 + 0.5)
    return 100 * float(((levels >= 1) & (levels <= 25)).mean()), 100 * float(((levels >= 230) & (levels <= 254)).mean())


def photographs(data: Path | None, count: int) -> list[tuple[Frame, Alpha]]:
    """Photographs with their true alpha."""
    if data is None:
        files = ROOT / "tests" / "data"
        mask = np.float32(read(files / "astronaut-mask.png").frame[..., 0]) / 255
        photo = read(ROOT / "src" / "standout" / "assets" / "astronaut.jpg").frame
        return [(photo, np.asarray(resize(mask, photo.shape[:2]), np.float32))]
    from standout.workshop.data.pairs import find_pairs, read_mask

    pairs = find_pairs(data)[0]
    chosen = pairs[:: max(1, len(pairs) // count)][:count]
    made = [(read(pair.image).frame, read_mask(pair.mask)) for pair in chosen if pair.mask is not None]
    return [(frame, np.asarray(mask, np.float32) / max(1, int(mask.max()))) for frame, mask in made]


def with_constant(alpha: Alpha, constant: float) -> Alpha:
    """`clean_alpha` as it would be with another constant."""
    before, rule.CLIP = rule.CLIP, constant
    try:
        return rule.clean_alpha(alpha.copy())
    finally:
        rule.CLIP = before


def of_photos(model: standout.Model, photos: list[tuple[Frame, Alpha]]) -> dict[float, Row]:
    """The table of the photo road."""
    raws = [(model.alpha(frame), truth) for frame, truth in photos]
    rows: dict[float, Row] = {}
    for constant in CONSTANTS:
        made = [(with_constant(raw, constant), truth) for raw, truth in raws]
        haze, through = np.mean([shares(alpha) for alpha, _ in made], axis=0)
        error = 1000 * float(np.mean([np.abs(alpha - truth).mean() for alpha, truth in made]))
        rows[constant] = {"haze %": float(haze), "see-through %": float(through), "error": error}
    return rows


def of_frames(model: standout.Model, lag: int, clips: list[tuple[str, list[tuple[Frame, Alpha]]]]) -> dict[float, Row]:
    """The table of a moving road."""
    raws = []
    for _, shown in clips:
        stream = AlphaStream(model, "flow", lag=lag)
        guides = [np.asarray(resize(frame, (frame.shape[0] // 2, frame.shape[1] // 2)), np.uint8) for frame, _ in shown]
        alphas = [alpha for guide in guides for alpha in stream.push(guide)] + stream.flush()
        truths = [np.asarray(resize(truth, guides[0].shape[:2]), np.float32) for _, truth in shown]
        raws.append((guides, alphas, truths))
    rows: dict[float, Row] = {}
    before = rule.CLIP
    for constant in CONSTANTS:
        rule.CLIP = constant
        found, seen = [], []
        for guides, alphas, truths in raws:
            pairs = zip(alphas, guides, strict=True)
            made = [np.float32(edge_levels(alpha, guide)) / np.float32(255) for alpha, guide in pairs]
            found.append(errors(made, truths))
            seen += [shares(alpha) for alpha in made]
        rule.CLIP = before
        haze, through = np.mean(seen, axis=0)
        still, temporal = np.mean(found, axis=0)
        rows[constant] = {
            "haze %": float(haze),
            "see-through %": float(through),
            "error": float(still),
            "flicker": float(temporal),
        }
    return rows


def table(roads: dict[str, dict[float, Row]]) -> str:
    """Markdown, a line per road and constant; the constant in use is bold."""
    lines = ["| road | u | haze % | see-through % | error ‰ | flicker ‰ |", "|---|---|---|---|---|---|"]
    for road, rows in roads.items():
        for constant, row in rows.items():
            name = f"**{constant:g}**" if constant == rule.CLIP else f"{constant:g}"
            flicker = f"{row['flicker']:.2f}" if "flicker" in row else "–"
            cells = f"{row['haze %']:.2f} | {row['see-through %']:.2f} | {row['error']:.2f} | {flicker}"
            lines.append(f"| {road} | {name} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder of photographs with masks; else the bundled astronaut")
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--people", type=int, default=3, help="persons that are moved over backgrounds")
    parser.add_argument("--live", default="live")
    parser.add_argument("--photo", default="photo")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    photo, live = standout.load(arguments.photo), standout.load(arguments.live)
    roads: dict[str, dict[float, Row]] = {}
    sys.stderr.write("photo\n")
    roads["photo, official photo"] = of_photos(photo, photographs(arguments.data, arguments.photos))
    clips: list[tuple[str, list[tuple[Frame, Alpha]]]] = []
    for person, mask, grounds in people(arguments.data, arguments.people):
        clips += [(motion, list(make_frames(person, mask, grounds, motion))) for motion in MOTIONS]
    for road, lag in (("video", 1), ("webcam", 0)):
        sys.stderr.write(f"{road}\n")
        roads[road] = of_frames(live, lag, clips)
    print(table(roads))
    if arguments.json:
        result: dict[str, Any] = {"photo": photo.name, "live": live.name, "roads": roads}
        arguments.json.write_text(json.dumps(result, indent=1), "utf-8")


if __name__ == "__main__":
    main()
