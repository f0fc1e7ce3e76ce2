from pathlib import Path

import pytest

pytest.importorskip("sklearn")

from standout.errors import DataError
from standout.workshop.data.pair import Pair
from standout.workshop.data.split import own_parts, split_pairs


def pairs(count: int, *, group: int = 1, name: str = "s") -> list[Pair]:
    return [Pair(Path(f"{name}/{i}.jpg"), Path(f"{name}/{i}.png"), name, f"g{i // group}") for i in range(count)]


def test_no_group_is_on_both_sides():
    train, val = split_pairs(pairs(200, group=4), 0.2)
    assert not {pair.group for pair in train} & {pair.group for pair in val}
    assert len(train) + len(val) == 200 and 20 <= len(val) <= 60


def test_adding_files_moves_no_file():
    before = {pair.image for pair in split_pairs(pairs(100), 0.1)[1]}
    after = {pair.image for pair in split_pairs(pairs(150), 0.1)[1]}
    assert before and before <= after


def test_small_sets_give_one_to_each_side():
    train, val = split_pairs(pairs(2, name="a") + pairs(20, name="b"), 0.05)
    assert {pair.set for pair in train} == {"a", "b"} == {pair.set for pair in val}
    with pytest.raises(DataError, match="two groups"):
        split_pairs(pairs(5, group=5), 0.2)


def test_what_a_data_set_holds_out_is_not_for_training() -> None:
    def pair(stem: str, split: str) -> Pair:
        return Pair(Path(f"{stem}.jpg"), Path("mask.png"), "set", stem, split=split)

    train, val, test = (pair(part, part) for part in ("train", "val", "test"))
    assert own_parts([train, val, test]) == ([train], [val])
    assert own_parts([train, test]) == ([train], [])
    assert own_parts([val, test]) == ([val], []), "a val part that is named by itself"
    with pytest.raises(DataError, match="test part"):
        own_parts([test])
