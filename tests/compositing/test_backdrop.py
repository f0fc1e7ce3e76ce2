"""One background for webcam and films: the words of `standout photo --background`, in the layers of the frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from standout.compositing.backdrop import Backdrop, still_picture
from standout.compositing.compositor import Compositor
from standout.errors import ConfigError
from standout.imaging.arrays import Frame


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def behind(background: str | Path | Frame, frame: Frame, alpha: np.ndarray) -> np.ndarray:
    return Backdrop(background).behind([frame], alpha, Compositor())[0]


def test_it_takes_the_words_of_photo_and_off(tmp_path: Path) -> None:
    image = tmp_path / "office.png"
    Image.new("RGB", (50, 50), (1, 2, 3)).save(image)
    frame, nobody = noise((36, 64, 3)), np.zeros((36, 64), np.uint8)
    assert (behind("#0a84ff", frame, nobody) == (10, 132, 255)).all()
    assert (behind(str(image), frame, nobody) == (1, 2, 3)).all()
    assert (behind(np.full((9, 9, 3), 7, np.uint8), frame, nobody) == 7).all()
    assert behind("off", frame, nobody) is frame
    mild, strong = (behind(text, frame, nobody).std() for text in ("blur:2", "blur:30"))
    assert strong < mild < frame.std()
    assert Backdrop("transparent").kind == "transparent"
    with pytest.raises(ConfigError, match="did you mean"):
        Backdrop("witeh")


def test_a_still_background_is_made_into_layers_once_and_a_film_for_every_picture() -> None:
    class Film:
        frames = [np.full((4, 4, 3), level, np.uint8) for level in (10, 20)]

        def at(self, time: Fraction) -> Frame:
            return self.frames[int(time)]

    made: list[int] = []

    def to_layers(frame: Frame) -> list[np.ndarray]:
        made.append(int(frame[0, 0, 0]))
        return [frame]

    frame, nobody, compositor = noise((8, 8, 3)), np.zeros((8, 8), np.uint8), Compositor()
    still, moving = Backdrop("#0a0a0a"), Backdrop("any", moving=Film())
    for _ in range(3):
        still.behind([frame], nobody, compositor, to_layers=to_layers)
    assert made == [10]
    shown = [
        int(moving.behind([frame], nobody, compositor, to_layers=to_layers, time=Fraction(t, 2))[0][0, 0, 0])
        for t in range(4)
    ]
    assert shown == [10, 10, 20, 20] and made == [10, 10, 20]


def test_the_picture_of_a_pause_gives_nothing_away() -> None:
    still = still_picture(noise((360, 640, 3)), bars=False)
    assert still.shape == (360, 640, 3) and still.max() < 100
    assert np.abs(np.diff(still.astype(int), axis=1)).max() <= 6  # no edges left
    assert still_picture(None, bars=True).shape == (720, 1280, 3)
