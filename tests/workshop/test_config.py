import pytest

from standout.errors import ConfigError
from standout.workshop.config import Config, config_from_dict, given_settings, load_config


def test_words_win_over_the_file(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("[train]\nbatch = 4\nlr = 0.01\n[data.weights_by_set]\nstreet = 2\n")
    config = load_config(
        file, ["batch=2", "model.rates=[3, 6]", "weights=start.npz", "weights_by_set=street:3,cafe:0.5"]
    )
    assert (config.train.batch, config.train.lr, config.model.rates) == (2, 0.01, (3, 6))
    assert config.model.weights == "start.npz"
    assert config.data.weights_by_set == {"street": 3.0, "cafe": 0.5}
    assert config_from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("bach=4", "did you mean `train.batch`"),
        ("train.learning_rate=1", "Unknown setting"),
        ("zzz=4", "known keys"),
        ("a=4", "known keys"),
        ("batch=big", "must be of type int; received 'big'"),
        ("batch=true", "must be of type int"),
        ("batch", "key=value"),
        ("size=100", "multiple of 32"),
        ("output_stride=64", "8, 16 or 32"),
        ("paste_fraction=0.9", "at most together"),
        ("val_fraction=0", "between 0 and 1"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(word, says):
    words = [word, "negative_fraction=0.5"] if "paste_fraction" in word else [word]
    with pytest.raises(ConfigError, match=says):
        load_config(None, words)


def test_a_file_that_is_no_toml(tmp_path):
    (tmp_path / "bad.toml").write_text("size = = 3")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "none.toml")


def test_defaults_are_in_range():
    assert load_config() == Config()


def test_what_is_given_counts_as_given_even_if_it_is_the_default(tmp_path):
    (tmp_path / "a.toml").write_text("seed = 0\n[data]\nsize = 256\n")
    given = given_settings(tmp_path / "a.toml", ["steps=10000", "train.batch=8"])
    assert given == {"train.seed", "data.size", "train.steps", "train.batch"}
    assert given_settings() == set()
