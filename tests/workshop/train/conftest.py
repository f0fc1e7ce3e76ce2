"""The data set that small trainings share."""

from pathlib import Path

import pytest

from kits import write_nobody, write_pairs


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_pairs(root / "people", 20)
    write_nobody(root / "nobody", 4)
    return root
