"""Hair by matting: better than what came in, bounded in size, and said where it is left out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from standout.compositing.composite import composite
from standout.compositing.matting import _give_numba_a_cache, matte
from standout.compositing.options import CompositeOptions
from standout.errors import MissingExtra, StandoutError
from standout.imaging.arrays import Alpha, Frame
from standout.imaging.decode import from_array

pytest.importorskip("pymatting")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def hairy(size: int = 200) -> tuple[Frame, Alpha]:
    """A dark head with strands, on a bright ground with a slow change; and its true alpha."""
    head = np.zeros((size * 4, size * 4), np.uint8)
    cv2.circle(head, (size * 2, size * 2), size, 255, -1)
    rng = np.random.default_rng(5)
    for angle in rng.uniform(0, 2 * np.pi, 120):
        end = size * 2 + np.array([np.cos(angle), np.sin(angle)]) * size * rng.uniform(1.1, 1.35)
        cv2.line(head, (size * 2, size * 2), tuple(int(v) for v in end), 255, max(2, size // 40))
    truth = cv2.resize(head, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    ground = np.linspace(170, 230, size)[None, :, None] * np.ones((size, 1, 3))
    photo = truth[..., None] * (60, 40, 30) + (1 - truth[..., None]) * ground
    return photo.round().astype(np.uint8), truth


def blurred(truth: Alpha) -> Alpha:
    """What a network makes of it: a soft round edge without strands."""
    return np.asarray(cv2.GaussianBlur((cv2.GaussianBlur(truth, (0, 0), 6) > 0.5).astype(np.float32), (0, 0), 2))


@pytest.mark.parametrize(("method", "most"), [("closed-form", 0.1), ("knn", 0.75)])
def test_strands_come_back(method: str, most: float) -> None:
    photo, truth = hairy()
    coarse = blurred(truth)
    matted = matte(photo, coarse, method=method, band=0.1)  # type: ignore[arg-type]
    assert matted.note == ""
    before, after = np.abs(coarse - truth).mean(), np.abs(matted.alpha - truth).mean()
    assert after < most * before
    assert matted.alpha[0, 0] == 0 and matted.alpha[100, 100] == 1


def test_the_size_is_bounded() -> None:
    photo, truth = hairy(640)
    coarse = blurred(truth)
    matted = matte(photo, coarse, max_pixels=40_000, band=0.1)
    assert matted.alpha.shape == truth.shape
    assert np.abs(matted.alpha - truth).mean() < 0.8 * np.abs(coarse - truth).mean()


def test_what_cannot_be_matted_is_said() -> None:
    picture = from_array(np.full((40, 40, 3), 90, np.uint8))
    look = CompositeOptions(matting="closed-form")
    assert "nobody" in composite(picture, np.zeros((40, 40), np.float32), look).notes[0]
    assert "no pixel is surely background" in composite(picture, np.ones((40, 40), np.float32), look).notes[0]


def test_without_pymatting_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pymatting"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(MissingExtra, match=r"pip install 'standout\[matting\]'"):
        matte(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.float32))


def test_without_a_writable_home_numba_gets_a_private_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    _give_numba_a_cache()
    assert "NUMBA_CACHE_DIR" not in os.environ  # numba finds its own
    monkeypatch.setattr("standout.compositing.matting.os.access", lambda *_: False)
    _give_numba_a_cache()
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.is_dir() and folder.stat().st_mode & 0o077 == 0
    _give_numba_a_cache()
    assert os.environ["NUMBA_CACHE_DIR"] == str(folder)
    monkeypatch.delenv("NUMBA_CACHE_DIR")


def test_a_solver_that_does_not_load_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name.startswith("pymatting.alpha.estimate_alpha_knn"):
                raise RuntimeError("cannot cache function '_make_tree': no locator available")

    monkeypatch.delitem(sys.modules, "pymatting.alpha.estimate_alpha_knn", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(StandoutError, match=r"Matting can't be used here.*no locator"):
        matte(np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.float32), method="knn")
