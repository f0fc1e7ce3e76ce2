"""One albumentations pipeline for image and mask together, reseeded for every sample.

A sample is a pure function of its pair and of the seed: the same for any number of workers, different in every epoch.
albumentations itself would reuse its random state in each worker process (its issue 266 in the AGPL successor).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import albumentations as A
import cv2
import numpy as np
from numpy.typing import NDArray

from standout.imaging.arrays import Frame, letterbox, letterbox_box
from standout.workshop.data.clothes import TextureSource, add_badge, dress, hold
from standout.workshop.data.webcam_light import webcam_light

#: What lies around a picture: the mid-gray of the letterbox.
FILL = 127

#: A label, uint8 (H, W, 2): person 0 … 255, and unsure 0 … 255 (255: not known, no loss there).
Label = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """Shares of samples in which people, their things and their light are changed; 0 each: as photographed.

    Attributes:
        clothes: Clothes are recolored or retextured; a badge or logo in half as many.
        held: A thing is put across somebody's outline.
        light: The picture is lit as a webcam sees people.
    """

    clothes: float = 0.0
    held: float = 0.0
    light: float = 0.0


@cache
def _pipelines(size: int, zoom_out: float) -> tuple[A.Compose, A.Compose]:
    """Geometry, at once down to the output size, so that all after it works on few pixels; then color and noise."""
    geometry = [
        A.HorizontalFlip(p=0.5),
        A.OneOf(
            [
                # The ratio squeezes and widens; the scale makes people of all sizes, many cut by the frame.
                A.RandomResizedCrop(
                    (size, size), scale=(0.12, 1.0), ratio=(0.7, 1.4), mask_interpolation=cv2.INTER_LINEAR,
                    area_for_downscale="image_mask", p=1 - zoom_out,
                ),
                A.Compose(
                    [
                        A.LongestMaxSize(size, interpolation=cv2.INTER_AREA, mask_interpolation=cv2.INTER_AREA),
                        A.PadIfNeeded(size, size, border_mode=cv2.BORDER_CONSTANT, fill=FILL, fill_mask=0),
                    ],
                    p=zoom_out,
                ),
            ],
            p=1.0,
        ),
        A.Affine(
            rotate=(-20, 20), shear=(-6, 6), scale=(0.75, 1.1), translate_percent=(-0.06, 0.06),
            border_mode=cv2.BORDER_CONSTANT, fill=FILL, fill_mask=0, mask_interpolation=cv2.INTER_LINEAR, p=0.35,
        ),
    ]  # fmt: skip
    occlusion = [
        # Something in front of a person is not person.
        A.CoarseDropout(
            num_holes_range=(1, 3), hole_height_range=(0.05, 0.25), hole_width_range=(0.05, 0.25),
            fill="random_uniform", fill_mask=0, p=0.08,
        ),
    ]  # fmt: skip
    color = [
        A.OneOf(
            [
                A.ColorJitter(brightness=(0.65, 1.35), contrast=(0.65, 1.35), saturation=(0.5, 1.5), hue=(-0.04, 0.04)),
                A.RandomBrightnessContrast(0.35, 0.3),
                A.RGBShift(25, 25, 25),
            ],
            p=0.7,
        ),
        A.ToGray(p=0.04),
        # Low light: dark, and noisy as a webcam's sensor is.
        A.Sequential([A.RandomGamma((120, 200), p=1), A.GaussNoise((0.02, 0.08), p=1)], p=0.08),
    ]
    quality = [
        A.OneOf([A.GaussianBlur((3, 5)), A.MotionBlur((3, 7)), A.Downscale((0.4, 0.8))], p=0.15),
        A.GaussNoise((0.01, 0.05), p=0.1),
        A.ImageCompression(quality_range=(40, 90), p=0.2),
    ]
    return A.Compose(geometry), A.Compose([*occlusion, *color, *quality])


def augment(
    image: Frame,
    label: Label,
    size: int,
    rng: np.random.Generator,
    *,
    zoom_out: float,
    scene: Scene | None = None,
    texture: TextureSource | None = None,
) -> tuple[Frame, Label]:
    """Draws one variation of a picture and its label.

    Args:
        image: uint8 RGB (H, W, 3), any size.
        label: uint8 (H, W, 2): person and unsure.
        size: Side of the square result, pixels.
        rng: Decides everything; nothing else is random.
        zoom_out: Probability of showing the whole picture.
        scene: How often clothes, held things and light change; None: never.
        texture: Gives pictures whose pieces become cloth; the picture itself by default.

    Returns:
        uint8 RGB (size, size, 3) and uint8 (size, size, 2).
    """
    geometry, appearance = _pipelines(size, zoom_out)
    image, label = _applied(geometry, image, label, rng)
    if scene is not None and label[..., 0].any():
        image, label = _changed(image, label, scene, texture or (lambda: image), rng)
    image, label = _applied(appearance, image, label, rng)
    return np.ascontiguousarray(image), np.ascontiguousarray(label)


def _applied(pipeline: A.Compose, image: Frame, label: Label, rng: np.random.Generator) -> tuple[Frame, Label]:
    pipeline.set_random_seed(int(rng.integers(2**31)))
    result = pipeline(image=image, mask=label)
    return result["image"], result["mask"]


def _changed(
    image: Frame, label: Label, scene: Scene, texture: TextureSource, rng: np.random.Generator
) -> tuple[Frame, Label]:
    clothes, badge, held, light = rng.random(4)
    # Where the label is not to be trusted no clothes are.
    person = np.where(label[..., 1] > 127, np.uint8(0), label[..., 0])
    if clothes < scene.clothes:
        image = dress(image, person, texture, rng)
    if badge < scene.clothes / 2:
        image = add_badge(image, person, texture, rng)
    if held < scene.held:
        image, label = hold(image, label, texture, rng)
    if light < scene.light:
        image = webcam_light(image, person, rng)
    return image, label


def fit(image: Frame, label: Label, size: int) -> tuple[Frame, Label]:
    """The picture and its label letterboxed to a square, as the product does it: no chance in it."""
    framed, _ = letterbox(image, (size, size), fill=FILL)
    return framed, fit_label(label, size)


def fit_label(label: Label, size: int) -> Label:
    """A label letterboxed to a square; outside the picture nobody is."""
    box = letterbox_box(label.shape[0], label.shape[1], (size, size))
    out = np.zeros((size, size, 2), np.uint8)
    out[box.slices] = cv2.resize(label, (box.width, box.height), interpolation=cv2.INTER_AREA)
    return out
