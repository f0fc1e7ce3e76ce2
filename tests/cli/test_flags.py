"""The library names parameters; the command line tells them as its flags."""

from __future__ import annotations

import importlib

import pytest

from standout.cli import COMMANDS, with_flags


@pytest.mark.parametrize(
    ("command", "sentence", "told"),
    [
        ("photo", "raise `max_pixels`.", "raise `--max-pixels`."),
        ("photo", "choose a `background`, such as `white`.", "choose a `--background`, such as `white`."),
        ("webcam", "choose another with `source 1`.", "choose another with `--camera 1`."),
        ("video", "`end_s` must lie after `start_s`.", "`--end` must lie after `--start`."),
        (
            "photo",
            "`source 1` and `photo.jpg` are none of its flags.",
            "`source 1` and `photo.jpg` are none of its flags.",
        ),
    ],
)
def test_parameters_become_flags_of_the_command(command: str, sentence: str, told: str) -> None:
    assert with_flags(sentence, importlib.import_module(COMMANDS[command].module).app) == told
