"""A JPEG without its end is whole, or it is refused; it never becomes half gray."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from standout.errors import InputError
from standout.imaging.decode import read


def jpeg(*, progressive: bool) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", quality=85, progressive=progressive)
    return buffer.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [1, 2])
def test_without_its_end_marker_it_is_the_same_picture(missing: int, progressive: bool) -> None:
    data = jpeg(progressive=progressive)
    assert np.array_equal(read(data[:-missing]).frame, read(data).frame)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.995])
def test_without_its_last_rows_it_is_refused(kept: float, progressive: bool) -> None:
    data = jpeg(progressive=progressive)
    with pytest.raises(InputError, match="cut off"):
        read(data[: int(len(data) * kept)])
