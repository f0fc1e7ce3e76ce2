"""How the finished picture shall look, as a value."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from standout.compositing.options import CompositeKeywords, CompositeOptions
from standout.errors import ConfigError
from standout.imaging.parse import Length, Point
from standout.pipeline.options import CutOutKeywords, CutOutOptions


def test_options_with_arrays_can_be_compared_and_kept_in_sets() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    one, other = CompositeOptions(background=image), CompositeOptions(background=image.copy())
    assert one == one and one != other
    assert len({one, other, CompositeOptions()}) == 3


def test_what_is_given_is_read_once() -> None:
    options = CompositeOptions(background="#fff", margin="10%", at="50%,30%", position="top-left")
    assert options.background.color == (255, 255, 255, 255) and options.margin == Length(0.1, "share")
    assert options.at == Point(0.5, 0.3, "share") and options.position == (0.0, 0.0)
    assert CompositeOptions(keep="1,3").keep == (1, 3) == CompositeOptions(keep=[1, 3]).keep
    other = dataclasses.replace(options, background="blur:12", at=None)
    assert other.background.radius == 12 and other.at is None and other.margin == options.margin
    assert pickle.loads(pickle.dumps(other)).background.radius == 12
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.edge = 3.0  # type: ignore[misc]


def test_every_option_is_a_keyword_too() -> None:
    for options, keywords in ((CompositeOptions, CompositeKeywords), (CutOutOptions, CutOutKeywords)):
        assert {field.name for field in dataclasses.fields(options)} == set(keywords.__annotations__) | (
            set(CompositeKeywords.__annotations__)
        )


@pytest.mark.parametrize(
    "wrong",
    [{"quality": 0}, {"quality": 500}, {"quality": "90"}, {"max_pixels": -1}, {"max_bytes": 0}, {"mask": "false"},
     {"keep_metadata": 1}, {"quality": True}],
)  # fmt: skip
def test_options_that_are_refused_in_the_constructor(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        CutOutOptions(**wrong)  # type: ignore[arg-type]
