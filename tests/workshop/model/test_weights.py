"""What training may begin with: files of weights, and one sentence for what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits import needs_tensorflow
from standout.errors import ModelFileError
from standout.workshop.config import ModelOptions

pytestmark = needs_tensorflow


def test_the_name_imagenet_is_answered_with_the_recipe() -> None:
    import keras

    from standout.workshop.model.weights import load_start

    with pytest.raises(ModelFileError, match=r"imagenet is not there \(recipes/imagenet.py"):
        load_start(keras.Sequential(), ModelOptions(weights="imagenet"))


@pytest.mark.parametrize("cut", [0, 30, 200])
def test_an_npz_that_was_cut_off_is_one_sentence(tmp_path: Path, cut: int) -> None:
    import keras

    from standout.workshop.model.weights import load_npz

    np.savez(tmp_path / "w.npz", a=np.zeros(100))
    whole = (tmp_path / "w.npz").read_bytes()
    (tmp_path / "w.npz").write_bytes(whole[:cut])
    with pytest.raises(ModelFileError, match="is not an .npz file of arrays"):
        load_npz(keras.Sequential(), tmp_path / "w.npz")
