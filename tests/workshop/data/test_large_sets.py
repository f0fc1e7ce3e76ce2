"""Large sets begin at once: checked as they are drawn, the same in every run, and what was checked is remembered."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from kits import write_nobody, write_pairs
from standout.workshop.data import check
from standout.workshop.data.check import Cache, check_pairs
from standout.workshop.data.pair import Pair
from standout.workshop.data.pairs import find_pairs


@pytest.fixture
def damaged(tmp_path: Path) -> list[Pair]:
    """Twelve pairs, three of which can't be used, and four photographs with nobody, one broken."""
    write_pairs(tmp_path / "all" / "people", 12)
    write_nobody(tmp_path / "all" / "nobody", 4)
    masks = sorted((tmp_path / "all" / "people" / "masks").iterdir())
    masks[1].write_bytes(b"no picture")
    masks[4].write_bytes(masks[4].read_bytes()[:40])
    (tmp_path / "all" / "people" / "images" / f"{masks[7].stem}.png").write_bytes(b"")
    next((tmp_path / "all" / "nobody" / "images").iterdir()).write_bytes(b"broken")
    return find_pairs(tmp_path / "all")[0]


def test_a_large_set_opens_no_picture_before_it_starts(damaged: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(pair: Pair) -> None:
        raise AssertionError(f"{pair.image} was opened")

    monkeypatch.setattr(check, "open_pair", never)
    checked = check_pairs(damaged, most_at_once=10)
    assert checked.put_off and len(checked.good) == 16
    assert checked.data_hash != check_pairs(damaged[1:], most_at_once=10).data_hash


@pytest.mark.slow
def test_bad_pairs_are_left_out_as_they_are_drawn_the_same_each_time(
    damaged: list[Pair], caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("albumentations")
    from standout.workshop.config import DataOptions
    from standout.workshop.data.loader import batches
    from standout.workshop.data.samples import Samples

    def draw() -> np.ndarray:
        samples = Samples(damaged, DataOptions(size=32, paste_fraction=0.3, negative_fraction=0.3), 5, unchecked=True)
        feed = batches(samples, batch=4, per_epoch=20, workers=0)
        return np.stack([next(feed)[0] for _ in range(20)])

    with caplog.at_level(logging.WARNING):
        first = draw()
    named = [record.message for record in caplog.records if "left out" in record.message]
    assert len(named) == len(set(named)) == 4, "each is named once"
    assert np.array_equal(first, draw())
    remembered = check_pairs(damaged, most_at_once=10).faults
    assert {fault.pair.stem for fault in remembered} == {pair.stem for pair in damaged if pair.stem in str(named)}


def test_what_was_checked_is_not_opened_again(damaged: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    first = check_pairs(damaged)
    opened: list[Path] = []
    real = check.open_pair
    monkeypatch.setattr(check, "open_pair", lambda pair: opened.append(pair.image) or real(pair))  # type: ignore[func-returns-value]
    again = check_pairs(damaged)
    assert opened == []
    assert (again.data_hash, again.good, again.faults) == (first.data_hash, first.good, first.faults)
    target = next(pair.image for pair in again.good)
    data = target.read_bytes()  # type: ignore[union-attr]
    target.write_bytes(data + b"\0")  # type: ignore[union-attr]
    check_pairs(damaged)
    assert opened == [target], "what has changed is opened"


def test_a_cache_that_cannot_be_used_costs_only_time(damaged: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = check_pairs(damaged)
    folder = damaged[0].image.parent / "cache"  # type: ignore[union-attr]
    folder.mkdir()
    (folder / "checked.sqlite").write_bytes(b"no data base" * 100)
    monkeypatch.setenv("STANDOUT_CACHE", str(folder))
    assert check_pairs(damaged) == expected
    monkeypatch.setenv("STANDOUT_CACHE", str(folder / "checked.sqlite" / "below"))
    assert check_pairs(damaged) == expected
    assert Cache().known(damaged) == [None] * len(damaged)
