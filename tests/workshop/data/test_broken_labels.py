"""Whatever stands in the text files of a data set, of every form: its people are found, or a sentence says why not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standout.errors import StandoutError
from standout.workshop.data.check import check_pairs
from standout.workshop.data.pairs import find_pairs
from workshop.data.forms import FORMS

NEEDS = {"coco": "pycocotools", "yolo": "yaml"}
TEXTS = (".json", ".jsonl", ".csv", ".yaml", ".txt", ".xml", ".toml")
STRANGE: list[Any] = [
    None, True, 0, -1, 10**30, 1e308, float("nan"), float("inf"), "", "²", "\0", "../../etc/passwd", "a" * 300, [], {},
    [[]], [None], {"a": 1}, [[1, 2]], [[1e400, "x", 3, 4, 5, 6]],
]  # fmt: skip


@pytest.fixture(scope="module", params=FORMS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """The name of a form, a folder with a data set of it, and what of it is asked for."""
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param])
    folder = tmp_path_factory.mktemp(request.param)
    root = FORMS[request.param].write(folder / "set")
    if not texts(folder):
        pytest.skip("there is no text in this form")
    return request.param, folder, root


def texts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in TEXTS and path.is_file())


def survives(name: str, root: Path) -> None:
    """Finds and opens every pair; what it raises must be ours, and every fault must say something."""
    try:
        pairs, faults = find_pairs(root, person=FORMS[name].person)
        assert all(fault.text for fault in check_pairs(pairs, faults=faults).faults)
    except StandoutError as error:
        assert str(error).strip()


quick = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def broken_copy(whole: tuple[str, Path, Path], tmp_path: Path, number: int) -> tuple[Path, Path]:
    """A copy of the data set, what of it is asked for, and the file in it that is to be broken."""
    _, folder, root = whole
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    files = texts(copy)
    return copy / root.relative_to(folder), files[number % len(files)]


@pytest.mark.slow
@quick
@given(st.integers(0, 99), st.integers(0, 10**6), st.integers(0, 40), st.binary(max_size=6) | st.text(max_size=6))
def test_bytes_that_were_cut_or_overwritten(
    whole: tuple[str, Path, Path], tmp_path: Path, number: int, at: int, length: int, by: bytes | str
) -> None:
    root, file = broken_copy(whole, tmp_path, number)
    data = file.read_bytes()
    at %= len(data) + 1
    file.write_bytes(data[:at] + (by.encode() if isinstance(by, str) else by) + data[at + length :])
    survives(whole[0], root)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every value of a JSON text."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


@pytest.mark.slow
@quick
@given(st.integers(0, 99), st.integers(0, 10**6), st.sampled_from(STRANGE))
def test_json_with_a_strange_value(
    whole: tuple[str, Path, Path], tmp_path: Path, number: int, at: int, by: Any
) -> None:
    root, file = broken_copy(whole, tmp_path, number)
    if file.suffix == ".jsonl":
        lines = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
        found = places(lines)
        changed = replaced(lines, found[at % len(found)], by)
        file.write_text("\n".join(map(json.dumps, changed if isinstance(changed, list) else [changed])))
    elif file.suffix == ".json":
        content = json.loads(file.read_text())
        found = places(content)
        file.write_text(json.dumps(replaced(content, found[at % len(found)], by)))
    else:
        return
    survives(whole[0], root)
