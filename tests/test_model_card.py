import pytest

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
