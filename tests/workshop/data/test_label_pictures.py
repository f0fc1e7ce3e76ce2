"""One rule for label pictures, in training, audit and scoring; it names the values, and it never guesses."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from standout.errors import ConfigError, DataError
from standout.workshop.audit.survey import survey
from standout.workshop.data.check import check_pairs
from standout.workshop.data.label_pictures import AmbiguousLabels, read_label_picture, voc_palette
from standout.workshop.data.pair import Pair
from standout.workshop.data.pairs import find_pairs
from standout.workshop.data.person_values import parse_person
from standout.workshop.score.evaluate import evaluate

BIG = np.zeros((60, 60), np.uint8)
BIG[12:60, 18:42] = 1


def png(pixels: NDArray[np.generic], mode: str = "", palette: bool = False) -> bytes:
    buffer = io.BytesIO()
    if palette:
        image = Image.frombytes("P", (pixels.shape[1], pixels.shape[0]), pixels.astype(np.uint8).tobytes())
        image.putpalette(voc_palette().tobytes())
    else:
        image = Image.fromarray(pixels)
        image = image.convert(mode) if mode else image
    image.save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def deep(pixels: NDArray[np.integer]) -> bytes:
    return cv2.imencode(".png", pixels.astype(np.uint16))[1].tobytes()


VOID = BIG * 15
VOID[10:12, 16:44] = 255
DOG = BIG * 15
DOG[2:58, 46:58] = 12
RGBA = np.dstack([np.full((60, 60, 3), 90, np.uint8), BIG * 255])

VOC_15 = "in VOC's palette: 15 is person"
RED = BIG[..., None] * np.array([250, 20, 30], np.uint8)
VOIDED = np.where(VOID == 255, 255, BIG).astype(np.uint8)

READ = {
    "0 and 255": (png(BIG * 255), "gray: 255 is person"),
    "one bit": (png(BIG * 255, "1"), "gray: 255 is person"),
    "three equal channels": (png(np.dstack([BIG * 255] * 3)), "gray: 255 is person"),
    "a JPEG": (jpeg(BIG * 255), "gray: 255 is person"),
    "a colored JPEG of grays": (jpeg(np.dstack([BIG * 255] * 3)), "gray: 255 is person"),
    "0 and 1": (png(BIG), "values 0, 1: 1 is person"),
    "0, 1 and void": (png(VOIDED), "values 0, 1, 255: 1 is person, 255 unsure"),
    "one class of many": (png(BIG * 24), "values 0, 24: 24 is person"),
    "16 bits up to 65535": (deep(BIG.astype(np.uint16) * 65535), "values 0, 65535: 65535 is person"),
    "16 bits, 0 and 1": (deep(BIG), "values 0, 1: 1 is person"),
    "16 bits, 0 and 255": (deep(BIG.astype(np.uint16) * 255), "gray: 255 is person"),
    "an instance's number": (deep(BIG.astype(np.uint16) * 24001), "values 0, 24001: 24001 is person"),
    "a palette": (png(BIG, palette=True), "the palette's numbers 0, 1: 1 is person"),
    "VOC": (png(BIG * 15, palette=True), f"the palette's numbers 0, 15 {VOC_15}"),
    "VOC with a dog": (png(DOG, palette=True), f"the palette's numbers 0, 12, 15 {VOC_15}"),
    "VOC's void": (png(VOID, palette=True), f"the palette's numbers 0, 15, 255 {VOC_15}, 255 unsure"),
    "VOC's colors": (png(voc_palette()[DOG]), f"colors of VOC's palette, numbers 0, 12, 15 {VOC_15}"),
    "one color on black": (png(RED), "colors #000000, #fa141e: #fa141e is person"),
    "transparency": (png(RGBA), "transparency is the mask"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_the_person_is_found_and_the_values_are_named(name: str) -> None:
    data, rule = READ[name]
    label = read_label_picture(data, name)
    sure = ~label.unsure
    assert np.array_equal((label.person > 127)[sure], BIG[sure] == 1)
    assert label.rule == rule
    assert label.unsure.any() == ("255 unsure" in rule)


def test_exactly_128_is_unsure_and_never_person() -> None:
    mask = BIG * np.uint8(255)
    mask[0:10, 0:10] = 128
    mask[:, 41] = 129  # a soft edge
    label = read_label_picture(png(mask), "m")
    assert label.unsure.sum() == 100
    assert not label.person[label.unsure].any()
    assert (label.person[12:, 41] == 129).all()
    assert label.rule == "gray: 255 is person, 128 unsure"


COLORS = np.zeros((60, 60, 3), np.uint8)
COLORS[..., 2] = 128
COLORS[BIG == 1] = 255, 0, 0
ASKED = {
    "two instances": (png(np.where(np.arange(60) < 30, BIG, BIG * 2).astype(np.uint8)), "0, 1, 2", "any"),
    "two colors": (png(COLORS), "#000080, #ff0000", "#ff0000"),
    "viridis": (png(np.where(BIG[..., None] == 1, [253, 231, 37], [68, 1, 84]).astype(np.uint8)), "#440154", "#fde725"),
    "another palette's classes": (png(BIG * 3 + (np.arange(60) > 50), palette=True), "0, 1, 3", "3"),
    "a dog of VOC's": (png(BIG * 12, palette=True), "0, 12", "12"),
    "Cityscapes' instances": (deep(BIG.astype(np.uint16) * 24001 + (np.arange(60) > 50)), "24001", "24001"),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_could_be_anybody_is_asked_for(name: str) -> None:
    data, seen, person = ASKED[name]
    with pytest.raises(AmbiguousLabels, match=seen) as caught:
        read_label_picture(data, "m.png")
    assert "m.png" in str(caught.value) and "`person`" in str(caught.value)
    label = read_label_picture(data, "m.png", person)
    found = label.person > 127
    if person == "any":
        assert np.array_equal(found, BIG == 1)
    else:
        assert np.array_equal(found[:, :50], BIG[:, :50] == 1)


def test_a_palette_of_grays_is_a_gray_picture() -> None:
    image = Image.fromarray(BIG * 255).convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert np.array_equal(read_label_picture(buffer.getvalue(), "m").person == 255, BIG == 1)


@pytest.mark.parametrize("text", ["15,person", "#12", "99999", "#gggggg"])
def test_what_stands_for_person_is_checked(text: str) -> None:
    with pytest.raises(ConfigError, match="person"):
        parse_person(text)


# ---------------------------------------------------------------- everywhere the same


def write_set(root: Path, masks: dict[str, bytes]) -> None:
    rng = np.random.default_rng(0)
    for name, data in masks.items():
        for folder in ("images", "masks"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        rough = Image.fromarray(rng.integers(0, 255, (4, 4, 3), np.uint8))
        photo = np.array(rough.resize((60, 60)))
        photo[BIG == 1] = rng.integers(0, 255, 3)
        cv2.imwrite(str(root / "images" / f"{name}.png"), photo)
        (root / "masks" / f"{name}.png").write_bytes(data)


def verdicts(root: Path, person: str = "") -> dict[str, tuple[str, str, str]]:
    """Stem -> kind of fault in training, audit and scoring."""
    pairs, _ = find_pairs(root, person=person)
    trained = {fault.pair.stem: fault.kind for fault in check_pairs(pairs).faults}
    report = evaluate(lambda frame: np.zeros(frame.shape[:2], np.float32), root, person=person)
    scored = {fault.pair.stem: fault.kind for fault in report.left_out}
    audited = {}
    for pair in pairs:
        kinds = [kind for kind in survey(pair).faults if kind in ("mask values", "mask empty", "mask not two-valued")]
        audited[pair.stem] = kinds[0] if kinds else ""
    return {p.stem: (trained.get(p.stem, ""), audited[p.stem], scored.get(p.stem, "")) for p in pairs}


def test_training_audit_and_scoring_agree(tmp_path: Path) -> None:
    half = BIG * np.uint8(255)
    half[:30] = 128
    ramp = np.tile(np.arange(60, dtype=np.uint8) * 4, (60, 1)) // 3 * 3 + 40
    masks = {name.replace(" ", "-"): READ[name][0] for name in ("0 and 255", "0 and 1", "VOC", "transparency")}
    masks |= {"half-unsure": png(half), "instances": ASKED["two instances"][0], "ramp": png(ramp)}
    masks |= {"all-unsure": png(BIG * np.uint8(128))}
    write_set(tmp_path / "set", masks)
    found = verdicts(tmp_path / "set")
    assert all(len(set(kinds)) == 1 for kinds in found.values()), found
    assert {stem: kinds[0] for stem, kinds in found.items() if kinds[0]} == {
        "ramp": "mask not two-valued", "all-unsure": "mask empty", "0-and-255": "mask values", "0-and-1": "mask values",
        "instances": "mask values", "half-unsure": "mask values",
    }  # fmt: skip
    chosen = verdicts(tmp_path / "set", person="any")
    assert chosen["instances"] == chosen["0-and-255"] == ("", "", "")


def test_which_number_is_person_is_decided_once_for_a_set(tmp_path: Path) -> None:
    """A cat's mask by itself says "8 is person"; beside a person's 15 neither number does."""
    write_set(tmp_path / "set", {f"{i}": png(BIG * kind) for i, kind in enumerate((15, 8, 7, 15))})
    found = verdicts_of_all(tmp_path / "set")
    assert set(found.values()) == {"mask values"}
    (fault, *_) = check_pairs(find_pairs(tmp_path / "set")[0]).faults
    assert "7, 8, 15" in fault.text and "`person`" in fault.text
    good = check_pairs(find_pairs(tmp_path / "set", person="15")[0]).good
    assert {pair.stem for pair in good if pair.has_person} == {"0", "3"} and len(good) == 4


@pytest.mark.parametrize(
    "masks",
    [
        {"a": png(BIG * 24), "b": png(BIG * 255)},
        {"a": png(VOIDED), "b": png(BIG * 255)},
        {"a": png(RED), "b": png(RED[..., ::-1].copy())},
        {"a": deep(BIG.astype(np.uint16) * 24001), "b": deep(BIG.astype(np.uint16) * 26001)},
        {"a": png(BIG * 3), "b": png(np.where(np.arange(60) < 30, BIG * 3, BIG * 4).astype(np.uint8))},
    ],
)
def test_masks_that_contradict_each_other_are_not_guessed(masks: dict[str, bytes], tmp_path: Path) -> None:
    write_set(tmp_path / "set", masks)
    assert set(verdicts_of_all(tmp_path / "set").values()) == {"mask values"}


def test_the_parts_of_a_set_are_read_alike_and_the_sets_of_a_folder_by_themselves(tmp_path: Path) -> None:
    for name, kind in (("one", 15), ("two", 8)):
        write_set(tmp_path / "sets" / name, {name: png(BIG * kind)})
    assert set(verdicts_of_all(tmp_path / "sets").values()) == {""}, "two sets, each with one number"
    for name, kind in (("train", 15), ("val", 8)):
        write_set(tmp_path / "parts" / name, {name: png(BIG * kind)})
        for folder in ("images", "masks"):
            (tmp_path / "whole" / folder).mkdir(parents=True, exist_ok=True)
            shutil.move(tmp_path / "parts" / name / folder, tmp_path / "whole" / folder / name)
    assert set(verdicts_of_all(tmp_path / "whole").values()) == {"mask values"}, "two parts of one set"


def test_masks_that_say_the_same_in_two_ways_are_read(tmp_path: Path) -> None:
    write_set(tmp_path / "set", {"a": png(BIG), "b": png(BIG * 255), "c": png(RGBA)})
    assert set(verdicts_of_all(tmp_path / "set").values()) == {""}


def verdicts_of_all(root: Path) -> dict[str, str]:
    """Stem -> kind of fault in training."""
    pairs, _ = find_pairs(root)
    faults = {fault.pair.stem: fault.kind for fault in check_pairs(pairs).faults}
    return {pair.stem: faults.get(pair.stem, "") for pair in pairs}


@pytest.mark.parametrize(("person", "said"), [("3", "person=3"), ("15", "person=15")])
def test_a_value_that_no_mask_holds_is_no_set_of_nobody(person: str, said: str, tmp_path: Path) -> None:
    write_set(tmp_path / "set", {"a": png(BIG * 255), "b": png(BIG * 255)})
    with pytest.raises(DataError, match=said):
        find_pairs(tmp_path / "set", person=person)


def test_a_number_is_none_of_a_colored_mask(tmp_path: Path) -> None:
    with pytest.raises(AmbiguousLabels, match="holds colors"):
        read_label_picture(png(RED), "m.png", "1")


def test_nothing_is_scored_where_it_is_not_known(tmp_path: Path) -> None:
    mask = BIG * np.uint8(255)
    mask[:30] = 128
    write_set(tmp_path / "set", {"a": png(mask)})
    below = np.arange(60)[:, None] >= 30

    def wrong_above(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.where(below, BIG, 1).astype(np.float32)

    (photo,) = evaluate(wrong_above, tmp_path / "set").photos
    assert photo.iou == 1 and photo.mae == 0 and photo.boundary_f == 1
    assert photo.counts.pixels == 30 * 60


def test_the_set_can_say_what_is_person(tmp_path: Path) -> None:
    write_set(tmp_path / "cats", {"a": ASKED["two instances"][0]})
    (tmp_path / "sets.toml").write_text('[cats]\nperson = "2"\nweight = 2\n')
    (pair,) = find_pairs(tmp_path)[0]
    assert isinstance(pair, Pair) and pair.person == "2" and pair.weight == 2
    assert not check_pairs([pair]).faults


def test_the_rule_is_told_with_the_values(tmp_path: Path) -> None:
    write_set(tmp_path / "set", {"a": png(BIG), "b": png(BIG), "c": png(BIG * 255)})
    sentences = check_pairs(find_pairs(tmp_path / "set")[0]).rule_sentences()
    assert sentences == ["set: 2 label(s): values 0, 1: 1 is person"]
    notes = evaluate(lambda frame: np.zeros(frame.shape[:2], np.float32), tmp_path / "set").notes
    assert list(notes) == sentences
