"""Whatever text comes in (lists, settings, specifications, results, journals), it is taken or a sentence says why.

tests/imaging/test_broken_files.py does the same for pictures.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("albumentations")
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from kits import saved
from standout.cli import run
from standout.cli.benchmark import _compare
from standout.compositing.background import parse_background
from standout.compositing.options import CompositeOptions
from standout.errors import ConfigError, DataError, InputError, ModelFileError, StandoutError
from standout.id_photo.specs import load_spec, spec_text
from standout.imaging.parse import parse_keep, parse_length, parse_point, parse_position
from standout.inference.session import thread_count
from standout.text_files import TextFileError, read_csv, read_json, read_text, read_toml
from standout.work.journal import JOURNAL_NAME, Journal, Record
from standout.workshop.config import Config, load_config, read_run_record
from standout.workshop.data.augment_folder import _read_record
from standout.workshop.data.check import check_pairs
from standout.workshop.data.pairs import find_pairs
from standout.workshop.score import intervals

quick = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

#: Text as people and broken programs write it: words that mean something here, and everything else.
words = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "nan", "inf", "-1", "1e400", "²", "٣", "\0", "\ufeff", "a" * 300, "../..", "\n"]),
)
#: What a parsed TOML or JSON file may hold.
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
DEEP = b"[" * 100_000


def sentence(error: StandoutError | TextFileError) -> None:
    text = str(error)
    assert text.strip() and "Traceback" not in text


def survives(call: Callable[..., Any], *arguments: Any) -> None:
    """Calls it; whatever it raises must be ours and say something."""
    try:
        call(*arguments)
    except StandoutError as error:
        sentence(error)


def bytes_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """These texts in UTF-8, with a mark, in UTF-16 and Latin-1, and bytes that are no text."""
    encoded = st.tuples(texts, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])).map(
        lambda pair: pair[0].encode(pair[1], "replace")
    )
    return encoded | st.binary(max_size=40)


# ---------------------------------------------------------------- any file


@quick
@given(bytes_of(st.text(max_size=60)))
@example(DEEP)
@example(b"\xff")
@example(b'"\n')
@pytest.mark.parametrize("reader", [read_text, read_toml, read_json, read_csv])
def test_every_file_is_read_or_has_a_reason(reader: Callable[[Path], Any], tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    try:
        reader(file)
    except TextFileError as error:
        sentence(error)
        assert "\n" not in str(error)


@pytest.mark.parametrize("reader", [read_text, read_toml, read_json, read_csv])
@pytest.mark.parametrize("name", ["", "missing", "nul\0", "a" * 300, "self"])
def test_what_is_no_file_has_a_reason(reader: Callable[[Path], Any], name: str, tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to("self")
    with pytest.raises(TextFileError):
        reader(tmp_path / name)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("image,mask\na.jpg\nb.jpg,b.png,more\n".encode("utf-8-sig"))
    columns, rows = read_csv(tmp_path / "a.csv")
    assert columns == ["image", "mask"]
    assert rows == [{"image": "a.jpg", "mask": ""}, {"image": "b.jpg", "mask": "b.png"}]


# ---------------------------------------------------------------- data sets

cells = words | st.sampled_from(["image", "mask", "weight", "set", "group", "stem", "a.jpg", '"', ","])
tables = st.lists(st.lists(cells, max_size=4), max_size=4).map(lambda rows: "\n".join(",".join(row) for row in rows))
lists_of_pairs = st.tuples(st.sampled_from(["image,mask\n", "image,mask,weight\n", "stem,group\n", ""]), tables).map(
    "".join
)


@quick
@given(bytes_of(lists_of_pairs))
@example("image,mask\na.jpg,é.png\n".encode("latin-1"))
@example(b"image,mask\na\0.jpg,b.png\n")
@example(b"image,mask\na.jpg\n")
@example(b"image,mask,weight\na.jpg,,nan\n")
@example(b"image,mask\n,\n")
@example(b"image,mask\n" + b"a" * 200_000)
def test_a_csv_of_pairs(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "pairs.csv"
    file.write_bytes(data)
    with suppress(DataError):
        pairs, faults = find_pairs(file)
        assert check_pairs(pairs, faults=faults).good == ()  # there is no picture here


@quick
@given(groups=bytes_of(lists_of_pairs), sets=bytes_of(st.text(max_size=30)))
@example(groups="stem,group\na,é\n".encode("latin-1"), sets=b"")
@example(groups=b"", sets=b"[people]\nweight = nan\n")
@example(groups=b"", sets=b"people = 3\n")
@example(groups=b"", sets=b"\xff")
def test_groups_and_weights_of_a_data_set(tmp_path: Path, groups: bytes, sets: bytes) -> None:
    images = tmp_path / "people" / "images"
    images.mkdir(parents=True, exist_ok=True)
    (images / "a.jpg").touch()
    (images.parent / "groups.csv").write_bytes(groups)
    (tmp_path / "sets.toml").write_bytes(sets)
    survives(find_pairs, tmp_path)


@quick
@given(bytes_of(st.text(max_size=20)) | values.map(lambda value: json.dumps(value).encode()))
@example(b'{"count": true, "in_a_row": 1}')
@example(b'{"count": 1e999, "in_a_row": 1}')
@example(DEEP)
def test_the_record_of_augmented_pairs(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "record.json").write_bytes(data)
    survives(_read_record, tmp_path / "record.json")


# ---------------------------------------------------------------- settings

keys = st.sampled_from([f"{stage}.{name}" for stage, inner in Config().to_dict().items() for name in inner]) | words


@quick
@given(
    st.lists(st.tuples(keys, words | st.integers().map(str) | st.floats().map(str)).map("=".join) | words, max_size=3)
)
@example(["steps=" + "[" * 20_000])
@example(["width=inf"])
@example(["lr=nan"])
@example(["lr=1" + "0" * 400])
@example(["rates=[]"])
@example(["weights_by_set=a:b:c"])
def test_settings_as_words(given_words: list[str]) -> None:
    survives(load_config, None, given_words)


@quick
@given(bytes_of(st.text(max_size=40)))
@example(DEEP)
def test_settings_in_a_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.toml").write_bytes(data)
    survives(load_config, tmp_path / "a.toml")


@quick
@given(st.fixed_dictionaries({}, optional={"config": values, "commands": values, "data_hash": values}) | values)
@example({"config": {"train": []}})
@example({"config": {"model": {"rates": ["a"]}}})
def test_the_record_of_a_run(tmp_path: Path, record: Any) -> None:
    (tmp_path / "config.json").write_text(json.dumps(record))
    with suppress(ModelFileError):
        read_run_record(tmp_path)


def test_the_record_of_a_run_that_was_cut_off(tmp_path: Path) -> None:
    whole = json.dumps({"config": Config().to_dict(), "commands": []}).encode()
    for end in range(0, len(whole), 97):
        (tmp_path / "config.json").write_bytes(whole[:end])
        with pytest.raises(ModelFileError, match="is no run folder"):
            read_run_record(tmp_path)
    (tmp_path / "config.json").write_bytes(whole)
    assert read_run_record(tmp_path)[0] == Config()


@quick
@given(words | st.integers().map(str))
def test_the_number_of_threads(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        with suppress(ValueError):  # a NUL can't be in the environment
            patch.setenv("STANDOUT_THREADS", text)
        survives(thread_count)


# ---------------------------------------------------------------- official photos

PASSPORT = spec_text("us-passport")


@quick
@given(st.integers(0, len(PASSPORT)), st.integers(0, 30), words)
@example(0, len(PASSPORT), "")
def test_a_specification_that_was_edited(tmp_path: Path, at: int, length: int, text: str) -> None:
    edited = PASSPORT[:at] + text + PASSPORT[at + length :]
    (tmp_path / "mine.toml").write_text(edited, "utf-8", "replace")
    survives(load_spec, tmp_path / "mine.toml")


TABLES = ["size", "head", "eyes", "background", "file", "editing", "sources", "title", "document", "country"]
KEYS = ["min_dpi", "width_mm", "height_mm", "width_px", "min_mm", "max_share", "color", "source", "hair"]
STRANGE = [
    "0", "-1", "1e300", "inf", "nan", "true", "''", "'a'", "[]", "{}", "1979-05-27", "100000", "9" * 30,
    "'rgb(300,0,0)'", "'#12345678'",
]  # fmt: skip


@quick
@given(st.sampled_from(TABLES), st.sampled_from(KEYS), st.sampled_from(STRANGE))
def test_a_specification_with_a_strange_value(tmp_path: Path, table: str, key: str, value: str) -> None:
    from standout.id_photo.spec_parser import parse_spec

    raw = read_toml_text(PASSPORT)
    strange = read_toml_text(f"v = {value}")["v"]
    for changed in (raw | {table: strange}, raw | {table: {**_table(raw.get(table)), key: strange}}):
        with suppress(ConfigError):
            spec = parse_spec(changed, "mine")
            height, width, dpi = spec.pixels()
            assert 0 < height * width < 4e9 and dpi > 0
            assert all(0 <= value <= 255 for value in spec.background)


def read_toml_text(text: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(text)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


# ---------------------------------------------------------------- results and journals


def result(**changes: Any) -> dict[str, Any]:
    return {"runs": [{"case": "a", "rounds_ms": [[1.0, 2.0]] * 5}], "machine": {"packages": {"numpy": "2"}}} | changes


runs = st.lists(st.fixed_dictionaries({"case": values, "rounds_ms": values}))
results = (
    values
    | st.fixed_dictionaries({"runs": values | runs})
    | st.fixed_dictionaries({"machine": values, "model": values}).map(lambda changes: result(**changes))
)


@quick
@given(results)
@example(result(runs=[{"case": "a", "rounds_ms": []}]))
@example(result(runs=[{"case": "a", "rounds_ms": [[]]}]))
@example(result(runs=[{"case": "a", "rounds_ms": [[0.0]]}]))
@example(result(runs=[{"case": [], "rounds_ms": [[1.0]]}]))
@example(result(runs=3))
@example(result(machine=[]))
@example(result(machine={"packages": 3}))
def test_results_that_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: Any) -> None:
    monkeypatch.setattr(intervals, "ROUNDS", 20)
    for name, content in (("a", result()), ("b", other)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    for pair in (("a", "b"), ("b", "a")):
        with suppress(InputError):
            _compare(*(tmp_path / f"{name}.json" for name in pair))


def test_no_rounds_are_told_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(result(runs=[{"case": "a", "rounds_ms": []}])))
    assert run(["benchmark", "--compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 2
    assert "lists of milliseconds" in capsys.readouterr().err


RECORD = asdict(Record("/photos", "a.jpg", 10, 20, "a.png", 30, "recipe"))


@pytest.mark.slow
@quick
@given(st.lists(st.dictionaries(st.sampled_from([*RECORD]), values, max_size=7).map(lambda own: RECORD | own) | values),
       st.binary(max_size=20))  # fmt: skip
@example([RECORD | {"target": "../../etc/passwd"}], b"")
@example([RECORD | {"size": True}], b"")
@example([], DEEP)
@example([], b"\xff\n")
def test_a_journal(tmp_path: Path, lines: list[Any], torn: bytes) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / JOURNAL_NAME).write_bytes(text.encode() + torn)
    with Journal(tmp_path) as journal:
        for record in journal:
            assert ".." not in Path(record.target).parts and not Path(record.target).is_absolute()
            journal.find(record.folder, record.source, record.size, record.mtime_ns)
        journal.add(Record("/photos", "new.jpg", 1, 2, "new.png", 3, "recipe"))
    with Journal(tmp_path) as journal:  # the new line stands by itself, whatever was before it
        assert journal.find("/photos", "new.jpg", 1, 2) is not None


# ---------------------------------------------------------------- what users type


@pytest.mark.slow
@quick
@given(words | st.text(alphabet="0123456789.,%-+eEx# rgb(hsl)blu:", max_size=16))
@example("rgb(300,0,0)")
@example("hsl(0,200%,50%)")
@example("#ff000000")
@example("blur:" + "9" * 5000)
@example("a" * 300)
@example("a" * 300 + ".png")
@example("nowhere/\0.png")
@example("1,1e400")
@pytest.mark.parametrize("parse", [parse_background, parse_keep, parse_length, parse_point, parse_position])
def test_words_about_the_result(parse: Callable[[str], Any], text: str) -> None:
    survives(parse, text)


@quick
@given(words | st.text(alphabet="0123456789,% rgb(hsl)#", max_size=16))
@example("rgb(300,0,0)")
@example("hsl(0,200%,50%)")
def test_a_background_that_is_taken_is_a_color_or_a_blur(text: str) -> None:
    with suppress(ConfigError):
        background = CompositeOptions(background=text).background
        assert all(0 <= value <= 255 for value in background.color)


@pytest.mark.parametrize("words", [["--camera", "²"], ["--camera", "9" * 30], ["--camera", "٣"], ["--control", "²"],
                                   ["--control", "99999"], ["--size", "²x²"], ["--camera", "a" * 300]])  # fmt: skip
def test_strange_numbers_for_the_webcam(words: list[str], model_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["webcam", "-m", str(model_file), "--frames", "1", *words]) == 2
    assert capsys.readouterr().err.startswith("standout: ")


LONG = "a" * 300


@pytest.mark.parametrize(
    "line",
    [
        ["photo", LONG], ["photo", "p.png", "-o", LONG + ".png"], ["photo", "p.png", "-m", LONG],
        ["photo", "p.png", "--background", LONG], ["folder", LONG, "out"], ["folder", "in", LONG], ["evaluate", LONG],
        ["audit", LONG], ["augment", LONG, "out", "--count", "1"], ["video", LONG, "-o", "o.mp4"],
        ["id-photo", "p.png", "--spec", LONG + ".toml", "-o", "o.png"], ["benchmark", "--compare", LONG, LONG],
        ["info", "-m", "./" + LONG],
    ],
)  # fmt: skip
def test_names_that_no_file_system_takes(
    line: list[str],
    model_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("standout.cli.info._training_devices", lambda: (None, ""))  # seconds of TensorFlow
    (tmp_path / "in").mkdir()
    (tmp_path / "p.png").write_bytes(saved(Image.new("RGB", (64, 64)), "PNG"))
    model = ["-m", str(model_file)] if line[0] in ("photo", "folder", "evaluate", "video") and "-m" not in line else []
    assert run([*line, *model]) in (1, 2)
    error = capfd.readouterr().err
    assert "standout: " in error and "Traceback" not in error
