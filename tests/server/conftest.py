"""One real server for all tests that only ask it things: a tiny network in which whoever is bright is a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from server_kit import Running, encoded, running
from standout.server.options import ServerOptions


@pytest.fixture(scope="session")
def real(model_file: Path) -> Iterator[Running]:

    with running(ServerOptions(port=0, workers=1, threads=1, model=str(model_file), max_megapixels=2)) as server:
        yield server


@pytest.fixture
def client(real: Running) -> httpx.Client:
    return real.client


@pytest.fixture(scope="session")
def person_png() -> bytes:
    """72 × 96, dark blue, with a bright block at rows 18 … 53, columns 32 … 63."""
    frame = np.full((72, 96, 3), (10, 20, 60), np.uint8)
    frame[18:54, 32:64] = (250, 240, 230)

    return encoded(frame)


@pytest.fixture(scope="session")
def nobody_png() -> bytes:

    return encoded(np.full((40, 60, 3), (10, 20, 60), np.uint8))
