"""Every form of data set passes one kit: the same people are found, however they were written down."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from standout.cli import run
from standout.errors import DataError, StandoutError
from standout.imaging.arrays import Frame
from standout.workshop.audit.audit import audit
from standout.workshop.data.check import check_pairs
from standout.workshop.data.labels import OpenPair, open_pair
from standout.workshop.data.pair import Fault, Pair
from standout.workshop.data.pairs import find_pairs, reader_of
from standout.workshop.data.readers import readers
from standout.workshop.score.evaluate import evaluate
from workshop.data.forms import FORMS, imagefolder_of_parquet
from workshop.data.readers_kit import SIZE_HW, encoded, mask, photo, write

NEEDS = {"coco": "pycocotools", "yolo": "yaml"}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    return name


def scene(pair: Pair) -> str:
    return pair.stem.rpartition("-")[2].rpartition(".")[0] or pair.stem.rpartition("-")[2].partition(".")[0]


def opened(pair: Pair) -> OpenPair:
    result = open_pair(pair)
    assert not isinstance(result, Fault), result
    return result


def test_every_reader_has_a_form_in_the_kit() -> None:
    assert {reader.__name__.rpartition(".")[2] for reader in readers()} == set(FORMS)  # type: ignore[attr-defined]


def test_one_reader_takes_it(form: str, tmp_path: Path) -> None:
    root = FORMS[form].write(tmp_path / "set")
    reader = reader_of(root)
    expected = None if form == "folders" else form  # ours is a folder of two sets
    assert (reader and reader.__name__.rpartition(".")[2]) == expected  # type: ignore[union-attr, attr-defined]


def test_the_same_people_are_found(form: str, tmp_path: Path) -> None:
    pairs, faults = find_pairs(FORMS[form].write(tmp_path / "set"), person=FORMS[form].person)
    assert not faults
    assert sorted(map(scene, pairs)) == sorted(FORMS[form].names)
    for pair in pairs:
        name, found = scene(pair), opened(pair)
        assert np.abs(found.frame.astype(int) - photo(name)).mean() < 12, "the photograph is another one"
        sure = ~found.label.unsure
        assert np.array_equal((found.label.person > 127) & sure, mask(name) & sure), f"{form}: the person in {name}"
        if FORMS[form].unsure:
            agree = (found.label.unsure == mask(name, "unsure")).mean()
            assert agree > 0.98, f"{form}: what isn't known in {name}"


def test_its_pairs_are_usable_and_nobody_stays_nobody(form: str, tmp_path: Path) -> None:
    pairs, faults = find_pairs(FORMS[form].write(tmp_path / "set"), person=FORMS[form].person)
    checked = check_pairs(pairs, faults=faults)
    assert not checked.faults
    people = {scene(pair) for pair in checked.good if pair.has_person}
    assert people == {name for name in FORMS[form].names if name in ("a", "b")}


@pytest.mark.slow
def test_converted_it_says_the_same(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = FORMS[form].write(tmp_path / "set")
    asked = ["--person", FORMS[form].person] if FORMS[form].person else []
    assert run(["convert", str(source), str(tmp_path / "out"), *asked]) == 0, capsys.readouterr().err
    before = {scene(pair): opened(pair).label for pair in find_pairs(source, person=FORMS[form].person)[0]}
    after = {scene(pair): opened(pair).label for pair in find_pairs(tmp_path / "out")[0]}
    assert set(after) == set(before)
    for name, label in after.items():
        assert np.array_equal(label.person, before[name].person)
        assert np.array_equal(label.unsure, before[name].unsure)
    assert run(["convert", str(source), str(tmp_path / "out"), *asked]) == 0, "it goes on where it was"
    assert run(["convert", str(tmp_path), str(tmp_path / "out")]) == 2, "not with another source"


def test_evaluate_and_audit_take_it(form: str, tmp_path: Path) -> None:
    root = FORMS[form].write(tmp_path / "set")
    person = FORMS[form].person
    truth = {scene(pair): opened(pair).label for pair in find_pairs(root, person=person)[0]}

    def oracle(frame: Frame) -> np.ndarray:
        # Wrong wherever the truth isn't known: that must cost nothing.
        best = min(truth, key=lambda name: np.abs(photo(name).astype(int) - frame).mean())
        return np.where(truth[best].unsure, 1 - mask(best), truth[best].person / 255).astype(np.float32)

    report = evaluate(oracle, root, person=person)
    assert not report.left_out
    assert all(photo.iou == 1.0 and not photo.row()["false_people"] for photo in report.photos)
    assert all(photo.mae < 0.01 for photo in report.photos)
    result = audit(root, person=person)
    assert not [row for row in result.findings() if row["fault"] and row["kind"] != "mask fits no edge"]


@pytest.mark.parametrize("name", [name for name in FORMS if name not in ("cutouts",)])
def test_a_missing_photograph_is_named(name: str, tmp_path: Path) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    if name in ("webdataset", "tfrecord", "yolo"):
        pytest.skip("has its photographs within, or begins with them")
    root = FORMS[name].write(tmp_path / "set")
    photos = [path for path in (tmp_path / "set").rglob("a.[jp]*g") if "egmentation" not in path.parent.name]
    next(path for path in photos if path.parent.name != "masks").unlink()
    pairs, faults = find_pairs(root, person=FORMS[name].person)
    checked = check_pairs(pairs, faults=faults)
    assert len(checked.faults) == 1
    assert "a" in checked.faults[0].text
    assert checked.faults[0].kind in ("no image", "unreadable", "no mask")


BROKEN: dict[str, tuple[str, str, str]] = {
    # form -> file, what is written there, what the message must say
    "table": ("all.csv", "image,mask,weight\na.jpg,,much\n", "row 1"),
    "coco": ("annotations/instances_val2017.json", '{"images": [],\n "annotations": [}', "line 2"),
    "voc": ("ImageSets/Segmentation/val.txt", "\xff\xfe", "val.txt"),
    "supervisely": ("meta.json", '{"classes": 3}', "classes"),
    "imagefolder": ("train/metadata.jsonl", '{"file_name": "a.jpg"}\n{"file"', "line 2"),
    "webdataset": ("shard-000000.tar", "no tar", "shard-000000.tar"),
    "tfrecord": ("train-00000-of-00001.tfrecord", "\x99" * 40, "record"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_with_its_line(name: str, tmp_path: Path) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    root = FORMS[name].write(tmp_path / "set")
    file, content, said = BROKEN[name]
    (tmp_path / "set" / file).write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=said) as caught:
        find_pairs(root)
    assert Path(file).name in str(caught.value)


#: The same for files of one photograph; the others are read.
BROKEN_OF_ONE: dict[str, tuple[str, str, str]] = {
    "labelme": ("a.json", '{"shapes": [\n\n}', "line 3"),
    "yolo": ("labels/train/a.txt", "1 0.1 0.1 0.5 0.5\n1 0.1 x\n", "line 2"),
    "supervisely": ("ds1/ann/a.png.json", '{"objects": [\n}', "line 2"),
}


@pytest.mark.parametrize("name", BROKEN_OF_ONE)
def test_a_broken_file_of_one_photograph_is_named_with_its_line_and_the_rest_is_read(name: str, tmp_path: Path) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    root = FORMS[name].write(tmp_path / "set")
    whole, _ = find_pairs(root)
    file, content, said = BROKEN_OF_ONE[name]
    assert (tmp_path / "set" / file).is_file()
    (tmp_path / "set" / file).write_text(content)
    pairs, (fault,) = find_pairs(root)
    assert len(pairs) == len(whole) - 1
    assert fault.kind == "unreadable" and Path(file).name in fault.text and said in fault.text


def test_a_broken_annotation_of_boxes_costs_its_photograph(tmp_path: Path) -> None:
    root = tmp_path / "voc"
    for name in ("a", "b"):
        write(root / "JPEGImages" / f"{name}.jpg", encoded(photo(name), "JPEG"))
    corners = "<xmin>10</xmin><ymin>8</ymin><xmax>30</xmax><ymax>44</ymax>"
    thing = f"<object><name>person</name><bndbox>{corners}</bndbox></object>"
    write(root / "Annotations" / "a.xml", f"<annotation>{thing}</annotation>")
    write(root / "Annotations" / "b.xml", "<annotation>\n<object></annotation>")
    pairs, (fault,) = find_pairs(root)
    assert [scene(pair) for pair in pairs] == ["a"] and "b.xml, line 2" in fault.text


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FORMS if name not in ("folders", "cutouts")])
def test_no_damage_ends_in_a_traceback(name: str, tmp_path: Path) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    root = FORMS[name].write(tmp_path / "set")
    endings = (".json", ".jsonl", ".csv", ".txt", ".yaml", ".tar", ".tfrecord")
    files = [path for path in (tmp_path / "set").rglob("*") if path.suffix in endings]
    rng = np.random.default_rng(0)
    for file in files[:3]:
        whole = file.read_bytes()
        for _ in range(12):
            broken = bytearray(whole)
            for at in rng.integers(0, len(broken), 3):
                broken[at] = int(rng.integers(256))
            file.write_bytes(broken[: int(rng.integers(1, len(broken) + 1))])
            try:
                check_pairs(*find_pairs(root)[:1])
            except StandoutError:
                continue
        file.write_bytes(whole)


# ---------------------------------------------------------------- one form's own


def test_the_category_is_chosen_by_name(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    root = FORMS["coco"].write(tmp_path / "set")
    dogs = {scene(pair): opened(pair).label for pair in find_pairs(root, person="dog")[0]}
    assert np.array_equal(dogs["c"].person > 127, mask("c", "dog"))
    assert not dogs["a"].person.any()
    with pytest.raises(DataError, match="no category 'cat'; it has dog, person"):
        find_pairs(root, person="cat")


def test_boxes_weaken_a_label(tmp_path: Path) -> None:
    write(tmp_path / "set" / "images" / "a.jpg", encoded(photo("a"), "JPEG"))
    write(tmp_path / "set" / "images" / "none.jpg", encoded(photo("none"), "JPEG"))
    left, top, right, bottom = 10, 8, 30, 44
    box = f"0 {(left + right) / 128} {(top + bottom) / 96} {(right - left) / 64} {(bottom - top) / 48}\n"
    write(tmp_path / "set" / "boxes" / "a.txt", box)
    write(tmp_path / "set" / "boxes" / "none.txt", "")
    first, second = find_pairs(tmp_path / "set")[0]
    label = opened(first).label
    assert first.weak and not first.has_person
    assert np.array_equal(label.unsure, mask("a")) and not label.person.any()
    assert second.mask is None, "a photograph without boxes shows nobody"
    assert not check_pairs([first, second]).faults


def test_objects_without_figures_are_boxes(tmp_path: Path) -> None:
    root = FORMS["coco"].write(tmp_path / "set")
    file = root / "annotations" / "instances_val2017.json"
    content = json.loads(file.read_text())
    for annotation in content["annotations"]:
        annotation["segmentation"], annotation["bbox"] = [], [10, 8, 20, 36]
    file.write_text(json.dumps(content))
    pairs = {scene(pair): pair for pair in find_pairs(root)[0]}
    assert pairs["a"].weak
    assert np.array_equal(opened(pairs["a"]).label.unsure, mask("a"))


def test_metadata_may_be_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pairs, faults = find_pairs(imagefolder_of_parquet(tmp_path / "set"))
    labels = {scene(pair): opened(pair).label for pair in pairs}
    assert not faults and labels.keys() == {"a", "b", "c", "none"}
    assert np.array_equal(labels["a"].person > 127, mask("a"))
    assert np.array_equal(labels["b"].unsure, mask("b", "unsure"))
    file = tmp_path / "set" / "train" / "metadata.parquet"
    (tmp_path / "set" / "train" / "masks" / "a.png").unlink()
    (fault,) = find_pairs(tmp_path / "set")[1]
    assert "metadata.parquet, row 1" in fault.text and "a.png" in fault.text
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match="metadata.parquet can't be read as Parquet"):
        find_pairs(tmp_path / "set")


def test_parts_that_a_data_set_names_are_kept_apart(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    root = FORMS["coco"].write(tmp_path / "set")
    text = (root / "annotations" / "instances_val2017.json").read_text()
    (root / "annotations" / "instances_train2017.json").write_text(text)
    shutil.copytree(root / "val2017", root / "train2017")
    pairs, _ = find_pairs(root)
    assert {(pair.set, pair.split) for pair in pairs} == {("train2017", "train"), ("val2017", "val")}
    assert {pair.image.parent.name for pair in pairs if pair.split == "val"} == {"val2017"}


def test_parts_that_a_list_names_are_kept_apart_by_convert(tmp_path: Path) -> None:
    root = FORMS["voc"].write(tmp_path / "voc")
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("a\nc\n")
    (root / "ImageSets" / "Segmentation" / "test.txt").write_text("b\nnone\n")
    (tmp_path / "sets.toml").write_text("[voc]\nweight = 0.5\n")
    assert run(["convert", str(tmp_path), str(tmp_path / "out")]) == 0
    pairs, faults = find_pairs(tmp_path / "out")
    assert not faults and {pair.weight for pair in pairs} == {0.5}
    assert {scene(pair): pair.split for pair in pairs} == {"a": "", "c": "", "b": "test", "none": "test"}


def test_a_folder_of_different_forms_is_one_data_set(tmp_path: Path) -> None:
    FORMS["voc"].write(tmp_path / "all" / "voc")
    FORMS["cutouts"].write(tmp_path / "all" / "cutouts")
    (tmp_path / "all" / "sets.toml").write_text("[cutouts]\nweight = 0.5\n")
    pairs, _ = find_pairs(tmp_path / "all")
    assert {(pair.set, pair.weight) for pair in pairs} == {("voc", 1.0), ("cutouts", 0.5)}


def test_detection_records_have_a_mask_for_each_object(tmp_path: Path) -> None:
    from workshop.data.forms import example, record

    people = [encoded(np.where(mask("b"), 1, 0).astype(np.uint8)), encoded(np.where(mask("a"), 1, 0).astype(np.uint8))]
    body = example(
        {"image/encoded": encoded(photo("b"), "JPEG"), "image/object/mask": people,
         "image/object/class/text": [b"person", b"dog"]}
    )  # fmt: skip
    write(tmp_path / "x.tfrecord", record(body))
    (pair,) = find_pairs(tmp_path / "x.tfrecord")[0]
    assert np.array_equal(opened(pair).label.person > 127, mask("b"))


def test_the_photograph_is_read_from_its_place_in_the_shard(tmp_path: Path) -> None:
    pairs, _ = find_pairs(FORMS["webdataset"].write(tmp_path / "set"))
    assert all(pair.image.shard.suffix == ".tar" for pair in pairs)  # type: ignore[union-attr]
    assert opened(pairs[0]).frame.shape == (*SIZE_HW, 3)
    cut = tmp_path / "set" / "shard-000000.tar"
    cut.write_bytes(cut.read_bytes()[:2000])
    assert isinstance(open_pair(pairs[-1]), Fault)


def test_what_is_no_data_set_is_told_with_the_forms_that_are(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DataError, match="COCO"):
        find_pairs(tmp_path / "notes.txt")
    with pytest.raises(DataError, match="expected images/"):
        find_pairs(tmp_path)
