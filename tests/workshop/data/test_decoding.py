"""Training, scoring and calibration see a photograph as the product sees it: one decoder for everybody."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from kits import DATA, corners, saved, wide_gamut
from standout.errors import LimitExceeded
from standout.imaging.decode import read
from standout.workshop.config import DataOptions
from standout.workshop.data.check import check_pairs
from standout.workshop.data.labels import read_image
from standout.workshop.data.pair import Pair
from standout.workshop.data.pairs import find_pairs
from standout.workshop.score.evaluate import evaluate


def turned(kind: str, orientation: int, **options: object) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return saved(Image.fromarray(corners()), kind, exif=exif, **options)


def deep_png() -> bytes:
    return cv2.imencode(".png", corners()[..., ::-1].astype(np.uint16) * 257)[1].tobytes()


def with_alpha() -> Image.Image:
    image = Image.fromarray(corners()).convert("RGBA")
    image.putalpha(Image.fromarray(np.tile(np.where(np.arange(64) < 32, 0, 255).astype(np.uint8), (48, 1))))
    return image


PICTURE = Image.fromarray(corners())
#: name of a file -> its bytes
CORPUS: dict[str, Callable[[], bytes]] = {
    "plain.jpg": lambda: saved(PICTURE, "JPEG"),
    "wide.jpg": lambda: saved(PICTURE, "JPEG", icc_profile=wide_gamut(), quality=95),
    "turned.jpg": lambda: turned("JPEG", 6),
    "mirrored-wide.jpg": lambda: turned("JPEG", 5, icc_profile=wide_gamut()),
    "thin.jpg": lambda: saved(PICTURE, "JPEG", subsampling=2, progressive=True),
    "gray.jpg": lambda: saved(PICTURE.convert("L"), "JPEG"),
    "cmyk.jpg": lambda: saved(PICTURE.convert("CMYK"), "JPEG"),
    "plain.png": lambda: saved(PICTURE, "PNG"),
    "wide.png": lambda: saved(PICTURE, "PNG", icc_profile=wide_gamut()),
    "palette.png": lambda: saved(PICTURE.convert("P"), "PNG"),
    "gray.png": lambda: saved(PICTURE.convert("L"), "PNG"),
    "alpha.png": lambda: saved(with_alpha(), "PNG"),
    "deep.png": deep_png,
    "turned.png": lambda: turned("PNG", 8),
    "plain.webp": lambda: saved(PICTURE, "WEBP"),
    "wide.webp": lambda: saved(PICTURE, "WEBP", icc_profile=wide_gamut()),
    "plain.tif": lambda: saved(PICTURE, "TIFF"),
    "turned.tiff": lambda: turned("TIFF", 6),
    "plain.bmp": lambda: saved(PICTURE, "BMP"),
    "plain.avif": lambda: saved(PICTURE, "AVIF"),
    "plain.heic": (DATA / "plain.heic").read_bytes,
    "turned.heic": (DATA / "turned.heic").read_bytes,
}


@pytest.mark.parametrize("name", CORPUS)
def test_training_and_scoring_see_the_pixels_of_the_product(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "people"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / name).write_bytes(CORPUS[name]())
    product = read(CORPUS[name]()).frame
    pairs, faults = find_pairs(folder)
    assert [pair.image.name for pair in pairs] == [name] and faults == []
    assert check_pairs(pairs).faults == ()
    np.testing.assert_array_equal(read_image(pairs[0].image), product)
    scored: list[np.ndarray] = []

    def predict(frame: np.ndarray) -> np.ndarray:
        scored.append(frame.copy())
        return np.zeros(frame.shape[:2], np.float32)

    evaluate(predict, folder)
    np.testing.assert_array_equal(scored[0], product)


def test_a_sample_has_the_colors_of_the_photo_in_srgb(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(
        saved(Image.new("RGB", (64, 64), (200, 60, 60)), "PNG", icc_profile=wide_gamut())
    )
    product = read(tmp_path / "red.png").frame[32, 32]
    assert product.tolist() != [200, 60, 60]
    pytest.importorskip("albumentations")
    from standout.workshop.data.samples import Samples

    samples = Samples(
        [Pair(tmp_path / "red.png", None)], DataOptions(size=64, paste_fraction=0, negative_fraction=1, augment=False)
    )
    frame, _ = samples.draw(0, 0)
    assert np.abs(frame.reshape(-1, 3).astype(int) - product.astype(int)).max() <= 2


@pytest.mark.slow
def test_a_photograph_beyond_the_limit_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    head = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(head, "PNG")
    (tmp_path / "bomb.png").write_bytes(head.getvalue())
    with pytest.raises(LimitExceeded, match="400,000,000"):
        read_image(tmp_path / "bomb.png")
