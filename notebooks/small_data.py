"""A data set small enough to train on while you read: the bundled portrait on photographs of a cat and a coffee."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

import standout
from standout.workshop.data.synthesize import crop_person, paste_people

SIZE = 224
NOBODY = ("chelsea", "coffee")


def write_small_data(folder: Path, photos: Path, *, people: int = 16, nobody: int = 6) -> Path:
    """Writes people/images and people/masks, and nobody/images.

    Args:
        folder: Where to write; what an earlier call wrote there is replaced.
        photos: The folder with `chelsea.jpg` and `coffee.jpg`.
        people: Pictures with the portrait, at some size and place.
        nobody: Crops of the two photographs.

    Returns:
        `folder`.
    """
    for part in ("people/images", "people/masks", "nobody/images"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    portrait = np.asarray(Image.open(str(files("standout") / "assets" / "astronaut.jpg")).convert("RGB"))
    mask = (standout.load().alpha(portrait) >= 0.5).astype(np.uint8) * 255
    person = crop_person(portrait, mask)
    backgrounds = [Image.open(photos / f"{name}.jpg").convert("RGB") for name in NOBODY]
    rng = np.random.default_rng(1)
    for index in range(people + nobody):
        left, top = (int(value) for value in rng.integers(0, 64, 2))
        crop = backgrounds[index % 2].crop((left, top, left + 160, top + 160)).resize((SIZE, SIZE))
        if index >= people or person is None:
            crop.save(folder / "nobody" / "images" / f"nobody{index:02d}.png")
            continue
        picture, label = paste_people(np.asarray(crop), [person], rng)
        Image.fromarray(picture).save(folder / "people" / "images" / f"person{index:02d}.png")
        Image.fromarray(np.where(label[..., 0] > 127, 255, 0).astype(np.uint8)).save(
            folder / "people" / "masks" / f"person{index:02d}.png"
        )
    return folder
