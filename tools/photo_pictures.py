"""Makes README's picture and those of docs/gallery.md from the bundled portrait: `python tools/photo_pictures.py`.

The gallery's are made by the commands that stand below them on the page. To be run again when the bundled networks
change; look at what comes out.
"""

from __future__ import annotations

import importlib.resources
import os
import re
import shlex
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import standout
from standout.cli import run
from standout.imaging.arrays import Frame

#: The part of the portrait that is shown, and how much larger.
HEAD, ZOOM = (60, 0, 340, 210), 2
#: README shows the hair.
HAIR = (90, 0, 530, 320)
DOCS = Path(__file__).parents[1] / "docs"
GALLERY = DOCS / "gallery.md"
HERO = DOCS / "pictures" / "hero.jpg"
#: A picture and the command that makes it stand in one column of two rows.
_ROWS = re.compile(r"^\|(.*!\[.*)\|\n\|(.*)\|$", re.MULTILINE)


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


def portrait() -> Image.Image:
    """Head and shoulders of the bundled portrait."""
    with importlib.resources.as_file(importlib.resources.files("standout") / "assets" / "astronaut.jpg") as path:
        photo = Image.open(path).convert("RGB").crop(HEAD)
    return photo.resize((photo.width * ZOOM, photo.height * ZOOM), Image.Resampling.LANCZOS)


def pictures_and_commands() -> dict[str, list[str]]:
    """File name of a picture in docs/pictures/photos -> the words of the command below it; the photo has none."""
    found = {}
    for names, commands in _ROWS.findall(GALLERY.read_text("utf-8")):
        for name, command in zip(names.split("|"), commands.split("|"), strict=True):
            picture = re.search(r"\(pictures/photos/(\S+)\)", name)
            if picture and (words := re.search(r"`standout ([^`]+)`", command)):
                found[picture[1]] = shlex.split(words[1])
    return found


def make_gallery(photo: Image.Image, folder: Path) -> None:
    """Runs the page's commands as a user does, and keeps what they write."""
    folder.mkdir(parents=True, exist_ok=True)
    photo.save(folder / "photo.jpg", quality=85)
    with tempfile.TemporaryDirectory() as place:
        before = Path.cwd()
        os.chdir(place)
        try:
            photo.save("photo.jpg", quality=95)
            Image.fromarray(meadow(photo.height, photo.width)).save("meadow.jpg")
            for name, words in pictures_and_commands().items():
                if code := run(words):
                    raise SystemExit(f"standout {shlex.join(words)}: exit code {code}")
                made = Image.open(words[words.index("-o") + 1])
                shown = checkered(made) if made.mode == "RGBA" else made.convert("RGB")
                shown.save(folder / name, quality=85)
        finally:
            os.chdir(before)


def main() -> None:
    photo = portrait()
    make_gallery(photo, DOCS / "pictures" / "photos")
    model = standout.load()
    meadows = meadow(photo.height, photo.width)
    strip = [
        photo,
        checkered(standout.cut_out(photo, model=model).image),
        standout.cut_out(photo, background=meadows, model=model).image,
    ]
    strip = [picture.crop(HAIR) for picture in strip]
    hero = Image.new("RGB", (strip[0].width * len(strip), strip[0].height))
    for column, picture in enumerate(strip):
        hero.paste(picture, (column * picture.width, 0))
    hero.save(HERO, quality=88, optimize=True)


if __name__ == "__main__":
    main()
