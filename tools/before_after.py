"""Draws docs/pictures/before-after.jpg: people over green, as two generations of the bundled networks cut them out.

    python tools/before_after.py OLD_LIVE.onnx OLD_PHOTO.onnx PHOTO PHOTO …

The picture in docs shows free photographs: `astronaut.png` (NASA, public domain) and `camera.png` (Lav Varshney, CC0)
of scikit-image's wheel, and `grace_hopper.jpg` (US Navy, public domain) of matplotlib's. The old models are those of
revision 37768c4: `git show 37768c4:src/standout/assets/live.onnx > OLD_LIVE.onnx`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import standout
from standout.imaging.arrays import Frame
from standout.imaging.decode import read
from standout.inference.model import Model

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "before-after.jpg"
GREEN = np.array([40, 200, 60])
WIDTH, TITLE = 220, 26


def over_green(frame: Frame, model: Model) -> Frame:
    """The network's own alpha, before `clean_alpha`: what it sees through, shows green."""
    alpha = model.alpha(frame)[..., None]
    return (frame * alpha + GREEN * (1 - alpha)).astype(np.uint8)


def main(old_live: str, old_photo: str, *photos: str) -> None:
    columns = {"live, before": old_live, "live": "live", "photo, before": old_photo, "photo": "photo"}
    models = {title: standout.load(model) for title, model in columns.items()}
    rows = []
    for path in photos:
        frame = read(path).frame
        pictures = [frame, *(over_green(frame, model) for model in models.values())]
        height = round(frame.shape[0] * WIDTH / frame.shape[1])
        rows.append(
            [Image.fromarray(picture).resize((WIDTH, height), Image.Resampling.LANCZOS) for picture in pictures]
        )
    sheet = Image.new("RGB", (WIDTH * 5, TITLE + sum(row[0].height for row in rows)), "white")
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(["", *models]):
        draw.text((column * WIDTH + 8, 4), title, fill="black", font=ImageFont.load_default(16))
    top = TITLE
    for row in rows:
        for column, picture in enumerate(row):
            sheet.paste(picture, (column * WIDTH, top))
        top += row[0].height
    sheet.save(PICTURE, quality=82, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
