"""Python's rules stand in Python alone: the browser's library reads them from the model's JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from standout.workshop.export.browser_constants import browser_constants

WEB = Path(__file__).parents[3] / "web"
SOURCES = sorted([*(WEB / "src").rglob("*.ts"), *(WEB / "page").glob("*.ts")])
#: What TypeScript alone decides, beside times in milliseconds: Python has no such thing.
OWN = {
    "SURELY": "from which share of people on it isn't asked at full size whether somebody is there",
    "HELD_PIXELS": "memory of a tab",
    "HELD_SIDE": "memory of a tab",
    "LEAST_SHARE": "the shaders' own way to edge colors",
    "BLOCK": "block matching; Python has optical flow",
    "REACH": "block matching",
    "STILL": "block matching",
    "MIXED": "a name",
    "BACKGROUND": "a name",
    "PERSON": "a name",
    "SIDE": "of a thumbnail or of the stage",
    "PREVIEW": "of the stage",
}


@pytest.mark.parametrize("model", ["photo", "live"])
def test_the_models_of_the_browser_say_what_python_says(model: str) -> None:
    said = json.loads((WEB / "models" / f"{model}.json").read_text("utf-8"))
    assert said["constants"] == json.loads(json.dumps(browser_constants())), "run `make web-models`"


def test_typescript_holds_no_second_copy() -> None:
    # Numbers by which a rule can be told; a 2 or a 0.5 stands for many things.
    telling = {
        float(value)
        for group in browser_constants().values()
        for given in group.values()
        for value in (given if isinstance(given, list) else [given])
        if value >= 100 or not float(value * 10).is_integer()
    }
    assert len(telling) >= 20
    for file in SOURCES:
        code = _without_words(file.read_text("utf-8"))
        numbers = {
            float(text.replace("_", "")) for text in re.findall(r"(?<![\w.#$])\d[\d_]*(?:\.\d+)?(?:e-?\d+)?\b", code)
        }
        # 256 is also a byte's range, and 1000 a second's milliseconds.
        assert not numbers & telling - {256.0, 1000.0}, f"{file.name} has {numbers & telling}"


def test_every_constant_of_typescript_is_its_own() -> None:
    for file in SOURCES:
        for name in re.findall(r"(?m)^(?:export )?const ([A-Z][A-Z_0-9]*)(?:: \w+)? = [\d.]", file.read_text("utf-8")):
            assert name in OWN or name.endswith("_MS"), f"{file.name}: {name}; write it into the card, or say why not"


def test_every_rule_that_is_written_is_read() -> None:
    code = "\n".join(file.read_text("utf-8") for file in SOURCES if file.name != "constants.ts")
    types = (WEB / "src" / "constants.ts").read_text("utf-8")
    for rule, group in browser_constants().items():
        assert f"readonly {rule}: {{" in types
        assert f"constants().{rule}" in code, f"nobody reads `{rule}`"
        for name in group:
            assert re.search(rf"readonly {name}: ", types), f"{rule}.{name} has no type"
            assert re.search(rf"\b{name}\b", code), f"nobody reads `{rule}.{name}`"


def _without_words(code: str) -> str:
    """The code without comments, texts and shaders' own lines."""
    code = re.sub(r"/\*.*?\*/|(?m:(?<!:)//.*$)", "", code, flags=re.S)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', code)
