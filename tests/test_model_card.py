import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standout.errors import ModelFileError
from standout.model_card import ModelCard


def test_a_card_survives_json():
    card = ModelCard(
        "photo", (512, 384), data=("a: 3 photographs",), scores={"street": {"person_iou": 0.9}}, limits=("x",)
    )
    assert ModelCard.from_json(card.to_json()) == card


def test_a_newer_card_is_read_and_a_foreign_one_refused():
    assert ModelCard.from_json('{"name": "n", "input_size": [64, 64], "from_the_future": 1}').name == "n"
    for text in ("", "[]", "{}", '{"name": "n", "input_size": 3}'):
        with pytest.raises(ModelFileError, match="model card"):
            ModelCard.from_json(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("output_stride", 0), ("output_stride", "16"), ("multiple", -1), ("threshold", "0.5"), ("threshold", 2),
        ("threshold", float("nan")), ("certainty", None), ("flip_scale", "yes"), ("flip_scale", True),
        ("zoom_gain", [1]),
        ("input_size", [1_000_000, 1_000_000]), ("input_size", [64]), ("input_size", [64.5, 64]), ("input_size", "64"),
        ("scales", []), ("scales", ["a"]), ("scales", 1), ("scores", []), ("scores", {"street": 3}), ("data", "text"),
        ("data", [3]), ("limits", None), ("name", None), ("encoder", 3), ("parameters", "many"), ("samples", -1),
        ("license", {}),
    ],
)  # fmt: skip
def test_a_value_of_another_type_or_out_of_range_is_named(key, value):
    raw = {"name": "n", "input_size": [64, 64]} | {key: value}
    with pytest.raises(ModelFileError, match=f"`{key}` must be"):
        ModelCard.from_json(json.dumps(raw))


def test_the_cards_of_the_bundled_models_pass():
    from standout.inference.model import bundled_names, load

    for name in bundled_names():
        card = load(name).card
        assert ModelCard.from_json(card.to_json()) == card


@pytest.mark.slow
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
                    max_leaves=5), st.sampled_from([f.name for f in dataclasses.fields(ModelCard)]))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_whatever_a_card_holds_it_is_a_card_or_one_sentence(value, key):
    text = json.dumps({"name": "n", "input_size": [64, 64]} | {key: value})
    try:
        assert isinstance(ModelCard.from_json(text), ModelCard)
    except ModelFileError as error:
        assert "\n" not in str(error)
