"""Makes the pictures of docs/photos.md and README from the bundled portrait: `python tools/photo_pictures.py`.

To be run again when the bundled network changes; look at what comes out.
"""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import standout
from standout.imaging.arrays import Frame

#: The part of the portrait that is shown; README has the whole.
HEAD = (60, 0, 340, 210)
PICTURES = Path(__file__).parents[1] / "docs" / "pictures" / "photos"


def meadow(height: int, width: int) -> Frame:
    """A drawn background: sky, sun and two hills."""
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    sky = np.stack([150 + 90 * y, 190 + 50 * y, 235 + 10 * y], axis=2)
    sun = np.clip(1.4 - np.hypot(x - 0.8, y - 0.22) * 12, 0, 1)[..., None]
    picture = sky * (1 - sun) + np.array([255, 236, 170]) * sun
    for level, wave, color in ((0.62, 0.05, (120, 165, 110)), (0.78, -0.06, (78, 130, 84))):
        hill = np.clip((y - level - wave * np.sin(5 * x)) * height, 0, 1)[..., None]
        picture = picture * (1 - hill) + np.array(color) * hill
    return picture.astype(np.uint8)


def checkered(image: Image.Image, side: int = 16) -> Image.Image:
    """Transparency as editors show it."""
    board = Image.new("RGB", image.size, "white")
    draw = ImageDraw.Draw(board)
    for top in range(0, image.height, side):
        for left in range(top // side % 2 * side, image.width, 2 * side):
            draw.rectangle((left, top, left + side - 1, top + side - 1), fill=(214, 214, 214))
    board.paste(image, mask=image.getchannel("A"))
    return board


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with importlib.resources.as_file(importlib.resources.files("standout") / "assets" / "astronaut.jpg") as path:
        photo = Image.open(path).convert("RGB").crop(HEAD)
    model = standout.load()
    made = {
        "photo": photo,
        "transparent": checkered(standout.cut_out(photo, model=model).image),
        "mask": standout.cut_out(photo, mask=True, model=model).image.convert("RGB"),
        "white": standout.cut_out(photo, background="white", model=model).image,
        "color": standout.cut_out(photo, background="#0a84ff", model=model).image,
        "image": standout.cut_out(photo, background=meadow(photo.height, photo.width), model=model).image,
        "blur": standout.cut_out(photo, background="blur", model=model).image,
        "lens": standout.cut_out(photo, background="blur:16", bokeh=True, model=model).image,
        "shadow": standout.cut_out(photo, background="#f2e8dc", shadow=True, model=model).image,
        "invert": checkered(standout.cut_out(photo, invert=True, model=model).image),
        "crop": checkered(standout.cut_out(photo, crop=True, margin="2%", model=model).image),
    }
    for name, picture in made.items():
        picture.save(PICTURES / f"{name}.jpg", quality=85)


if __name__ == "__main__":
    main()
